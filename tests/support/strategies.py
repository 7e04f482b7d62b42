"""Hypothesis strategies: random fixed-point types, random integer networks with proven types, and inputs for them.

Requantize nodes are scaled so that they round and overflow on purpose. What random networks leave out by chance is
covered by drawing the node kinds from `kinds`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from hypothesis import strategies as st

from siliconv.errors import NetworkError
from siliconv.network import graph as ir
from siliconv.network.fixed_point import FixedPoint, Interval, Overflow, Rounding, narrowest, plain
from siliconv.network.intervals import Bounds, average_sum_type, node_bounds, sum_of_products_type
from siliconv.network.structure import output_shape

WIDTHS, FRACTIONS = st.integers(1, 12), st.integers(-4, 10)


@st.composite
def types(draw, widths=WIDTHS, fractions=FRACTIONS) -> FixedPoint:
    """Draw a type with any rounding and overflow."""
    width = draw(widths)
    return FixedPoint(
        draw(st.booleans()),
        width,
        width - draw(fractions),
        draw(st.sampled_from(list(Rounding))),
        draw(st.sampled_from(list(Overflow))),
    )


@dataclass
class Builder:
    """A network in the making: nodes, bounds, and the random numbers of its weights."""

    draw: st.DrawFn
    rng: np.random.Generator
    weight_width: int
    nodes: list[ir.Node] = field(default_factory=list)
    bounds: dict[str, Bounds] = field(default_factory=dict)

    def add(self, kind, sources, kind_type, *rest, shape=None) -> ir.Node:
        """Append a node whose shape follows from its sources."""
        name = f"n{len(self.nodes)}_{kind.__name__.lower()}"
        node = kind(name, tuple(source.name for source in sources), shape or (1, 1), kind_type, *rest)
        if shape is None:
            node = replace(node, shape=output_shape(node, tuple(sources)))
        self.bounds[name] = node_bounds(node, tuple(sources), tuple(self.bounds[source.name] for source in sources))
        self.nodes.append(node)
        return node

    def integers(self, low, high) -> int:
        return self.draw(st.integers(low, high))

    def weights(self, *shape) -> ir.Weights:
        signed = self.draw(st.booleans())
        width = self.integers(1, self.weight_width)
        kind = FixedPoint(signed, width, width - self.integers(-2, 6))
        codes = self.rng.integers(kind.codes.low, kind.codes.high, shape, dtype=np.int64, endpoint=True)
        if self.draw(st.booleans()):
            codes = np.where(self.rng.random(shape) < 0.5, kind.codes.low, kind.codes.high).astype(np.int64)
        return ir.Weights(codes, kind)

    def windows(self, source, *, pool=False):
        """Draw window, strides and padding that fit a source."""
        window, strides, padding = [], [], []
        for size in source.shape[:-1]:
            extent = self.integers(1, min(3, size))
            stride, before, after = self.integers(1, 3), self.integers(0, extent - 1), self.integers(0, extent + 1)
            last = (size + before + after - extent) // stride * stride - before
            if pool and last >= size:
                after = 0  # a window in the padding alone has no maximum
            window.append(extent)
            strides.append(stride)
            padding.append((before, after))
        return tuple(window), tuple(strides), tuple(padding)


def _wider(b: Builder, kind: FixedPoint) -> FixedPoint:
    """Sometimes give an exact node more bits, of integer or fraction, than it needs."""
    extra, places = b.draw(st.sampled_from([(0, 0), (0, 0), (2, 0), (0, 3)]))
    return FixedPoint(kind.signed, kind.width + extra + places, kind.integer + extra)


def _conv(b: Builder, source: ir.Node) -> ir.Node:
    window, strides, padding = b.windows(source)
    outputs = b.integers(1, 4)
    kernel, bias = b.weights(*window, source.shape[-1], outputs), b.weights(outputs)
    kind = _wider(b, sum_of_products_type(kernel, bias, b.bounds[source.name], source.type))
    return b.add(ir.Conv, [source], kind, kernel, bias, strides, padding)


def _depthwise(b: Builder, source: ir.Node) -> ir.Node:
    window, strides, padding = b.windows(source)
    channels = source.shape[-1]
    kernel, bias = b.weights(*window, channels), b.weights(channels)
    kind = _wider(b, sum_of_products_type(kernel, bias, b.bounds[source.name], source.type, depthwise=True))
    return b.add(ir.DepthwiseConv, [source], kind, kernel, bias, strides, padding)


def _dense(b: Builder, source: ir.Node) -> ir.Node:
    outputs = b.integers(1, 4)
    kernel, bias = b.weights(source.shape[-1], outputs), b.weights(outputs)
    kind = _wider(b, sum_of_products_type(kernel, bias, b.bounds[source.name], source.type))
    return b.add(ir.Dense, [source], kind, kernel, bias)


def _max_pool(b: Builder, source: ir.Node) -> ir.Node:
    kind, shape = plain(source.type), None
    if b.draw(st.booleans()):
        window, padding = source.shape[:-1], ((0, 0),) * len(source.shape[:-1])
        shape = b.draw(st.sampled_from([None, (source.shape[-1],)]))
        return b.add(ir.MaxPool, [source], kind, window, window, padding, shape=shape)
    return b.add(ir.MaxPool, [source], kind, *b.windows(source, pool=True))


def _average_pool(b: Builder, source: ir.Node) -> ir.Node:
    shape = None
    if b.draw(st.booleans()):
        window = strides = source.shape[:-1]
        padding = ((0, 0),) * len(window)
        shape = b.draw(st.sampled_from([None, (source.shape[-1],)]))
    else:
        window, strides, padding = b.windows(source, pool=True)
    fraction = source.type.fraction + b.integers(0, 4)
    interval = Interval(*(end << (fraction - source.type.fraction) for end in b.bounds[source.name].interval))
    node = ir.AveragePool("", (source.name,), (1,), narrowest(interval, fraction), window, strides, padding)
    average_sum_type(node, source, b.bounds[source.name])
    return b.add(ir.AveragePool, [source], node.type, window, strides, padding, shape=shape)


def _requantize(b: Builder, source: ir.Node) -> ir.Node:
    interval = b.bounds[source.name].interval
    bits = narrowest(interval, 0).width
    lost = b.integers(-3, bits + 2)
    if b.draw(st.integers(0, 9)) == 0:
        lost = b.draw(st.sampled_from([-70, 70, bits + 30]))
    kept = max(bits - lost, 1)
    width = min(max(kept + b.integers(-3, 1), 1), 12)
    kind = FixedPoint(
        b.draw(st.booleans()),
        width,
        width - (source.type.fraction - lost),
        b.draw(st.sampled_from(list(Rounding))),
        b.draw(st.sampled_from(list(Overflow))),
    )
    return b.add(ir.Requantize, [source], kind, b.draw(st.booleans()))


def _add(b: Builder, source: ir.Node) -> ir.Node:
    other = b.draw(st.sampled_from([node for node in b.nodes if node.shape == source.shape]))
    pair = [source, other]
    fraction = max(node.type.fraction for node in pair)
    low, high = (
        sum(b.bounds[node.name].interval[end] << (fraction - node.type.fraction) for node in pair) for end in (0, 1)
    )
    return b.add(ir.Add, pair, narrowest(Interval(low, high), fraction))


def _concatenate(b: Builder, source: ir.Node) -> ir.Node:
    other = b.draw(st.sampled_from([node for node in b.nodes if node.shape[:-1] == source.shape[:-1]]))
    pair = [source, other]
    fraction = max(node.type.fraction for node in pair)
    ends = [[end << (fraction - node.type.fraction) for end in b.bounds[node.name].interval] for node in pair]
    interval = Interval(min(low for low, _ in ends), max(high for _, high in ends))
    return b.add(ir.Concatenate, pair, narrowest(interval, fraction))


def _pairwise(b: Builder, source: ir.Node) -> ir.Node:
    other = b.draw(st.sampled_from([node for node in b.nodes if node.shape == source.shape]))
    operation, pair = b.draw(st.sampled_from(ir.OPERATIONS)), [source, other]
    fractions = [node.type.fraction for node in pair]
    fraction = sum(fractions) if operation == "multiply" else max(fractions)
    fraction += b.draw(st.sampled_from([0, 0, 2]))
    wide = FixedPoint(True, 62, 62 - fraction)
    node = ir.Pairwise("", tuple(node.name for node in pair), source.shape, wide, operation)
    bounds = node_bounds(node, tuple(pair), tuple(b.bounds[node.name] for node in pair))
    return b.add(ir.Pairwise, pair, narrowest(bounds.interval, fraction), operation)


def _rearrange(b: Builder, source: ir.Node) -> ir.Node:
    order = b.draw(st.permutations(range(len(source.shape))))
    before, repeats, shape = [], [], []
    for axis in order:
        size = source.shape[axis]
        first = b.integers(0, size - 1)
        before.append(first)
        repeats.append(b.draw(st.sampled_from([1, 1, 2, 3])))
        shape.append(b.integers(1, size - first) * repeats[-1])
    kind = plain(source.type)
    return b.add(ir.Rearrange, [source], kind, tuple(order), tuple(before), tuple(repeats), shape=tuple(shape))


def _reshape(b: Builder, source: ir.Node) -> ir.Node:
    size = int(np.prod(source.shape))
    height = b.draw(st.sampled_from([n for n in range(1, size + 1) if size % n == 0]))
    width = b.draw(st.sampled_from([n for n in range(1, height + 1) if height % n == 0]))
    shapes = [(size,), (height, size // height), (width, height // width, size // height)]
    return b.add(ir.Reshape, [source], plain(source.type), shape=b.draw(st.sampled_from(shapes)))


def _pad(b: Builder, source: ir.Node) -> ir.Node:
    padding = tuple((b.integers(0, 2), b.integers(0, 2)) for _ in source.shape[:-1])
    return b.add(ir.Pad, [source], plain(source.type), padding)


def _table(b: Builder, source: ir.Node) -> ir.Node:
    entries = source.type.codes.high - source.type.codes.low + 1
    table = b.weights(entries)
    return b.add(ir.Table, [source], table.type, table)


def _softmax(b: Builder, source: ir.Node) -> ir.Node:
    entries, index_bits = b.integers(1, 40), b.integers(0, 4)
    largest = b.integers(1 << index_bits, 1 << 8)
    exponentials = np.sort(b.rng.integers(0, largest, entries, dtype=np.int64, endpoint=True))[::-1].copy()
    exponentials[0] = largest
    inverse = FixedPoint(False, 8, 8 - b.integers(2, 9))
    reciprocals = b.rng.integers(0, 255, 1 << index_bits, dtype=np.int64, endpoint=True)
    # The shift is at least one place for the smallest sum.
    fraction = inverse.fraction + largest.bit_length() - 1 - b.integers(1, 6)
    width = b.integers(1, 12)
    kind = FixedPoint(False, width, width - fraction, Rounding.RND, Overflow.SAT)
    tables = ir.Weights(exponentials, FixedPoint(False, 9, 1)), ir.Weights(reciprocals, inverse)
    return b.add(ir.Softmax, [source], kind, *tables)


BUILDERS = {
    ir.Conv: _conv,
    ir.DepthwiseConv: _depthwise,
    ir.Dense: _dense,
    ir.MaxPool: _max_pool,
    ir.AveragePool: _average_pool,
    ir.Requantize: _requantize,
    ir.Add: _add,
    ir.Concatenate: _concatenate,
    ir.Pairwise: _pairwise,
    ir.Rearrange: _rearrange,
    ir.Reshape: _reshape,
    ir.Pad: _pad,
    ir.Table: _table,
    ir.Softmax: _softmax,
}
SPATIAL = (ir.Conv, ir.DepthwiseConv, ir.MaxPool, ir.AveragePool, ir.Pad)


@st.composite
def networks(draw, *, first=None, most=5, widest=40, input_width=9, weight_width=8, inputs=1) -> ir.Network:
    """Draw a network; one of several `inputs` has as outputs all that no node reads, and another node sometimes.

    The node right after the input is of the kind `first` (any by default), at most `most` nodes follow the input, a
    tensor of more than `widest` bits is requantized next, and `input_width` and `weight_width` are the widest types of
    input and weights.
    """
    b = Builder(draw, np.random.default_rng(draw(st.integers(0, 2**32 - 1))), weight_width)
    axes = draw(st.integers(1, 2)) if first in SPATIAL else draw(st.integers(0, 2))
    shape = (*(draw(st.integers(1, 6)) for _ in range(axes)), draw(st.integers(1, 4)))
    for number in range(inputs):
        name = f"image{number}" if number else "image"
        kind = plain(draw(types(widths=st.integers(1, input_width))))
        b.bounds[name] = Bounds(np.full(shape[-1], kind.codes.low), np.full(shape[-1], kind.codes.high))
        b.nodes.append(ir.Input(name, (), shape, kind))
        if inputs > 1 and draw(st.booleans()):
            shape = (draw(st.integers(1, 5)),)
    for position in range(draw(st.integers(inputs, max(most, inputs)))):
        source = b.nodes[position if position < inputs else -1]
        chosen = [kind for kind in BUILDERS if kind not in SPATIAL or len(source.shape) > 1]
        if source.type.width > 12:
            chosen.remove(ir.Table)
        pick = first if position == 0 and first is not None else draw(st.sampled_from(chosen))
        if source.type.width > widest or (pick is ir.Table and source.type.width > 12):
            pick = ir.Requantize
        try:
            BUILDERS[pick](b, source)
        except NetworkError:
            # Too wide to exist: a legal end of the network.
            BUILDERS[ir.Requantize](b, source)
    read = {name for node in b.nodes for name in node.inputs}
    behind = [node.name for node in b.nodes[inputs:]]
    more = {draw(st.sampled_from(behind))} if inputs > 1 and draw(st.booleans()) else set()
    ends = tuple(name for name in behind if name not in read or name in more)
    return ir.Network("random_network", tuple(b.nodes), ends=ends[::-1] if inputs > 1 else ())


def input_codes(network: ir.Network, seed: int, batch: int = 3) -> np.ndarray:
    """Give a batch of inputs: random codes, and codes from the ends of the range, where sums are largest."""
    (codes,) = codes_of_inputs(network, seed, batch)
    return codes


def codes_of_inputs(network: ir.Network, seed: int, batch: int = 3) -> list[np.ndarray]:
    """Give a batch of each input, as `input_codes` does of the one that there is."""
    rng, found = np.random.default_rng(seed), []
    for node in network.inputs:
        low, high = node.type.codes
        shape = (batch, *node.shape)
        codes = rng.integers(low, high, shape, dtype=np.int64, endpoint=True)
        ends = np.where(rng.random(shape) < 0.5, low, high)
        found.append(np.where((np.arange(batch) % 2 == 0).reshape(-1, *(1,) * len(node.shape)), codes, ends))
    return found
