"""The smallest FIFO depths that cost no cycle.

Without limits every actor runs as early as it can, and the words pile up before the slow ones. Running every
actor as late as possible without delaying the last output instead shows how many words a FIFO has to hold;
with those depths the graph is as fast as without limits, because a step never starts later when a FIFO is
deeper. What is left to gain is found by trying each FIFO with less.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from siliconv.errors import WorkSaysNoError
from siliconv.hls.stream_graph import Step, StreamGraph
from siliconv.hls.stream_simulation import Trace, simulate

# hls::stream is two words deep unless it is told otherwise; less saves nothing in hardware.
SHALLOWEST = 2
# Later than any simulation gets, and early enough for arithmetic.
_NEVER = 1 << 60


@dataclass(frozen=True)
class FifoDepths:
    """Depths in words by FIFO, and the cycles that the images take without limits and with them."""

    depths: dict[str, int]
    cycles: int


def smallest_depths(graph: StreamGraph, *, images: int = 2, shallowest: int = SHALLOWEST) -> FifoDepths:
    """Return depths none of which can be made smaller without slowing the images down.

    Parameters
    ----------
    graph
        Its own depths are ignored.
    images
        Streamed without a pause; two show the steady state as well as the latency.
    shallowest
        The least depth to give.

    Raises
    ------
    WorkSaysNoError
        FIFO-DEADLOCK when the graph stops however deep its FIFOs are, with the actors that wait for each
        other.
    """
    free = simulate(graph.with_depths(None), images=images)
    if free.deadlock:
        raise deadlock_error(free)
    needed, latest = _latest(graph, free, images)

    def is_enough(depths: dict[str, int]) -> bool:
        trace = simulate(graph.with_depths(depths), images=images, latest=latest)
        return not trace.late and not trace.deadlock

    depths = {fifo.name: max(depth, shallowest) for fifo, depth in zip(graph.fifos, needed, strict=True)}
    # The largest first: what is saved in one FIFO at times has to be kept in another.
    by_size = sorted(graph.fifos, key=lambda one: -one.bits * depths[one.name])
    deep = _all_shallow(
        [fifo.name for fifo in by_size if depths[fifo.name] > shallowest], depths, shallowest, is_enough
    )
    for name in deep:
        low, high = shallowest + 1, depths[name]
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if is_enough({**depths, name: middle}) else (middle + 1, high)
        depths[name] = high
    return FifoDepths(depths, free.length)


def _all_shallow(
    names: Sequence[str], depths: dict[str, int], shallowest: int, is_enough: Callable[[dict[str, int]], bool]
) -> list[str]:
    """Make as many FIFOs shallow as can be, halving the doubtful ones; return those that stay deep."""
    if not names:
        return []
    shallow = {**depths, **dict.fromkeys(names, shallowest)}
    if is_enough(shallow):
        depths.update(shallow)
        return []
    if len(names) == 1:
        return list(names)
    middle = len(names) // 2
    first = _all_shallow(names[:middle], depths, shallowest, is_enough)
    return first + _all_shallow(names[middle:], depths, shallowest, is_enough)


def check_depths(graph: StreamGraph, *, images: int = 2) -> Trace:
    """Return the trace of a graph with its own depths; raises `WorkSaysNoError` FIFO-DEADLOCK if it stops."""
    trace = simulate(graph, images=images)
    if trace.deadlock:
        raise deadlock_error(trace)
    return trace


def deadlock_error(trace: Trace) -> WorkSaysNoError:
    """Return the error that names who waits for whom."""
    circle = "; ".join(
        f"{wait.actor} waits for {'room' if wait.for_room else 'a word'} in {wait.fifo}" for wait in trace.deadlock
    )
    return WorkSaysNoError(
        "FIFO-DEADLOCK",
        f"the stream stops: {circle}",
        where="the FIFOs between the layers",
        fix="let siliconv choose the FIFO depths, or deepen one of those that are waited on for room",
    )


def _latest(graph: StreamGraph, free: Trace, images: int) -> tuple[list[int], list[list[int]]]:
    """Return how late everything may happen without delaying a word that leaves the graph.

    Returns the words that each FIFO holds then, and for each actor the latest ends of its steps.
    """
    readers: dict[str, list[int]] = {actor.name: [] for actor in graph.actors}
    writers: dict[str, list[int]] = {actor.name: [] for actor in graph.actors}
    for number, fifo in enumerate(graph.fifos):
        readers[fifo.reader].append(number)
        writers[fifo.writer].append(number)
    reads: list[list[int]] = [[] for _ in graph.fifos]
    writes: list[list[int]] = [[] for _ in graph.fifos]
    number_of = {actor.name: number for number, actor in enumerate(graph.actors)}
    latest: list[list[int]] = [[] for _ in graph.actors]
    for name in reversed(_order(graph)):
        number = number_of[name]
        actor = graph.actors[number]
        program = actor.program * images
        ends = _late_ends(
            program,
            [reads[one] for one in writers[name]],
            actor.latency,
            free.ends[number] if not writers[name] else None,
        )
        latest[number] = ends
        both = list(zip(program, ends, strict=True))
        for one in readers[name]:
            reads[one] = [end - step.cycles + 1 for step, end in both if step.reads]
        for one in writers[name]:
            writes[one] = [end for step, end in both if step.writes]
    held = [_most_held(written, read) for written, read in zip(writes, reads, strict=True)]
    return held, latest


def _late_ends(
    program: Sequence[Step], consumed: list[list[int]], latency: int, ends: Sequence[int] | None
) -> list[int]:
    """Return the latest ends of an actor's steps.

    `consumed` are the latest reads of the tokens that it writes; a sink instead has its own `ends`.
    """
    written = sum(step.writes for step in program)
    # Nobody waits for the steps after the last output.
    last = _NEVER
    found: list[int] = []
    following: int | None = None
    for position in range(len(program) - 1, -1, -1):
        step = program[position]
        end = last if following is None else following - 1
        if ends is not None:
            end = ends[position]
        elif step.writes:
            written -= 1
            for tokens in consumed:
                end = min(end, tokens[written] - 1 - latency)
        found.append(end)
        following = end - step.cycles + 1
    return found[::-1]


def _most_held(written: Sequence[int], read: Sequence[int]) -> int:
    """Return the least depth with which these times are possible; room is free the cycle after a read."""
    most, gone = 1, 0
    for number, cycle in enumerate(written):
        while gone < len(read) and read[gone] < cycle:
            gone += 1
        most = max(most, number - gone + 1)
    return most


def _order(graph: StreamGraph) -> list[str]:
    """Return the actors from sources to sinks."""
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
