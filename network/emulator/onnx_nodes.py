"""Translate each node kind of the integer network into ONNX operations that compute the same codes.

Sums of products run in float32 where the proven bound of every partial sum is at most ``2**24``: there all integers
are exact, in any order of summation. Wider ones run in float64 (``2**53``) or int64.
"""

from __future__ import annotations

from functools import reduce, singledispatchmethod
from math import prod
from typing import Any

import numpy as np
from onnx import TensorProto

from siliconv.network import graph as ir
from siliconv.network.emulator.onnx_compare import (
    largest_integer,
    maximum,
    minimum,
    sum_of_integers,
    sum_of_positions,
)
from siliconv.network.emulator.onnx_forms import (
    F32,
    I8,
    I64,
    LARGEST_EXPONENT,
    ROADS,
    U8,
    Form,
    Tensors,
    magnitude,
    road_for,
)
from siliconv.network.emulator.onnx_graph import MICROSOFT, OnnxGraph
from siliconv.network.emulator.onnx_int8 import Int8Conv, small_form
from siliconv.network.emulator.onnx_moves import paired, rearranged
from siliconv.network.emulator.onnx_requantize import OnnxConversion, convert
from siliconv.network.emulator.onnx_weights import aligned_weights, onnx_kernel
from siliconv.network.emulator.onnx_windows import counts_of_windows, onnx_pads, pad, slices, spatial_shape, trimmed
from siliconv.network.fixed_point import MAX_WIDTH, Codes
from siliconv.network.intervals import Bounds, average_sum_type


