"""Sliding windows for types that ONNX Runtime's own convolution and pooling do not know: one slice an offset.

A window of nine positions is nine strided slices of the padded tensor, channels last. It works for every type, so the
float64 and int64 roads use it; it is slower than a kernel, and exact.
"""

from __future__ import annotations

import itertools

import numpy as np

from siliconv.network.emulator.onnx_forms import I64
from siliconv.network.emulator.onnx_graph import OnnxGraph
from siliconv.network.fixed_point import Codes
from siliconv.network.graph import AveragePool, MaxPool, Node, Padding, Shape
from siliconv.network.windows import real_elements


def trimmed(shape: Shape, out: Shape, window: Shape, strides: Shape, padding: Padding) -> Padding:
    """Drop padding behind the last window: it changes nothing, and ONNX Runtime refuses it where it is wide."""
    return tuple(
        (before, max((count - 1) * stride + extent - before - size, 0))
        for size, count, extent, stride, (before, _after) in zip(shape, out, window, strides, padding, strict=False)
    )


def onnx_pads(padding: Padding) -> list[int]:
    """Give padding in ONNX' order: all befores, then all afters."""
    return [before for before, _ in padding] + [after for _, after in padding]


def pad(graph: OnnxGraph, value: str, road: str, padding: Padding, *, first: bool, fill: int) -> str:
    """Add a border of `fill` around the spatial axes."""
    if not any(itertools.chain.from_iterable(padding)):
        return value
    spatial = ((0, 0), (0, 0), *padding) if first else ((0, 0), *padding, (0, 0))
    return graph.op("Pad", value, graph.constant(onnx_pads(spatial), I64), graph.constant(fill, road))


def slices(
    graph: OnnxGraph, value: str, road: str, out: Shape, window: Shape, strides: Shape, padding: Padding, *, fill: int
) -> list[str]:
    """Give the elements at every offset of a window, in row-major order; each (batch, *out, channels)."""
    value = pad(graph, value, road, padding, first=False, fill=fill)
    axes = graph.constant(range(1, len(window) + 1), I64)
    steps = graph.constant(strides, I64)
    result = []
    for offset in itertools.product(*(range(extent) for extent in window)):
        start = np.array(offset)
        end = start + (np.array(out) - 1) * strides + 1
        result.append(graph.op("Slice", value, graph.constant(start, I64), graph.constant(end, I64), axes, steps))
    return result


def spatial_shape(node: MaxPool | AveragePool) -> Shape:
    """Give the spatial shape that a pooling leaves, also where it drops axes of size one."""
    return node.shape[:-1] or (1,) * len(node.window)


def counts_of_windows(node: AveragePool, source: Node) -> Codes:
    """Count the real elements under every window: (*out, 1)."""
    return real_elements(source.shape[:-1], node.window, node.strides, node.padding)
