"""No value that a network can compute leaves the proven bounds, partial sums included, and the bounds are tight."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import BUILDERS, input_codes, networks

from siliconv.errors import NetworkError
from siliconv.network import graph as ir
from siliconv.network import reference
from siliconv.network.fixed_point import FixedPoint
from siliconv.network.intervals import Bounds, average_sum_type, prove, sum_of_products_type


@pytest.mark.parametrize("kind", BUILDERS, ids=lambda kind: kind.__name__)
def test_no_value_leaves_its_bounds(kind):
    @settings(max_examples=60, deadline=None, derandomize=True)
    @given(network=networks(first=kind, most=4), seed=st.integers(0, 1000))
    def check(network, seed):
        bounds = prove(network)
        for name, tensor in reference.run(network, input_codes(network, seed, batch=6)).items():
            low, high = bounds[name]
            assert (tensor >= low).all(), name
            assert (tensor <= high).all(), name

    check()


@st.composite
def sums(draw):
    """Draw a dense layer: input and weight types, their codes, and the fractions."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    terms = draw(st.integers(1, 6))
    inputs, weights, biases = (
        FixedPoint(draw(st.booleans()), width := draw(st.integers(1, 6)), width - draw(st.integers(-2, 5)))
        for _ in range(3)
    )
    kernel = rng.integers(weights.codes.low, weights.codes.high, (terms, 1), dtype=np.int64, endpoint=True)
    bias = rng.integers(biases.codes.low, biases.codes.high, 1, dtype=np.int64, endpoint=True)
    return inputs, ir.Weights(kernel, weights), ir.Weights(bias, biases), rng


@settings(max_examples=200, deadline=None, derandomize=True)
@given(sums())
def test_every_partial_sum_in_every_order_fits_and_one_bit_less_does_not(drawn):
    inputs, kernel, bias, rng = drawn
    image = ir.Input("image", (), (len(kernel.codes),), inputs)
    low, high = (np.full(len(kernel.codes), end) for end in inputs.codes)
    kind = sum_of_products_type(kernel, bias, Bounds(low, high), inputs)
    places = kind.fraction - inputs.fraction - kernel.type.fraction
    terms = [*(kernel.codes[:, 0] << places), bias.codes[0] << (kind.fraction - bias.type.fraction)]
    reached = []
    for worst in (np.where(kernel.codes[:, 0] < 0, high, low), np.where(kernel.codes[:, 0] < 0, low, high)):
        for choice in (worst, rng.integers(inputs.codes.low, inputs.codes.high, len(low), endpoint=True)):
            values = [term * code for term, code in zip(terms, [*choice, 1], strict=True)]
            for order in (list(np.argsort(values)), rng.permutation(len(values))):
                partial = np.concatenate(
                    [np.cumsum([values[i] for i in order]), np.cumsum([values[i] for i in order[::-1]])]
                )
                reached += [int(partial.min()), int(partial.max())]
    assert kind.codes.low <= min(reached)
    assert max(reached) <= kind.codes.high
    if kind.width > 1:
        less = FixedPoint(kind.signed, kind.width - 1, kind.integer - 1)
        assert not less.holds(type(less.codes)(min(reached), max(reached))), "the type is wider than any sum needs"
        dense = ir.Dense("sum", ("image",), (1,), less, kernel, bias)
        with pytest.raises(NetworkError, match="TYPE-TOO-NARROW"):
            prove(ir.Network("narrow", (image, dense)))
    prove(ir.Network("wide_enough", (image, ir.Dense("sum", ("image",), (1,), kind, kernel, bias))))


@settings(max_examples=100, deadline=None, derandomize=True)
@given(network=networks(most=3), data=st.data())
def test_a_type_narrowed_below_its_bounds_is_refused(network, data):
    bounds = prove(network)
    position = data.draw(st.integers(1, len(network.nodes) - 1))
    node = network.nodes[position]
    reached = bounds[node.name].interval
    # Fewer integer bits, the fraction as it was, until the bounds do not fit.
    width = node.type.width
    while width > 1 and FixedPoint(node.type.signed, width, 0).holds(reached):
        width -= 1
    narrow = replace(node.type, width=width, integer=width - node.type.fraction)
    if isinstance(node, ir.Requantize | ir.Softmax) or narrow.holds(reached):
        return  # these make their own type true; one bit can't be narrowed
    nodes = (*network.nodes[:position], replace(node, type=narrow))
    with pytest.raises(NetworkError, match=r"TYPE-TOO-NARROW|NETWORK-SHAPE"):
        prove(ir.Network("narrowed", nodes))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(network=networks(first=ir.Requantize, most=1), seed=st.integers(0, 1000))
