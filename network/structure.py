"""What a well-formed network is: arity, shapes, windows and weights of every node, checked before anything computes.

The types are the business of `siliconv.network.intervals`; together the two are the whole contract of a network.
"""

from __future__ import annotations

import re
from functools import singledispatch
from math import prod

import numpy as np

from siliconv.errors import NetworkError
from siliconv.network import graph as ir
from siliconv.network.fixed_point import FixedPoint, Interval, Overflow, Rounding

LARGEST_DIMENSION = 1 << 24
"""Bound on every axis and on the elements of a tensor: 16 million pixels, far above what an FPGA layer holds."""

LARGEST_SHIFT = 60
"""Products of a softmax, with half a unit for rounding, stay below 2^62."""


class _IllFormedError(Exception):
    """A rule is broken; `check` adds the node and turns it into a `NetworkError`."""


def check(network: ir.Network) -> None:
    """Check that every node's inputs, shape and weights belong together.

    Raises
    ------
    NetworkError
        ``NETWORK-NAME`` for a name that hardware can't carry, ``NETWORK-SHAPE`` for everything else.
    """
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", network.name):
        raise NetworkError(
            "NETWORK-NAME",
            f"{network.name!r} is not a C identifier",
            where="name of the network",
            fix="use letters, digits and _ only: it names the firmware's top function",
        )
    for node in network.nodes:
        try:
            if not node.name.isprintable() or not node.name or len(node.name) > 200:
                raise _IllFormedError("a name that is empty, too long or not printable")
            shape = output_shape(node, network.sources(node))
            if shape != node.shape:
                raise _IllFormedError(f"the shape {node.shape}, but its inputs give {shape}")
            if not shape or any(not 1 <= size <= LARGEST_DIMENSION for size in shape):
                raise _IllFormedError(f"the shape {shape}")
            if prod(shape) > LARGEST_DIMENSION:
                raise _IllFormedError(f"{prod(shape)} elements, the limit is {LARGEST_DIMENSION}")
        except _IllFormedError as error:
            raise NetworkError(
                "NETWORK-SHAPE",
                f"{type(node).__name__} node with {error}",
                where=f"node '{node.name}'",
                fix="see docs/integer_network.md for the rules of this kind of node",
            ) from error


@singledispatch
def output_shape(node: ir.Node, sources: tuple[ir.Node, ...]) -> ir.Shape:
    """Give the shape that a node's inputs and parameters lead to, after checking that they belong together."""
    raise NotImplementedError(f"no shape rule for {type(node).__name__}")


@output_shape.register
def _(node: ir.Input, sources: tuple[ir.Node, ...]) -> ir.Shape:
    return node.shape


@output_shape.register
def _(node: ir.Conv, sources: tuple[ir.Node, ...]) -> ir.Shape:
    source = _only(sources)
    _check_weights(node.kernel, node.bias, axes=len(source.shape) + 1, outputs=node.kernel.codes.shape[-1])
    *_, channels, outputs = node.kernel.codes.shape
    if channels != source.shape[-1]:
        raise _IllFormedError(f"a kernel for {channels} channels on {source.shape[-1]}")
    return (*_slide(source, node.window, node.strides, node.padding), outputs)


@output_shape.register
def _(node: ir.DepthwiseConv, sources: tuple[ir.Node, ...]) -> ir.Shape:
    source = _only(sources)
    channels = source.shape[-1]
    _check_weights(node.kernel, node.bias, axes=len(source.shape), outputs=channels)
    return (*_slide(source, node.window, node.strides, node.padding), channels)


@output_shape.register
def _(node: ir.Dense, sources: tuple[ir.Node, ...]) -> ir.Shape:
    source = _only(sources)
    _check_weights(node.kernel, node.bias, axes=2, outputs=node.kernel.codes.shape[-1])
    if node.kernel.codes.shape[0] != source.shape[-1]:
        raise _IllFormedError(f"a kernel for {node.kernel.codes.shape[0]} features on {source.shape[-1]}")
    return (*source.shape[:-1], node.kernel.codes.shape[-1])


