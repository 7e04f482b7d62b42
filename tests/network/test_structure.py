"""Networks whose shapes, windows, weights or inputs do not belong together are refused before anything computes."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from strategies import networks

from siliconv.errors import NetworkError
from siliconv.network import graph as ir
from siliconv.network.fixed_point import FixedPoint, Overflow, Rounding
from siliconv.network.structure import check

BIT, BYTE, WIDE = FixedPoint(False, 1, 1), FixedPoint(True, 8, 8), FixedPoint(True, 20, 20)
IMAGE = ir.Input("image", (), (6, 5, 2), BYTE)
NO_PADDING = ((0, 0), (0, 0))


def ones(*shape):
    return ir.Weights(np.ones(shape, np.int64), BIT)


GOOD = {
    "conv": ir.Conv("n", ("image",), (3, 3, 4), WIDE, ones(3, 3, 2, 4), ones(4), (2, 2), ((1, 1), (1, 1))),
    "depthwise": ir.DepthwiseConv("n", ("image",), (4, 3, 2), WIDE, ones(3, 3, 2), ones(2), (1, 1), NO_PADDING),
    "dense": ir.Dense("n", ("image",), (6, 5, 3), WIDE, ones(2, 3), ones(3)),
    "max": ir.MaxPool("n", ("image",), (3, 2, 2), BYTE, (2, 2), (2, 2), NO_PADDING),
    "average": ir.AveragePool("n", ("image",), (2,), WIDE, (6, 5), (1, 1), NO_PADDING),
    "add": ir.Add("n", ("image", "image"), (6, 5, 2), WIDE),
    "concatenate": ir.Concatenate("n", ("image", "image"), (6, 5, 4), BYTE),
    "requantize": ir.Requantize("n", ("image",), (6, 5, 2), BIT, True),
    "reshape": ir.Reshape("n", ("image",), (60,), BYTE),
    "pad": ir.Pad("n", ("image",), (8, 5, 2), BYTE, ((1, 1), (0, 0))),
    "table": ir.Table("n", ("image",), (6, 5, 2), BIT, ones(256)),
    "softmax": ir.Softmax(
        "n",
        ("image",),
        (6, 5, 2),
        FixedPoint(False, 4, 1, Rounding.RND, Overflow.SAT),
        ir.Weights(np.array([4, 2, 1]), FixedPoint(False, 3, 1)),
        ir.Weights(np.array([16, 11]), FixedPoint(False, 5, 1)),
    ),
}


def network(node):
    return ir.Network("example", (IMAGE, node))


@pytest.mark.parametrize("kind", GOOD)
def test_well_formed_nodes_pass_and_wrong_shapes_do_not(kind):
    node = GOOD[kind]
    check(network(node))
    for shape in [(*node.shape[:-1], node.shape[-1] + 1), (*node.shape, 2), node.shape[:-1]]:
        with pytest.raises(NetworkError, match="NETWORK-SHAPE"):
            check(network(replace(node, shape=shape)))


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("conv", {"kernel": ones(3, 3, 3, 4)}),
        ("conv", {"kernel": ones(3, 3, 2)}),
        ("conv", {"kernel": ones(3, 3, 2, 0)}),
        ("conv", {"kernel": ir.Weights(np.full((3, 3, 2, 4), 2), BIT)}),
        ("conv", {"kernel": ir.Weights(np.ones((3, 3, 2, 4)), BIT)}),  # type: ignore[arg-type]
        ("conv", {"bias": ones(3)}),
        ("conv", {"bias": ir.Weights(np.full(4, 2), BIT)}),
        ("dense", {"bias": ir.Weights(np.full(3, -1), BIT)}),
        ("conv", {"strides": (0, 1)}),
        ("conv", {"strides": (2,)}),
        ("conv", {"padding": ((1, 1),)}),
        ("conv", {"padding": ((1, 1), (-1, 1))}),
        ("conv", {"kernel": ones(9, 9, 2, 4), "shape": (-1, -1, 4)}),
        ("conv", {"inputs": ("image", "image")}),
        ("depthwise", {"kernel": ones(3, 3, 3)}),
        ("depthwise", {"kernel": ones(3, 3, 2, 2)}),
        ("dense", {"kernel": ones(3, 3)}),
        ("dense", {"kernel": ones(1, 2, 3)}),
        ("max", {"type": WIDE}),
        ("max", {"window": (0, 2)}),
        ("max", {"padding": ((2, 0), (0, 0)), "shape": (4, 2, 2)}),
        ("max", {"padding": ((0, 3), (0, 0)), "shape": (4, 2, 2)}),
        ("average", {"padding": ((6, 0), (0, 0)), "shape": (7, 1, 2)}),
        ("add", {"inputs": ("image",)}),
        ("concatenate", {"inputs": ("image",)}),
        ("requantize", {"inputs": ("image", "image")}),
        ("reshape", {"type": WIDE}),
        ("reshape", {"shape": (-6, -10)}),
        ("pad", {"type": WIDE}),
        ("pad", {"padding": ((1, 1),)}),
        ("table", {"table": ones(255)}),
        ("table", {"type": BYTE}),
        ("table", {"name": ""}),
        ("table", {"name": "line\nbreak"}),
    ],
)
def test_what_does_not_belong_together_is_refused(kind, change):
    with pytest.raises(NetworkError, match="NETWORK-SHAPE"):
        check(network(replace(GOOD[kind], **change)))


@pytest.mark.parametrize("name", ["", "my-network", "1st", "a b", "café"])
def test_a_name_that_is_no_identifier_is_refused(name):
    with pytest.raises(NetworkError, match="NETWORK-NAME"):
        check(ir.Network(name, (IMAGE, GOOD["dense"])))


def test_tensors_beyond_the_limit_are_refused():
    image = ir.Input("image", (), (1 << 12, 1 << 12, 2), BYTE)
    with pytest.raises(NetworkError, match="NETWORK-SHAPE"):
        check(ir.Network("large", (image, ir.Requantize("n", ("image",), image.shape, BIT, False))))


@settings(max_examples=50, deadline=None, derandomize=True)
@given(networks())
def test_random_networks_are_well_formed(drawn):
    check(drawn)


@pytest.mark.parametrize(
    "change",
    [
        {"type": FixedPoint(False, 4, 1)},
        {"type": FixedPoint(True, 4, 1, Rounding.RND, Overflow.SAT)},
        {"type": FixedPoint(False, 8, 1, Rounding.RND, Overflow.SAT)},
        {"exponential": ir.Weights(np.array([1, 1, 1]), FixedPoint(False, 3, 1))},
        {"exponential": ir.Weights(np.array([4, -1]), FixedPoint(True, 4, 1))},
        {"exponential": ir.Weights(np.array([[4, 2]]), FixedPoint(False, 3, 1))},
        {"reciprocal": ir.Weights(np.array([16, 13, 11]), FixedPoint(False, 5, 1))},
        {"reciprocal": ir.Weights(np.array([16, 11]), FixedPoint(False, 5, -60))},
    ],
)
def test_a_softmax_whose_tables_do_not_belong_together_is_refused(change):
    with pytest.raises(NetworkError, match="NETWORK-SHAPE"):
        check(network(replace(GOOD["softmax"], **change)))
