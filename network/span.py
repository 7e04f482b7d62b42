"""Span bit operations: what the multiplications of a network cost when every product is a circuit of its own.

A product of a weight and an activation counts ``span(w) * b``. ``span(w)`` is the number of bits from the highest to
the lowest set bit of ``|w|`` as an integer, both included, and 0 for a weight of zero; ``b`` are the magnitude bits of
the activation's type: its width less the sign. Every output position counts; products with padding, biases and
products of two activations don't. It depends on integers and types alone, so networks of different tools can be
compared by it.
"""

from __future__ import annotations

import math

import numpy as np

from siliconv.network import graph as ir
from siliconv.network.fixed_point import Codes


def span(codes: Codes) -> Codes:
    """Give the span of each code, same shape: 5 = 101b has 3, 4 = 100b has 1, -6 = -110b has 2, 0 has 0."""
    size = np.abs(codes)
    lowest = size & -size
    odd = np.where(size == 0, 0, size // np.maximum(lowest, 1))
    # The exponent of a double is exact below 2**53; a code of more bits is taken in two halves.
    high = odd >> 31
    length = np.where(high > 0, 31 + np.frexp(high.astype(np.float64))[1], np.frexp(odd.astype(np.float64))[1])
    return length.astype(np.int64)


def span_operations(network: ir.Network) -> dict[str, int]:
    """Give the span bit operations of each node that multiplies by weights, by its name."""
    return {node.name: _of_node(network, node) for node in network.matrices}


def _of_node(network: ir.Network, node: ir.Matrix) -> int:
    spans = span(node.kernel.codes)
    (source,) = network.sources(node)
    bits = source.type.width - source.type.signed
    if isinstance(node, ir.Dense):
        return int(spans.sum()) * math.prod(node.shape[:-1]) * bits
    padding = node.padding
    while isinstance(source, ir.Pad):
        padding = tuple(
            (before + more, after + less) for (before, after), (more, less) in zip(padding, source.padding, strict=True)
        )
        (source,) = network.sources(source)
    counts = positions(source.shape[:-1], node.window, node.strides, padding)
    return int((spans * counts.reshape(*counts.shape, *(1,) * (spans.ndim - counts.ndim))).sum()) * bits


def positions(spatial: ir.Shape, window: ir.Shape, strides: ir.Shape, padding: ir.Padding) -> Codes:
    """Count the output positions at which each place of a window lies on a real element and not on padding.

    Returns
    -------
    (*window), int64.
    """
    along = []
    for size, extent, stride, (before, after) in zip(spatial, window, strides, padding, strict=True):
        starts = np.arange((size + before + after - extent) // stride + 1) * stride - before
        places = starts[:, None] + np.arange(extent)
        along.append(((places >= 0) & (places < size)).sum(axis=0))
    found = along[0]
    for more in along[1:]:
        found = np.multiply.outer(found, more)
    return np.asarray(found, dtype=np.int64)
