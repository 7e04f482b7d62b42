"""From network to design: what the estimator sees is what the firmware is."""

from __future__ import annotations

import re

import pytest

from siliconv.errors import FirmwareError, WorkSaysNoError
from siliconv.hardware.stream.fifo_depths import smallest_depths
from siliconv.hls.configuration import SHIFT_REGISTER_WORDS, HlsConfig
from siliconv.hls.conversion.conversion import convert
from siliconv.hls.design.design import MatrixLayer, PaddingLayer
from siliconv.hls.estimate.estimate import estimate
from siliconv.hls.fifo.sized_design import design_of, fifo_depths
from siliconv.hls.fifo.stream_actors import stream_graph


@pytest.fixture
def network(build):
    chain = build((16, 16, 3)).conv(8, (3, 3)).relu().max_pool(2, 2).conv(8, (3, 3)).relu()
    return chain.global_average().dense(4).network()


def test_layers_carry_geometry_types_weights_and_reuse_factors(network):
    design = design_of(network, HlsConfig(max_multipliers=64))
    conv = next(layer for layer in design.layers if layer.name == "conv_2")
    assert isinstance(conv, MatrixLayer)
    assert conv.reuse_factor * conv.multipliers == 8 * 9 * 8
    assert conv.multipliers <= 64
    assert conv.input.shape == (10, 10, 8), "a stream is padded before the convolution"
    assert conv.weights is not None
    assert conv.weights.n == 8 * 9 * 8
    assert sum(isinstance(layer, PaddingLayer) for layer in design.layers) == 2
    parallel = design_of(network, HlsConfig(io_type="io_parallel"))
    assert not any(isinstance(layer, PaddingLayer) for layer in parallel.layers)


def test_the_fifo_depths_of_the_design_stand_in_the_firmware(network, tmp_path):
    config = HlsConfig(max_multipliers=64)
    depths = fifo_depths(design_of(network, config))
    convert(network, config, tmp_path, fifo_depths=depths)
    source = (tmp_path / "firmware" / "net.cpp").read_text()
    written = sorted(int(depth) for depth in re.findall(r"#pragma HLS STREAM variable=\w+ depth=(\d+)", source))
    internal = {name: depth for name, depth in depths.items() if name != network.output.name}
    assert written == sorted(internal.values())
    assert max(written) < 16 * 16, "hls4ml's default is a whole feature map"


def test_a_flattened_stream_is_the_stream_before_it(build):
    network = build((8, 8, 1)).conv(4, (3, 3)).relu().max_pool(4, 4).flatten().dense(3).network()
    design = design_of(network, HlsConfig())
    dense = next(layer for layer in design.layers if layer.name == "dense_1")
    assert dense.input.shape == (2, 2, 4)
    assert dense.n_in == 16
    assert set(fifo_depths(design)) >= {"max_pool_1", "requantize_1", "zp2d_conv_1"}


def test_small_fifos_save_block_memory_and_cost_no_cycle(network):
    small, whole = (
        estimate(design_of(network, HlsConfig(max_multipliers=64, fifo_depths=choice)))
        for choice in ("smallest", "hls4ml")
    )
    assert small.bram18.value < whole.bram18.value
    assert small.interval_cycles.value == whole.interval_cycles.value


def test_more_multipliers_are_never_slower(network):
    intervals = [
        estimate(design_of(network, HlsConfig(max_multipliers=most))).interval_cycles.value for most in (8, 64, 512)
    ]
    assert intervals == sorted(intervals, reverse=True)


@pytest.mark.parametrize(
    "config",
    [
        HlsConfig(max_multipliers=64, strategies={"conv_2": "latency"}, reuse_factors={"conv_2": 2}),
        HlsConfig(strategy="latency", strategies={"dense_1": "resource"}, reuse_factors={"dense_1": 4}),
        HlsConfig(
            io_type="io_parallel",
            strategy="latency",
            strategies={"conv_2": "resource"},
            reuse_factors={"conv_2": 9},
            parallelization_factors={"conv_1": 4, "conv_2": 8},
        ),
        HlsConfig(backend="Vivado", strategies={"conv_1": "latency"}, fifo_words={"max_pool_1": 40}),
    ],
    ids=["stream", "latency", "parallel", "vivado"],
)
def test_the_estimate_describes_what_is_generated(network, tmp_path, config):
    design = design_of(network, config)
    depths = fifo_depths(design)
    convert(network, config, tmp_path, fifo_depths=depths)
    written = parameters_of((tmp_path / "firmware" / "parameters.h").read_text())
    described = [layer for layer in design.layers if isinstance(layer, MatrixLayer)]
    assert len(written) == len(described)
    for layer, found in zip(described, written, strict=True):
        assert found["strategy"] == f"nnet::{layer.strategy}"
        # hls4ml spells a layer's reuse factor as its own constant; of the Latency strategy it is the interval.
        assert int(found["reuse_factor"]) == layer.reuse_factor
        if layer.kind.is_convolution:
            pixels = layer.output.pixels if config.io_type == "io_parallel" else int(found["n_partitions"])
            assert int(found["n_partitions"]) * layer.parallelization_factor == pixels
    for name, words in config.fifo_words.items():
        assert depths[name] == words
        assert f"depth={words}" in (tmp_path / "firmware" / "net.cpp").read_text()


