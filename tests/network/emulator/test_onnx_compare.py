"""Comparisons and reductions inside an ONNX graph give what NumPy gives, for codes of every size."""

import numpy as np
import pytest

from siliconv.network import emulator, reference
from siliconv.network import graph as ir
from siliconv.network.emulator import onnx_compare
from siliconv.network.emulator.onnx_forms import I64
from siliconv.network.emulator.onnx_graph import OnnxGraph
from siliconv.network.fixed_point import FixedPoint, Overflow, Rounding

SHAPE = (3, 5, 4)


def codes_of(bits):
    """Codes up to a magnitude, a batch of 64; half of them close to each other, where upper halves agree."""
    rng = np.random.default_rng(bits)
    wide = rng.integers(-(2**bits), 2**bits, (64, *SHAPE))
    wide[::2] = wide[::2, :1, :1, :1] // 2 + rng.integers(-(2**31), 2**31, (32, *SHAPE))
    return wide


def computed(codes, build):
    graph = OnnxGraph()
    result = build(graph, graph.input("codes", I64, codes.shape[1:]))
    graph.output(result, "result", I64, codes.shape[1:])
    return graph.session().run(None, {"codes": codes})[0]


@pytest.mark.parametrize("bits", [8, 31, 32, 33, 40, 52, 57])
def test_operations_equal_numpy(bits):
    codes, other = codes_of(bits), int(codes_of(bits)[1, 0, 0, 0])
    for name, build, expected in (
        ("maximum", lambda g, x: onnx_compare.maximum(g, x, g.constant(other, I64), I64), np.maximum(codes, other)),
        ("minimum", lambda g, x: onnx_compare.minimum(g, x, g.constant(other, I64), I64), np.minimum(codes, other)),
        ("clip", lambda g, x: onnx_compare.clip(g, x, -7, abs(other), I64), codes.clip(-7, abs(other))),
        ("sign", lambda g, x: onnx_compare.sign(g, x, I64), np.sign(codes)),
        ("largest", onnx_compare.largest_integer, codes.max(axis=-1, keepdims=True)),
        ("sum", lambda g, x: onnx_compare.sum_of_integers(g, x, SHAPE[-1]), codes.sum(axis=-1, keepdims=True)),
        (
            "sum of positions",
            lambda g, x: onnx_compare.sum_of_positions(g, x, SHAPE, I64),
            codes.sum(axis=(1, 2), keepdims=True),
        ),
    ):
        assert np.array_equal(computed(codes, build), expected), name


def test_a_wide_global_average_and_a_wide_softmax_equal_the_reference():
    """Sums beyond 53 bits, and a difference between logits beyond 31."""
    wide = FixedPoint(signed=True, width=56, integer=56)
    table = FixedPoint(signed=False, width=8, integer=1)
    share = FixedPoint(signed=False, width=8, integer=0, rounding=Rounding.RND, overflow=Overflow.SAT)
    network = ir.Network(
        "wide",
        (
            ir.Input("image", (), SHAPE, wide),
            ir.AveragePool("mean", ("image",), SHAPE[-1:], wide, (3, 5), (3, 5), ((0, 0), (0, 0))),
            ir.Softmax(
                "share",
                ("mean",),
                SHAPE[-1:],
                share,
                ir.Weights(np.array([128]), table),
                ir.Weights(np.array([128]), table),
            ),
        ),
    )
    codes = codes_of(55)
    expected = reference.run(network, codes)
    found = emulator.compile(network).run(codes, keep=["mean", "share"])
    for name in ("mean", "share"):
        assert np.array_equal(found[name], expected[name]), name
