"""Span bit operations by hand, and against a count of every single product."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from network_builder import NetworkBuilder
from strategies import networks

from siliconv.network import graph as ir
from siliconv.network.fixed_point import FixedPoint
from siliconv.network.span import positions, span, span_operations


@pytest.mark.parametrize(
    ("code", "bits"), [(0, 0), (1, 1), (-1, 1), (5, 3), (4, 1), (-6, 2), (7, 3), (-8, 1), (40, 3), ((1 << 61) + 1, 62)]
)
def test_span_of_a_code(code, bits):
    assert span(np.array([code])).tolist() == [bits]


@given(st.integers(-(2**62), 2**62))
def test_span_is_the_length_of_the_odd_part(code):
    text = f"{abs(code):b}".strip("0")
    assert span(np.array([code])).tolist() == [len(text)]


def dense(codes, activation):
    weights = ir.Weights(np.array(codes), FixedPoint(True, 4, 1))
    bias = ir.Weights(np.full(weights.codes.shape[-1], 3), FixedPoint(True, 4, 1))
    image = ir.Input("image", (), (weights.codes.shape[0],), activation)
    node = ir.Dense("dense", ("image",), (weights.codes.shape[-1],), FixedPoint(True, 20, 6), weights, bias)
    return ir.Network("net", (image, node))


def test_a_dense_layer_by_hand():
    """Spans 3, 1, 0, 2 together 6; activations of 5 bits; the biases don't count."""
    assert span_operations(dense([[5, 4], [0, -6]], FixedPoint(False, 5, 2))) == {"dense": 30}


def test_the_sign_of_an_activation_is_no_magnitude_bit():
    assert span_operations(dense([[5, 4], [0, -6]], FixedPoint(True, 5, 2))) == {"dense": 24}


def test_positions_of_a_window_of_three_on_four_pixels_with_padding():
    """The first place is on padding at the first of four positions, the last at the last."""
    assert positions((4,), (3,), (1,), ((1, 1),)).tolist() == [3, 4, 3]
    assert positions((4,), (3,), (2,), ((0, 1),)).tolist() == [2, 2, 1]
    assert positions((4, 4), (3, 1), (1, 1), ((1, 1), (0, 0))).tolist() == [[12], [16], [12]]


def counted(network, node):
    """Count product by product; no padding node stands before it."""
    (source,) = network.sources(node)
    bits = source.type.width - source.type.signed
    if isinstance(node, ir.Dense):
        places = math.prod(node.shape[:-1])
        return sum(len(f"{abs(code):b}".strip("0")) for code in node.kernel.codes.ravel().tolist()) * places * bits
    total = 0
    for place in itertools.product(*map(range, node.shape[:-1])):
        for tap in itertools.product(*map(range, node.window)):
            steps = zip(place, node.strides, tap, node.padding, strict=True)
            at = [p * stride + t - before for p, stride, t, (before, _) in steps]
            if all(0 <= a < size for a, size in zip(at, source.shape[:-1], strict=True)):
                total += sum(len(f"{abs(code):b}".strip("0")) for code in node.kernel.codes[tap].ravel().tolist())
    return total * bits


@pytest.mark.parametrize("kind", [ir.Conv, ir.DepthwiseConv, ir.Dense], ids=lambda kind: kind.__name__)
def test_random_networks_product_by_product(kind):
    @settings(max_examples=25, deadline=None, derandomize=True)
    @given(networks(first=kind, most=4))
    def check(network):
        found = span_operations(network)
        assert set(found) == {node.name for node in network.matrices}
        for node in network.matrices:
            if not isinstance(network.sources(node)[0], ir.Pad):
                assert found[node.name] == counted(network, node)

    check()


def test_zeros_of_a_padding_node_are_padding_too():
    made = NetworkBuilder((5, 4, 2), seed=3)
    made.conv(3, (3, 2))
    network = made.network()
    image, conv = network.nodes
    pad = ir.Pad("pad", ("image",), (7, 5, 2), image.type, conv.padding)
    none = replace(conv, inputs=("pad",), padding=((0, 0), (0, 0)))
    assert span_operations(replace(network, nodes=(image, pad, none))) == span_operations(network)
