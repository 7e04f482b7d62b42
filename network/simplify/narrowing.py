"""Types narrowed to what values can be: no bits that are always zero, no saturation that is never reached."""

from __future__ import annotations

from dataclasses import replace
from functools import singledispatch

import numpy as np

from siliconv.network import graph as ir
from siliconv.network.fixed_point import (
    MAX_WIDTH,
    Codes,
    FixedPoint,
    Interval,
    Overflow,
    narrowest,
    plain,
    rounded,
)
from siliconv.network.intervals import Bounds, node_bounds, sum_of_products_type

SAME_BITS = (ir.MaxPool, ir.Reshape, ir.Pad, ir.Rearrange)
"""Kinds whose values are their source's, bit by bit."""


def narrow_types(network: ir.Network) -> ir.Network:
    """Give the same network in narrower types; those of input and output stay, and what a softmax reads."""
    fixed = _fixed(network)
    bounds: dict[str, Bounds] = {}
    narrow: dict[str, ir.Node] = {}
    for node in network.nodes:
        before, sources = network.sources(node), tuple(narrow[name] for name in node.inputs)
        known = tuple(bounds[name] for name in node.inputs)
        found = _narrowed(node, before, sources, known)
        if node.name in fixed:
            found = _in_type_of(node, found)
        narrow[node.name] = found
        bounds[node.name] = node_bounds(found, sources, known)
    return replace(network, nodes=tuple(narrow.values()))


def _fixed(network: ir.Network) -> set[str]:
    """Give the nodes whose type stays: of the outputs, and of what is read by more than its values."""
    fixed = {node.name for node in network.outputs}
    for node in reversed(network.nodes):
        if _narrowed.dispatch(type(node)) is _unknown or (node.name in fixed and isinstance(node, SAME_BITS)):
            fixed.update(node.inputs)
    return fixed


def _in_type_of(node: ir.Node, found: ir.Node) -> ir.Node:
    if isinstance(node, ir.Table) and isinstance(found, ir.Table):
        found = replace(found, table=ir.Weights(found.table.codes, node.table.type))
    return replace(found, type=node.type)


@singledispatch
def _narrowed(
    node: ir.Node, before: tuple[ir.Node, ...], sources: tuple[ir.Node, ...], inputs: tuple[Bounds, ...]
) -> ir.Node:
    """Give a node in the narrowest type.

    Parameters
    ----------
    node
        As it was.
    before
        Its sources as they were.
    sources
        Its sources as they became.
    inputs
        Bounds of their codes.
    """
    return node


_unknown = _narrowed.dispatch(object)


@_narrowed.register
def _(node: ir.Input, before: tuple[ir.Node, ...], sources: tuple[ir.Node, ...], inputs: tuple[Bounds, ...]) -> ir.Node:
    return node


@_narrowed.register(ir.Conv)
@_narrowed.register(ir.Dense)
@_narrowed.register(ir.DepthwiseConv)
def _(
    node: ir.Matrix, before: tuple[ir.Node, ...], sources: tuple[ir.Node, ...], inputs: tuple[Bounds, ...]
) -> ir.Node:
    kernel, bias = _trimmed(node.kernel), _trimmed(node.bias)
    kind = sum_of_products_type(kernel, bias, inputs[0], sources[0].type, depthwise=isinstance(node, ir.DepthwiseConv))
    return replace(node, kernel=kernel, bias=bias, type=kind)


@_narrowed.register(ir.MaxPool)
@_narrowed.register(ir.Reshape)
@_narrowed.register(ir.Pad)
@_narrowed.register(ir.Rearrange)
def _(node: ir.Node, before: tuple[ir.Node, ...], sources: tuple[ir.Node, ...], inputs: tuple[Bounds, ...]) -> ir.Node:
    return replace(node, type=plain(sources[0].type))


@_narrowed.register(ir.Add)
@_narrowed.register(ir.Concatenate)
@_narrowed.register(ir.Pairwise)
@_narrowed.register(ir.AveragePool)
def _(node: ir.Node, before: tuple[ir.Node, ...], sources: tuple[ir.Node, ...], inputs: tuple[Bounds, ...]) -> ir.Node:
    fractions = [source.type.fraction for source in sources]
    if isinstance(node, ir.AveragePool):
        fraction = node.type.fraction  # it says where the division stops
    elif isinstance(node, ir.Pairwise) and node.operation == "multiply":
        fraction = sum(fractions)
    else:
        fraction = max(fractions)
    wide = FixedPoint(True, MAX_WIDTH, MAX_WIDTH - fraction)
    return replace(node, type=narrowest(node_bounds(replace(node, type=wide), sources, inputs).interval, fraction))


@_narrowed.register
def _(
    node: ir.Requantize, before: tuple[ir.Node, ...], sources: tuple[ir.Node, ...], inputs: tuple[Bounds, ...]
) -> ir.Node:
    floor = 0 if node.relu else None
    places = sources[0].type.fraction - node.type.fraction
    ends = [rounded(np.clip(bound, floor, None), places, node.type.rounding) for bound in inputs[0]]
    reached = Interval(int(ends[0].min()), int(ends[1].max()))
    least, most = node.type.reachable
    if least <= reached.low and reached.high <= most:
        # Nothing overflows; below the source's last place all bits are zero.
        zeros = max(0, min(-places, node.type.width - 1))
        fraction = node.type.fraction - zeros
        kind = narrowest(Interval(reached.low >> zeros, reached.high >> zeros), fraction)
        return replace(node, type=FixedPoint(kind.signed, kind.width, kind.integer, node.type.rounding, Overflow.WRAP))
    if node.type.overflow not in (Overflow.SAT, Overflow.SAT_SYM):
        return node
    kind = narrowest(
        Interval(min(max(reached.low, least), most), max(min(reached.high, most), least)), node.type.fraction
    )
    kind = FixedPoint(kind.signed, kind.width, kind.integer, node.type.rounding, node.type.overflow)
    same_low = reached.low >= least or kind.reachable.low == least
    same_high = reached.high <= most or kind.reachable.high == most
    holds = kind.reachable.low <= max(reached.low, least) and min(reached.high, most) <= kind.reachable.high
    return replace(node, type=kind) if same_low and same_high and holds else node


@_narrowed.register
def _(node: ir.Table, before: tuple[ir.Node, ...], sources: tuple[ir.Node, ...], inputs: tuple[Bounds, ...]) -> ir.Node:
    # Entry i belongs to the lowest code + i; a code has lost the zeros at its end.
    zeros = before[0].type.fraction - sources[0].type.fraction
    codes = np.arange(sources[0].type.codes.low, sources[0].type.codes.high + 1) << zeros
    old = before[0].type.codes
    table = node.table.codes[np.clip(codes, old.low, old.high) - old.low]
    kind = narrowest(Interval(int(table.min()), int(table.max())), node.type.fraction)
    return replace(node, table=ir.Weights(table, kind), type=kind)


def _trimmed(weights: ir.Weights) -> ir.Weights:
    """Give weights without the bits that are zero in all of them."""
    codes: Codes = weights.codes
    together = int(np.bitwise_or.reduce(codes, axis=None))
    zeros = (together & -together).bit_length() - 1 if together else 0
    fewer = codes >> zeros
    ends = Interval(int(fewer.min()), int(fewer.max()))
    return ir.Weights(fewer, narrowest(ends, weights.type.fraction - zeros))
