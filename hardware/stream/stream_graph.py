"""A dataflow design as actors that exchange tokens through FIFOs: what FIFO depths are decided on.

An actor goes through a fixed program of steps, the same for every image. A step takes a token from each of
its inputs or from none, is busy for some cycles, and then puts a token into each of its outputs or into none.
That is what hls4ml's stream templates do: one word a pixel, in raster order, whatever the values are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import product


@dataclass(frozen=True)
class Step:
    """One step of an actor's program: whether it reads, its busy cycles (at least 1), whether it writes."""

    reads: bool
    cycles: int
    writes: bool


@dataclass(frozen=True)
class Actor:
    """A process of the dataflow region.

    Parameters
    ----------
    name
        Of the layer it runs.
    program
        Its steps for one image, in order.
    latency
        Cycles between the end of a step and the appearance of its token: a pipeline's depth.
    stalls_whole
        Whether a step of one cycle that reads and writes does both in the same cycle or neither.
    """

    name: str
    program: tuple[Step, ...]
    latency: int = 0
    stalls_whole: bool = False


@dataclass(frozen=True)
class Fifo:
    """A channel from one actor to another; `depth` in tokens, None without a limit; `bits` of a token."""

    name: str
    writer: str
    reader: str
    bits: int
    depth: int | None = None


@dataclass(frozen=True)
class StreamGraph:
    """Actors and the FIFOs between them; names are unique."""

    actors: tuple[Actor, ...]
    fifos: tuple[Fifo, ...]

    def with_depths(self, depths: dict[str, int] | None) -> StreamGraph:
        """Return the graph with the depths of some FIFOs set, or all of them without a limit (None)."""
        fifos = tuple(
            replace(one, depth=None if depths is None else depths.get(one.name, one.depth)) for one in self.fifos
        )
        return StreamGraph(self.actors, fifos)

    def unbalanced(self) -> tuple[str, ...]:
        """Return the FIFOs whose writer and reader disagree on the tokens of an image."""
        programs = {actor.name: actor.program for actor in self.actors}
        return tuple(
            one.name
            for one in self.fifos
            if sum(step.writes for step in programs[one.writer]) != sum(step.reads for step in programs[one.reader])
        )


def in_order_of_data(graph: StreamGraph) -> list[str]:
    """Return the actors from sources to sinks; those on a circle are left out."""
    missing = {actor.name: 0 for actor in graph.actors}
    for fifo in graph.fifos:
        missing[fifo.reader] += 1
    ready = [name for name, count in missing.items() if count == 0]
    found: list[str] = []
    while ready:
        name = ready.pop()
        found.append(name)
        for fifo in graph.fifos:
            if fifo.writer == name:
                missing[fifo.reader] -= 1
                if missing[fifo.reader] == 0:
                    ready.append(fifo.reader)
    return found


def steps(count: int, *, reads: bool = True, cycles: int = 1, writes: bool = True) -> tuple[Step, ...]:
    """Return the same step so many times."""
    return (Step(reads, cycles, writes),) * count


def window_steps(
    image: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    out: Sequence[int],
    cycles: Sequence[int],
) -> tuple[Step, ...]:
    """Return the program of a sliding window over an image in raster order.

    Parameters
    ----------
    image, kernel, stride, out
        Sizes over the spatial axes (one or two); `out` limits the output pixels of each axis.
    cycles
        Of a pixel that completes no window, and of one that does.
    """
    filling, completing = cycles
    hits = [
        [
            position >= size - 1 and (position - size + 1) % step == 0 and (position - size + 1) // step < outputs
            for position in range(length)
        ]
        for length, size, step, outputs in zip(image, kernel, stride, out, strict=True)
    ]
    completing_step, filling_step = Step(True, completing, True), Step(True, filling, False)
    return tuple(completing_step if hit else filling_step for hit in _raster(hits))


def padded_window_steps(
    image: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    out: Sequence[int],
    before: Sequence[int],
    raster: Sequence[int],
) -> tuple[Step, ...]:
    """Return the program of a window that goes through an image with the padding around it, a pixel a cycle.

    Parameters
    ----------
    image, kernel, stride, out
        As `window_steps`.
    before
        Padding before each axis.
    raster
        Sizes of the image with the padding that is gone through.
    """
    hits = window_steps(raster, kernel, stride, out, (1, 1))
    reads = _inside(image, before, raster)
    return tuple(Step(read, 1, step.writes) for read, step in zip(reads, hits, strict=True))


def padding_steps(image: Sequence[int], out: Sequence[int]) -> tuple[Step, ...]:
    """Return the program that surrounds an image with zeros, the odd one at the end of an axis."""
    before = [(outputs - length) // 2 for length, outputs in zip(image, out, strict=True)]
    return tuple(Step(read, 1, True) for read in _inside(image, before, out))


def _inside(image: Sequence[int], before: Sequence[int], raster: Sequence[int]) -> list[bool]:
    """Tell of each position of a raster whether it lies in the image, which has so much padding before each axis."""
    return _raster(
        [pad <= position < pad + size for position in range(length)]
        for size, pad, length in zip(image, before, raster, strict=True)
    )


def _raster(axes: Iterable[Sequence[bool]]) -> list[bool]:
    """Tell of each position in raster order whether it is marked along every axis."""
    return [all(marks) for marks in product(*axes)]


def resampling_steps(read: int, written: int, cycles: int = 1) -> tuple[Step, ...]:
    """Return a program that spreads so many reads and writes evenly over the larger of the two."""
    total = max(read, written, 1)
    found = []
    for index in range(total):
        reads = (index * read) // total != ((index + 1) * read) // total
        writes = (index * written) // total != ((index + 1) * written) // total
        found.append(Step(reads, cycles, writes))
    # Reading must not fall behind writing: the first step of a repetition reads.
    if written > read > 0:
        starts = {(index * total) // read for index in range(read)}
        found = [Step(index in starts, cycles, True) for index in range(total)]
    return tuple(found)
