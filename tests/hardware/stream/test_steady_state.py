"""The steady state of a stream is what a long simulation of single events shows."""

from hypothesis import given, settings
from random_streams import stream_graphs

from siliconv.hardware.stream.fifo_depths import smallest_depths
from siliconv.hardware.stream.steady_state import steady_interval
from siliconv.hardware.stream.stream_graph import Actor, Fifo, StreamGraph, steps
from siliconv.hardware.stream.stream_simulation import simulate


def test_the_slowest_actor_sets_the_pace():
    actors = (Actor("in", steps(6)), Actor("slow", steps(6, cycles=5)), Actor("out", steps(6)))
    graph = StreamGraph(actors, (Fifo("a", "in", "slow", 8), Fifo("b", "slow", "out", 8)))
    assert steady_interval(graph) == 30


@settings(max_examples=60, deadline=None)
@given(stream_graphs())
def test_it_equals_a_simulation_with_the_depths_that_are_given(graph):
    sized = graph.with_depths(smallest_depths(graph, images=8).depths)
    trace = simulate(sized, images=8)
    writers = {fifo.writer for fifo in graph.fifos}
    paces = [
        ends[-1] - ends[-1 - len(ends) // 8]
        for actor, ends in zip(graph.actors, trace.ends, strict=True)
        if actor.name not in writers
    ]
    assert steady_interval(graph) == max(paces)