@output_shape.register(ir.MaxPool)
@output_shape.register(ir.AveragePool)
def _(node: ir.MaxPool | ir.AveragePool, sources: tuple[ir.Node, ...]) -> ir.Shape:
    source = _only(sources)
    if isinstance(node, ir.MaxPool):
        _check_same_bits(node, source.type)
    spatial = _slide(source, node.window, node.strides, node.padding)
    for size, count, extent, stride, (before, _after) in zip(
        source.shape, spatial, node.window, node.strides, node.padding, strict=False
    ):
        if before >= extent or (count - 1) * stride - before >= size:
            raise _IllFormedError(f"a window of {node.window} that lies in the padding {node.padding} alone")
    if spatial == (1,) * len(spatial) and len(node.shape) == 1:
        # Global pooling may drop its spatial axes of size one.
        return (source.shape[-1],)
    return (*spatial, source.shape[-1])


@output_shape.register
def _(node: ir.Add, sources: tuple[ir.Node, ...]) -> ir.Shape:
    if len(sources) != 2 or sources[0].shape != sources[1].shape:
        raise _IllFormedError(f"inputs of the shapes {[source.shape for source in sources]}, expected two equal ones")
    return sources[0].shape


@output_shape.register
def _(node: ir.Concatenate, sources: tuple[ir.Node, ...]) -> ir.Shape:
    if len(sources) < 2 or len({source.shape[:-1] for source in sources}) != 1:
        raise _IllFormedError(
            f"inputs of the shapes {[source.shape for source in sources]}, equal but for the last axis"
        )
    return (*sources[0].shape[:-1], sum(source.shape[-1] for source in sources))


@output_shape.register
def _(node: ir.Pairwise, sources: tuple[ir.Node, ...]) -> ir.Shape:
    if node.operation not in ir.OPERATIONS:
        raise _IllFormedError(f"the operation {node.operation!r}, none of {', '.join(ir.OPERATIONS)}")
    if len(sources) != 2 or sources[0].shape != sources[1].shape:
        raise _IllFormedError(f"inputs of the shapes {[source.shape for source in sources]}, expected two equal ones")
    return sources[0].shape


@output_shape.register
def _(node: ir.Rearrange, sources: tuple[ir.Node, ...]) -> ir.Shape:
    source = _only(sources)
    _check_same_bits(node, source.type)
    axes = len(source.shape)
    if sorted(node.order) != list(range(axes)) or not len(node.before) == len(node.repeats) == len(node.shape) == axes:
        raise _IllFormedError(
            f"the order {node.order}, places {node.before} and repeats {node.repeats} on {source.shape}"
        )
    for size, axis, before, repeats in zip(node.shape, node.order, node.before, node.repeats, strict=True):
        if before < 0 or repeats < 1 or size % repeats or before + size // repeats > source.shape[axis]:
            raise _IllFormedError(
                f"{size} places from {before} on, each {repeats} times, of an axis of {source.shape[axis]}"
            )
    return node.shape


@output_shape.register
def _(node: ir.Requantize, sources: tuple[ir.Node, ...]) -> ir.Shape:
    return _only(sources).shape


@output_shape.register
def _(node: ir.Reshape, sources: tuple[ir.Node, ...]) -> ir.Shape:
    source = _only(sources)
    _check_same_bits(node, source.type)
    if prod(node.shape) != prod(source.shape):
        raise _IllFormedError(f"the shape {node.shape} for {prod(source.shape)} elements")
    return node.shape


@output_shape.register
def _(node: ir.Pad, sources: tuple[ir.Node, ...]) -> ir.Shape:
    source = _only(sources)
    _check_same_bits(node, source.type)
    _check_padding(node.padding, len(source.shape) - 1)
    spatial = zip(source.shape[:-1], node.padding, strict=True)
    return (*(size + before + after for size, (before, after) in spatial), source.shape[-1])


@output_shape.register
def _(node: ir.Table, sources: tuple[ir.Node, ...]) -> ir.Shape:
    source = _only(sources)
    codes = source.type.codes
    if node.table.codes.shape != (codes.high - codes.low + 1,):
        raise _IllFormedError(f"a table of shape {node.table.codes.shape} for an input of {source.type}")
    _check_codes(node.table)
    _check_same_bits(node, node.table.type)
    return source.shape