def test_fifos_bound_to_shift_registers_take_luts_and_no_block_memory(network, tmp_path):
    config = HlsConfig(max_multipliers=64, fifo_memory="shift_registers", fifo_words={"conv_1": 600, "max_pool_1": 40})
    design = design_of(network, config)
    convert(network, config, tmp_path, fifo_depths=fifo_depths(design))
    source = (tmp_path / "firmware" / "net.cpp").read_text()
    streams = dict(re.findall(r"#pragma HLS STREAM variable=(\w+) depth=(\d+)", source))
    bound = re.findall(r"#pragma HLS BIND_STORAGE variable=(\w+) type=fifo impl=srl", source)
    assert set(bound) == {name for name, depth in streams.items() if int(depth) <= SHIFT_REGISTER_WORDS}
    assert len(bound) == len(streams) - 1, "one is too deep"
    free, ours = (
        {layer.name: layer for layer in estimate(design_of(network, one)).layers}
        for one in (config.model_copy(update={"fifo_memory": "auto"}), config)
    )
    assert free["max_pool_1"].fifo_bram18 > 0 == ours["max_pool_1"].fifo_bram18
    assert ours["conv_1"].fifo_bram18 == free["conv_1"].fifo_bram18 > 0
    with pytest.raises(FirmwareError, match="FIFO-MEMORY"):
        design_of(network, HlsConfig(backend="Vivado", fifo_memory="shift_registers"))


@pytest.mark.parametrize(("memory", "bound"), [("block", "bram"), ("luts", "lutram"), ("auto", None)])
def test_weights_lie_where_the_sources_bind_them(network, tmp_path, memory, bound):
    config = HlsConfig(max_multipliers=8, weight_memory=memory)
    convert(network, config, tmp_path)
    source = (tmp_path / "firmware" / "nnet_utils" / "nnet_dense_resource.h").read_text()
    pragmas = re.findall(r"#pragma HLS (?:BIND_STORAGE variable=weights type=rom_np impl=(\w+)|RESOURCE)", source)
    assert len(pragmas) == 3
    assert set(pragmas) == {bound or ""}
    free, ours = (
        estimate(design_of(network, one)) for one in (config.model_copy(update={"weight_memory": "auto"}), config)
    )
    if memory == "luts":
        assert ours.bram18.value < free.bram18.value
        assert ours.lut.value > free.lut.value
    else:
        assert ours == free
    with pytest.raises(FirmwareError, match="WEIGHT-MEMORY"):
        design_of(network, HlsConfig(backend="Vivado", weight_memory="luts"))


def parameters_of(text):
    """The constants of every convolution and dense layer in order; those of their products are left out."""
    found = []
    for body in re.findall(r"struct config\d+ : nnet::(?:conv[12]d|dense)_config \{(.*?)\n\};", text, re.DOTALL):
        found.append(dict(re.findall(r"static const unsigned (\w+) = ([\w:]+);", body)))
    return found


def test_a_depth_where_no_fifo_is_is_refused(network):
    with pytest.raises(FirmwareError, match="FIFO-LAYER"):
        design_of(network, HlsConfig(fifo_words={"conv_9": 4}))


def test_settings_of_layers_without_multipliers_are_refused(network):
    with pytest.raises(FirmwareError, match="REUSE-LAYER"):
        design_of(network, HlsConfig(strategies={"max_pool_1": "latency"}))
    with pytest.raises(FirmwareError, match="PARALLEL-ILLEGAL"):
        design_of(network, HlsConfig(parallelization_factors={"conv_1": 2}))


def test_depths_that_were_asked_for_have_to_bear_stalled_pipelines(build):
    """A join whose skip is as shallow as words that nothing holds back allow: refused, with a depth that is enough."""
    builder = build((8, 8, 2)).conv(4, (3, 3)).relu(6, 2)
    before = builder.last
    builder = builder.conv(4, (3, 3)).relu(6, 2).conv(4, (3, 3)).requantize(before.type, relu=False).add(before)
    network = builder.relu(6, 2).global_average().dense(2).network()
    config = HlsConfig(strategy="latency")
    design = design_of(network, config)
    graph = stream_graph(design)
    safe, shallow = {fifo.name: fifo.depth for fifo in graph.fifos}, smallest_depths(graph).depths
    (skip,) = [name for name in safe if safe[name] > shallow[name]]
    with pytest.raises(WorkSaysNoError, match="may stop") as caught:
        design_of(network, config.model_copy(update={"fifo_words": {skip: shallow[skip]}}))
    assert caught.value.code == "FIFO-STALL"
    assert f"{skip}: {safe[skip]}" in caught.value.fix
    again = design_of(network, config.model_copy(update={"fifo_words": {skip: safe[skip]}}))
    assert again == design
