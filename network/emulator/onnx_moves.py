"""Elements moved, left out and repeated, and two tensors brought together, as ONNX operations on either road."""

from __future__ import annotations

from siliconv.network import graph as ir
from siliconv.network.emulator.onnx_compare import maximum, minimum
from siliconv.network.emulator.onnx_forms import I64
from siliconv.network.emulator.onnx_graph import OnnxGraph

_ARITHMETIC = {"subtract": "Sub", "multiply": "Mul"}


def rearranged(graph: OnnxGraph, node: ir.Rearrange, source: ir.Node, value: str) -> str:
    """Give the elements of a value, (batch, *source shape), where a node puts them."""
    if node.order != tuple(range(len(node.order))):
        value = graph.op("Transpose", value, perm=[0, *(axis + 1 for axis in node.order)])
    for axis, (places, taken) in enumerate(zip(node.places, node.order, strict=True), start=1):
        if places != tuple(range(source.shape[taken])):
            value = graph.op("Gather", value, graph.constant(places, I64), axis=axis)
    return value


def paired(graph: OnnxGraph, operation: str, one: str, other: str, dtype: str) -> str:
    """Give a function of two values, element by element."""
    if operation in _ARITHMETIC:
        return graph.op(_ARITHMETIC[operation], one, other)
    return (maximum if operation == "maximum" else minimum)(graph, one, other, dtype)
