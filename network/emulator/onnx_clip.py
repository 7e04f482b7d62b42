"""Clip and maximum that are right for every type.

ONNX Runtime 1.31 compares int64 wrongly in `Clip`, `Min` and `Max` on some processors: ``Clip(2**31, -7, 7)`` gave
``2**31`` (found by tests/network/emulator/test_emulator.py; values between ``2**31`` and ``2**32`` in magnitude). Its
comparisons and `Where` are right.
"""

from __future__ import annotations

from siliconv.network.emulator.onnx_forms import I64
from siliconv.network.emulator.onnx_graph import OnnxGraph


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
    value = graph.op("Where", graph.op("Less", value, low), low, value)
    return graph.op("Where", graph.op("Greater", value, high), high, value)
