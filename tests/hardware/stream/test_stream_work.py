"""When actors work and what FIFOs hold, against the stepped simulation and by hand."""

from __future__ import annotations

from hypothesis import given, settings
from random_streams import stream_graphs

from siliconv.hardware.stream.fifo_depths import smallest_depths
from siliconv.hardware.stream.stream_graph import Actor, Fifo, Step, StreamGraph, steps
from siliconv.hardware.stream.stream_simulation import simulate
from siliconv.hardware.stream.stream_work import stream_work


def test_two_actors_by_hand():
    """The source gives a word a cycle, the sink takes three cycles for each: two words wait, then all has passed."""
    graph = StreamGraph(
        (Actor("source", steps(4, reads=False)), Actor("sink", steps(4, cycles=3))),
        (Fifo("source", "source", "sink", 8, 2),),
    )
    found = stream_work(graph, images=1, slices=100)
    source, sink = found.actors
    assert (source.name, source.busy, sink.busy) == ("source", 4, 12)
    assert sink.spans == ((1, 12),)
    assert found.cycles == 13
    (fifo,) = found.fifos
    assert (fifo.most, fifo.depth, fifo.bits) == (2, 2, 8)
    assert max(fifo.curve) == 2
    assert fifo.curve[-1] == 0


def test_a_fifo_without_a_limit_holds_what_has_come():
    graph = StreamGraph(
        (Actor("source", steps(4, reads=False)), Actor("sink", (*steps(3, writes=False), Step(True, 5, True)))),
        (Fifo("source", "source", "sink", 8),),
    )
    assert stream_work(graph, images=2).fifos[0].most == 4


@settings(max_examples=100, deadline=None)
@given(stream_graphs())
def test_random_graphs_are_as_stepped_through(graph):
    graph = graph.with_depths(smallest_depths(graph).depths)
    found, trace = stream_work(graph, images=2), simulate(graph, images=2)
    assert found.cycles == trace.length
    steps_of = {
        actor.name: (starts, ends) for actor, starts, ends in zip(graph.actors, trace.starts, trace.ends, strict=True)
    }
    for one in found.actors:
        starts, ends = steps_of[one.name]
        assert one.spans[-1][1] == ends[-1]
        assert one.spans[0][1] == ends[len(ends) // 2 - 1]
        assert one.spans[0][0] >= starts[0]
    for one, writes, reads in zip(found.fifos, trace.writes, trace.reads, strict=True):
        held = max((sum(w <= at for w in writes) - sum(r < at for r in reads) for at in writes), default=0)
        assert one.most == held == max(one.curve, default=0)
        assert one.most <= one.depth
