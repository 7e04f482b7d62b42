"""The cycles of a design without simulating it: when each word comes in and goes out, and what waits for what."""

from __future__ import annotations

from dataclasses import dataclass

from siliconv.errors import WorkSaysNoError
from siliconv.rtl.cycles.block_times import processes
from siliconv.rtl.cycles.pauses import Pauses
from siliconv.rtl.cycles.wires import Process, Wire
from siliconv.rtl.plan.blocks import Align, RtlDesign, Stream


@dataclass(frozen=True)
class Cycles:
    """The cycle of each word of a design's streams, by the stream's name.

    Parameters
    ----------
    images
        How many there were.
    moved
        For each stream the cycle in which each word moves, from the first cycle after the reset.
    """

    images: int
    source: Stream
    sink: Stream
    moved: dict[str, list[int]]

    @property
    def taken(self) -> list[int]:
        """When each word of the images was taken."""
        return self.moved[self.source.name]

    @property
    def given(self) -> list[int]:
        """When each word of the results was given."""
        return self.moved[self.sink.name]

    @property
    def latency(self) -> int:
        """Cycles from the first word of the first image to the last of its result."""
        return self.given[self.sink.words - 1] - self.taken[0]

    @property
    def interval(self) -> float:
        """Cycles between the results of images, from the first one's to the last one's."""
        last = self.given[self.sink.words - 1 :: self.sink.words]
        return (last[-1] - last[0]) / (len(last) - 1) if len(last) > 1 else float(self.latency)


def cycles(
    design: RtlDesign, images: int, *, seed: int = 1, pauses: tuple[int, int] = (0, 0), network: int = 0
) -> Cycles:
    """Compute when every word of a design moves.

    Parameters
    ----------
    design
        The blocks and streams.
    images
        How many follow each other.
    seed, pauses, network
        Those of the test bench, and the number of the network in it.

    Raises
    ------
    WorkSaysNoError
        ``RTL-DEADLOCK`` if the design stops before all images are through, with the streams that wait.
    """
    wires = {stream.name: Wire(stream.name) for stream in design.streams}
    for block in design.blocks:
        if isinstance(block, Align):
            # Wires only: both names are one stream.
            wires[block.outputs[0].name] = wires[block.inputs[0].name]
    ends = [
        _source(wires[design.source.name], images * design.source.words, Pauses(seed + 2 * network, pauses[0])),
        _sink(wires[design.sink.name], images * design.sink.words, Pauses(seed + 2 * network + 1, pauses[1])),
    ]
    work = [ends[0], *(one for block in design.blocks for one in processes(block, wires, images)), ends[1]]
    _run(work, list(wires.values()), design)
    return Cycles(images, design.source, design.sink, {name: wire.moved for name, wire in wires.items()})


def _run(work: list[Process], wires: list[Wire], design: RtlDesign) -> None:
    """Let each process run as far as it can, again and again, until all are done or none moves."""
    known = -1
    while work:
        work = [process for process in work if next(process, _DONE) is not _DONE]
        now = sum(len(wire.offered) + len(wire.ready) for wire in wires)
        if work and now == known:
            raise _deadlock(wires, design)
        known = now


_DONE = object()


def _deadlock(wires: list[Wire], design: RtlDesign) -> WorkSaysNoError:
    waiting = [wire.name for wire in wires if len(wire.offered) > len(wire.moved)]
    return WorkSaysNoError(
        "RTL-DEADLOCK",
        f"the stream stops: words wait in {', '.join(waiting) or 'no stream'}",
        where=f"the design '{design.name}'",
        fix="deepen the ring of the branch behind which they wait",
    )


def _source(wire: Wire, words: int, pauses: Pauses) -> Process:
    now = 0
    for word in range(words):
        wire.offer(pauses.open_from(now))
        while len(wire.moved) <= word:
            yield
        now = wire.moved[word] + 1


def _sink(wire: Wire, words: int, pauses: Pauses) -> Process:
    now = 0
    for word in range(words):
        while len(wire.offered) <= word:
            yield
        wire.accept(pauses.open_from(max(now, wire.offered[word])))
        now = wire.moved[word] + 1