class Translation:
    """One network on its way into one ONNX graph.

    Parameters
    ----------
    network
        The integer network.
    bounds
        Its proven bounds.
    kept
        Nodes whose values are asked for: nothing is fused across them.
    int8
        Convolutions that run on 8-bit kernels together with the requantize node behind them, by that node's name.
    """

    def __init__(
        self, network: ir.Network, bounds: dict[str, Bounds], kept: frozenset[str], int8: dict[str, Int8Conv]
    ) -> None:
        self.network, self.bounds, self.kept, self.int8 = network, bounds, kept, int8
        self.graph = OnnxGraph()
        self.tensors = Tensors(self.graph, bounds)
        self.readers: dict[str, list[ir.Node]] = {node.name: [] for node in network.nodes}
        for node in network.nodes:
            for name in node.inputs:
                self.readers[name].append(node)
        self._clipped_by: dict[str, Int8Conv] = {}
        self._postponed: dict[str, tuple[ir.Requantize, OnnxConversion]] = {}
        fused = {conv.node.name for conv in int8.values()}
        needed = _needed(network, kept)
        for node in network.nodes:
            if node.name in needed and node.name not in fused:
                self.emit(node, *network.sources(node))
        for name in sorted(kept):
            self._keep(network.by_name[name])

    def _keep(self, node: ir.Node) -> None:
        form = self.tensors.natural(node)
        value = self.tensors.get(node, form.dtype, first=False)
        self.graph.output(value, f"kept_{node.name}", form.dtype, node.shape)

    @singledispatchmethod
    def emit(self, node: ir.Node, *sources: ir.Node) -> None:
        """Add the operations of one node."""
        raise NotImplementedError(f"no ONNX translation for {type(node).__name__}")

    @emit.register
    def _(self, node: ir.Input) -> None:
        dtype = small_form(self.bounds[node.name].interval) or self.tensors.road(node)
        name = feed_name(node, self.network)
        self.tensors.put(node, Form(dtype, False), self.graph.input(name, dtype, node.shape))

    @emit.register(ir.Conv)
    @emit.register(ir.DepthwiseConv)
    def _(self, node: ir.Conv | ir.DepthwiseConv, source: ir.Node) -> None:
        kernel, bias, exponent = self._sum_of_products(node, source)
        padding = trimmed(source.shape, node.shape, node.window, node.strides, node.padding)
        road = self.tensors.road(node, source)
        if road == F32:
            self._float_convolution(node, source, kernel, bias, padding, exponent)
            return
        value = self.tensors.get(source, road, first=False)
        parts = slices(self.graph, value, road, node.shape[:-1], node.window, node.strides, padding, fill=0)
        taps = kernel.reshape(-1, kernel.shape[-1])
        if isinstance(node, ir.DepthwiseConv):
            weights = (self.graph.constant(tap, road) for tap in taps)
            products = [self.graph.op("Mul", part, tap) for part, tap in zip(parts, weights, strict=True)]
            total = self._added(products)
        else:
            rows = self.graph.op("Concat", *parts, axis=-1) if len(parts) > 1 else parts[0]
            total = self.graph.op("MatMul", rows, self.graph.constant(taps, road))
        self._put_sum(node, road, total, bias)

    @emit.register
    def _(self, node: ir.Dense, source: ir.Node) -> None:
        kernel, bias, _ = self._sum_of_products(node, source)
        road = self.tensors.road(node, source)
        value = self.tensors.get(source, road, first=False)
        self._put_sum(node, road, self.graph.op("MatMul", value, self.graph.constant(kernel, road)), bias)

    def _sum_of_products(self, node: ir.Matrix, source: ir.Node) -> tuple[Codes, Codes, int]:
        """Give kernel and bias in units of the node's last place, and the exponent its reader would like."""
        return *aligned_weights(node, source, self.bounds[source.name]), self._wanted_exponent(node)

    def _wanted_exponent(self, node: ir.Node) -> int:
        """Look behind a node: where a requantize node reads it, perhaps after pooling, it can be scaled for that."""
        reader = node
        while len(readers := self.readers[reader.name]) == 1 and reader.name not in self.kept:
            (reader,) = readers
            if isinstance(reader, ir.Requantize):
                places = node.type.fraction - reader.type.fraction
                return places if abs(places) <= LARGEST_EXPONENT else 0
            if not isinstance(reader, ir.MaxPool):
                break
        return 0

    def _float_convolution(
        self,
        node: ir.Conv | ir.DepthwiseConv,
        source: ir.Node,
        kernel: Codes,
        bias: Codes,
        padding: ir.Padding,
        exponent: int,
    ) -> None:
        depthwise, scale = isinstance(node, ir.DepthwiseConv), 2.0**-exponent
        value = self.graph.op(
            "Conv",
            self.tensors.get(source, F32, first=True),
            self.graph.constant(onnx_kernel(kernel, depthwise=depthwise) * scale, F32),
            self.graph.constant(bias * scale, F32),
            kernel_shape=node.window,
            strides=node.strides,
            pads=onnx_pads(padding),
            group=kernel.shape[-1] if depthwise else 1,
        )
        self.tensors.put(node, Form(F32, True, exponent), value)

    def _put_sum(self, node: ir.Node, road: str, value: str, bias: Codes) -> None:
        if np.any(bias):
            value = self.graph.op("Add", value, self.graph.constant(bias, road))
        self.tensors.put(node, Form(road, False), value)

    def _added(self, values: list[str]) -> str:
        return reduce(lambda one, other: self.graph.op("Add", one, other), values)

    @emit.register
    def _(self, node: ir.MaxPool, source: ir.Node) -> None:
        if node.name in self._postponed:
            requantize, conversion = self._postponed[node.name]
            (origin,) = self.network.sources(requantize)
            form, value = self._maximum(node, origin)
            if form.exponent != conversion.places:
                scale = self.graph.constant(2.0 ** (form.exponent - conversion.places), F32)
                value = self.graph.op("Mul", value, scale)
            self._put_pooled(node, Form(F32, form.first), convert(self.graph, value, F32, conversion))
            return
        form, value = self._maximum(node, source)
        if node.name in self._clipped_by:
            value = self._clipped_by[node.name].clip(self.graph, value)
        self._put_pooled(node, form, value)

    def _maximum(self, node: ir.MaxPool, source: ir.Node) -> tuple[Form, str]:
        window, strides = node.window, node.strides
        padding = trimmed(source.shape, spatial_shape(node), window, strides, node.padding)
        form = self.tensors.natural(source)
        shape: dict[str, Any] = {"kernel_shape": window, "strides": strides, "pads": onnx_pads(padding)}
        if form.dtype in (U8, I8) and len(window) == 2:
            value = self.tensors.get(source, form.dtype, first=False)
            return Form(form.dtype, False), self.graph.op("NhwcMaxPool", value, domain=MICROSOFT, **shape)
        road = self.tensors.road(source)
        if road == F32:
            value = self.tensors.get(source, F32, first=True, exponent=form.exponent)
            return Form(F32, True, form.exponent), self.graph.op("MaxPool", value, **shape)
        lowest = self.bounds[source.name].interval.low
        value = self.tensors.get(source, road, first=False)
        parts = slices(self.graph, value, road, spatial_shape(node), window, strides, padding, fill=lowest)
        return Form(road, False), reduce(lambda one, other: maximum(self.graph, one, other, road), parts)

    @emit.register
    def _(self, node: ir.AveragePool, source: ir.Node) -> None:
        places = node.type.fraction - source.type.fraction
        total = average_sum_type(node, source, self.bounds[source.name])
        count = counts_of_windows(node, source)
        # A rounded quotient stays on its side of the next integer while sum + divisor are exact integers.
        road = road_for(magnitude(total.codes) + int(count.max()))
        value = self.tensors.get(source, road, first=False)
        if count.shape == (1,) * count.ndim and int(count.max()) == prod(source.shape[:-1]):
            value = sum_of_positions(self.graph, value, source.shape, road)
        else:
            padding = trimmed(source.shape, spatial_shape(node), node.window, node.strides, node.padding)
            parts = slices(self.graph, value, road, spatial_shape(node), node.window, node.strides, padding, fill=0)
            value = self._added(parts)
        self._put_pooled(node, Form(road, False), self._divided(value, road, places, count))

    def _divided(self, value: str, road: str, places: int, count: Codes) -> str:
        """Shift a sum by `places` and divide it by the number of its terms, truncating towards zero."""
        if places > 0:
            # Only zeros can be moved further than a type is wide.
            factor = 1 << places if places <= MAX_WIDTH else 0
            value = self.graph.op("Mul", value, self.graph.constant(factor, road))
        if count.max() == 1:
            return value
        value = self.graph.op("Div", value, self.graph.constant(count, road))
        if road == I64:
            return value
        size = self.graph.op("Floor", self.graph.op("Abs", value))
        return self.graph.op("Mul", self.graph.op("Sign", value), size)

    def _put_pooled(self, node: ir.Node, form: Form, value: str) -> None:
        """Enter a pooled value; global pooling may drop its spatial axes."""
        if len(node.shape) == 1:
            value = self.graph.op("Reshape", value, self.graph.constant([-1, *node.shape], I64))
        self.tensors.put(node, form, value)

    @emit.register
    def _(self, node: ir.Add, one: ir.Node, other: ir.Node) -> None:
        road = self.tensors.road(node, one, other)
        first = self.tensors.natural(one).first
        values = [self._aligned(node, source, road, first=first) for source in (one, other)]
        self.tensors.put(node, Form(road, first), self.graph.op("Add", *values))

    @emit.register
    def _(self, node: ir.Concatenate, *sources: ir.Node) -> None:
        road = self.tensors.road(node, *sources)
        first = self.tensors.natural(sources[0]).first
        values = [self._aligned(node, source, road, first=first) for source in sources]
        axis = 1 if first and len(node.shape) > 1 else -1
        self.tensors.put(node, Form(road, first), self.graph.op("Concat", *values, axis=axis))

    @emit.register
    def _(self, node: ir.Pairwise, one: ir.Node, other: ir.Node) -> None:
        road = self.tensors.road(node, one, other)
        first = self.tensors.natural(one).first
        if node.operation == "multiply":
            left, right = (self.tensors.get(source, road, first=first) for source in (one, other))
        else:
            left, right = (self._aligned(node, source, road, first=first) for source in (one, other))
        value = paired(self.graph, node.operation, left, right, road)
        if node.operation == "multiply":
            places = node.type.fraction - one.type.fraction - other.type.fraction
            # Only zeros can be moved further than a type is wide.
            factor = 1 << places if places <= MAX_WIDTH else 0
            value = self.graph.op("Mul", value, self.graph.constant(factor, road)) if places else value
        self.tensors.put(node, Form(road, first), value)

    @emit.register
    def _(self, node: ir.Rearrange, source: ir.Node) -> None:
        form = self.tensors.natural(source)
        value = self.tensors.get(source, form.dtype, first=False, exponent=form.exponent)
        self.tensors.put(node, form._replace(first=False), rearranged(self.graph, node, source, value))

    def _aligned(self, node: ir.Node, source: ir.Node, road: str, *, first: bool) -> str:
        places = node.type.fraction - source.type.fraction
        if places > MAX_WIDTH:
            # Only zeros can be moved that far and still fit.
            value = self.tensors.get(source, road, first=first)
            return self.graph.op("Mul", value, self.graph.constant(0, road))
        if road == I64 and places:
            value = self.tensors.get(source, road, first=first)
            return self.graph.op("Mul", value, self.graph.constant(1 << places, I64))
        return self.tensors.get(source, road, first=first, exponent=-places)

    @emit.register
    def _(self, node: ir.Requantize, source: ir.Node) -> None:
        if node.name in self.int8:
            conv = self.int8[node.name]
            (image,) = self.network.sources(conv.node)
            value = self.tensors.get(image, conv.dtype, first=False)
            value = conv.emit(self.graph, value)
            pool = self._pool_behind(node)
            if pool is None:
                value = conv.clip(self.graph, value)
            else:
                self._clipped_by[pool.name] = conv
            self.tensors.put(node, Form(conv.dtype, False), value)
            return
        places = source.type.fraction - node.type.fraction
        conversion = OnnxConversion(self.bounds[source.name].interval, places, node.type, node.relu)
        road = max(conversion.road, self.tensors.road(source), key=ROADS.index)
        if road == F32 and self._pools_first(node, source, conversion):
            return
        first = self.tensors.natural(source).first
        value = self.tensors.get(source, road, first=first, exponent=0 if road == I64 else places)
        self.tensors.put(node, Form(road, first), convert(self.graph, value, road, conversion))

    def _pools_first(self, node: ir.Requantize, source: ir.Node, conversion: OnnxConversion) -> bool:
        """Move a conversion behind the max pooling that alone reads it: it is monotone, and has less to do there."""
        pool = self._pool_behind(node)
        if pool is None or not conversion.is_monotone or self.tensors.natural(source).dtype != F32:
            return False
        self._postponed[pool.name] = (node, conversion)
        return True

    def _pool_behind(self, node: ir.Requantize) -> ir.MaxPool | None:
        """Give the max pooling that alone reads a node, if there is one and the node's own values are not asked for."""
        readers = self.readers[node.name]
        if len(readers) == 1 and isinstance(readers[0], ir.MaxPool) and node.name not in self.kept:
            return readers[0]
        return None

    @emit.register
    def _(self, node: ir.Reshape, source: ir.Node) -> None:
        form = self.tensors.natural(source)
        value = self.tensors.get(source, form.dtype, first=False, exponent=form.exponent)
        shape = self.graph.constant([-1, *node.shape], I64)
        self.tensors.put(node, form._replace(first=False), self.graph.op("Reshape", value, shape))

    @emit.register
    def _(self, node: ir.Pad, source: ir.Node) -> None:
        form = self.tensors.natural(source)
        value = self.tensors.get(source, form.dtype, first=form.first, exponent=form.exponent)
        self.tensors.put(node, form, pad(self.graph, value, form.dtype, node.padding, first=form.first, fill=0))

    @emit.register
    def _(self, node: ir.Table, source: ir.Node) -> None:
        low, high = self.bounds[source.name].interval
        start = low - source.type.codes.low
        entries = node.table.codes[start : start + high - low + 1]
        # Indices go through a type that holds the code minus the lowest code.
        first = self.tensors.natural(source).first
        index = self.graph.op("Sub", self.tensors.get(source, I64, first=first), self.graph.constant(low, I64))
        road = road_for(int(np.abs(entries).max()))
        self.tensors.put(node, Form(road, first), self.graph.op("Gather", self.graph.constant(entries, road), index))

    @emit.register
    def _(self, node: ir.Softmax, source: ir.Node) -> None:
        graph = self.graph
        codes = self.tensors.get(source, I64, first=False)
        below = graph.op("Sub", largest_integer(graph, codes), codes)
        furthest = graph.constant(node.exponential.codes.size - 1, I64)
        exponentials = self._looked_up(node.exponential.codes, minimum(graph, below, furthest, I64))
        total = sum_of_integers(graph, exponentials, node.shape[-1])
        # The position of the leading one: how many powers of two the sum reaches.
        entries = node.reciprocal.codes.size
        largest = int(node.exponential.codes.max()) * node.shape[-1]
        powers = [1 << place for place in range(entries.bit_length(), largest.bit_length())]
        reached = graph.op("GreaterOrEqual", total, graph.constant(powers or [largest + 1], I64))
        above = sum_of_integers(graph, graph.op("Cast", reached, to=TensorProto.INT64), max(len(powers), 1))
        scales = np.array([1 << place for place in range(len(powers) + 1)], dtype=np.int64)
        index = graph.op("Div", total, self._looked_up(scales, above))
        reciprocal = self._looked_up(node.reciprocal.codes, graph.op("Sub", index, graph.constant(entries, I64)))
        least = entries.bit_length() - 1 + node.reciprocal.type.fraction - node.type.fraction
        # Sums below the first exponential do not occur; their shift would be negative.
        shifts = np.array([1 << max(least + place, 1) for place in range(len(powers) + 1)], dtype=np.int64)
        product = graph.op("Mul", exponentials, reciprocal)
        rounded = graph.op("Add", product, self._looked_up(shifts // 2, above))
        quotient = graph.op("Div", rounded, self._looked_up(shifts, above))
        highest = graph.constant(node.type.codes.high, I64)
        self.tensors.put(node, Form(I64, False), minimum(graph, quotient, highest, I64))

    def _looked_up(self, table: Codes, index: str) -> str:
        return self.graph.op("Gather", self.graph.constant(table, I64), index)


def feed_name(node: ir.Input, network: ir.Network) -> str:
    """Name an input of the session."""
    return "codes" if len(network.inputs) == 1 else f"codes_{node.name}"


def _needed(network: ir.Network, kept: frozenset[str]) -> set[str]:
    """Give the nodes that the kept ones depend on."""
    needed = set(kept) | {node.name for node in network.inputs}
    for node in reversed(network.nodes):
        if node.name in needed:
            needed.update(node.inputs)
    return needed
