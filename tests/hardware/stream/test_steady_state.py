"""The steady state of a stream is what a long simulation of single events shows."""

from dataclasses import replace

from hypothesis import given, settings
from random_streams import stream_graphs

from siliconv.hardware.stream.fifo_depths import smallest_depths
from siliconv.hardware.stream.steady_state import steady_interval
from siliconv.hardware.stream.stream_graph import Actor, Fifo, Step, StreamGraph, steps
from siliconv.hardware.stream.stream_simulation import simulate


def test_the_slowest_actor_sets_the_pace():
    actors = (Actor("in", steps(6)), Actor("slow", steps(6, cycles=5)), Actor("out", steps(6)))
    graph = StreamGraph(actors, (Fifo("a", "in", "slow", 8), Fifo("b", "slow", "out", 8)))
    assert steady_interval(graph) == 30


@settings(max_examples=60, deadline=None)
@given(stream_graphs())
def test_it_equals_a_long_simulation_and_the_depths_that_are_found_keep_it(graph):
    long, unlimited = 64, replace(graph, fifos=tuple(replace(fifo, depth=None) for fifo in graph.fifos))
    assert steady_interval(graph) == max(pace_of_outputs(graph, simulate(unlimited, images=long), long))
    sized = graph.with_depths(smallest_depths(graph, images=8).depths)
    assert max(pace_of_outputs(graph, simulate(sized, images=8), 8)) <= steady_interval(graph)


def pace_of_outputs(graph, trace, images):
    """Give the cycles of the last image at each output."""
    writers = {fifo.writer for fifo in graph.fifos}
    for actor, ends in zip(graph.actors, trace.ends, strict=True):
        if actor.name not in writers:
            yield ends[-1] - ends[-1 - len(ends) // images]


def test_a_branch_that_starts_late_does_not_hide_a_slower_one():
    """The output has an interval of 5 for the first images, and of 6 once the slower branch has fallen behind."""
    actors = (
        Actor("split", steps(2, cycles=2)),
        Actor("slow", steps(2, cycles=3)),
        Actor("late", (Step(True, 1, False), Step(True, 4, True), Step(False, 0, True)), latency=9),
        Actor("join", steps(2)),
    )
    fifos = (Fifo("a", "split", "slow", 8), Fifo("b", "split", "late", 8))
    graph = StreamGraph(actors, (*fifos, Fifo("c", "slow", "join", 8), Fifo("d", "late", "join", 8)))
    assert steady_interval(graph) == 6
    ends = [simulate(graph, images=images).ends[-1] for images in (4, 40)]
    assert [int(one[-1] - one[-3]) for one in ends] == [5, 6]
