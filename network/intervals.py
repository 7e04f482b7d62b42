"""Proof by interval arithmetic that every tensor of a network stays inside its type.

Bounds are per channel and use the real weights. For sums of products they hold for every partial sum in every order,
because each term's interval is widened to include zero: an adder tree or an accumulator of the proven width can't
overflow on the way either. The proof itself can't overflow: bounds saturate at 2**62, which no type holds.
"""

from __future__ import annotations

import math
from functools import singledispatch
from typing import NamedTuple

import numpy as np

from siliconv.errors import NetworkError
from siliconv.network import graph as ir
from siliconv.network.fixed_point import (
    CODE_LIMIT,
    Codes,
    FixedPoint,
    Interval,
    Overflow,
    narrowest,
    rounded,
    shifted,
)
from siliconv.network.structure import check


class Bounds(NamedTuple):
    """Lowest and highest code a channel, each of shape (channels,)."""

    low: Codes
    high: Codes

    @property
    def interval(self) -> Interval:
        """The bounds over all channels."""
        return Interval(int(self.low.min()), int(self.high.max()))


def prove(network: ir.Network) -> dict[str, Bounds]:
    """Check a network's structure, give the bounds of every node's output codes, and check that its type holds them.

    Returns
    -------
    Bounds by node name, in units of the last place of the node's type.

    Raises
    ------
    NetworkError
        ``TYPE-TOO-NARROW`` if a value is possible that the type of a node can't hold, and what
        `siliconv.network.structure.check` raises.
    """
    check(network)
    proven: dict[str, Bounds] = {}
    for node in network.nodes:
        sources = network.sources(node)
        bounds = node_bounds(node, sources, tuple(proven[source.name] for source in sources))
        if not node.type.holds(bounds.interval):
            needed = narrowest(bounds.interval, node.type.fraction)
            raise NetworkError(
                "TYPE-TOO-NARROW",
                f"values from {bounds.interval.low * node.type.step} to "
                f"{bounds.interval.high * node.type.step} do not fit {node.type}",
                where=f"node '{node.name}'",
                fix=f"give it at least {needed}",
            )
        proven[node.name] = bounds
    return proven


@singledispatch
def node_bounds(node: ir.Node, sources: tuple[ir.Node, ...], inputs: tuple[Bounds, ...]) -> Bounds:
    """Give the bounds of a node's output codes from those of its inputs."""
    raise NotImplementedError(f"no interval rule for {type(node).__name__}")


@node_bounds.register
def _(node: ir.Input, sources: tuple[ir.Node, ...], inputs: tuple[Bounds, ...]) -> Bounds:
    channels = node.shape[-1]
    return Bounds(np.full(channels, node.type.codes.low), np.full(channels, node.type.codes.high))


@node_bounds.register(ir.Conv)
@node_bounds.register(ir.Dense)
def _(node: ir.Conv | ir.Dense, sources: tuple[ir.Node, ...], inputs: tuple[Bounds, ...]) -> Bounds:
    kernel = node.kernel.codes.reshape(-1, node.kernel.codes.shape[-1])
    taps = kernel.shape[0] // inputs[0].low.size
    low, high = (np.tile(bound, taps)[:, None] for bound in inputs[0])
    return _sum_of_products(kernel, low, high, node, sources[0].type)


@node_bounds.register
def _(node: ir.DepthwiseConv, sources: tuple[ir.Node, ...], inputs: tuple[Bounds, ...]) -> Bounds:
    kernel = node.kernel.codes.reshape(-1, node.kernel.codes.shape[-1])
    return _sum_of_products(kernel, inputs[0].low, inputs[0].high, node, sources[0].type)


@node_bounds.register
def _(node: ir.MaxPool, sources: tuple[ir.Node, ...], inputs: tuple[Bounds, ...]) -> Bounds:
    return inputs[0]


@node_bounds.register
def _(node: ir.AveragePool, sources: tuple[ir.Node, ...], inputs: tuple[Bounds, ...]) -> Bounds:
    # An average lies within its terms' bounds; truncation towards zero can't leave them either.
    # The sum itself needs an accumulator, which has to exist.
    average_sum_type(node, sources[0], inputs[0])
    places = node.type.fraction - sources[0].type.fraction
    return Bounds(*(aligned(bound, places, node) for bound in inputs[0]))


