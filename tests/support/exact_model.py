"""An independent model of fixed-point conversion and of every node: fractions and plain loops, no NumPy tricks."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction
from functools import singledispatch

import numpy as np

from siliconv.network import graph as ir
from siliconv.network.fixed_point import FixedPoint, Overflow, Rounding

HALF = Fraction(1, 2)


def round_exactly(value: Fraction, mode: Rounding) -> int:
    """Round a fraction to an integer by the words of the rounding mode."""
    below, above = math.floor(value), math.ceil(value)
    if mode is Rounding.TRN:
        return below
    if mode is Rounding.TRN_ZERO:
        return below if value > 0 else above
    if value - below != HALF:
        return below if value - below < HALF else above
    towards_zero, away = (below, above) if value > 0 else (above, below)
    return {
        Rounding.RND: above,
        Rounding.RND_MIN_INF: below,
        Rounding.RND_ZERO: towards_zero,
        Rounding.RND_INF: away,
        Rounding.RND_CONV: below if below % 2 == 0 else above,
    }[mode]


def convert(code: int, fraction: int, to: FixedPoint) -> int:
    """Bring one code into a type."""
    value = Fraction(code) / Fraction(2) ** fraction * Fraction(2) ** to.fraction
    rounded = round_exactly(value, to.rounding)
    low, high = (-(2 ** (to.width - 1)), 2 ** (to.width - 1) - 1) if to.signed else (0, 2**to.width - 1)
    if to.overflow is Overflow.SAT_SYM and to.signed and to.width > 1:
        low = -high
        return min(max(rounded, low), high)
    if low <= rounded <= high:
        return rounded
    if to.overflow is Overflow.SAT_ZERO:
        return 0
    if to.overflow is Overflow.WRAP:
        return (rounded - low) % 2**to.width + low
    return low if rounded < low else high


def run(network: ir.Network, image: np.ndarray) -> dict[str, dict[tuple[int, ...], int]]:
    """Compute all nodes for one input, or a list of them; tensors are dictionaries from index to code."""
    images = image if isinstance(image, list) else [image]
    tensors: dict[str, dict[tuple[int, ...], int]] = {
        node.name: {index: int(one[index]) for index in np.ndindex(one.shape)}
        for node, one in zip(network.inputs, images, strict=True)
    }
    for node in network.nodes[len(images) :]:
        sources = network.sources(node)
        tensors[node.name] = compute(node, sources, [tensors[source.name] for source in sources])
    return tensors


@singledispatch
def compute(node: ir.Node, sources, inputs):
    """Compute one node."""
    raise NotImplementedError(f"no exact model for {type(node).__name__}")


def window_positions(node, out, extent, shape):
    """Give (offset in the window, index in the source) of the real elements under one output position."""
    for offset in itertools.product(*(range(size) for size in extent)):
        index = tuple(
            o * stride + k - before
            for o, stride, k, (before, _) in zip(out, node.strides, offset, node.padding, strict=False)
        )
        if all(0 <= i < size for i, size in zip(index, shape, strict=False)):
            yield offset, index


@compute.register(ir.Conv)
@compute.register(ir.DepthwiseConv)
def _(node, sources, inputs):
    (source,), (x,) = sources, inputs
    kernel = node.kernel.codes
    depthwise = isinstance(node, ir.DepthwiseConv)
    extent = kernel.shape[:-1] if depthwise else kernel.shape[:-2]
    result = {}
    for index in np.ndindex(node.shape):
        *out, channel = index
        total = exact(node.bias.codes[channel], node.bias.type)
        for offset, at in window_positions(node, out, extent, source.shape):
            for feature in [channel] if depthwise else range(source.shape[-1]):
                weight = kernel[(*offset, channel)] if depthwise else kernel[(*offset, feature, channel)]
                total += exact(weight, node.kernel.type) * exact(x[(*at, feature)], source.type)
        result[index] = whole(total, node)
    return result


@compute.register
def _(node: ir.Dense, sources, inputs):
    (source,), (x,) = sources, inputs
    result = {}
    for index in np.ndindex(node.shape):
        *at, out = index
        total = exact(node.bias.codes[out], node.bias.type)
        for feature in range(source.shape[-1]):
            total += exact(node.kernel.codes[feature, out], node.kernel.type) * exact(x[(*at, feature)], source.type)
        result[index] = whole(total, node)
    return result


@compute.register
def _(node: ir.MaxPool, sources, inputs):
    return {
        index: max(inputs[0][(*at, channel)] for _, at in window_positions(node, out, node.window, sources[0].shape))
        for index, out, channel in pooled(node)
    }


@compute.register
def _(node: ir.AveragePool, sources, inputs):
    result = {}
    for index, out, channel in pooled(node):
        terms = [inputs[0][(*at, channel)] for _, at in window_positions(node, out, node.window, sources[0].shape)]
        mean = sum(exact(term, sources[0].type) for term in terms) / len(terms)
        result[index] = math.trunc(mean * Fraction(2) ** node.type.fraction)
    return result


def pooled(node):
    """Give the indices of a pooling's output, also where its spatial axes are dropped."""
    for index in np.ndindex(node.shape):
        out = index[:-1] or (0,) * len(node.window)
        yield index, out, index[-1]


