"""What a simulation of the SystemVerilog shows: every node equal, with and without pauses, in the cycles predicted."""

from __future__ import annotations

import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from siliconv.network import reference
from siliconv.network.fixed_point import Codes
from siliconv.rtl.cycles.cycle_model import cycles
from siliconv.rtl.plan.blocks import Align, Copy, Narrower, RtlDesign, Wider
from siliconv.rtl.simulation.rtlsim import Simulated, simulate
from siliconv.rtl.simulation.source_files import compare_constants, take_sources
from siliconv.rtl.simulation.verilator import build
from siliconv.rtl.writing.rtl_project import write_project

PAUSES = ((0, 0), (50, 50))
"""Per cent of cycles in which source and sink pause, a run each."""


@dataclass(frozen=True)
class NodeEvidence:
    """How many values of a node were compared in all runs, how many differ from the integer network, by how much."""

    name: str
    values: int
    differing: int
    max_abs_difference: float


@dataclass(frozen=True)
class StreamTimes:
    """When the words of the first and of the second image moved on the stream that leaves a block, without pauses.

    Each is the cycle of the first and of the last word; the second one is left out where there was one image.
    """

    block: str
    node: str
    words: int
    images: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class RtlEvidence:
    """The result of `simulated_evidence`, for a certificate.

    Parameters
    ----------
    images
        In each run.
    latency_cycles, interval_cycles
        Measured without pauses.
    words, cycles_differ
        Words of all streams whose cycle was compared in all runs, and those that moved in another one than the model
        says.
    constants, constants_differ
        Words of the memories' files, and those that are not the network's.
    edited
        What was edited in the sources since they were written.
    times
        Of each block that computes, in the order of the data.
    """

    executor: str
    images: int
    runs: int
    nodes: tuple[NodeEvidence, ...]
    latency_cycles: int
    interval_cycles: float
    words: int
    cycles_differ: int
    constants: int
    constants_differ: tuple[str, ...]
    edited: tuple[str, ...]
    times: tuple[StreamTimes, ...] = ()

    @property
    def exact(self) -> bool:
        """Whether every value is equal, and every constant in the memories' files."""
        return not any(node.differing for node in self.nodes) and not self.constants_differ

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {"exact": self.exact, **asdict(self)}


def simulated_evidence(design: RtlDesign, project: Path, codes: Codes, work: Path) -> RtlEvidence:
    """Build the sources of a written project with Verilator, run them on images, and compare every node.

    Parameters
    ----------
    design
        What the project was written from.
    project
        Its folder: the sources there are what is simulated.
    codes
        (images, *input shape).
    work
        A folder for the build; it may hold an earlier one.

    Raises
    ------
    ToolError
        As `siliconv.rtl.simulation.verilator.build`.
    WorkSaysNoError
        ``RTL-STALL`` if the stream stops.
    """
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    write_project([design], work, probes=True)
    edited = take_sources(project, work)
    count, wrong = compare_constants(design, project)
    build(work)
    expected = reference.run(design.network, codes)
    values: dict[str, int] = {}
    differing: dict[str, int] = {}
    largest: dict[str, float] = {}
    words, late, latency, interval = 0, 0, 0, 0.0
    times: tuple[StreamTimes, ...] = ()
    for pauses in PAUSES:
        (found,) = simulate(work, [design], [codes], pauses=pauses, probes=True)
        for name, tensor in {**found.nodes, design.network.output.name: found.output}.items():
            difference = np.abs(tensor - expected[name])
            values[name] = values.get(name, 0) + tensor.size
            differing[name] = differing.get(name, 0) + int(np.count_nonzero(difference))
            step = 2.0 ** -design.network.by_name[name].type.fraction
            largest[name] = max(largest.get(name, 0.0), float(difference.max()) * step)
        model = cycles(design, len(codes), pauses=pauses)
        for name, moved in found.moved.items():
            words += len(moved)
            late += int((np.asarray(model.moved[name][: len(moved)]) != moved).sum())
        if pauses == (0, 0):
            times = _times(design, found)
            last = found.given[design.sink.words - 1 :: design.sink.words]
            latency = int(last[0] - found.taken[0])
            interval = float((last[-1] - last[0]) / (len(last) - 1)) if len(last) > 1 else float(latency)
    nodes = tuple(
        NodeEvidence(name, values[name], differing[name], largest[name])
        for name in design.network.by_name
        if name in values
    )
    return RtlEvidence(
        "RTL (Verilator)", len(codes), len(PAUSES), nodes, latency, interval, words, late, count, wrong, edited, times
    )


def _times(design: RtlDesign, found: Simulated) -> tuple[StreamTimes, ...]:
    """Give when the words of two images left each block; lanes that are only counted anew are left out."""
    kept = []
    for block in design.blocks:
        stream = block.outputs[0]
        moved = found.moved[stream.name]
        images = [moved[first : first + stream.words] for first in (0, stream.words)]
        ends = tuple((int(one[0]), int(one[-1])) for one in images if len(one) == stream.words)
        if ends and not isinstance(block, Copy | Narrower | Wider | Align):
            kept.append(StreamTimes(block.name, stream.node, stream.words, ends))
    return tuple(kept)
