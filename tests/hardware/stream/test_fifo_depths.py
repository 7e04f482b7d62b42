"""FIFO depths: the simulation equals a brute-force one, and its depths are enough and not more."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_streams import step_by_step, stream_graphs
from small_designs import network

from siliconv.errors import FirmwareError, WorkSaysNoError
from siliconv.hardware.stream import fifo_depths, stream_relaxation
from siliconv.hardware.stream.stream_graph import (
    Actor,
    Fifo,
    StreamGraph,
    in_order_of_data,
    padding_steps,
    steps,
    window_steps,
)
from siliconv.hardware.stream.stream_relaxation import Relaxation
from siliconv.hardware.stream.stream_simulation import simulate
from siliconv.hls.design.design import MergeLayer
from siliconv.hls.fifo import stream_actors
from siliconv.hls.kinds import Backend


@settings(max_examples=250, deadline=None)
@given(stream_graphs(), st.integers(1, 3))
def test_the_simulation_equals_one_that_steps_through_every_cycle(graph, images):
    trace = simulate(graph, images=images)
    expected, finished = step_by_step(graph, images)
    assert (not trace.deadlock) == finished
    for actor, starts, ends in zip(graph.actors, trace.starts, trace.ends, strict=True):
        assert list(starts) == expected[actor.name]["starts"]
        assert list(ends) == expected[actor.name]["ends"]


@settings(max_examples=200, deadline=None)
@given(stream_graphs(), st.integers(1, 3))
def test_relaxation_gives_the_times_of_the_simulation(graph, images):
    """From the schedule without limits, with every end allowed up to the simulation's own and not a cycle less."""
    trace = simulate(graph, images=images)
    relaxation = Relaxation(graph, images)
    free = relaxation.unlimited(in_order_of_data(graph))
    unlimited = simulate(graph.with_depths(None), images=images)
    assert [list(ends) for ends in free.ends] == [list(ends) for ends in unlimited.ends]
    depths = {fifo.name: fifo.depth for fifo in graph.fifos if fifo.depth is not None}
    if trace.deadlock:
        allowed = [np.full(len(ends), unlimited.length, np.int64) for ends in free.ends]
        assert relaxation.with_depths(free, depths, list(depths), allowed) is None
        return
    allowed = [np.array(ends, np.int64) for ends in trace.ends]
    found = relaxation.with_depths(free, depths, list(depths), allowed)
    assert found is not None
    for ours, theirs in ((found.ends, trace.ends), (found.reads, trace.reads), (found.writes, trace.writes)):
        assert [list(one) for one in ours] == [list(one) for one in theirs]


def test_where_relaxation_goes_round_a_loop_the_events_decide(monkeypatch):
    graph = residual(None)
    expected = fifo_depths.smallest_depths(graph)
    monkeypatch.setattr(stream_relaxation, "_MOST_UPDATES", 0)
    assert fifo_depths.smallest_depths(graph) == expected


def test_words_wait_where_they_are_few_and_narrow():
    """Behind the pooling, not behind the convolution whose words are four times as many and twice as wide."""
    design = network((9, 36, 8), size=66, filters=(4, 8))
    found = fifo_depths.smallest_depths(stream_actors.stream_graph(design)).depths
    assert found["pool"] > 2
    assert found["conv_1"] == found["relu"] == 2


@settings(max_examples=120, deadline=None)
@given(stream_graphs())
def test_smallest_depths_are_enough_and_none_can_be_smaller(graph):
    free = simulate(graph.with_depths(None), images=2)
    found = fifo_depths.smallest_depths(graph, shallowest=1)

    def sink_ends(trace):
        return list(trace.ends[-1])

    kept = simulate(graph.with_depths(found.depths), images=2)
    assert not kept.deadlock
    assert sink_ends(kept) == sink_ends(free)
    for name, depth in found.depths.items():
        if depth > 1:
            less = simulate(graph.with_depths({**found.depths, name: depth - 1}), images=2)
            assert less.deadlock or sink_ends(less) != sink_ends(free)


@settings(max_examples=100, deadline=None)
@given(stream_graphs(), st.data())
def test_deeper_fifos_never_slow_a_graph_down(graph, data):
    trace = simulate(graph, images=2)
    if trace.deadlock:
        return
    deeper = {fifo.name: fifo.depth + data.draw(st.integers(0, 3)) for fifo in graph.fifos if fifo.depth is not None}
    assert (
        simulate(graph.with_depths({**{f.name: f.depth for f in graph.fifos}, **deeper}), images=2).length
        <= trace.length
    )


def residual(skip_depth):
    """A fork whose long side holds two images' worth of rows back before the join."""
    window = window_steps((12,), (5,), (1,), (8,), (1, 1))
    actors = (
        Actor("input", steps(12)),
        Actor("conv", window),
        Actor("pad", padding_steps((8,), (12,))),
        Actor("add", steps(12)),
    )
    fifos = (
        Fifo("long", "input", "conv", 8, 2),
        Fifo("skip", "input", "add", 8, skip_depth),
        Fifo("conv", "conv", "pad", 8, 2),
        Fifo("pad", "pad", "add", 8, 2),
    )
    return StreamGraph(actors, fifos)


def test_a_deadlock_names_the_circle():
    with pytest.raises(WorkSaysNoError) as caught:
        fifo_depths.check_depths(residual(1))
    assert caught.value.code == "FIFO-DEADLOCK"
    assert "input waits for room in skip" in str(caught.value)
    assert "waits for a word in pad" in str(caught.value)


def test_the_skip_connection_gets_the_depth_that_it_needs():
    found = fifo_depths.smallest_depths(residual(None))
    assert found.depths["skip"] > 2
    assert max(found.depths[name] for name in ("long", "conv", "pad")) <= 3
    fifo_depths.check_depths(residual(None).with_depths(found.depths))


@pytest.mark.parametrize("backend", list(Backend))
def test_a_linear_network_needs_a_few_words_a_fifo(backend):
    design = network((27, 36, 400), backend=backend, size=34, filters=(4, 8))
    graph = stream_actors.stream_graph(design)
    found = fifo_depths.smallest_depths(graph)
    assert max(found.depths.values()) <= 4
    shallow = graph.with_depths(found.depths)
    before, after = (stream_actors.fifo_memory(one, design) for one in (graph, shallow))
    assert after == 0 < before


def test_a_layer_that_two_others_read_is_cloned():
    design = network((27, 36, 200))
    relu, pool = design.layers[1], design.layers[2]
    again = MergeLayer("sum", relu.output, relu.output)
    layers = (design.layers[0], relu, again, pool, *design.layers[3:])
    merged = type(design)("merged", layers, design.part, 5.0, design.backend, design.io_type)
    graph = stream_actors.stream_graph(merged, {"sum": ("relu", "relu")})
    assert {fifo.writer for fifo in graph.fifos if fifo.reader == "sum"} == {"relu.clone"}
    assert fifo_depths.check_depths(graph).length > 0


def test_layers_that_do_not_fit_together_are_refused():
    design = network((27, 36, 200))
    layers = (design.layers[0], *design.layers[3:])
    broken = type(design)("broken", layers, design.part, 5.0, design.backend, design.io_type)
    with pytest.raises(FirmwareError, match="STREAM-SHAPES"):
        stream_actors.stream_graph(broken)


def test_a_large_linear_network_takes_less_than_a_few_seconds():
    design = network((108, 36, 400), size=66, filters=(4, 8))
    started = time.monotonic()
    fifo_depths.smallest_depths(stream_actors.stream_graph(design))
    assert time.monotonic() - started < 3
