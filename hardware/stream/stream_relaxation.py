"""Times of a stream graph by relaxation: the solution of `stream_simulation`'s rules, all steps of an actor at once.

Every rule is a lower bound on a time. Starting from times that are too early, the bounds are applied to whole
programs until none moves a step: what comes out is the schedule in which all happens as early as it can. A change
of a depth moves few steps, so the schedule before it is a good start.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from siliconv.hardware.stream.stream_graph import Actor, StreamGraph

Times = NDArray[np.int64]

# Earlier than any time, and later than any.
_BEFORE, _NEVER = -(1 << 60), 1 << 60
# Where a bound goes round a loop that gains little each time, stepping through the events is faster.
_MOST_UPDATES = 3000


@dataclass(frozen=True)
class Schedule:
    """When each actor's steps end, and when the tokens of each FIFO are read and written, in the graph's order."""

    ends: tuple[Times, ...]
    reads: tuple[Times, ...]
    writes: tuple[Times, ...]

    @property
    def length(self) -> int:
        """Cycles until the last step has ended."""
        return 1 + max((int(ends[-1]) for ends in self.ends if len(ends)), default=-1)


class Relaxation:
    """The programs of a graph as arrays, for so many images."""

    def __init__(self, graph: StreamGraph, images: int) -> None:
        self.graph = graph
        self._programs = [_Program.of(actor, images) for actor in graph.actors]
        index = {actor.name: number for number, actor in enumerate(graph.actors)}
        self._writer = [index[fifo.writer] for fifo in graph.fifos]
        self._reader = [index[fifo.reader] for fifo in graph.fifos]
        self._inputs: list[list[int]] = [[] for _ in graph.actors]
        self._outputs: list[list[int]] = [[] for _ in graph.actors]
        for number in range(len(graph.fifos)):
            self._inputs[self._reader[number]].append(number)
            self._outputs[self._writer[number]].append(number)

    def unlimited(self, order: Sequence[str]) -> Schedule:
        """Return the schedule with FIFOs of any depth; `order` goes from sources to sinks."""
        empty = np.empty(0, np.int64)
        ends, reads, writes = ([empty] * len(part) for part in (self.graph.actors, self.graph.fifos, self.graph.fifos))
        index = {actor.name: number for number, actor in enumerate(self.graph.actors)}
        for name in order:
            number = index[name]
            program = self._programs[number]
            ends[number], started, written = program.run(self._arrivals(number, writes), None)
            for fifo in self._inputs[number]:
                reads[fifo] = started
            for fifo in self._outputs[number]:
                writes[fifo] = written
        return Schedule(tuple(ends), tuple(reads), tuple(writes))

    def latest(self, free: Schedule, order: Sequence[str]) -> tuple[tuple[Times, ...], tuple[Times, ...]]:
        """Return how late everything may happen without delaying a step of an actor that writes to nobody.

        Returns
        -------
        tuple
            The latest ends of each actor's steps, and the latest writes into each FIFO.
        """
        empty = np.empty(0, np.int64)
        ends, reads, writes = ([empty] * len(part) for part in (self.graph.actors, self.graph.fifos, self.graph.fifos))
        index = {actor.name: number for number, actor in enumerate(self.graph.actors)}
        for name in reversed(order):
            number = index[name]
            program = self._programs[number]
            if not self._outputs[number]:
                ends[number] = free.ends[number]
            else:
                read = np.minimum.reduce([reads[fifo] for fifo in self._outputs[number]])
                ends[number] = program.latest(read - program.delay)
            for fifo in self._inputs[number]:
                reads[fifo] = (ends[number] - program.cycles + 1)[program.takes]
            for fifo in self._outputs[number]:
                writes[fifo] = ends[number][program.gives]
        return tuple(ends), tuple(writes)

    def with_depths(
        self, known: Schedule, depths: Mapping[str, int], changed: Sequence[str], latest: Sequence[Times]
    ) -> Schedule | None:
        """Return the schedule with limited depths, or None where a step would be later than allowed.

        Parameters
        ----------
        known
            The schedule with depths that are nowhere less.
        depths
            Words by FIFO; FIFOs that are not in it have no limit.
        changed
            The FIFOs whose depth `known` does not keep to.
        latest
            The latest ends of each actor's steps.

        Raises
        ------
        TooManyUpdates
            When the bounds do not settle soon.
        """
        limits = [depths.get(fifo.name) for fifo in self.graph.fifos]
        ends, reads, writes = list(known.ends), list(known.reads), list(known.writes)
        names = {fifo.name: number for number, fifo in enumerate(self.graph.fifos)}
        waiting = deque(dict.fromkeys(self._writer[names[name]] for name in changed))
        queued = set(waiting)
        for _ in range(_MOST_UPDATES):
            if not waiting:
                return Schedule(tuple(ends), tuple(reads), tuple(writes))
            number = waiting.popleft()
            queued.discard(number)
            program = self._programs[number]
            found, started, written = program.run(
                self._arrivals(number, writes), self._room(number, reads, limits, program)
            )
            if (found > latest[number]).any():
                return None
            ends[number] = found
            moved = []
            for fifo in self._inputs[number]:
                if limits[fifo] is not None and not np.array_equal(reads[fifo], started):
                    moved.append(self._writer[fifo])
                reads[fifo] = started
            for fifo in self._outputs[number]:
                if not np.array_equal(writes[fifo], written):
                    moved.append(self._reader[fifo])
                writes[fifo] = written
            for one in moved:
                if one not in queued:
                    queued.add(one)
                    waiting.append(one)
        raise TooManyUpdates

    def _arrivals(self, number: int, writes: Sequence[Times]) -> Times | None:
        """Return when the actor's tokens can be read, None for an actor without inputs."""
        inputs = self._inputs[number]
        if not inputs:
            return None
        return np.maximum.reduce([writes[fifo] + self._programs[self._writer[fifo]].delay for fifo in inputs])

    def _room(
        self, number: int, reads: Sequence[Times], limits: Sequence[int | None], program: _Program
    ) -> Times | None:
        """Return the cycle from which there is room for each token that the actor writes."""
        bounds = None
        for fifo in self._outputs[number]:
            depth = limits[fifo]
            if depth is not None and depth < program.written:
                if bounds is None:
                    bounds = np.full(program.written, _BEFORE, np.int64)
                np.maximum(bounds[depth:], reads[fifo][: program.written - depth] + 1, out=bounds[depth:])
        return bounds


