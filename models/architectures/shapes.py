"""Shapes, parameters and multiplications of every layer, from the description alone: no TensorFlow, no
weights.
"""

from __future__ import annotations

from functools import singledispatch
from math import prod
from typing import NamedTuple

from siliconv.errors import ModelError
from siliconv.models.architectures import layers as kinds
from siliconv.models.architectures.architecture import INPUT, Architecture, named_layers
from siliconv.models.architectures.layers import Layer, LayerBase, pair

Shape = tuple[int, ...]


class LayerRow(NamedTuple):
    """One line of the table a user sees before training.

    `parameters` counts trainable and moving values, `multiplications` those for one input.
    """

    name: str
    kind: str
    inputs: tuple[str, ...]
    output_shape: Shape
    parameters: int
    multiplications: int


def layer_table(architecture: Architecture) -> tuple[LayerRow, ...]:
    """Compute the table of an architecture.

    Raises
    ------
    ModelError
        ``MODEL-SHAPE`` for a shape that comes out empty or does not fit the layer, with the formula;
        ``MODEL-INPUT`` and ``MODEL-NAME`` as in `named_layers`.
    """
    shapes: dict[str, Shape] = {INPUT: tuple(architecture.input_shape)}
    rows = []
    for name, layer, inputs in named_layers(architecture):
        sources = tuple(shapes[source] for source in inputs)
        shape = output_shape(layer, name, sources)
        parameters, multiplications = _cost(layer, sources[0], shape)
        shapes[name] = shape
        rows.append(LayerRow(name, layer.kind, inputs, shape, parameters, multiplications))
    return tuple(rows)


def output_shape(layer: Layer, name: str, sources: tuple[Shape, ...]) -> Shape:
    """Return the shape a layer gives for its inputs' shapes, or raise `ModelError` ``MODEL-SHAPE``."""
    return _shape(layer, name, sources)