def test_requantize_bounds_are_reached_where_it_saturates(network, seed):
    """Bounds of a monotone conversion are attained at the ends of the input range."""
    node = network.output
    if node.type.overflow.value not in ("SAT", "SAT_SYM"):
        return
    bounds = prove(network)[node.name]
    ends = np.stack([np.full(network.input.shape, end) for end in network.input.type.codes])
    low, high = reference.run(network, ends)[node.name]
    assert low.min() == bounds.low.min()
    assert high.max() == bounds.high.max()


def wide_dense(width, terms):
    kind = FixedPoint(True, width, width)
    weights = ir.Weights(np.full((terms, 1), kind.codes.low), kind)
    image = ir.Input("image", (), (terms,), kind)
    zero = ir.Weights(np.zeros(1, np.int64), FixedPoint(True, 1, 1))
    return ir.Network("wide", (image, ir.Dense("sum", ("image",), (1,), FixedPoint(True, 62, 62), weights, zero)))


def test_the_proof_itself_does_not_overflow():
    """Products of 40-bit codes exceed 64 bits; a proof that wraps around would accept the network."""
    prove(wide_dense(30, 2))
    for width, terms in ((31, 2), (32, 1), (33, 1), (40, 16), (62, 4)):
        with pytest.raises(NetworkError, match="TYPE-"):
            prove(wide_dense(width, terms))


def test_sums_of_the_widest_types_are_refused():
    image = ir.Input("image", (), (1,), FixedPoint(True, 62, 62))
    total = ir.Add("sum", ("image", "image"), (1,), FixedPoint(True, 62, 62))
    with pytest.raises(NetworkError, match="TYPE-"):
        prove(ir.Network("wide", (image, total)))
    shifted = ir.Add("sum", ("image", "image"), (1,), FixedPoint(True, 62, -38))
    with pytest.raises(NetworkError, match="TYPE-"):
        prove(ir.Network("wide", (image, shifted)))


def test_the_sum_inside_an_average_needs_a_type_too():
    image = ir.Input("image", (), (4, 1), FixedPoint(True, 8, 8))
    node = ir.AveragePool("mean", ("image",), (1,), FixedPoint(True, 10, 8), (4,), (4,), ((0, 0),))
    bounds = prove(ir.Network("mean_of_four", (image, node)))
    assert bounds["mean"].interval == (-512, 508)
    assert average_sum_type(node, image, bounds["image"]) == FixedPoint(True, 12, 10)
    image = ir.Input("image", (), (4, 1), FixedPoint(True, 61, 61))
    node = ir.AveragePool("mean", ("image",), (1,), FixedPoint(True, 61, 61), (4,), (4,), ((0, 0),))
    with pytest.raises(NetworkError, match="TYPE-WIDTH"):
        prove(ir.Network("mean_of_four", (image, node)))


def test_lost_fraction_is_refused():
    image = ir.Input("image", (), (2,), FixedPoint(True, 8, 4))
    with pytest.raises(NetworkError, match="TYPE-FRACTION"):
        prove(ir.Network("short", (image, ir.Add("sum", ("image", "image"), (2,), FixedPoint(True, 12, 9)))))


def test_zeros_of_the_padding_and_sums_on_the_way_are_within_the_bounds():
    """A table without zero among its entries: only padding, and a sum not yet complete, give smaller values."""
    bit, digit = FixedPoint(False, 1, 1), FixedPoint(False, 2, 2)
    image = ir.Input("image", (), (3, 1), bit)
    table = ir.Table("table", ("image",), (3, 1), digit, ir.Weights(np.array([2, 3]), digit))
    pad = ir.Pad("pad", ("table",), (5, 1), digit, ((1, 1),))
    kernel, bias = ir.Weights(np.ones((2, 1, 1), np.int64), bit), ir.Weights(np.zeros(1, np.int64), bit)
    conv = ir.Conv("conv", ("table",), (4, 1), FixedPoint(False, 3, 3), kernel, bias, (1,), ((1, 1),))
    bounds = prove(ir.Network("padded", (image, table, pad, conv)))
    assert bounds["table"].interval == (2, 3)
    assert bounds["pad"].interval == (0, 3)
    assert bounds["conv"].interval == (0, 6)
