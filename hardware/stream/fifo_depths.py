"""The smallest FIFO depths that cost no cycle.

At first each FIFO holds whatever is written into it, and every actor runs as early as it can. Then each is tried with
less, as long as no word leaves the graph later. The one that carries the most bits of an image comes first: what has
to wait somewhere then waits where words are narrow and few, behind a pooling for example. None can be made smaller at
the end, because a step never starts later when a FIFO is deeper.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from siliconv.errors import WorkSaysNoError
from siliconv.hardware.stream.stream_graph import StreamGraph, in_order_of_data
from siliconv.hardware.stream.stream_relaxation import Relaxation, Schedule, Times, TooManyUpdates
from siliconv.hardware.stream.stream_simulation import Trace, simulate

# hls::stream is two words deep unless it is told otherwise; less saves nothing in hardware.
SHALLOWEST = 2


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
    search = _Search(graph, images)
    found = search.depths
    by_traffic = sorted(graph.fifos, key=lambda one: -one.bits * search.words(one.name))
    deep = [fifo.name for fifo in by_traffic if found[fifo.name] > shallowest]
    found.update(dict.fromkeys(found.keys() - set(deep), shallowest))
    for name in _all_shallow(deep, lambda names: search.accepts(dict.fromkeys(names, shallowest))):
        _least_depth(name, search, shallowest)
    return FifoDepths(found, search.free.length)


class _Search:
    """Depths that are enough, with the schedule that keeps to them."""

    def __init__(self, graph: StreamGraph, images: int) -> None:
        self._graph, self._images = graph, images
        order = in_order_of_data(graph)
        if len(order) < len(graph.actors):
            raise deadlock_error(simulate(graph.with_depths(None), images=images))
        self._relaxation = Relaxation(graph, images)
        self.free = self._schedule = self._relaxation.unlimited(order)
        self._latest, writes = self._relaxation.latest(self.free, order)
        names = [fifo.name for fifo in graph.fifos]
        self._latest_writes = dict(zip(names, writes, strict=True))
        self._number = {name: number for number, name in enumerate(names)}
        self.depths = {name: max(len(writes), 1) for name, writes in self._latest_writes.items()}

    def words(self, name: str) -> int:
        """Return the words that all images send through a FIFO."""
        return len(self._latest_writes[name])

    def least(self, name: str) -> int:
        """Return a depth below which a word of a FIFO would be late, whatever the other FIFOs are."""
        latest = self._latest_writes[name]
        return _most_held(latest, self._schedule.reads[self._number[name]])

    def accepts(self, smaller: dict[str, int]) -> bool:
        """Whether some FIFOs can be smaller; they are from then on, if so."""
        depths = {**self.depths, **smaller}
        try:
            found = self._relaxation.with_depths(self._schedule, depths, list(smaller), self._latest)
        except TooManyUpdates:
            found = self._stepped_through(depths)
        if found is None:
            return False
        self._schedule = found
        self.depths.update(smaller)
        return True

    def _stepped_through(self, depths: dict[str, int]) -> Schedule | None:
        latest = [ends.tolist() for ends in self._latest]
        trace = simulate(self._graph.with_depths(depths), images=self._images, latest=latest)
        if trace.late or trace.deadlock:
            return None
        return Schedule(*(tuple(map(np.asarray, times)) for times in (trace.ends, trace.reads, trace.writes)))


def _all_shallow(names: Sequence[str], accepts: Callable[[Sequence[str]], bool]) -> list[str]:
    """Make as many FIFOs shallow as can be, halving the doubtful ones; return those that stay deep."""
    if not names or accepts(names):
        return []
    if len(names) == 1:
        return list(names)
    middle = len(names) // 2
    first = _all_shallow(names[:middle], accepts)
    return first + _all_shallow(names[middle:], accepts)


def _least_depth(name: str, search: _Search, shallowest: int) -> None:
    """Make one FIFO as small as it can be, feeling upwards from what it needs at least."""
    too_small, enough = shallowest, search.depths[name]
    tried, step = max(search.least(name), shallowest + 1), 1
    while tried < enough and not search.accepts({name: tried}):
        too_small, tried, step = tried, tried + step, 2 * step
    enough = search.depths[name]
    while too_small + 1 < enough:
        middle = (too_small + enough) // 2
        if search.accepts({name: middle}):
            enough = middle
        else:
            too_small = middle


def _most_held(written: Times, read: Times) -> int:
    """Return the least depth with which these times are possible; room is free the cycle after a read."""
    if not len(written):
        return 1
    gone = np.searchsorted(read, written, side="left")
    return max(int((np.arange(len(written)) - gone).max()) + 1, 1)


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
        fix="let siliconv choose the FIFO depths, or deepen a FIFO that is full",
    )
