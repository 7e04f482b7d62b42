"""A simplified network computes the same codes, with less."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import BUILDERS, codes_of_inputs, input_codes, networks

from siliconv.network import graph as ir
from siliconv.network import reference
from siliconv.network.fixed_point import PIXEL, FixedPoint, Overflow, Rounding
from siliconv.network.intervals import prove
from siliconv.network.simplify.simplification import simplify, size

ACC, RELU = FixedPoint(True, 24, 12), FixedPoint(False, 6, 2, Rounding.RND_CONV, Overflow.SAT)


def with_zeros(network: ir.Network, seed: int) -> ir.Network:
    """Set weights to zero, whole channels and the lowest bits, as pruning and few bits leave them."""
    rng = np.random.default_rng(seed)

    def sparse(node: ir.Node) -> ir.Node:
        if not isinstance(node, ir.Matrix):
            return node
        codes = np.where(rng.random(node.kernel.codes.shape) < rng.random(), 0, node.kernel.codes)
        codes = codes * (rng.random(codes.shape[-1]) < 0.6)
        if codes.ndim > 1 and not isinstance(node, ir.DepthwiseConv):
            codes = codes * (rng.random((codes.shape[-2], 1)) < 0.6)
        if rng.random() < 0.3:
            codes = np.where(codes & 1, 0, codes)
        bias = node.bias.codes * (rng.random(node.bias.codes.shape) < 0.5)
        return replace(node, kernel=ir.Weights(codes, node.kernel.type), bias=ir.Weights(bias, node.bias.type))

    return replace(network, nodes=tuple(map(sparse, network.nodes)))


def assert_same(network: ir.Network, seed: int) -> ir.Network:
    """Simplify, and compare outputs."""
    smaller = simplify(network)
    assert smaller.output.type == network.output.type
    assert smaller.input.shape == network.input.shape
    codes = input_codes(network, seed, batch=6)
    before = reference.run(network, codes)[network.output.name]
    np.testing.assert_array_equal(reference.run(smaller, codes)[smaller.output.name], before)
    assert size(smaller).channels <= size(network).channels
    return smaller


@pytest.mark.parametrize("kind", BUILDERS, ids=lambda kind: kind.__name__)
def test_every_kind_computes_the_same(kind):
    @settings(max_examples=12, deadline=None, derandomize=True)
    @given(network=networks(first=kind, most=7), seed=st.integers(0, 1000))
    def check(network, seed):
        assert_same(network, seed)
        assert_same(with_zeros(network, seed), seed)

    check()


def weights(codes, width=8, integer=4) -> ir.Weights:
    return ir.Weights(np.asarray(codes, np.int64), FixedPoint(True, width, integer))


def relu_network(kernel, bias, second, last_bias=(0,)) -> ir.Network:
    """Two convolutions of one tap with a ReLU between."""
    kernel, second = np.asarray(kernel), np.asarray(second)
    return ir.Network(
        "n",
        (
            ir.Input("x", (), (2, 2, kernel.shape[0]), PIXEL),
            ir.Conv(
                "a", ("x",), (2, 2, kernel.shape[1]), ACC, weights(kernel[None, None]), weights(bias), (1, 1), NONE
            ),
            ir.Requantize("r", ("a",), (2, 2, kernel.shape[1]), RELU, True),
            ir.Conv(
                "b", ("r",), (2, 2, second.shape[1]), ACC, weights(second[None, None]), weights(last_bias), (1, 1), NONE
            ),
        ),
    )


NONE = ((0, 0), (0, 0))


def test_a_channel_that_nothing_reads_goes_through_all_its_nodes():
    smaller = assert_same(relu_network([[1, 2, 3]], [0, 0, 0], [[1], [0], [2]]), 0)
    assert [node.shape[-1] for node in smaller.nodes] == [1, 2, 2, 1]


def test_a_constant_channel_becomes_a_bias():
    # 16/16 = 1.0 behind the ReLU, times 2/16 and 0/16.
    smaller = assert_same(relu_network([[1, 0]], [0, 16], [[1], [2]]), 0)
    assert smaller.by_name["r"].shape[-1] == 1
    last = smaller.output
    assert isinstance(last, ir.Conv)
    assert last.bias.codes[0] * last.bias.type.step == pytest.approx(2 / 16)


def test_a_relu_that_is_never_reached_is_a_zero():
    smaller = assert_same(relu_network([[1, -1]], [0, -3], [[1], [2]]), 0)
    assert smaller.by_name["r"].shape[-1] == 1


def test_a_constant_is_not_folded_where_zeros_are_padded_around_it():
    network = relu_network([[1, 0]], [0, 16], [[1], [2]])
    last = replace(network.output, padding=((1, 0), (0, 0)), shape=(3, 2, 1))
    smaller = assert_same(replace(network, nodes=(*network.nodes[:-1], last)), 0)
    assert smaller.by_name["r"].shape[-1] == 2


def test_bits_that_are_zero_in_all_weights_go():
    smaller = assert_same(relu_network([[4, 8]], [0, 0], [[1], [2]]), 0)
    conv = smaller.by_name["a"]
    assert isinstance(conv, ir.Conv)
    assert str(conv.kernel.type) == "ufixed<2,0>"
    assert conv.kernel.codes.ravel().tolist() == [1, 2]


def test_saturation_that_is_never_reached_is_no_saturation():
    smaller = assert_same(relu_network([[1]], [0], [[1]]), 0)
    # At most 255/256 * 1/16: no saturation, and the type is as narrow as its values.
    assert smaller.by_name["r"].type.overflow is Overflow.WRAP
    assert smaller.by_name["r"].type.width < RELU.width


def test_saturation_that_is_reached_stays():
    smaller = assert_same(relu_network([[127]], [100], [[1]]), 0)
    assert smaller.by_name["r"].type == RELU


def test_a_simplified_network_has_nothing_left_to_simplify():
    once = simplify(relu_network([[4, -8, 0]], [0, 0, 16], [[1], [2], [1]]))
    assert size(simplify(once)) == size(once)
    prove(once)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(network=networks(inputs=2, most=6), seed=st.integers(0, 1000))
def test_every_output_of_several_is_the_same_in_every_code(network, seed):
    network = with_zeros(network, seed)
    batch = codes_of_inputs(network, seed, batch=4)
    small = simplify(network)
    assert [node.name for node in small.outputs] == [node.name for node in network.outputs]
    one, other = reference.run(network, batch), reference.run(small, batch)
    for node in network.outputs:
        np.testing.assert_array_equal(one[node.name], other[node.name])
