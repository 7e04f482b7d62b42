"""Defects of hls4ml 1.3.0's templates that the firmware goes around: shown on the stock template, gone here."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from siliconv.errors import FirmwareError, WorkSaysNoError
from siliconv.hls.backends import BACKENDS
from siliconv.hls.configuration import HlsConfig
from siliconv.hls.conversion import conversion, firmware_form, layer_list, layer_settings, written_project
from siliconv.hls.csim.csim import compare, compile_project
from siliconv.hls.kinds import Strategy
from siliconv.network.fixed_point import FixedPoint, Overflow, Rounding, plain
from siliconv.network.graph import Concatenate, MaxPool
from siliconv.network.windows import same_padding

pytestmark = [pytest.mark.usefixtures("compiler"), pytest.mark.slow]


def differing(network, io_type, folder, backend="Vitis"):
    """Names of the layers in which firmware and network differ; simulated in a process that may die."""
    folder.mkdir()
    conversion.convert(network, HlsConfig(io_type=io_type, backend=backend), folder)
    library = compile_project(folder, network.name, folder.parent / f"{folder.name}_cache")
    codes = np.random.default_rng(0).integers(0, 256, (8, *network.input.shape))
    return [layer.name for layer in compare(library, network, codes, jobs=2) if layer.differing]


def with_same_pooling(build):
    network = build((5, 4, 2)).requantize(FixedPoint(False, 5, 1, Rounding.TRN, Overflow.SAT), relu=False)
    source, window, strides = network.last, (2, 2), (2, 2)
    padding = same_padding(source.shape[:-1], window, strides)
    network._add(MaxPool("pool", (source.name,), (3, 2, 2), plain(source.type), window, strides, padding))
    return network.network()


def stock_pooling(node, source, *, average):
    """What hls4ml's own converter says of a pooling with padding."""
    return layer_list.attributes_of(
        "MaxPooling2D",
        node,
        n_filt=source.shape[-1],
        **layer_list._input_sizes(source.shape),
        **layer_list._sizes("out", node.shape),
        **layer_list._window("pool", node),
    )


def test_padding_wins_the_maximum_of_unsigned_values(build, tmp_path, monkeypatch):
    network = with_same_pooling(build)
    assert differing(network, "io_parallel", tmp_path / "ours") == []
    monkeypatch.setattr(layer_list, "_window_pool", stock_pooling)
    assert differing(network, "io_parallel", tmp_path / "stock") == ["pool"]


def test_streams_stop_at_padded_pooling(build, tmp_path, monkeypatch):
    """hls4ml #617."""
    network = with_same_pooling(build)
    monkeypatch.setattr(layer_list, "_window_pool", stock_pooling)
    with pytest.raises(FirmwareError, match="CSIM-CRASH"):
        differing(network, "io_stream", tmp_path / "stock")


def test_streams_forget_the_stride_from_row_to_row_of_a_one_row_window(build, tmp_path, monkeypatch):
    network = build((6, 6, 2)).conv(3, (1, 3), strides=(2, 1), padding="valid").network()
    assert differing(network, "io_stream", tmp_path / "ours") == []
    monkeypatch.setattr(firmware_form, "firmware_form", lambda network, io_type, **more: network)
    with pytest.raises(WorkSaysNoError, match="leftover data"):
        differing(network, "io_stream", tmp_path / "stock")


def test_rounding_away_more_bits_than_there_are_aborts(build, tmp_path, monkeypatch):
    far = FixedPoint(True, 3, 12, Rounding.RND_CONV, Overflow.SAT)
    network = build((2, 2, 1)).requantize(far, relu=False).network()
    assert differing(network, "io_parallel", tmp_path / "ours") == []
    monkeypatch.setattr(layer_list, "Rounding", type("Never", (), {"TRN": far.rounding}))
    with pytest.raises(FirmwareError, match="CSIM-CRASH"):
        differing(network, "io_parallel", tmp_path / "stock")


def averages(build):
    signed = FixedPoint(True, 6, 3, Rounding.RND_CONV, Overflow.SAT)
    return build((6, 6, 2)).requantize(signed, relu=False).average_pool(2, 2).global_average().network()


