"""When the layers of a design work: of a stream as simulated, of a parallel design one after the other."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from small_designs import network

from siliconv.hls.configuration import HlsConfig
from siliconv.hls.estimate.schedule import schedule
from siliconv.hls.fifo.layer_times import layer_times
from siliconv.hls.fifo.sized_design import design_of
from siliconv.hls.kinds import IoType


def test_the_slowest_layer_of_a_stream_works_longest():
    slow = layer_times(network((1, 36, 1)))
    busy = {one["name"]: one["busy"] for one in slow["layers"]}
    assert slow["source"] == "stream model"
    assert max(busy, key=busy.get) == "conv_2"
    first, second = next(one["spans"] for one in slow["layers"] if one["name"] == "conv_2")
    assert second[1] - first[1] == busy["conv_2"], "it never waits for the second image"
    assert json.loads(json.dumps(slow))["cycles"] > second[1]
    assert [one["name"] for one in slow["fifos"]] == ["conv_1", "relu", "pool", "conv_2"]


def test_a_parallel_design_works_layer_after_layer():
    design = replace(network((1, 1, 4)), io_type=IoType.PARALLEL)
    found = layer_times(design)
    assert found["source"] == "latencies"
    assert found["fifos"] == []
    at = 0
    for layer, row in zip(design.layers, found["layers"], strict=True):
        assert row["spans"][0][0] == at
        at += schedule(layer, design).latency
    interval = max(schedule(layer, design).interval for layer in design.layers)
    assert found["layers"][0]["spans"][1][0] == interval


@pytest.mark.parametrize("io_type", ["io_stream", "io_parallel"])
def test_branches_begin_when_what_they_read_is_there(build, io_type):
    chain = build((8, 8, 3)).conv(4, (3, 3)).relu()
    made = chain.network()
    names = [one["name"] for one in layer_times(design_of(made, HlsConfig(io_type=io_type)))["layers"]]
    assert {"conv_1", "requantize_1"} <= set(names) or len(names) >= 2
