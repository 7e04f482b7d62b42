"""Generated firmware, compiled and run, equals the integer network in every bit of every layer."""

from __future__ import annotations

import numpy as np
import pytest
from small_softmaxes import WIDE, small_softmaxes
from written_firmware import compile_firmware

from siliconv.hls.configuration import HlsConfig
from siliconv.hls.conversion.reuse_factors import legal_reuse_factors
from siliconv.hls.csim.csim import compare, simulate
from siliconv.hls.kinds import Strategy
from siliconv.network import reference
from siliconv.network.fixed_point import FixedPoint, Overflow, Rounding
from siliconv.network.output_sigmoid import with_sigmoid
from siliconv.network.vectors.corners import corner_vectors

pytestmark = pytest.mark.usefixtures("compiler")


def assert_exact(network, folder, *, images=6, **config):
    library = compile_firmware(network, folder, HlsConfig(**config))
    low, high = network.input.type.codes
    random = np.random.default_rng(0).integers(low, high, (images, *network.input.shape), endpoint=True)
    codes = np.concatenate([np.stack(list(corner_vectors(network).values())), random])
    layers = compare(library, network, codes, jobs=1)
    assert [layer for layer in layers if layer.differing] == []
    arithmetic = {node.name for node in network.nodes[1:] if type(node).__name__ != "Reshape"}
    assert arithmetic <= {layer.name for layer in layers}, "a layer was not traced"


