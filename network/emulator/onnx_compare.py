"""Comparisons and reductions that are right for every type.

ONNX Runtime 1.31 compares int64 wrongly in `Clip`, `Min`, `Max`, `Sign` and `ReduceMax` where two values agree in
their upper 32 bits and differ in bit 31 (``Clip(2**31, -7, 7)`` gave ``2**31``), and its `ReduceSum` of int64 loses
what lies beyond 53 bits. Its `Less`, `Greater`, `Where`, `MatMul` and bitwise operations are right.
tests/network/emulator/test_onnx_compare.py compares what stands here with NumPy.
"""

from __future__ import annotations

import math

from siliconv.network.emulator.onnx_forms import I64
from siliconv.network.emulator.onnx_graph import OnnxGraph
from siliconv.network.graph import Shape

_LOW_BITS = 31


def maximum(graph: OnnxGraph, one: str, other: str, dtype: str) -> str:
    """Give the larger of two values, element by element."""
    if dtype != I64:
        return graph.op("Max", one, other)
    return graph.op("Where", graph.op("Greater", one, other), one, other)


def minimum(graph: OnnxGraph, one: str, other: str, dtype: str) -> str:
    """Give the smaller of two values, element by element."""
    if dtype != I64:
        return graph.op("Min", one, other)
    return graph.op("Where", graph.op("Less", one, other), one, other)


def clip(graph: OnnxGraph, value: str, least: int, most: int, dtype: str) -> str:
    """Bring a value between two constants."""
    low, high = graph.constant(least, dtype), graph.constant(most, dtype)
    if dtype != I64:
        return graph.op("Clip", value, low, high)
    return minimum(graph, maximum(graph, value, low, dtype), high, dtype)


def sign(graph: OnnxGraph, value: str, dtype: str) -> str:
    """Give -1, 0 or 1."""
    if dtype != I64:
        return graph.op("Sign", value)
    zero, one, minus = (graph.constant(number, I64) for number in (0, 1, -1))
    negative = graph.op("Where", graph.op("Less", value, zero), minus, zero)
    return graph.op("Where", graph.op("Greater", value, zero), one, negative)


def largest_integer(graph: OnnxGraph, value: str) -> str:
    """Give the largest int64 along the last axis, which stays with size 1."""
    last, unit = graph.constant([-1], I64), graph.constant(1 << _LOW_BITS, I64)
    low = graph.op("BitwiseAnd", value, graph.constant((1 << _LOW_BITS) - 1, I64))
    high = graph.op("Div", graph.op("Sub", value, low), unit)
    highest = graph.op("ReduceMax", high, last, keepdims=1)
    candidates = graph.op("Where", graph.op("Less", high, highest), graph.constant(-1, I64), low)
    return graph.op("Add", graph.op("Mul", highest, unit), graph.op("ReduceMax", candidates, last, keepdims=1))


def sum_of_positions(graph: OnnxGraph, value: str, shape: Shape, dtype: str) -> str:
    """Sum (batch, *shape) over its spatial axes, which stay with size 1; `shape` ends with the channels."""
    spatial, channels = shape[:-1], shape[-1]
    if dtype != I64:
        return graph.op("ReduceSum", value, graph.constant(range(1, len(shape)), I64), keepdims=1)
    positions = math.prod(spatial)
    rows = graph.op("Reshape", value, graph.constant([-1, positions, channels], I64))
    total = graph.op("MatMul", graph.constant([[1] * positions], I64), rows)
    return graph.op("Reshape", total, graph.constant([-1, *(1 for _ in spatial), channels], I64))


def sum_of_integers(graph: OnnxGraph, value: str, size: int) -> str:
    """Sum int64 along the last axis, which has `size` elements and stays with size 1."""
    return graph.op("MatMul", value, graph.constant([[1]] * size, I64))
