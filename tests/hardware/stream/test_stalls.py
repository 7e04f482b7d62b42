"""Pipelines that stall as a whole never stop each other with the depths that are given."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from network_builder import NetworkBuilder
from random_streams import slowed, stages_of, step_by_step, stream_graphs
from residual_blocks import SETTINGS, stages_of_design, two_blocks

from siliconv.hardware.stream.fifo_depths import smallest_depths
from siliconv.hardware.stream.stalls import depths_that_bear_stalls, with_stages
from siliconv.hardware.stream.stream_graph import Actor, Fifo, Step, StreamGraph, steps
from siliconv.hardware.stream.stream_simulation import simulate
from siliconv.hls.configuration import HlsConfig
from siliconv.hls.fifo.pipeline_stages import pipeline_stages
from siliconv.hls.fifo.sized_design import design_of
from siliconv.hls.fifo.stream_actors import fifo_memory, stream_graph
from siliconv.network import graph as ir


def test_a_pipeline_keeps_its_last_words_until_the_image_ends():
    actors = (Actor("in", steps(5, cycles=3)), Actor("pipeline", steps(5)), Actor("out", steps(5)))
    graph = StreamGraph(actors, (Fifo("a", "in", "pipeline", 8), Fifo("b", "pipeline", "out", 8)))
    piped = with_stages(graph, {"pipeline": 2})
    assert piped.actors[1].program == (
        *(Step(True, 1, False),) * 2,
        *(Step(True, 1, True),) * 3,
        *(Step(False, 1, True),) * 2,
    )
    trace = simulate(piped)
    # Words 0 to 2 leave when words 2 to 4 go in, the last two in the cycles after that.
    assert list(trace.writes[1]) == [9, 12, 15, 16, 17]
    assert list(trace.reads[0]) == [3, 6, 9, 12, 15]


@settings(max_examples=150, deadline=None)
@given(stream_graphs(), st.integers(1, 2), st.data())
def test_stalled_pipelines_run_as_if_stepped_through_every_cycle(graph, images, data):
    graph = with_stages(graph, {actor.name: data.draw(st.integers(0, 3)) for actor in graph.actors})
    trace = simulate(graph, images=images)
    expected, finished = step_by_step(graph, images)
    assert (not trace.deadlock) == finished
    for actor, starts, ends in zip(graph.actors, trace.starts, trace.ends, strict=True):
        assert list(starts) == expected[actor.name]["starts"]
        assert list(ends) == expected[actor.name]["ends"]


@settings(max_examples=100, deadline=None)
@given(stream_graphs(joins=True, longest=4), st.data())
def test_no_numbers_of_stages_and_no_slow_input_stop_a_join(graph, data):
    most = data.draw(stages_of(graph, 6))
    depths = depths_that_bear_stalls(graph, most, smallest_depths(graph).depths)
    for _ in range(4):
        stages = data.draw(stages_of(graph, most))
        piped = with_stages(graph, stages).with_depths(depths)
        for factor in (1, 4, 16):
            assert not simulate(slowed(piped, factor), images=2).deadlock


@pytest.fixture(scope="module")
def network():
    """Two residual blocks."""
    return two_blocks()


@pytest.mark.parametrize(("backend", "strategy", "conv", "padding", "relu", "join", "stops"), SETTINGS)
def test_residual_blocks_run_through_whatever_their_stages_are(
    network, backend, strategy, conv, padding, relu, join, stops
):
    config = HlsConfig(backend=backend, strategy=strategy, fifo_depths="hls4ml")
    design = design_of(network, config)
    whole = stream_graph(design)
    stages = stages_of_design(design, conv, padding, relu, join)
    assert all(count <= pipeline_stages(whole, design)[name] for name, count in stages.items())
    minimal = smallest_depths(whole).depths
    piped = with_stages(whole, stages)
    if stops:
        assert simulate(piped.with_depths(minimal), images=2).deadlock
    sized = design_of(network, config.model_copy(update={"fifo_depths": "smallest"}))
    assert not simulate(with_stages(stream_graph(sized), stages), images=2).deadlock
    # Room in joins costs no block of memory here.
    assert fifo_memory(stream_graph(sized), sized) == fifo_memory(whole.with_depths(minimal), design)


def test_a_chain_gets_no_margin():
    network = NetworkBuilder((16, 16, 3)).conv(4, (3, 3)).relu(6, 2).max_pool(2, 2).conv(4, (3, 3)).network()
    whole = stream_graph(design_of(network, HlsConfig(fifo_depths="hls4ml")))
    minimal = smallest_depths(whole).depths
    stages = {actor.name: 9 for actor in whole.actors}
    assert depths_that_bear_stalls(whole, stages, minimal) == minimal
    assert not simulate(with_stages(whole, stages).with_depths(minimal), images=2).deadlock
    assert isinstance(network.output, ir.Conv)