# One back end of each number type here; the second of each, which shares most of its templates, is slow.
ROADS = [
    ("Vitis", Strategy.RESOURCE),
    ("Vitis", Strategy.LATENCY),
    pytest.param("Vivado", Strategy.RESOURCE, marks=pytest.mark.slow),
    pytest.param("Vivado", Strategy.LATENCY, marks=pytest.mark.slow),
    ("Quartus", Strategy.RESOURCE),
    pytest.param("Catapult", Strategy.RESOURCE, marks=pytest.mark.slow),
    pytest.param("Catapult", Strategy.LATENCY, marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("backend", "strategy"), ROADS)
@pytest.mark.parametrize("io_type", ["io_stream", "io_parallel"])
def test_a_small_cnn_on_every_road(build, tmp_path, backend, strategy, io_type):
    network = build((8, 6, 3)).conv(4, (3, 3)).relu().max_pool(2, 2).conv(3, (2, 2), padding="valid").relu(4, 3)
    network = network.flatten().dense(7).relu(6, 3).dense(3).network()
    assert_exact(network, tmp_path, backend=backend, strategy=strategy, io_type=io_type)


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize(
    ("window", "strides"), [((3, 3), (1, 1)), ((3, 3), (2, 2)), ((5, 5), (1, 1)), ((1, 1), (1, 1))]
)
def test_convolutions_with_every_padding_and_stride(build, tmp_path, padding, window, strides):
    network = build((9, 10, 2)).conv(4, window, strides=strides, padding=padding).relu().network()
    assert_exact(network, tmp_path)


@pytest.mark.parametrize("io_type", ["io_stream", "io_parallel"])
def test_pools_and_global_average_with_signed_values(build, tmp_path, io_type):
    signed = FixedPoint(True, 6, 3, Rounding.RND_CONV, Overflow.SAT)
    network = build((8, 8, 2)).conv(3, (3, 3)).requantize(signed, relu=False)
    network = network.average_pool(2, 2).max_pool(2, 2).global_average().dense(2).network()
    assert_exact(network, tmp_path, io_type=io_type)


def test_one_dimensional_networks(build, tmp_path):
    network = build((16, 2)).conv(4, (3,), strides=(1,)).relu().max_pool(2).conv(3, (3,)).relu().global_average()
    assert_exact(network.dense(2).network(), tmp_path)


def test_every_rounding_and_overflow(build, tmp_path):
    chain = build((4, 4, 2))
    modes = [(rounding, Overflow.SAT) for rounding in Rounding] + [(Rounding.TRN, overflow) for overflow in Overflow]
    for rounding, overflow in modes:
        # A 1x1 convolution in between gives each mode fresh bits to round and large values to overflow.
        chain = chain.conv(4, (1, 1)).requantize(FixedPoint(True, 6, 2, rounding, overflow), relu=False)
    assert_exact(chain.network(), tmp_path, images=40)


@pytest.mark.parametrize("io_type", ["io_stream", "io_parallel"])
def test_the_sigmoid_table_is_the_networks_own_at_every_input_code(build, tmp_path, io_type):
    byte = FixedPoint(True, 10, 4)
    network = with_sigmoid(build((1,), input_type=byte).requantize(byte, relu=False).network(), name="sigmoid")
    library = compile_firmware(network, tmp_path, HlsConfig(io_type=io_type))
    codes = np.arange(*byte.codes)[:, None]
    firmware = simulate(library, network, codes)
    assert np.array_equal(firmware["sigmoid"], reference.run(network, codes)["sigmoid"])
    assert len(np.unique(firmware["sigmoid"])) > 400


@pytest.mark.parametrize(
    ("backend", "io_type", "places"),
    [
        ("Vitis", "io_stream", 2),
        *(
            pytest.param(backend, io_type, places, marks=pytest.mark.slow)
            for backend, io_type, places in [
                ("Vivado", "io_parallel", WIDE),
                ("Quartus", "io_stream", WIDE),
                ("Quartus", "io_parallel", 2),
                ("Catapult", "io_stream", 2),
                ("Catapult", "io_parallel", WIDE),
            ]
        ),
    ],
)
def test_a_softmax_of_tables_of_one_entry_and_of_codes_wider_than_an_index(tmp_path, backend, io_type, places):
    assert_exact(small_softmaxes(places), tmp_path, backend=backend, io_type=io_type)


@pytest.mark.parametrize("reuse", [1, 3, 9, 18])
def test_every_legal_reuse_factor_computes_the_same(build, tmp_path, reuse):
    network = build((5, 5, 2)).conv(4, (3, 3)).relu().network()
    assert_exact(network, tmp_path, reuse_factors={"conv_1": reuse})


@pytest.mark.parametrize("backend", ["Quartus", "Catapult"])
@pytest.mark.parametrize("io_type", ["io_stream", "io_parallel"])
def test_every_legal_reuse_factor_of_the_templates_with_ac_fixed(build, tmp_path, backend, io_type):
    legal = legal_reuse_factors(8, 6, Strategy.RESOURCE)
    chain = build((3, 3, 6))
    for _ in legal:
        chain = chain.conv(8, (1, 1)).relu().conv(6, (1, 1)).relu()
    network = chain.network()
    factors = {f"conv_{2 * number + 2}": factor for number, factor in enumerate(legal)}
    assert_exact(network, tmp_path, backend=backend, io_type=io_type, reuse_factors=factors)


@pytest.mark.parametrize("backend", ["Quartus", "Catapult"])
def test_a_large_dense_layer_whose_factor_is_no_power_of_two(build, tmp_path, backend):
    """Quartus pads the weights of such a layer."""
    network = build((48,)).dense(48).network()
    assert_exact(network, tmp_path, backend=backend, reuse_factors={"dense_1": 12})


@pytest.mark.parametrize("io_type", ["io_stream", "io_parallel"])
def test_the_accelerators_wrapper_hands_on_every_bit(build, tmp_path, io_type):
    network = build((6, 5, 2)).conv(4, (3, 3)).relu().max_pool(2, 2).flatten().dense(3).network()
    assert_exact(network, tmp_path, io_type=io_type, backend="VivadoAccelerator", part="xc7z020clg400-1")
    assert (tmp_path / "firmware" / "axi_stream_driver.py").exists()
    assert "net_axi(" in (tmp_path / "firmware" / "net_bridge.cpp").read_text()