@output_shape.register
def _(node: ir.Softmax, sources: tuple[ir.Node, ...]) -> ir.Shape:
    source = _only(sources)
    tables = (node.exponential, node.reciprocal)
    if any(weights.codes.ndim != 1 or weights.codes.size == 0 for weights in tables):
        raise _IllFormedError("a table that is not one row of entries")
    for weights in tables:
        _check_codes(weights)
    entries = node.reciprocal.codes.size
    if entries & (entries - 1) or min(weights.codes.min() for weights in tables) < 0:
        raise _IllFormedError(f"{entries} reciprocals, or a negative entry")
    if node.exponential.codes[0] < entries:
        raise _IllFormedError(f"a largest exponential of {node.exponential.codes[0]} for {entries} reciprocals")
    modes = (node.type.signed, node.type.rounding, node.type.overflow)
    if modes != (False, Rounding.RND, Overflow.SAT):
        raise _IllFormedError(f"the type {node.type}, expected an unsigned one with RND and SAT")
    least, most = softmax_shifts(node, source.shape[-1])
    if (
        least < 1
        or most > LARGEST_SHIFT
        or int(node.exponential.codes.max()) * int(node.reciprocal.codes.max()) >= (1 << LARGEST_SHIFT)
    ):
        raise _IllFormedError(f"products shifted by {least} to {most} places, expected 1 to {LARGEST_SHIFT}")
    return source.shape


def softmax_shifts(node: ir.Softmax, classes: int) -> tuple[int, int]:
    """Give the least and the most places that a product of exponential and reciprocal is shifted down by."""
    places = node.reciprocal.type.fraction - node.type.fraction
    largest = int(node.exponential.codes.max()) * classes
    return int(node.exponential.codes[0]).bit_length() - 1 + places, largest.bit_length() - 1 + places


def _only(sources: tuple[ir.Node, ...]) -> ir.Node:
    if len(sources) != 1:
        raise _IllFormedError(f"{len(sources)} inputs, expected one")
    return sources[0]


def _slide(source: ir.Node, window: ir.Shape, strides: ir.Shape, padding: ir.Padding) -> ir.Shape:
    """Give the spatial shape of what a sliding window leaves of a source."""
    axes = len(source.shape) - 1
    if axes not in (1, 2) or not len(window) == len(strides) == len(padding) == axes:
        raise _IllFormedError(f"the window {window}, strides {strides}, padding {padding} on the shape {source.shape}")
    if any(not 1 <= size <= LARGEST_DIMENSION for size in (*window, *strides)):
        raise _IllFormedError(f"the window {window} and strides {strides}")
    _check_padding(padding, axes)
    return tuple(
        (size + sum(pair) - extent) // stride + 1
        for size, pair, extent, stride in zip(source.shape, padding, window, strides, strict=False)
    )


def _check_padding(padding: ir.Padding, axes: int) -> None:
    if len(padding) != axes or any(
        len(pair) != 2 or not 0 <= min(pair) <= max(pair) <= LARGEST_DIMENSION for pair in padding
    ):
        raise _IllFormedError(f"the padding {padding}")


def _check_weights(kernel: ir.Weights, bias: ir.Weights, *, axes: int, outputs: int) -> None:
    if kernel.codes.ndim != axes or kernel.codes.size == 0 or kernel.codes.shape[-1] != outputs:
        raise _IllFormedError(f"a kernel of shape {kernel.codes.shape}")
    if bias.codes.shape != (outputs,):
        raise _IllFormedError(f"a bias of shape {bias.codes.shape} for {outputs} channels")
    _check_codes(kernel)
    _check_codes(bias)


def _check_codes(weights: ir.Weights) -> None:
    codes = weights.codes
    if codes.dtype != np.int64 or not weights.type.holds(Interval(int(codes.min()), int(codes.max()))):
        raise _IllFormedError(f"weights of {codes.dtype} that are not all codes of {weights.type}")


def _check_same_bits(node: ir.Node, kind: FixedPoint) -> None:
    ours = node.type
    if (ours.signed, ours.width, ours.integer) != (kind.signed, kind.width, kind.integer):
        raise _IllFormedError(f"the type {ours} where its values are of {kind}")