@compute.register
def _(node: ir.Add, sources, inputs):
    return {
        index: whole(sum(exact(x[index], source.type) for x, source in zip(inputs, sources, strict=False)), node)
        for index in np.ndindex(node.shape)
    }


@compute.register
def _(node: ir.Concatenate, sources, inputs):
    result, start = {}, 0
    for x, source in zip(inputs, sources, strict=False):
        for index in np.ndindex(source.shape):
            result[(*index[:-1], index[-1] + start)] = whole(exact(x[index], source.type), node)
        start += source.shape[-1]
    return result


@compute.register
def _(node: ir.Pairwise, sources, inputs):
    compute_one = {
        "subtract": lambda one, other: one - other,
        "multiply": lambda one, other: one * other,
        "maximum": max,
        "minimum": min,
    }[node.operation]
    one, other = sources
    return {
        index: whole(compute_one(exact(inputs[0][index], one.type), exact(inputs[1][index], other.type)), node)
        for index in np.ndindex(node.shape)
    }


@compute.register
def _(node: ir.Rearrange, sources, inputs):
    result = {}
    for index in np.ndindex(node.shape):
        at = [0] * len(index)
        for axis, place in enumerate(index):
            at[node.order[axis]] = node.before[axis] + place // node.repeats[axis]
        result[index] = inputs[0][tuple(at)]
    return result


@compute.register
def _(node: ir.Requantize, sources, inputs):
    return {
        index: convert(max(code, 0) if node.relu else code, sources[0].type.fraction, node.type)
        for index, code in inputs[0].items()
    }


@compute.register
def _(node: ir.Reshape, sources, inputs):
    return dict(zip(np.ndindex(node.shape), (inputs[0][index] for index in np.ndindex(sources[0].shape)), strict=False))


@compute.register
def _(node: ir.Pad, sources, inputs):
    befores = [before for before, _ in node.padding] + [0]
    return {
        index: inputs[0].get(tuple(i - before for i, before in zip(index, befores, strict=False)), 0)
        for index in np.ndindex(node.shape)
    }


@compute.register
def _(node: ir.Table, sources, inputs):
    lowest = -(2 ** (sources[0].type.width - 1)) if sources[0].type.signed else 0
    return {index: int(node.table.codes[code - lowest]) for index, code in inputs[0].items()}


@compute.register
def _(node: ir.Softmax, sources, inputs):
    entries = node.reciprocal.codes.size
    result = {}
    for index, code in inputs[0].items():
        row = [inputs[0][(*index[:-1], channel)] for channel in range(node.shape[-1])]
        shares = [int(node.exponential.codes[min(max(row) - one, node.exponential.codes.size - 1)]) for one in row]
        total = sum(shares)
        mantissa = Fraction(total, 2 ** (total.bit_length() - 1))
        reciprocal = int(node.reciprocal.codes[math.floor((mantissa - 1) * entries)])
        share = int(node.exponential.codes[min(max(row) - code, node.exponential.codes.size - 1)])
        product = (
            Fraction(share * reciprocal, 2 ** (total.bit_length() - 1)) / Fraction(2) ** node.reciprocal.type.fraction
        )
        result[index] = min(round_exactly(product * 2**node.type.fraction, Rounding.RND), 2**node.type.width - 1)
    return result


def exact(code, kind: FixedPoint) -> Fraction:
    """Give the value of a code."""
    return Fraction(int(code)) / Fraction(2) ** kind.fraction


def whole(value: Fraction, node: ir.Node) -> int:
    """Give the code of a value that a node must represent without rounding."""
    code = value * Fraction(2) ** node.type.fraction
    assert code.denominator == 1, f"{node.name} loses bits"
    return int(code)


def as_array(tensor: dict[tuple[int, ...], int], shape: tuple[int, ...]) -> np.ndarray:
    """Turn a tensor of this model into an array."""
    return np.array([tensor[index] for index in np.ndindex(shape)], dtype=np.int64).reshape(shape)
