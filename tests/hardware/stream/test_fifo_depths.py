"""FIFO depths: the simulation equals a brute-force one, and its depths are enough and not more."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_designs import network

from siliconv.errors import FirmwareError, WorkSaysNoError
from siliconv.hardware.stream import fifo_depths, stream_relaxation
from siliconv.hardware.stream.stream_graph import (
    Actor,
    Fifo,
    Step,
    StreamGraph,
    padding_steps,
    resampling_steps,
    steps,
    window_steps,
)
from siliconv.hardware.stream.stream_relaxation import Relaxation
from siliconv.hardware.stream.stream_simulation import simulate
from siliconv.hls.design.design import MergeLayer
from siliconv.hls.fifo import stream_actors
from siliconv.hls.kinds import Backend


def step_by_step(graph, images, limit=20000):
    """Simulate cycle by cycle with queues of tokens; returns starts, ends and whether everything finished."""
    tokens = {fifo.name: [] for fifo in graph.fifos}  # cycle from which each token can be read
    room = {fifo.name: fifo.depth if fifo.depth is not None else 10**9 for fifo in graph.fifos}
    state = {actor.name: {"step": 0, "left": 0, "starts": [], "ends": []} for actor in graph.actors}
    idle = 0
    for cycle in range(limit):
        freed, happened = [], False
        for actor in graph.actors:
            mine = state[actor.name]
            total = images * len(actor.program)
            if mine["step"] < total and mine["left"] == 0:
                step = actor.program[mine["step"] % len(actor.program)]
                inputs = [fifo.name for fifo in graph.fifos if fifo.reader == actor.name]
                if not step.reads or all(tokens[one] and tokens[one][0] <= cycle for one in inputs):
                    if step.reads:
                        for one in inputs:
                            tokens[one].pop(0)
                            freed.append(one)
                    mine["left"] = step.cycles
                    mine["starts"].append(cycle)
                    happened = True
        for actor in graph.actors:
            mine = state[actor.name]
            if mine["left"] == 0:
                continue
            step = actor.program[mine["step"] % len(actor.program)]
            outputs = [fifo.name for fifo in graph.fifos if fifo.writer == actor.name]
            if mine["left"] > 1:
                mine["left"] -= 1
                happened = True
            elif not step.writes or all(room[one] > 0 for one in outputs):
                if step.writes:
                    for one in outputs:
                        room[one] -= 1
                        tokens[one].append(cycle + 1 + actor.latency)
                mine["left"] = 0
                mine["step"] += 1
                mine["ends"].append(cycle)
                happened = True
        for one in freed:
            room[one] += 1
        if all(state[actor.name]["step"] == images * len(actor.program) for actor in graph.actors):
            return state, True
        idle = 0 if happened else idle + 1
        if idle > 50:
            return state, False
    return None


@st.composite
def graphs(draw):
    """Chains, forks and joins of random layers with random depths; some of them deadlock."""
    actors, fifos = [], []

    def depth():
        return draw(st.one_of(st.none(), st.integers(1, 5)))

    def add(program, sources):
        name = f"a{len(actors)}"
        actors.append(Actor(name, tuple(program), draw(st.integers(0, 3))))
        for source in sources:
            fifos.append(Fifo(f"f{len(fifos)}", source, name, 8, depth()))
        return name

    def layer(source, words):
        kind = draw(st.sampled_from(["map", "window", "pad", "collect", "spread"]))
        cycles = draw(st.integers(1, 4))
        if kind == "window" and words >= 3:
            stride = draw(st.integers(1, 2))
            out = (words - 3) // stride + 1
            return add(window_steps((words,), (3,), (stride,), (out,), (1, cycles)), [source]), out
        if kind == "pad":
            return add(padding_steps((words,), (words + 2,)), [source]), words + 2
        if kind == "collect":
            return add((*steps(words - 1, writes=False), Step(True, cycles, True)), [source]), 1
        if kind == "spread":
            return add(resampling_steps(words, 2 * words, cycles), [source]), 2 * words
        return add(steps(words, cycles=cycles), [source]), words

    words = draw(st.integers(1, 6))
    end = add(steps(words, cycles=draw(st.integers(1, 3))), [])
    for _ in range(draw(st.integers(1, 3))):
        if draw(st.booleans()):
            end, words = layer(end, words)
            continue
        left, right = end, end
        left_words = right_words = words
        for _ in range(draw(st.integers(1, 2))):
            left, left_words = layer(left, left_words)
        if draw(st.booleans()):
            right, right_words = layer(right, right_words)
        left = add(resampling_steps(left_words, words), [left])
        right = add(resampling_steps(right_words, words), [right])
        end = add(steps(words), [left, right])
    return StreamGraph(tuple(actors), tuple(fifos))


@settings(max_examples=250, deadline=None)
@given(graphs(), st.integers(1, 3))
def test_the_simulation_equals_one_that_steps_through_every_cycle(graph, images):
    trace = simulate(graph, images=images)
    expected, finished = step_by_step(graph, images)
    assert (not trace.deadlock) == finished
    for actor, starts, ends in zip(graph.actors, trace.starts, trace.ends, strict=True):
        assert list(starts) == expected[actor.name]["starts"]
        assert list(ends) == expected[actor.name]["ends"]


@settings(max_examples=200, deadline=None)
@given(graphs(), st.integers(1, 3))
def test_relaxation_gives_the_times_of_the_simulation(graph, images):
    """From the schedule without limits, with every end allowed up to the simulation's own and not a cycle less."""
    trace = simulate(graph, images=images)
    relaxation = Relaxation(graph, images)
    free = relaxation.unlimited(fifo_depths._order(graph))
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
@given(graphs())
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
@given(graphs(), st.data())
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
