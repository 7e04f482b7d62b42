"""Pipelines that stall as a whole, and FIFO depths with which they cannot stop each other.

A loop that is pipelined without flushing moves only when its first stage can read: words inside come out when more go
in, or when the image ends. Where a stream is copied and joined again, the words that one branch keeps have to find
room in the FIFOs of the other, or all of them wait for each other. How many stages a tool gives a loop is known after
synthesis only, so depths have to bear any number up to a bound.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from siliconv.hardware.stream.fifo_depths import deadlock_error
from siliconv.hardware.stream.stream_graph import Actor, Step, StreamGraph
from siliconv.hardware.stream.stream_simulation import simulate


def with_stages(graph: StreamGraph, stages: Mapping[str, int]) -> StreamGraph:
    """Give a graph whose actors are pipelines that stall as a whole.

    Parameters
    ----------
    graph
        Actors that put out the token of a step at its end.
    stages
        Steps by actor between reading and writing: the token of a step is written in the step that comes so much
        later, and the last ones after the last step of the image. Actors that are not in it have none.
    """
    return replace(graph, actors=tuple(_pipeline(actor, stages.get(actor.name, 0)) for actor in graph.actors))


def depths_that_bear_stalls(
    graph: StreamGraph, stages: Mapping[str, int], depths: Mapping[str, int], *, images: int = 2
) -> dict[str, int]:
    """Deepen FIFOs until pipelines that stall as a whole cannot stop each other.

    Parameters
    ----------
    graph
        Its own depths are ignored.
    stages
        The most stages that each actor may have.
    depths
        Words by FIFO, as `siliconv.hardware.stream.fifo_depths.smallest_depths` gives them.
    images
        Streamed without a pause.

    Returns
    -------
    dict
        Depths that are nowhere less. Rates do not matter: whether such a graph stops depends on the order of reads and
        writes alone. Numbers of stages do, in both directions: the bounds are tried on all actors, on each branch of
        each fork alone, and on all but that branch.
    """
    found = dict(depths)
    for arrangement in _arrangements(graph, stages):
        _deepen(with_stages(graph, arrangement), found, images)
    return found


def _deepen(graph: StreamGraph, depths: dict[str, int], images: int) -> None:
    """Deepen the narrowest FIFO of each circle of actors that wait for each other, by as little as opens it."""
    bits = {fifo.name: fifo.bits for fifo in graph.fifos}

    def full(tried: Mapping[str, int]) -> list[str]:
        trace = simulate(graph.with_depths({**depths, **tried}), images=images)
        found = [wait.fifo for wait in trace.deadlock if wait.for_room]
        if trace.deadlock and not found:
            raise deadlock_error(trace)
        return found

    while waited_on := full({}):
        narrowest = min(waited_on, key=lambda name: bits[name])
        too_small, enough = depths[narrowest], depths[narrowest] + 1
        while narrowest in full({narrowest: enough}):
            too_small, enough = enough, 2 * enough
        while too_small + 1 < enough:
            middle = (too_small + enough) // 2
            too_small, enough = (middle, enough) if narrowest in full({narrowest: middle}) else (too_small, middle)
        depths[narrowest] = enough


def _pipeline(actor: Actor, stages: int) -> Actor:
    if stages == 0:
        return actor
    idle = (Step(False, 1, False),) * stages
    reading, writing = (*actor.program, *idle), (*idle, *actor.program)
    steps = tuple(Step(one.reads, one.cycles, other.writes) for one, other in zip(reading, writing, strict=True))
    return Actor(actor.name, steps, stalls_whole=True)


def _arrangements(graph: StreamGraph, stages: Mapping[str, int]) -> Iterator[dict[str, int]]:
    """Yield numbers of stages by actor: of all, and of the actors of one branch alone and of all others."""
    readers: dict[str, list[str]] = {actor.name: [] for actor in graph.actors}
    for fifo in graph.fifos:
        readers[fifo.writer].append(fifo.reader)
    forks = [found for found in readers.values() if len(found) > 1]
    if not forks:
        return
    yield dict(stages)
    for branches in forks:
        reached = [_behind(branch, readers) for branch in branches]
        for number, one in enumerate(reached):
            alone = one.difference(*reached[:number], *reached[number + 1 :])
            if alone:
                yield {name: count for name, count in stages.items() if name in alone}
                yield {name: count for name, count in stages.items() if name not in alone}


def _behind(actor: str, readers: Mapping[str, list[str]]) -> set[str]:
    """Give an actor and all that its words reach."""
    found, waiting = {actor}, [actor]
    while waiting:
        for reader in readers[waiting.pop()]:
            if reader not in found:
                found.add(reader)
                waiting.append(reader)
    return found
