"""What the ends of the AXI-Stream top level take besides the core: registers of beats and pixels, and their FIFOs."""

from __future__ import annotations

from collections import Counter

from siliconv.hardware.beat_format import END_WORDS, BeatFormat
from siliconv.hls.design.design import Design
from siliconv.hls.estimate.coefficients import Coefficients
from siliconv.hls.estimate.parts import Parts
from siliconv.hls.kinds import Backend, IoType, Synthesis

# Counters of pixels and beats, the states of a process, and the port of a stream (template axi.cpp.j2).
_CONTROL_BITS = 64


def ends_cost(
    design: Design, images: BeatFormat, results: BeatFormat, widths: tuple[int, int], known: Coefficients
) -> dict[str, int]:
    """Return the look-up tables and flip-flops of both ends, as C synthesis would count them.

    Parameters
    ----------
    design
        Of the core.
    images, results
        The beats of both ends.
    widths
        Bits of an input's code and of a result's.
    known
        What parts cost.
    """
    found: Parts = Counter()
    for form, width in zip((images, results), widths, strict=True):
        pixel = form.channels * width
        # A beat on its way, the pixel or the image that is put together of it, and what says where it goes.
        whole = pixel if design.io_type is IoType.STREAM else form.pixels * pixel
        found["register.bits"] += 2 * form.beat_bits + whole + _CONTROL_BITS
        found["adder.luts"] += _CONTROL_BITS + (form.beat_bits if form.beats > 1 else 0)
        if design.io_type is IoType.STREAM:
            count = form.channels if design.backend is Backend.VIVADO else 1
            found[f"fifo.{design.backend}_shift_count"] += count
            found[f"fifo.{design.backend}_shift_bits"] += pixel * -(-END_WORDS // 32)
    return {
        resource: round(sum(count * costs.get(part, 0.0) for part, count in found.items()))
        for resource in ("lut", "ff")
        for costs in [known.parts[Synthesis.CSYNTH][resource]]
    }