class TooManyUpdates(Exception):  # noqa: N818  (no error: the caller takes the other road)
    """The bounds go round a loop."""


@dataclass(frozen=True)
class _Program:
    """An actor's steps over all images: cycles, their sum, which take and which give a token, and its delay.

    `together` marks among the steps that take a token those that give one in the same cycle or do neither.
    """

    cycles: Times
    total: Times
    takes: Times
    gives: Times
    together: NDArray[np.bool_]
    delay: int

    @classmethod
    def of(cls, actor: Actor, images: int) -> _Program:
        steps = np.array([(step.reads, step.cycles, step.writes) for step in actor.program], np.int64).reshape(-1, 3)
        reads, cycles, gives = np.tile(steps, (images, 1)).T
        takes = np.flatnonzero(reads)
        together = actor.stalls_whole & (gives[takes] == 1) & (cycles[takes] == 1)
        return cls(cycles, np.cumsum(cycles), takes, np.flatnonzero(gives), together, actor.latency + 1)

    @property
    def written(self) -> int:
        return len(self.gives)

    def run(self, arrivals: Times | None, room: Times | None) -> tuple[Times, Times, Times]:
        """Return the ends of all steps, the starts of those that take a token, and the ends of those that give one.

        A step ends `cycles` after the one before it, after its token came, or when there is room: with the sum of
        cycles taken off, a running maximum.
        """
        bounds = np.full(len(self.cycles), _BEFORE, np.int64)
        if arrivals is not None:
            bounds[self.takes] = arrivals + (self.cycles - 1 - self.total)[self.takes]
        if room is not None:
            bounds[self.gives] = np.maximum(bounds[self.gives], room - self.total[self.gives])
        ends = self.total + np.maximum(np.maximum.accumulate(bounds), -1)
        started = np.concatenate([[-1], ends[:-1]])[self.takes] + 1
        if arrivals is not None:
            started = np.maximum(started, arrivals)
        started = np.where(self.together, ends[self.takes], started)
        return ends, started, ends[self.gives]

    def latest(self, writes: Times) -> Times:
        """Return the latest ends of all steps, given those of the ones that give a token."""
        bounds = np.full(len(self.cycles), _NEVER, np.int64)
        bounds[self.gives] = writes - self.total[self.gives]
        found = np.minimum.accumulate(bounds[::-1])[::-1]
        return np.where(found < _NEVER, found + self.total, _NEVER)