def window_count(n: int, m: int, s: int, padding: kinds.Padding) -> int:
    """Number of window positions along one axis: o = floor((n + 2p - m) / s) + 1.

    For `same` padding TensorFlow pads to o = ceil(n / s). Zero or less means that no window fits.
    """
    return -(-n // s) if padding == "same" else (n - m) // s + 1


@singledispatch
def _shape(layer: LayerBase, name: str, sources: tuple[Shape, ...]) -> Shape:
    raise NotImplementedError(f"no shape rule for {type(layer).__name__}")


@_shape.register(kinds.Conv2D)
@_shape.register(kinds.SeparableConv2D)
def _(layer: kinds.Conv2D, name: str, sources: tuple[Shape, ...]) -> Shape:
    return (*_windows_2d(name, sources[0], layer.kernel, layer.stride, layer.padding), layer.filters)


@_shape.register
def _(layer: kinds.DepthwiseConv2D, name: str, sources: tuple[Shape, ...]) -> Shape:
    return (*_windows_2d(name, sources[0], layer.kernel, layer.stride, layer.padding), sources[0][-1])


@_shape.register(kinds.Conv1D)
@_shape.register(kinds.SeparableConv1D)
def _(layer: kinds.Conv1D, name: str, sources: tuple[Shape, ...]) -> Shape:
    return (*_windows_1d(name, sources[0], layer.kernel, layer.stride, layer.padding), layer.filters)


@_shape.register
def _(layer: kinds.DepthwiseConv1D, name: str, sources: tuple[Shape, ...]) -> Shape:
    return (*_windows_1d(name, sources[0], layer.kernel, layer.stride, layer.padding), sources[0][-1])


@_shape.register(kinds.MaxPool)
@_shape.register(kinds.AveragePool)
def _(layer: kinds.MaxPool, name: str, sources: tuple[Shape, ...]) -> Shape:
    source = sources[0]
    stride = layer.stride if layer.stride is not None else layer.pool
    if len(source) == 3:
        return (*_windows_2d(name, source, layer.pool, stride, layer.padding), source[-1])
    if isinstance(layer.pool, tuple) or isinstance(stride, tuple):
        raise _misfit(name, source, "a waveform is pooled with one number, not a pair", "write pool: 2")
    return (*_windows_1d(name, source, layer.pool, stride, layer.padding), source[-1])


@_shape.register(kinds.GlobalAveragePool)
@_shape.register(kinds.GlobalMaxPool)
def _(layer: LayerBase, name: str, sources: tuple[Shape, ...]) -> Shape:
    if len(sources[0]) < 2:
        raise _misfit(name, sources[0], "there is nothing left to pool", "put it before the flatten or dense layer")
    return (sources[0][-1],)


@_shape.register
def _(layer: kinds.ZeroPadding, name: str, sources: tuple[Shape, ...]) -> Shape:
    source = sources[0]
    if len(source) < 2:
        raise _misfit(name, source, "there is nothing left to pad", "put it before the flatten or dense layer")
    if len(source) == 2 and (isinstance(layer.before, tuple) or isinstance(layer.after, tuple)):
        raise _misfit(name, source, "a waveform is padded with one number an end, not a pair", "write before: 1")
    added = (sum(sides) for sides in zip(pair(layer.before), pair(layer.after), strict=True))
    return (*(size + more for size, more in zip(source[:-1], added, strict=False)), source[-1])


@_shape.register(kinds.BatchNormalization)
@_shape.register(kinds.Dropout)
@_shape.register(kinds.Activation)
def _(layer: LayerBase, name: str, sources: tuple[Shape, ...]) -> Shape:
    return sources[0]


@_shape.register
def _(layer: kinds.Flatten, name: str, sources: tuple[Shape, ...]) -> Shape:
    return (prod(sources[0]),)


@_shape.register
def _(layer: kinds.Reshape, name: str, sources: tuple[Shape, ...]) -> Shape:
    if prod(layer.shape) != prod(sources[0]):
        raise _misfit(
            name,
            sources[0],
            f"it has {prod(sources[0])} elements, and {_text(layer.shape)} has {prod(layer.shape)}",
            "give a shape of as many elements",
        )
    return layer.shape


@_shape.register
def _(layer: kinds.Rearrange, name: str, sources: tuple[Shape, ...]) -> Shape:
    moves = moves_of(layer, name, sources[0])
    return tuple(size * times for size, times in zip(moves.sizes, moves.repeats, strict=True))


@_shape.register
def _(layer: kinds.Dense, name: str, sources: tuple[Shape, ...]) -> Shape:
    if len(sources[0]) != 1:
        raise _misfit(
            name,
            sources[0],
            "a dense layer needs a vector",
            "put flatten or global_average_pool before it",
        )
    return (layer.units,)


@_shape.register(kinds.Add)
@_shape.register(kinds.Subtract)
@_shape.register(kinds.Multiply)
@_shape.register(kinds.Maximum)
@_shape.register(kinds.Minimum)
def _(layer: LayerBase, name: str, sources: tuple[Shape, ...]) -> Shape:
    for source in sources[1:]:
        if source != sources[0]:
            raise _misfit(
                name,
                source,
                f"it is {'added to' if isinstance(layer, kinds.Add) else 'brought together with'} {_text(sources[0])}",
                "bring both branches to one shape, for example with a 1x1 convolution of the same stride",
            )
    return sources[0]


@_shape.register
def _(layer: kinds.Concatenate, name: str, sources: tuple[Shape, ...]) -> Shape:
    first, axis = sources[0], layer.axis
    if axis >= len(first) - 1:
        raise _misfit(name, first, f"it has no axis {axis} before its channels", "use axis: -1 for the channels")
    for source in sources[1:]:
        if len(source) != len(first) or (*source[:axis], *source[axis:][1:]) != (*first[:axis], *first[axis:][1:]):
            raise _misfit(
                name,
                source,
                f"it is put beside {_text(first)}, and all but "
                + ("the channels" if axis == -1 else f"axis {axis}")
                + " must agree",
                "use the same strides and padding in both branches",
            )
    return (*first[:axis], sum(source[axis] for source in sources), *first[axis:][1:])


class Moves(NamedTuple):
    """A rearrangement with everything said: axes, first places, how many are kept, and how often each stands."""

    order: tuple[int, ...]
    before: tuple[int, ...]
    sizes: tuple[int, ...]
    repeats: tuple[int, ...]


def moves_of(layer: kinds.Rearrange, name: str, source: Shape) -> Moves:
    """Give what a rearrangement does to a tensor of this shape, or raise `ModelError` ``MODEL-SHAPE``."""
    axes = len(source)
    order = layer.order if layer.order is not None else tuple(range(axes))
    before, after = (one if one is not None else (0,) * axes for one in (layer.before, layer.after))
    repeats = layer.repeats if layer.repeats is not None else (1,) * axes
    if sorted(order) != list(range(axes)) or {len(before), len(after), len(repeats)} != {axes}:
        raise _misfit(
            name, source, f"it has {axes} axes", "give order, before, after and repeats a number for each axis, from 0"
        )
    swapped = tuple(source[axis] for axis in order)
    sizes = tuple(size - one - other for size, one, other in zip(swapped, before, after, strict=True))
    if min(sizes) < 1:
        raise _misfit(name, source, f"nothing of it is left: {_text(sizes)}", "leave fewer places out")
    return Moves(order, before, sizes, repeats)


def _windows_2d(
    name: str, source: Shape, kernel: kinds.Size, stride: kinds.Size, padding: kinds.Padding
) -> tuple[int, int]:
    if len(source) != 3:
        raise _misfit(name, source, "a 2-D layer needs height x width x channels", "use the 1-D kind of the layer")
    (mh, mw), (sh, sw) = pair(kernel), pair(stride)
    return (
        _windows(name, source, "height", source[0], mh, sh, padding),
        _windows(name, source, "width", source[1], mw, sw, padding),
    )


def _windows_1d(name: str, source: Shape, kernel: int, stride: int, padding: kinds.Padding) -> tuple[int]:
    if len(source) != 2:
        raise _misfit(name, source, "a 1-D layer needs length x channels", "use the 2-D kind of the layer")
    return (_windows(name, source, "length", source[0], kernel, stride, padding),)


def _windows(name: str, source: Shape, axis: str, n: int, m: int, s: int, padding: kinds.Padding) -> int:
    count = window_count(n, m, s, padding)
    if count < 1:
        raise _misfit(
            name,
            source,
            f"its {axis} becomes empty: o = floor((n + 2p - m) / s) + 1 = floor(({n} + 0 - {m}) / {s}) + 1 = {count}",
            "use padding: same, a smaller window, fewer pooling layers or a larger input",
        )
    return count


def _misfit(name: str, source: Shape, reason: str, fix: str) -> ModelError:
    return ModelError(
        "MODEL-SHAPE", f"layer {name!r} cannot take {_text(source)}: {reason}", where=f"layer {name}", fix=fix
    )


def _text(shape: Shape) -> str:
    return "x".join(str(size) for size in shape)


def _cost(layer: LayerBase, source: Shape, shape: Shape) -> tuple[int, int]:
    """Return parameters and multiplications; additions, comparisons and table look-ups count as none."""
    channels, positions = source[-1], prod(shape[:-1])
    match layer:
        case kinds.Conv2D():
            weights = prod(pair(layer.kernel)) * channels * layer.filters
            return weights + layer.use_bias * layer.filters, positions * weights
        case kinds.Conv1D():
            weights = layer.kernel * channels * layer.filters
            return weights + layer.use_bias * layer.filters, positions * weights
        case kinds.DepthwiseConv2D():
            weights = prod(pair(layer.kernel)) * channels
            return weights + layer.use_bias * channels, positions * weights
        case kinds.DepthwiseConv1D():
            weights = layer.kernel * channels
            return weights + layer.use_bias * channels, positions * weights
        case kinds.SeparableConv2D():
            weights = prod(pair(layer.kernel)) * channels + channels * layer.filters
            return weights + layer.use_bias * layer.filters, positions * weights
        case kinds.SeparableConv1D():
            weights = layer.kernel * channels + channels * layer.filters
            return weights + layer.use_bias * layer.filters, positions * weights
        case kinds.Dense():
            return channels * layer.units + layer.use_bias * layer.units, channels * layer.units
        case kinds.BatchNormalization():
            return 4 * channels, prod(shape)
        case _:
            return 0, 0
