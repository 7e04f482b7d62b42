"""Convolution, bias, requantize and ReLU in one 8-bit kernel of ONNX Runtime, where that is exactly the same.

`QLinearConv` with scales that are powers of two multiplies its 32-bit sum by one, rounds halves to even and saturates
at the ends of eight bits: RND_CONV and SAT. Two things could still make it differ, and both are excluded here:

- a sum above ``2**24`` would be rounded on its way to float32: the proven bounds tell;
- on processors without 8-bit dot products, kernels add pairs of products in 16 bits and saturate: either the types
  prove that no pair can exceed 16 bits, or a probe shows that this machine's kernels do not saturate.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from siliconv.network import graph as ir
from siliconv.network.emulator.onnx_compare import clip
from siliconv.network.emulator.onnx_folding import fold
from siliconv.network.emulator.onnx_forms import F32, I8, I64, U8, magnitude
from siliconv.network.emulator.onnx_graph import MICROSOFT, OnnxGraph
from siliconv.network.emulator.onnx_requantize import OnnxConversion
from siliconv.network.emulator.onnx_weights import onnx_kernel
from siliconv.network.emulator.onnx_windows import onnx_pads, trimmed
from siliconv.network.fixed_point import Codes, Interval, Overflow, Rounding
from siliconv.network.intervals import Bounds

LARGEST_EXACT_SUM = 1 << 24
LARGEST_PAIR_SUM = (1 << 15) - 1
LARGEST_EXPONENT = 30


@dataclass(frozen=True)
class Int8Conv:
    """A convolution and the requantize node behind it, as one 8-bit kernel.

    ``shape`` is that of the input; ``dtype`` is that of input and output (the kernels want them equal); ``places`` is
    how far the requantize node moves the point, from the sum of products before it is aligned.
    """

    node: ir.Conv | ir.DepthwiseConv
    shape: ir.Shape
    conversion: OnnxConversion
    dtype: str
    places: int
    bias: Codes
    padding: ir.Padding

    def emit(self, graph: OnnxGraph, value: str) -> str:
        """Add the kernel; `clip` has to follow, at once or behind a max pooling."""
        kernel = self.node.kernel.codes
        if isinstance(self.node, ir.DepthwiseConv):
            weights = onnx_kernel(kernel, depthwise=True)
            result = self._kernel(graph, value, weights, self.bias, self.padding, group=kernel.shape[-1])
        else:
            height, width, channels = self.shape
            folded = fold(kernel, self.bias, self.padding, self.node.strides, width)
            if folded.factor > 1:
                shape = (-1, height, width // folded.factor, channels * folded.factor)
                value = graph.op("Reshape", value, graph.constant(shape, I64))
            weights = onnx_kernel(folded.kernel, depthwise=False)
            result = self._kernel(graph, value, weights, folded.bias, folded.padding, group=1)
            if folded.factor > 1:
                result = graph.op("Reshape", result, graph.constant((-1, *self.node.shape), I64))
        return result

    def clip(self, graph: OnnxGraph, value: str) -> str:
        """Bring the kernel's result into a type that is narrower than its eight bits."""
        least, most = self.conversion.to.reachable
        least = max(least, 0) if self.conversion.relu else least
        if (least, most) == _eight_bits(self.dtype):
            return value
        return clip(graph, value, least, most, self.dtype)

    def _kernel(
        self, graph: OnnxGraph, value: str, weights: Codes, bias: Codes, padding: ir.Padding, *, group: int
    ) -> str:
        return q_linear_conv(
            graph,
            value,
            self.dtype,
            weights,
            bias,
            self.places,
            pads=onnx_pads(padding),
            strides=self.node.strides,
            group=group,
        )


def q_linear_conv(
    graph: OnnxGraph, value: str, dtype: str, weights: Codes, bias: Codes, places: int, **attributes: Any
) -> str:
    """Add the 8-bit kernel: products, bias, division by ``2**places`` rounding halves to even, saturation.

    `weights` is (outputs, channels, rows, columns); the value and the result are (batch, rows, columns, channels).
    """
    one, no_offset = graph.constant(1, F32), graph.constant(0, dtype)
    return graph.op(
        "QLinearConv",
        *(value, one, no_offset),
        *(graph.constant(weights, I8), one, graph.constant(0, I8)),
        *(graph.constant(2.0**places, F32), no_offset),
        graph.constant(bias, "int32"),
        domain=MICROSOFT,
        channels_last=1,
        kernel_shape=weights.shape[2:],
        **attributes,
    )