@node_bounds.register
def _(node: ir.Add, sources: tuple[ir.Node, ...], inputs: tuple[Bounds, ...]) -> Bounds:
    parts = [_aligned_bounds(bound, source, node) for bound, source in zip(inputs, sources, strict=True)]
    return Bounds(*(_sum(*ends) for ends in zip(*parts, strict=True)))


@node_bounds.register
def _(node: ir.Concatenate, sources: tuple[ir.Node, ...], inputs: tuple[Bounds, ...]) -> Bounds:
    parts = [_aligned_bounds(bound, source, node) for bound, source in zip(inputs, sources, strict=True)]
    return Bounds(np.concatenate([p.low for p in parts]), np.concatenate([p.high for p in parts]))


@node_bounds.register
def _(node: ir.Pairwise, sources: tuple[ir.Node, ...], inputs: tuple[Bounds, ...]) -> Bounds:
    if node.operation == "multiply":
        places = node.type.fraction - sources[0].type.fraction - sources[1].type.fraction
        one, other = (tuple(end.astype(object) for end in bound) for bound in inputs)
        products = [_saturated(a * b) for a in one for b in other]
        return Bounds(
            aligned(np.minimum.reduce(products), places, node), aligned(np.maximum.reduce(products), places, node)
        )
    first, second = (_aligned_bounds(bound, source, node) for bound, source in zip(inputs, sources, strict=True))
    if node.operation == "subtract":
        return Bounds(_sum(first.low, -second.high), _sum(first.high, -second.low))
    if max(int(np.abs(end).max()) for end in (*first, *second)) >= CODE_LIMIT:
        raise NetworkError(
            "TYPE-WIDTH",
            f"values that are compared in {node.type} need more than 62 bits",
            where=f"node '{node.name}'",
            fix="requantize both inputs before they are compared",
        )
    choose = np.maximum if node.operation == "maximum" else np.minimum
    return Bounds(choose(first.low, second.low), choose(first.high, second.high))


@node_bounds.register
def _(node: ir.Rearrange, sources: tuple[ir.Node, ...], inputs: tuple[Bounds, ...]) -> Bounds:
    channels = node.shape[-1]
    if node.order[-1] == len(node.order) - 1:
        taken = node.before[-1] + np.arange(channels) // node.repeats[-1]
        return Bounds(*(bound[taken] for bound in inputs[0]))
    interval = inputs[0].interval
    return Bounds(np.full(channels, interval.low), np.full(channels, interval.high))


@node_bounds.register
def _(node: ir.Requantize, sources: tuple[ir.Node, ...], inputs: tuple[Bounds, ...]) -> Bounds:
    floor = 0 if node.relu else None
    places = sources[0].type.fraction - node.type.fraction
    low, high = (rounded(np.clip(bound, floor, None), places, node.type.rounding) for bound in inputs[0])
    least, most = node.type.reachable
    if node.type.overflow in (Overflow.SAT, Overflow.SAT_SYM):
        return Bounds(np.clip(low, least, most), np.clip(high, least, most))
    # A channel that can overflow may give any code.
    fits = (low >= least) & (high <= most)
    return Bounds(np.where(fits, low, least), np.where(fits, high, most))


