"""What a simulation of the SystemVerilog shows: every node equal, with and without pauses, in the cycles predicted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from siliconv.errors import ToolError, WorkSaysNoError
from siliconv.hardware.cluster import run_here_or_there
from siliconv.hardware.workers import SECONDS_PER_TASK, CrashedTaskError, StuckTaskError, processes_for
from siliconv.network import reference
from siliconv.network.fixed_point import Codes
from siliconv.progress import Progress, Silent, activity
from siliconv.rtl.cycles.cycle_model import cycles
from siliconv.rtl.plan.blocks import Align, Copy, Narrower, RtlDesign, Wider
from siliconv.rtl.simulation.rtlsim import Simulated, simulate
from siliconv.rtl.simulation.source_files import build_as_it_lies, sources_of

PAUSES = ((0, 0), (50, 50))
"""Per cent of cycles in which source and sink pause, a run each."""

IMAGES_PER_TASK = 8
"""That follow each other without a reset; the same on all machines, as the evidence is then."""

PROCESS_BYTES = 300 << 20


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
        Measured without pauses, on the first images that follow each other.
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


def simulated_evidence(
    design: RtlDesign,
    project: Path,
    codes: Codes,
    work: Path,
    *,
    jobs: int = -1,
    seconds: float = SECONDS_PER_TASK,
    progress: Progress | None = None,
    dask: str | None = None,
) -> RtlEvidence:
    """Build the sources of a written project with Verilator, run them on images, and compare every node.

    Some images that follow each other are one simulation, which begins with a reset; the simulations run side by side.

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
    jobs
        Processes; -1 for one a core, fewer where memory is short.
    seconds
        Time that a process may take for its images before it counts as stuck.
    progress
        Told about the build, and how many images are done.
    dask
        Address of the scheduler of a Dask cluster whose workers simulate in place of processes of this machine.

    Raises
    ------
    ToolError
        As `siliconv.rtl.simulation.verilator.build` and `run`, and `siliconv.hardware.cluster.run_on_cluster`.
    WorkSaysNoError
        ``RTL-STALL`` if the stream stops, ``RTL-STUCK`` if there was no end.
    """
    progress = progress or Silent()
    built = build_as_it_lies(design, project, work, progress)
    tasks = [(design, work, codes[at : at + IMAGES_PER_TASK]) for at in range(0, len(codes), IMAGES_PER_TASK)]
    processes = min(processes_for(jobs, PROCESS_BYTES + IMAGES_PER_TASK * _bytes_per_image(design)), len(tasks))
    found: list[_Compared] = []
    with activity(progress, "RTL simulation", len(codes), "vectors"), _reported(work, seconds):
        read = [built.program, *sources_of(work).values()]
        for outcome in run_here_or_there(_compare, tasks, dask, processes=processes, seconds=seconds, files=read):
            found.append(outcome.result)
            progress.update(min(len(found) * IMAGES_PER_TASK, len(codes)))
    first = found[0]
    return RtlEvidence(
        executor="RTL (Verilator)",
        images=len(codes),
        runs=len(PAUSES),
        nodes=tuple(_added(nodes) for nodes in zip(*(one.nodes for one in found), strict=True)),
        latency_cycles=first.latency_cycles,
        interval_cycles=first.interval_cycles,
        words=sum(one.words for one in found),
        cycles_differ=sum(one.cycles_differ for one in found),
        constants=built.constants,
        constants_differ=built.constants_differ,
        edited=built.edited,
        times=first.times,
    )


@dataclass(frozen=True)
class _Compared:
    """What one task found on its images; see `RtlEvidence`."""

    nodes: tuple[NodeEvidence, ...]
    words: int
    cycles_differ: int
    latency_cycles: int
    interval_cycles: float
    times: tuple[StreamTimes, ...]


def _compare(design: RtlDesign, work: Path, codes: Codes) -> _Compared:
    """Simulate some images in a row with each pattern of pauses, and compare all nodes and all cycles."""
    expected = reference.run(design.network, codes)
    runs: list[list[NodeEvidence]] = []
    words, late = 0, 0
    for pauses in PAUSES:
        (found,) = simulate(work, [design], [codes], pauses=pauses, probes=True)
        tensors = {**found.nodes, design.network.output.name: found.output}
        named = [name for name in design.network.by_name if name in tensors]
        runs.append([_compared(design, name, tensors[name], expected[name]) for name in named])
        model = cycles(design, len(codes), pauses=pauses)
        for name, moved in found.moved.items():
            words += len(moved)
            late += int((np.asarray(model.moved[name][: len(moved)]) != moved).sum())
        if pauses == (0, 0):
            times = _times(design, found)
            last = found.given[design.sink.words - 1 :: design.sink.words]
            latency = int(last[0] - found.taken[0])
            interval = float((last[-1] - last[0]) / (len(last) - 1)) if len(last) > 1 else float(latency)
    nodes = tuple(_added(of_node) for of_node in zip(*runs, strict=True))
    return _Compared(nodes, words, late, latency, interval, times)


def _compared(design: RtlDesign, name: str, found: Codes, expected: Codes) -> NodeEvidence:
    difference = np.abs(found - expected)
    step = 2.0 ** -design.network.by_name[name].type.fraction
    return NodeEvidence(name, found.size, int(np.count_nonzero(difference)), float(difference.max()) * step)


def _added(parts: Sequence[NodeEvidence]) -> NodeEvidence:
    """Add up what was found of one node."""
    return NodeEvidence(
        parts[0].name,
        sum(part.values for part in parts),
        sum(part.differing for part in parts),
        max(part.max_abs_difference for part in parts),
    )


def _bytes_per_image(design: RtlDesign) -> int:
    """Memory of one image: codes of network and core, and the bits and places of those that are read from a file."""
    return sum(int(np.prod(node.shape)) * (3 * 8 + 9 * node.type.width) for node in design.network.by_name.values())


@contextmanager
def _reported(work: Path, seconds: float) -> Iterator[None]:
    """Bring the end of a process into the user's words."""
    try:
        yield
    except StuckTaskError as error:
        raise WorkSaysNoError(
            "RTL-STUCK",
            f"no end after {seconds:g} s: the machine is slow for a network of this size",
            where=f"the simulation in {work}",
            fix="raise csim.timeout_s",
        ) from error
    except CrashedTaskError as error:
        raise ToolError(
            "RTL-RUN",
            f"a process ended in the middle: {error.args[0] or 'it was killed, perhaps for its memory'}",
            where=f"the simulation in {work}",
            fix="set csim.jobs lower",
        ) from error


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