def the_largest(build):
    chain = build((3, 3, 2)).requantize(FixedPoint(False, 5, 1, Rounding.TRN, Overflow.SAT), relu=False)
    none, whole = ((0, 0), (0, 0)), chain.last.shape[:-1]
    chain._add(MaxPool("largest", (chain.last.name,), (2,), plain(chain.last.type), whole, whole, none))
    return chain.network()


def joined_vectors(build):
    network = build((4,)).dense(3).relu().dense(2).network()
    one, other = network.by_name["requantize_1"], network.by_name["dense_2"]
    wide = FixedPoint(True, other.type.width + one.type.width, other.type.integer + one.type.integer)
    node = Concatenate("joined", (one.name, other.name), (5,), wide)
    return replace(network, nodes=(*network.nodes, node))


@pytest.mark.parametrize(
    ("network", "backend", "io_type", "wrong"),
    [
        (averages, "Quartus", "io_stream", {"average_pool_1", "global_average_1"}),
        (averages, "Catapult", "io_parallel", {"global_average_1"}),
        (the_largest, "Quartus", "io_stream", {"largest"}),
    ],
)
def test_templates_with_ac_fixed_are_not_exact(build, tmp_path, monkeypatch, network, backend, io_type, wrong):
    network = network(build)
    assert differing(network, io_type, tmp_path / "ours", backend) == []
    monkeypatch.setattr(layer_settings, "describe_for_ac", layer_list.describe)
    assert wrong <= set(differing(network, io_type, tmp_path / "stock", backend))


def test_catapult_joins_streams_into_too_many_words(build, tmp_path, monkeypatch):
    network = joined_vectors(build)
    assert differing(network, "io_stream", tmp_path / "ours", "Catapult") == []
    monkeypatch.setattr(layer_settings, "describe_for_ac", layer_list.describe)
    with pytest.raises(WorkSaysNoError, match="leftover data"):
        differing(network, "io_stream", tmp_path / "stock", "Catapult")


def test_quartus_traces_the_last_layer_in_place_of_each(build, tmp_path, monkeypatch):
    network = build((4,)).dense(3).relu().dense(2).network()
    assert differing(network, "io_stream", tmp_path / "ours", "Quartus") == []
    monkeypatch.setattr(written_project, "_trace_own_outputs", lambda graph, source: None)
    # What an empty stream gives is no value of the type, or it is told first that it was empty.
    with pytest.raises((WorkSaysNoError, FirmwareError), match=r"read while empty|no multiples"):
        differing(network, "io_stream", tmp_path / "stock", "Quartus")


def test_quartus_cant_write_a_large_convolution_that_reuses_its_multipliers(build, tmp_path, monkeypatch):
    network = build((3, 3, 16)).conv(16, (3, 3)).network()
    config = HlsConfig(backend="Quartus", reuse_factors={"conv_1": 9})
    conversion.convert(network, config, tmp_path / "ours")
    monkeypatch.setattr(layer_settings, "describe_for_ac", layer_list.describe)
    with pytest.raises(TypeError, match="NoneType"):
        conversion.convert(network, config, tmp_path / "stock")


@pytest.mark.parametrize("io_type", ["io_stream", "io_parallel"])
def test_distributed_arithmetic_stops_at_the_name_of_the_accelerator(build, tmp_path, monkeypatch, io_type):
    network = build((4, 4, 1)).conv(2, (2, 2)).network()
    config = HlsConfig(
        backend="VivadoAccelerator", io_type=io_type, strategies={"conv_1": Strategy.DISTRIBUTED_ARITHMETIC}
    )
    conversion.build_graph(network, config, tmp_path)
    monkeypatch.setattr(conversion, "adder_functions", lambda *given: {})
    with pytest.raises(AssertionError):
        conversion.build_graph(network, config, tmp_path)


def test_the_unrolled_resource_strategy_stops_at_the_name_of_the_accelerator(build, tmp_path, monkeypatch):
    network = build((4, 4, 1)).conv(2, (2, 2)).network()
    config = HlsConfig(backend="VivadoAccelerator", strategies={"conv_1": Strategy.RESOURCE_UNROLLED})
    stock = replace(BACKENDS["VivadoAccelerator"], strategies=tuple(Strategy))
    monkeypatch.setitem(BACKENDS, "VivadoAccelerator", stock)
    with pytest.raises(Exception, match="Unexpected backend VivadoAccelerator"):
        conversion.build_graph(network, config, tmp_path)
