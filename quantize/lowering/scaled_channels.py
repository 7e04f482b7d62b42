"""Scales of a channel that are no powers of two, where only signs are taken behind them: thresholds of integers.

A batch normalization, or a kernel with `alpha='auto'`, multiplies each channel by a number that no fixed-point type
holds. Where nothing but `binary`, `ternary` or a function like them stands behind it, the comparison with a threshold
is one of integers: ``scale * x + offset >= t`` where ``x`` is at least, or at most, some integer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, floor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from siliconv.network import graph as ir
from siliconv.network.fixed_point import Codes, FixedPoint, Interval, narrowest
from siliconv.quantize.lowering.exact_classes import exact_class
from siliconv.quantize.lowering.lowering_activations import add_sign, function_name, ternary_threshold
from siliconv.quantize.lowering.lowering_graph import LoweringGraph
from siliconv.quantize.lowering.quantizer_types import is_sign, refuse_noise

_SIGNS = ("binary", "ternary")
_SIGN_FUNCTIONS = ("binary_tanh", "binary_sigmoid")


@dataclass(frozen=True, eq=False)
class ScaledChannels:
    """What a layer gives, for each channel of a node: ``scale * value + offset``, in real numbers."""

    node: ir.Node
    scale: NDArray[np.float64]
    offset: NDArray[np.float64]


def takes_signs(activation: Any) -> bool:
    """Whether an activation asks for nothing but on which side of a threshold its input is."""
    if exact_class(activation) in _SIGNS or is_sign(activation):
        return not isinstance(activation.alpha, str) and np.size(activation.alpha) == 1
    return function_name(activation) in _SIGN_FUNCTIONS


def add_thresholds(name: str, activation: Any, scaled: ScaledChannels, graph: LoweringGraph) -> ir.Node:
    """Append the nodes of such an activation; the last one has this name."""
    function = function_name(activation)
    if function in _SIGN_FUNCTIONS:
        above = _above(name, scaled, Fraction(0), graph, strictly=True)
        return add_sign(name, above, graph, -1.0 if function == "binary_tanh" else 0.0, 1.0)
    refuse_noise(activation, f"activation '{name}'")
    alpha = 1.0 if activation.alpha is None else float(np.float32(np.ravel(activation.alpha)[0]))
    if exact_class(activation) != "ternary":
        zero_or_one = getattr(activation, "use_01", not getattr(activation, "keep_negative", True))
        above = _above(name, scaled, Fraction(0), graph)
        return add_sign(name, above, graph, 0.0 if zero_or_one else -alpha, alpha)
    threshold = Fraction(ternary_threshold(activation))
    mirrored = replace(scaled, scale=-scaled.scale, offset=-scaled.offset)
    # The sign of zero is zero: with no threshold, only what is really above or below counts.
    up = _above(f"{name}_high", scaled, threshold, graph, strictly=threshold <= 0)
    down = _above(f"{name}_low", mirrored, threshold, graph, strictly=threshold <= 0)
    high = add_sign(f"{name}_high_sign", up, graph, 0.0, alpha)
    low = add_sign(f"{name}_low_sign", down, graph, 0.0, -alpha)
    both = ir.Add(name, (high.name, low.name), scaled.node.shape, high.type)
    return graph.add_narrowest(both, max(high.type.fraction, low.type.fraction))


def _above(
    name: str, scaled: ScaledChannels, threshold: Fraction, graph: LoweringGraph, *, strictly: bool = False
) -> ir.Node:
    """Append a node that is zero or more where ``scale * value + offset`` is at or above a threshold, else negative."""
    signs, biases = [], []
    low, high = graph.bounds[scaled.node.name]
    step = Fraction(2) ** -scaled.node.type.fraction
    for scale, offset, least, most in zip(scaled.scale, scaled.offset, low, high, strict=True):
        sign, bias = _integer_threshold(Fraction(float(scale)), Fraction(float(offset)), threshold, step, strictly)
        # Beyond what the channel can be, any threshold will do.
        reach = max(abs(int(least)), abs(int(most))) + 1
        signs.append(sign)
        biases.append(min(max(bias, -reach), reach))
    return _shifted(f"{name}_threshold", scaled.node, np.array(signs), np.array(biases), graph)


def _integer_threshold(
    scale: Fraction, offset: Fraction, threshold: Fraction, step: Fraction, strictly: bool
) -> tuple[int, int]:
    """Give a sign and a bias: ``sign * code + bias >= 0`` is ``scale * code * step + offset >= threshold``."""
    if scale == 0:
        holds = offset > threshold if strictly else offset >= threshold
        return 1, (1 << 62) if holds else -(1 << 62)
    at = (threshold - offset) / (scale * step)
    if scale > 0:
        return 1, -(floor(at) + 1 if strictly else ceil(at))
    return -1, (ceil(at) - 1 if strictly else floor(at))


def _shifted(name: str, source: ir.Node, signs: Codes, biases: Codes, graph: LoweringGraph) -> ir.Node:
    """Append ``sign * code + bias`` for each channel; in the layer before, where that multiplies by weights."""
    fraction = source.type.fraction
    if isinstance(source, ir.Matrix):
        codes = source.kernel.codes * signs
        own_step = source.kernel.type.fraction
        kernel = ir.Weights(codes, narrowest(Interval(min(int(codes.min()), -1), int(codes.max())), own_step))
        own = source.bias.codes << (fraction - source.bias.type.fraction)
        return graph.add_matrix_like(source, name, kernel, _bias(own * signs + biases, fraction))
    kernel = ir.Weights(signs.astype(np.int64), FixedPoint(True, 2, 2))
    return graph.add_per_channel(name, source, kernel, _bias(biases, fraction))


def _bias(codes: Codes, fraction: int) -> ir.Weights:
    codes = np.asarray(codes, dtype=np.int64)
    return ir.Weights(codes, narrowest(Interval(min(int(codes.min()), -1), int(codes.max())), fraction))
