"""Lower ReLUs that have no quantizer: exact at the last place of what they read, with a bound or a slope as well."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from siliconv.errors import NetworkError
from siliconv.network import graph as ir
from siliconv.network.fixed_point import FixedPoint, Interval, Overflow, narrowest
from siliconv.quantize.lowering.lowering_graph import LoweringGraph
from siliconv.quantize.lowering.quantized_weights import WIDEST, dyadic_weights


def add_relu(name: str, activation: Any, source: ir.Node, graph: LoweringGraph) -> ir.Node:
    """Append a ReLU, which keeps all bits."""
    high = max(graph.bounds[source.name].interval.high, 0)
    kind = narrowest(Interval(0, high), source.type.fraction)
    return graph.add(ir.Requantize(name, (source.name,), source.shape, kind, relu=True))


def add_relu6(name: str, activation: Any, source: ir.Node, graph: LoweringGraph) -> ir.Node:
    """Append a ReLU that ends at six."""
    return _bounded(name, add_relu(f"{name}_relu", None, source, graph), 6.0, graph)


def lower_relu(layer: Any, sources: tuple[ir.Node, ...], graph: LoweringGraph) -> ir.Node:
    """Append Keras' ReLU or LeakyReLU.

    Raises
    ------
    NetworkError
        ``LOWER-FUNCTION`` for a threshold, and for slopes and bounds that no few bits hold.
    """
    (source,), name = sources, layer.name
    most = getattr(layer, "max_value", None)
    slope = float(layer.alpha) if hasattr(layer, "alpha") else float(layer.negative_slope)
    if float(getattr(layer, "threshold", 0.0)) != 0.0 or slope < 0:
        raise NetworkError(
            "LOWER-FUNCTION",
            "a ReLU with a threshold, or with a slope that rises again below zero, has no quantizer",
            where=f"layer '{name}'",
            fix="use QActivation with quantized_relu behind it, or a ReLU with max_value or a slope",
        )
    rising = f"{name}_rising" if most is not None else name
    found = add_relu(rising, None, source, graph) if slope == 0 else _leaky(rising, source, slope, graph)
    return found if most is None else _bounded(name, found, float(most), graph)


def before_bound(kind: FixedPoint, source: ir.Node, graph: LoweringGraph) -> ir.Node:
    """Give what stands before an upper bound that changes nothing of what a saturating type makes of it."""
    before, most = graph.bounded.get(source.name, (source.name, Fraction(0)))
    top = kind.codes.high * Fraction(2) ** -kind.fraction
    ends = kind.overflow in (Overflow.SAT, Overflow.SAT_SYM) and most >= top
    return graph.nodes[before] if ends else source


def without_relu(source: ir.Node, graph: LoweringGraph) -> ir.Node:
    """Give what stands before a ReLU that keeps all bits: a quantized ReLU behind it needs none."""
    if not isinstance(source, ir.Requantize) or not source.relu:
        return source
    before = graph.nodes[source.inputs[0]]
    keeps = source.type.fraction == before.type.fraction and source.type.overflow is Overflow.WRAP
    return before if keeps else source


def _leaky(name: str, source: ir.Node, slope: float, graph: LoweringGraph) -> ir.Node:
    """Append the larger of x and slope * x; of a slope above one, the smaller."""
    kernel = _few_bits(np.full(source.shape[-1], slope), f"slope of layer '{name}'")
    scaled = graph.add_per_channel(f"{name}_slope", source, kernel, _none(source))
    pair = (source.name, scaled.name)
    node = ir.Pairwise(name, pair, source.shape, source.type, "maximum" if slope <= 1 else "minimum")
    return graph.add_narrowest(node, max(source.type.fraction, scaled.type.fraction))


def _bounded(name: str, source: ir.Node, most: float, graph: LoweringGraph) -> ir.Node:
    """Append the smaller of x and a bound, as ``most - relu(most - x)``."""
    bound = _few_bits(np.full(source.shape[-1], most), f"upper bound of layer '{name}'")
    minus = ir.Weights(np.full(source.shape[-1], -1, np.int64), FixedPoint(True, 2, 2))
    below = graph.add_per_channel(f"{name}_below", source, minus, bound)
    node = graph.add_per_channel(name, add_relu(f"{name}_room", None, below, graph), minus, bound)
    graph.bounded[name] = (source.name, Fraction(most))
    return node


def _few_bits(values: np.ndarray, where: str) -> ir.Weights:
    try:
        return dyadic_weights(values.astype(np.float32), where, widest=WIDEST)
    except NetworkError as error:
        raise NetworkError(
            "LOWER-FUNCTION",
            f"{values[0]:g} is no number of {WIDEST} bits, so that no fixed-point type holds what it gives",
            where=where,
            fix="use a power of two, such as 0.125 or 0.25",
        ) from error


def _none(source: ir.Node) -> ir.Weights:
    return ir.Weights(np.zeros(source.shape[-1], np.int64), FixedPoint(True, 1, 1))
