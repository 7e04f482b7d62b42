"""Cycle-level simulation of a stream graph: when every step starts and ends, or why the graph stops.

A step starts once the actor's last step has ended and each input has a token; it ends after its busy cycles,
or as soon as each output has room if that is later; its tokens can be read `latency` cycles after the next
cycle. Room of a token that is read is free in the cycle after the read. These rules have one solution, which
is found without stepping through the cycles: each actor runs on as far as what is known of its neighbours
allows.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from siliconv.hardware.stream.stream_graph import StreamGraph


@dataclass(frozen=True)
class Wait:
    """An actor that cannot go on: it waits for a token in a FIFO, or for room in it."""

    actor: str
    fifo: str
    for_room: bool


@dataclass(frozen=True)
class Trace:
    """What happened.

    Parameters
    ----------
    starts, ends
        For each actor in the order of the graph, the cycles in which its steps start and end.
    reads, writes
        For each FIFO in the order of the graph, the cycles in which tokens are read and written.
    deadlock
        The actors that wait for each other in a circle, each for the next; empty when all images got through.
    late
        Whether the run was given up because a step ended too late.
    """

    starts: tuple[Sequence[int], ...]
    ends: tuple[Sequence[int], ...]
    reads: tuple[Sequence[int], ...]
    writes: tuple[Sequence[int], ...]
    deadlock: tuple[Wait, ...] = ()
    late: bool = False

    @property
    def length(self) -> int:
        """Cycles until the last step has ended."""
        return 1 + max((ends[-1] for ends in self.ends if ends), default=-1)


def simulate(graph: StreamGraph, *, images: int = 1, latest: Sequence[Sequence[int]] | None = None) -> Trace:
    """Run so many images through a graph, one after the other without a pause.

    Parameters
    ----------
    graph
        Actors and FIFOs with their depths.
    images
        How many.
    latest
        For each actor the cycles by which its steps have to end; the run is given up at the first that is
        later, and the trace says `late`.
    """
    processes, reads, writes = _prepare(graph, images, latest)
    stops: dict[int, tuple[int, bool]] = {}
    late = False
    waiting = deque(range(len(processes)))
    queued = [True] * len(processes)
    while waiting and not late:
        number = waiting.popleft()
        queued[number] = False
        process = processes[number]
        before = len(process.starts) + len(process.ends)
        stop = _run_on(process)
        late = stop == _LATE
        if stop is None:
            stops.pop(number, None)
        else:
            stops[number] = stop
        if len(process.starts) + len(process.ends) != before:
            for neighbour in process.neighbours:
                if not queued[neighbour]:
                    queued[neighbour] = True
                    waiting.append(neighbour)
    waits = {
        graph.actors[number].name: Wait(graph.actors[number].name, graph.fifos[fifo].name, for_room)
        for number, (fifo, for_room) in stops.items()
    }
    return Trace(
        tuple(process.starts for process in processes),
        tuple(process.ends for process in processes),
        tuple(reads),
        tuple(writes),
        () if late else _circle(graph, waits),
        late,
    )


_LATE = (-1, False)


@dataclass
class _Process:
    """An actor while the simulation runs: its program, its channels, and its steps so far.

    An input is (FIFO, reads, writes, cycles from write to read); an output (FIFO, reads, writes, depth).
    """

    steps: list[tuple[bool, int, bool]]
    total: int
    inputs: list[tuple[int, list[int], list[int], int]]
    outputs: list[tuple[int, list[int], list[int], int]]
    neighbours: list[int]
    latest: Sequence[int] | None
    stalls_whole: bool
    starts: list[int]
    ends: list[int]


def _prepare(
    graph: StreamGraph, images: int, latest: Sequence[Sequence[int]] | None
) -> tuple[list[_Process], list[list[int]], list[list[int]]]:
    index = {actor.name: number for number, actor in enumerate(graph.actors)}
    reads: list[list[int]] = [[] for _ in graph.fifos]
    writes: list[list[int]] = [[] for _ in graph.fifos]
    processes = []
    for number, actor in enumerate(graph.actors):
        total = images * len(actor.program)
        processes.append(
            _Process(
                [(step.reads, step.cycles - 1, step.writes) for step in actor.program],
                total,
                [],
                [],
                [],
                None if latest is None else latest[number],
                actor.stalls_whole,
                [],
                [],
            )
        )
    for number, fifo in enumerate(graph.fifos):
        writer, reader = index[fifo.writer], index[fifo.reader]
        tokens = processes[writer].total
        depth = tokens if fifo.depth is None else fifo.depth
        processes[writer].outputs.append((number, reads[number], writes[number], depth))
        delay = 1 + graph.actors[writer].latency
        processes[reader].inputs.append((number, reads[number], writes[number], delay))
        processes[writer].neighbours.append(reader)
        processes[reader].neighbours.append(writer)
    return processes, reads, writes


def _run_on(process: _Process) -> tuple[int, bool] | None:
    """Run a process as far as its channels allow; return the FIFO it waits for, and whether for room."""
    steps, starts, ends, latest = process.steps, process.starts, process.ends, process.latest
    inputs, outputs = process.inputs, process.outputs
    count, position = len(steps), len(ends)
    while position < process.total:
        takes, cycles, gives = steps[position % count]
        together = process.stalls_whole and takes and gives and not cycles
        if len(starts) == position:
            start = ends[-1] + 1 if position else 0
            if takes:
                for fifo, reads, writes, delay in inputs:
                    token = len(reads)
                    if len(writes) <= token:
                        return fifo, False
                    if writes[token] + delay > start:
                        start = writes[token] + delay
                if not together:
                    for _, reads, _, _ in inputs:
                        reads.append(start)
            if not together:
                starts.append(start)
        else:
            start = starts[position]
        end = start + cycles
        if gives:
            for fifo, reads, writes, depth in outputs:
                freed = len(writes) - depth
                if freed >= 0:
                    if len(reads) <= freed:
                        return fifo, True
                    if reads[freed] >= end:
                        end = reads[freed] + 1
            for _, _, writes, _ in outputs:
                writes.append(end)
        if together:
            starts.append(end)
            for _, reads, _, _ in inputs:
                reads.append(end)
        if latest is not None and end > latest[position]:
            return _LATE
        ends.append(end)
        position += 1
    return None


def _circle(graph: StreamGraph, waits: dict[str, Wait]) -> tuple[Wait, ...]:
    """Return the actors of `waits` that wait for each other in a circle, or all when they wait for nobody."""
    fifos = {fifo.name: fifo for fifo in graph.fifos}
    for first in waits:
        path: list[str] = []
        current = first
        while current in waits and current not in path:
            path.append(current)
            fifo = fifos[waits[current].fifo]
            current = fifo.reader if waits[current].for_room else fifo.writer
        if current in path:
            return tuple(waits[actor] for actor in path[path.index(current) :])
    return tuple(waits.values())
