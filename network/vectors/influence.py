"""How each input moves one value inside a network: its gradient, through the nodes backwards, by the weights.

It steers a search and proves nothing, so it is computed in floating point and rounding counts as passing through.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from functools import singledispatch

import numpy as np
from numpy.typing import NDArray

from siliconv.network import graph as ir
from siliconv.network.fixed_point import Codes
from siliconv.network.rows import joined

Gradient = NDArray[np.float64]


def influence(network: ir.Network, name: str, seed: Gradient, values: Mapping[str, Codes] | None = None) -> Gradient:
    """Give the gradient of a weighted sum of a node's values with respect to the network's input, or a row of several.

    Parameters
    ----------
    network
        The network.
    name
        The node.
    seed
        Weights of its values, (*node shape).
    values
        Codes of all nodes before it for one input, (*shape) each: what is clipped there, or is no maximum, does not
        pass. Without them everything passes.
    """
    found: dict[str, Gradient] = {name: seed}
    for node in reversed(network.nodes):
        if isinstance(node, ir.Input) or node.name not in found:
            continue
        gradient = found.pop(node.name)
        sources = network.sources(node)
        inputs = None if values is None else tuple(values[source.name] for source in sources)
        for source, part in zip(sources, backwards(node, gradient, sources, inputs), strict=True):
            found[source.name] = found[source.name] + part if source.name in found else part
    row: Gradient = joined([found.get(node.name, np.zeros(node.shape))[np.newaxis] for node in network.inputs])[0]
    return row


@singledispatch
def backwards(
    node: ir.Node, gradient: Gradient, sources: tuple[ir.Node, ...], inputs: tuple[Codes, ...] | None
) -> tuple[Gradient, ...]:
    """Give the gradient with respect to each input of a node, from that with respect to its output."""
    raise NotImplementedError(f"no influence through {type(node).__name__}")


@backwards.register(ir.Conv)
@backwards.register(ir.DepthwiseConv)
def _(
    node: ir.Conv | ir.DepthwiseConv, gradient: Gradient, sources: tuple[ir.Node, ...], inputs: object
) -> tuple[Gradient]:
    kernel, scale = node.kernel.codes.astype(np.float64), _scale(node, sources[0], node.kernel.type.fraction)
    padded = _padded_zeros(node, sources[0])
    for offset, region in _regions(node, gradient.shape):
        weights = kernel[offset]
        padded[region] += gradient * weights if isinstance(node, ir.DepthwiseConv) else gradient @ weights.T
    return (scale * _cropped(padded, node),)


@backwards.register
def _(node: ir.Dense, gradient: Gradient, sources: tuple[ir.Node, ...], inputs: object) -> tuple[Gradient]:
    return (_scale(node, sources[0], node.kernel.type.fraction) * (gradient @ node.kernel.codes.T.astype(np.float64)),)


@backwards.register
def _(
    node: ir.MaxPool, gradient: Gradient, sources: tuple[ir.Node, ...], inputs: tuple[Codes, ...] | None
) -> tuple[Gradient]:
    padded, positions = _padded_zeros(node, sources[0]), _with_positions(gradient, node)
    largest = None
    if inputs is not None:
        values = np.full(padded.shape, -np.inf)
        _cropped(values, node)[...] = inputs[0]
        stack = np.stack([values[region] for _, region in _regions(node, positions.shape)])
        largest = stack.argmax(axis=0)
    for number, (_, region) in enumerate(_regions(node, positions.shape)):
        padded[region] += positions if largest is None else positions * (largest == number)
    return (_cropped(padded, node),)


@backwards.register
def _(node: ir.AveragePool, gradient: Gradient, sources: tuple[ir.Node, ...], inputs: object) -> tuple[Gradient]:
    padded, positions = _padded_zeros(node, sources[0]), _with_positions(gradient, node)
    for _, region in _regions(node, positions.shape):
        padded[region] += positions
    return (_scale(node, sources[0]) / np.prod(node.window) * _cropped(padded, node),)


@backwards.register
def _(node: ir.Add, gradient: Gradient, sources: tuple[ir.Node, ...], inputs: object) -> tuple[Gradient, ...]:
    return tuple(_scale(node, source) * gradient for source in sources)


@backwards.register
def _(node: ir.Concatenate, gradient: Gradient, sources: tuple[ir.Node, ...], inputs: object) -> tuple[Gradient, ...]:
    ends = np.cumsum([source.shape[-1] for source in sources])[:-1]
    parts = np.split(gradient, ends, axis=-1)
    return tuple(_scale(node, source) * part for source, part in zip(sources, parts, strict=True))


@backwards.register
def _(
    node: ir.Pairwise, gradient: Gradient, sources: tuple[ir.Node, ...], inputs: tuple[Codes, ...] | None
) -> tuple[Gradient, ...]:
    if node.operation == "multiply":
        # Without values each factor counts as positive.
        one, other = (np.ones(node.shape),) * 2 if inputs is None else inputs
        scale = _scale(node, sources[0], sources[1].type.fraction)
        return scale * gradient * other, scale * gradient * one
    scales = [_scale(node, source) for source in sources]
    if node.operation == "subtract":
        return scales[0] * gradient, -scales[1] * gradient
    first = np.ones(node.shape)
    if inputs is not None:
        rises = (scales[0] * inputs[0]) >= (scales[1] * inputs[1])
        first = (rises if node.operation == "maximum" else ~rises).astype(np.float64)
    second = np.ones(node.shape) if inputs is None else 1.0 - first
    return scales[0] * gradient * first, scales[1] * gradient * second


@backwards.register
def _(node: ir.Rearrange, gradient: Gradient, sources: tuple[ir.Node, ...], inputs: object) -> tuple[Gradient]:
    swapped = np.zeros([sources[0].shape[axis] for axis in node.order])
    np.add.at(swapped, np.ix_(*node.places), gradient)
    return (swapped.transpose(np.argsort(node.order)),)


@backwards.register
def _(
    node: ir.Requantize, gradient: Gradient, sources: tuple[ir.Node, ...], inputs: tuple[Codes, ...] | None
) -> tuple[Gradient]:
    scale = _scale(node, sources[0])
    if inputs is None:
        return (scale * gradient,)
    values = inputs[0] * scale
    low, high = node.type.reachable
    passes = (values <= high) & (values >= (0 if node.relu else low))
    return (scale * gradient * passes,)


@backwards.register
def _(node: ir.Reshape, gradient: Gradient, sources: tuple[ir.Node, ...], inputs: object) -> tuple[Gradient]:
    return (gradient.reshape(sources[0].shape),)


@backwards.register
def _(node: ir.Pad, gradient: Gradient, sources: tuple[ir.Node, ...], inputs: object) -> tuple[Gradient]:
    return (_cropped(gradient, node),)


@backwards.register
def _(
    node: ir.Table, gradient: Gradient, sources: tuple[ir.Node, ...], inputs: tuple[Codes, ...] | None
) -> tuple[Gradient]:
    # Functions of one element are taken for rising ones; where they are flat or fall, the search notices.
    return (gradient,)


@backwards.register
def _(
    node: ir.Softmax, gradient: Gradient, sources: tuple[ir.Node, ...], inputs: tuple[Codes, ...] | None
) -> tuple[Gradient]:
    return (gradient - gradient.mean(axis=-1, keepdims=True),)


def _scale(node: ir.Node, source: ir.Node, more: int = 0) -> float:
    """Units of the last place of a node that one of its source is, times weights of `more` fractional bits."""
    return float(2.0 ** (node.type.fraction - source.type.fraction - more))


_Windowed = ir.Conv | ir.DepthwiseConv | ir.MaxPool | ir.AveragePool


def _padded_zeros(node: _Windowed, source: ir.Node) -> Gradient:
    padded = [size + sum(pair) for size, pair in zip(source.shape, node.padding, strict=False)]
    return np.zeros((*padded, source.shape[-1]))


def _cropped(padded: Gradient, node: _Windowed | ir.Pad) -> Gradient:
    sizes = zip(padded.shape, node.padding, strict=False)
    return padded[tuple(slice(before, size - after) for size, (before, after) in sizes)]


def _with_positions(gradient: Gradient, node: ir.MaxPool | ir.AveragePool) -> Gradient:
    """Give back the spatial axes that a global pooling dropped."""
    missing = len(node.window) + 1 - gradient.ndim
    return gradient.reshape(*([1] * missing), *gradient.shape)


def _regions(node: _Windowed, out: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], tuple[slice, ...]]]:
    """Give each offset in a window, and the padded elements that it reads over all output positions."""
    for offset in itertools.product(*(range(size) for size in node.window)):
        yield (
            offset,
            tuple(
                slice(start, start + stride * (count - 1) + 1, stride)
                for start, stride, count in zip(offset, node.strides, out, strict=False)
            ),
        )
