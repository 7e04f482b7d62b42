"""When each actor of a stream graph works, and how full each FIFO gets: what a person wants to see of a design."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from siliconv.hardware.stream.stream_graph import StreamGraph, in_order_of_data
from siliconv.hardware.stream.stream_relaxation import Relaxation, Schedule, TooManyUpdates
from siliconv.hardware.stream.stream_simulation import simulate

_IMAGES, _SLICES = 2, 120


@dataclass(frozen=True)
class ActorWork:
    """When an actor works.

    Parameters
    ----------
    name
        Of the actor.
    spans
        For each image, the cycles in which its first step starts and its last one ends.
    busy
        Cycles of work an image; the rest of a span it waits.
    """

    name: str
    spans: tuple[tuple[int, int], ...]
    busy: int


@dataclass(frozen=True)
class FifoFill:
    """How full a FIFO gets.

    Parameters
    ----------
    name
        Of the FIFO.
    depth
        Words that it holds; None without a limit.
    bits
        Of a word.
    most
        The most words that are in it at once.
    curve
        The most words in each slice of all the time.
    """

    name: str
    depth: int | None
    bits: int
    most: int
    curve: tuple[int, ...]


@dataclass(frozen=True)
class StreamWork:
    """Actors in the order of the data and FIFOs in that of the graph, over so many `cycles`."""

    actors: tuple[ActorWork, ...]
    fifos: tuple[FifoFill, ...]
    cycles: int


def stream_work(graph: StreamGraph, *, images: int = _IMAGES, slices: int = _SLICES) -> StreamWork:
    """Run images through a graph without a pause, and give when its actors work and what its FIFOs hold.

    Parameters
    ----------
    graph
        With its depths. It must not stop: `siliconv.hardware.stream.fifo_depths.check_depths`.
    images
        How many.
    slices
        Of all the time, for the curves.
    """
    order = in_order_of_data(graph)
    schedule = _schedule(graph, order, images)
    cycles = schedule.length
    works = {}
    for actor, ends in zip(graph.actors, schedule.ends, strict=True):
        if len(ends):
            of_images = np.asarray(ends).reshape(images, -1)
            first = of_images[:, 0] - actor.program[0].cycles + 1
            spans = tuple((int(start), int(end)) for start, end in zip(first, of_images[:, -1], strict=True))
            works[actor.name] = ActorWork(actor.name, spans, sum(step.cycles for step in actor.program))
    moved = zip(graph.fifos, schedule.writes, schedule.reads, strict=True)
    fifos = tuple(
        FifoFill(one.name, one.depth, one.bits, int(fill.max(initial=0)), _most_in_slices(fill, slices))
        for one, fill in ((fifo, _fill(writes, reads, cycles)) for fifo, writes, reads in moved)
    )
    return StreamWork(tuple(works[name] for name in order if name in works), fifos, cycles)


def _schedule(graph: StreamGraph, order: Sequence[str], images: int) -> Schedule:
    """Give the times with all depths kept to."""
    relaxation = Relaxation(graph, images)
    free = relaxation.unlimited(order)
    depths = {fifo.name: fifo.depth for fifo in graph.fifos if fifo.depth is not None}
    if not depths:
        return free
    never = [np.full(len(ends), np.iinfo(np.int64).max) for ends in free.ends]
    try:
        found = relaxation.with_depths(free, depths, list(depths), never)
    except TooManyUpdates:
        found = None
    if found is not None:
        return found
    trace = simulate(graph, images=images)
    return Schedule(*(tuple(map(np.asarray, times)) for times in (trace.ends, trace.reads, trace.writes)))


def _fill(writes: NDArray[np.int64], reads: NDArray[np.int64], cycles: int) -> NDArray[np.int64]:
    """Give the words in a FIFO in each cycle; a word that is read is gone in the cycle after."""
    came = np.bincount(writes, minlength=cycles + 1)[:cycles]
    gone = np.bincount(np.asarray(reads) + 1, minlength=cycles + 1)[:cycles]
    return np.asarray(np.cumsum(came - gone))


def _most_in_slices(fill: NDArray[np.int64], slices: int) -> tuple[int, ...]:
    if not len(fill):
        return ()
    starts = np.unique(np.linspace(0, len(fill), slices, endpoint=False).astype(np.int64))
    return tuple(int(one) for one in np.maximum.reduceat(fill, starts))