@node_bounds.register
def _(node: ir.Reshape, sources: tuple[ir.Node, ...], inputs: tuple[Bounds, ...]) -> Bounds:
    channels = inputs[0].low.size
    if node.shape[-1] % channels == 0:
        return Bounds(*(np.tile(bound, node.shape[-1] // channels) for bound in inputs[0]))
    interval = inputs[0].interval
    return Bounds(np.full(node.shape[-1], interval.low), np.full(node.shape[-1], interval.high))


@node_bounds.register
def _(node: ir.Pad, sources: tuple[ir.Node, ...], inputs: tuple[Bounds, ...]) -> Bounds:
    return Bounds(np.minimum(inputs[0].low, 0), np.maximum(inputs[0].high, 0))


@node_bounds.register
def _(node: ir.Table, sources: tuple[ir.Node, ...], inputs: tuple[Bounds, ...]) -> Bounds:
    lowest = sources[0].type.codes.low
    reached = [node.table.codes[low - lowest : high - lowest + 1] for low, high in zip(*inputs[0], strict=True)]
    return Bounds(np.array([part.min() for part in reached]), np.array([part.max() for part in reached]))


@node_bounds.register
def _(node: ir.Softmax, sources: tuple[ir.Node, ...], inputs: tuple[Bounds, ...]) -> Bounds:
    channels = node.shape[-1]
    return Bounds(np.zeros(channels, np.int64), np.full(channels, node.type.codes.high))


def sum_of_products_type(
    kernel: ir.Weights, bias: ir.Weights, inputs: Bounds, input_type: FixedPoint, *, depthwise: bool = False
) -> FixedPoint:
    """Give the narrowest type that holds a sum of products with its bias, and every partial sum of it.

    Parameters
    ----------
    kernel
        (*window, input channels, output channels), or (*window, channels) if `depthwise`.
    bias
        (output channels,).
    inputs
        Bounds of the input codes, a channel each.
    input_type
        Type of the input.
    depthwise
        Whether each channel has a kernel of its own.
    """
    fraction = max(input_type.fraction + kernel.type.fraction, bias.type.fraction)
    codes = kernel.codes.reshape(-1, kernel.codes.shape[-1])
    if depthwise:
        low, high = inputs
    else:
        taps = codes.shape[0] // inputs.low.size
        low, high = (np.tile(bound, taps)[:, None] for bound in inputs)
    places = fraction - input_type.fraction - kernel.type.fraction
    bounds = _partial_sums(codes, low, high, places, bias.codes, fraction - bias.type.fraction)
    return narrowest(bounds.interval, fraction)


def average_sum_type(node: ir.AveragePool, source: ir.Node, inputs: Bounds) -> FixedPoint:
    """Give the narrowest type that holds the sum of an average pooling before its division, and every partial sum.

    Parameters
    ----------
    node
        The pooling; its type has the fraction that the sum carries.
    source
        The node that it reads.
    inputs
        Bounds of the source's codes.
    """
    interval = inputs.interval
    count = math.prod(node.window)
    places = node.type.fraction - source.type.fraction
    aligned(np.zeros(1, dtype=np.int64), places, node)
    low, high = (max(-CODE_LIMIT, min((end * count) << places, CODE_LIMIT)) for end in interval)
    return narrowest(Interval(min(low, 0), max(high, 0)), node.type.fraction)


def aligned(codes: Codes, places: int, node: ir.Node) -> Codes:
    """Move the binary point of codes to that of a node's type, which must have at least as many places.

    Raises
    ------
    NetworkError
        ``TYPE-FRACTION`` if bits would be lost.
    """
    if places < 0:
        raise NetworkError(
            "TYPE-FRACTION",
            f"{node.type} has {-places} fractional bits fewer than the exact result",
            where=f"node '{node.name}'",
            fix="give an exact node all the fractional bits and requantize after it",
        )
    return shifted(codes, places)


def _aligned_bounds(bounds: Bounds, source: ir.Node, node: ir.Node) -> Bounds:
    places = node.type.fraction - source.type.fraction
    return Bounds(aligned(bounds.low, places, node), aligned(bounds.high, places, node))


def _sum_of_products(
    kernel: Codes, low: Codes, high: Codes, node: ir.Conv | ir.Dense | ir.DepthwiseConv, input_type: FixedPoint
) -> Bounds:
    places = node.type.fraction - input_type.fraction - node.kernel.type.fraction
    bias_places = node.type.fraction - node.bias.type.fraction
    aligned(np.zeros(1, dtype=np.int64), min(places, bias_places), node)
    return _partial_sums(kernel, low, high, places, node.bias.codes, bias_places)


def _partial_sums(kernel: Codes, low: Codes, high: Codes, places: int, bias: Codes, bias_places: int) -> Bounds:
    """Bound every partial sum of products (products along the first axis) and bias, a channel each."""
    largest = max(int(np.abs(low).max()), int(np.abs(high).max())) * int(np.abs(kernel).max())
    if largest * kernel.shape[0] >= CODE_LIMIT:
        # Python's integers have no width: slow, and only for types far beyond any real network.
        kernel, low, high = (array.astype(object) for array in (kernel, low, high))
    one, other = kernel * low, kernel * high
    lowest = shifted(_saturated(np.minimum(np.minimum(one, other), 0).sum(axis=0)), places)
    highest = shifted(_saturated(np.maximum(np.maximum(one, other), 0).sum(axis=0)), places)
    offset = shifted(bias, bias_places)
    return Bounds(_sum(lowest, np.minimum(offset, 0)), _sum(highest, np.maximum(offset, 0)))


def _sum(one: Codes, other: Codes) -> Codes:
    return _saturated(one.astype(object) + other)


def _saturated(codes: Codes) -> Codes:
    return np.clip(codes, -CODE_LIMIT, CODE_LIMIT).astype(np.int64)
