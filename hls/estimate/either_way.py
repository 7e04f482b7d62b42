"""What is known to go either way, whatever the errors of published designs were: a range around each value.

Bands are made of these ranges and of the errors that are left outside them.
"""

from __future__ import annotations

from math import ceil

from siliconv.hardware.devices import family_of
from siliconv.hls.design.design import Design, Layer, MatrixLayer
from siliconv.hls.estimate.memory import fifo_geometry, layer_fifo_blocks, rom_blocks
from siliconv.hls.estimate.multipliers import (
    dsps,
    fusable,
    is_unrolled,
    most_dsps,
    seldom_dsps,
    weight_statistics,
)
from siliconv.hls.estimate.schedule import has_rounded_interval, tree_depth
from siliconv.hls.kinds import Backend, IoType, Synthesis

# Vitis HLS 2023.1 put FIFOs of up to 6144 bits of one design into shift registers at 5 ns and into blocks at 25 ns.
_EITHER_FIFO_BITS = 6144
# A look-up table holds so many words of a bit: memories of fewer, Vivado may as well make of tables.
_TABLE_WORDS = 64
# Two published networks of more constants than this were added in a chain by this release.
_ADDS_IN_A_CHAIN, _BALANCED = "vitis_hls 2021.1", 5000


def either_way(metric: str, value: float, design: Design, stage: Synthesis = Synthesis.CSYNTH) -> tuple[float, float]:
    """Return the least and the most that a metric can be by what is known of the tools, the value between them."""
    if metric == "dsp":
        low = value - sum(seldom_dsps(layer, design) for layer in design.layers)
        high = value + ceil(sum(fusable(layer, design) for layer in design.layers))
        return max(low, 0.0), high
    if metric in ("latency_cycles", "interval_cycles"):
        pixels = max((layer.input.pixels for layer in design.layers if has_rounded_interval(layer, design)), default=0)
        chained = sum(_in_a_chain(layer, design) for layer in design.layers) if metric == "latency_cycles" else 0
        return max(value - pixels, 0.0), value + pixels + chained
    shallow = [_shallow_memory(layer, design) for layer in design.layers] if stage is Synthesis.VSYNTH else []
    if metric == "bram18":
        blocks = sum(blocks for blocks, _ in shallow)
        return max(value - _either_blocks(design) - blocks, 0.0), value
    if metric == "lut":
        return value, value + sum(tables for _, tables in shallow)
    return value, value


def at_most(metric: str, design: Design) -> float:
    """Return what a metric cannot exceed: no more DSP blocks than all products take that are no shift."""
    if metric != "dsp":
        return float("inf")
    return sum(
        most_dsps(layer, design) if isinstance(layer, MatrixLayer) else dsps(layer, design) for layer in design.layers
    )


def _in_a_chain(layer: Layer, design: Design) -> int:
    """Return the cycles that a layer takes more where the tool adds one product after the other."""
    if _ADDS_IN_A_CHAIN not in design.tool or not isinstance(layer, MatrixLayer) or not is_unrolled(layer):
        return 0
    nonzero = weight_statistics(layer).nonzero
    if nonzero <= _BALANCED:
        return 0
    each_ns = family_of(design.part).add_ns * nonzero / layer.n_out
    return max(ceil(each_ns / design.usable_clock_ns) - tree_depth(layer, design), 0)


def _either_blocks(design: Design) -> int:
    """Return the blocks of FIFOs that the tool may as well make of shift registers."""
    if design.backend is not Backend.VITIS or design.io_type is not IoType.STREAM:
        return 0
    total = 0
    for layer in design.layers[:-1]:
        depth, bits, _count = fifo_geometry(layer, design)
        if depth * bits <= _EITHER_FIFO_BITS:
            total += layer_fifo_blocks(layer, design)
    return total


def _shallow_memory(layer: Layer, design: Design) -> tuple[int, int]:
    """Return the blocks of a layer's weights that Vivado may leave out, and the look-up tables that take their place.

    Only where nothing binds them: in streams of Vitis HLS, whose C synthesis counts blocks (published: for 45 words of
    36 bits).
    """
    if design.backend is not Backend.VITIS or design.io_type is not IoType.STREAM:
        return 0, 0
    if not isinstance(layer, MatrixLayer) or is_unrolled(layer) or layer.weights_outside:
        return 0, 0
    if layer.weight_memory != "auto" or layer.reuse_factor > _TABLE_WORDS:
        return 0, 0
    bits = ceil(layer.products / layer.reuse_factor) * layer.weight.width
    blocks = rom_blocks(layer.reuse_factor, bits)
    return blocks, bits if blocks else 0