def small_form(interval: Interval) -> str | None:
    """Give the 8-bit type that holds an interval, or None."""
    return next((dtype for dtype in (U8, I8) if _within(interval, _eight_bits(dtype))), None)


def find(network: ir.Network, bounds: dict[str, Bounds], kept: frozenset[str]) -> dict[str, Int8Conv]:
    """Give the convolutions that may run on 8-bit kernels, by the name of the requantize node that they end in."""
    readers: dict[str, int] = {}
    for node in network.nodes:
        for name in node.inputs:
            readers[name] = readers.get(name, 0) + 1
    found = {}
    for node in network.of_kind(ir.Requantize):
        (conv,) = network.sources(node)
        if isinstance(conv, ir.Conv | ir.DepthwiseConv) and readers[conv.name] == 1 and conv.name not in kept:
            candidate = _candidate(network, conv, node, bounds)
            if candidate is not None:
                found[node.name] = candidate
    return found


def _candidate(
    network: ir.Network, conv: ir.Conv | ir.DepthwiseConv, node: ir.Requantize, bounds: dict[str, Bounds]
) -> Int8Conv | None:
    (source,) = network.sources(conv)
    conversion = OnnxConversion(
        bounds[conv.name].interval, conv.type.fraction - node.type.fraction, node.type, node.relu
    )
    least, most = node.type.reachable
    image = bounds[source.name].interval
    dtype = small_form(Interval(min(least, image.low), max(most, image.high)))
    products = source.type.fraction + conv.kernel.type.fraction
    places = products - node.type.fraction
    bias_places = products - conv.bias.type.fraction
    sums = bounds[conv.name].interval
    window = conv.kernel.codes.shape[: len(conv.strides)]
    if (
        len(conv.strides) != 2
        or dtype is None
        or not _within(Interval(int(conv.kernel.codes.min()), int(conv.kernel.codes.max())), _eight_bits(I8))
        or abs(places) > LARGEST_EXPONENT
        or not 0 <= bias_places <= LARGEST_EXPONENT
        or magnitude(sums) > LARGEST_EXACT_SUM
        or (conversion.places > 0 and node.type.rounding is not Rounding.RND_CONV)
        or (conversion.overflows and node.type.overflow not in (Overflow.SAT, Overflow.SAT_SYM))
    ):
        return None
    largest_input = 255 if dtype == I8 else magnitude(image)
    largest_weight = int(np.abs(conv.kernel.codes).max())
    if 2 * largest_input * largest_weight > LARGEST_PAIR_SUM and not pairs_are_exact():
        return None
    padding = trimmed(source.shape, conv.shape, window, conv.strides, conv.padding)
    bias = conv.bias.codes << bias_places
    return Int8Conv(conv, source.shape, conversion, dtype, places, bias, padding)


@cache
def pairs_are_exact() -> bool:
    """Probe this machine's 8-bit kernels with the largest products there are; false where their sums saturate."""
    channels, outputs = 64, 32
    for dtype, largest in ((U8, 255), (I8, 127), (I8, -128)):
        for weight in (127, -128):
            graph = OnnxGraph()
            image = graph.input("codes", dtype, (4, 4, channels))
            # The bias leaves the result at 5, far from the ends of eight bits.
            bias = np.full(outputs, 5 - channels * largest * weight)
            value = q_linear_conv(graph, image, dtype, np.full((outputs, channels, 1, 1), weight), bias, 0)
            graph.output(value, "sum", dtype, (4, 4, outputs))
            (result,) = graph.session().run(None, {"codes": np.full((1, 4, 4, channels), largest, dtype)})
            if np.any(result != 5):
                return False
    return True


def _eight_bits(dtype: str) -> Interval:
    return Interval(0, 255) if dtype == U8 else Interval(-128, 127)


def _within(interval: Interval, outer: Interval) -> bool:
    return outer.low <= interval.low and interval.high <= outer.high
