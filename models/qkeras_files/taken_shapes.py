"""The shape that comes out of a QKeras model, from what was read of it: nothing of Keras is loaded."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any

import numpy as np

from siliconv.errors import ModelError
from siliconv.models.architectures.architecture import INPUT
from siliconv.models.qkeras_files.qkeras_reading import TakenLayer, TakenModel

Shape = tuple[int, ...]


def output_shape_of(model: TakenModel) -> Shape:
    """Give the shape of the last layer's output; errors as `shapes_of`."""
    return shapes_of(model)[model.layers[-1].name]


def shapes_of(model: TakenModel) -> dict[str, Shape]:
    """Give the shape of each layer's output by its name.

    Raises
    ------
    ModelError
        ``MODEL-LAYER`` for a layer without a shape rule, ``MODEL-SHAPE`` for what comes out empty.
    """
    shapes: dict[str, Shape] = {INPUT: model.input_shape}
    for layer in model.layers:
        shapes[layer.name] = shape_of_layer(layer, [shapes[name] for name in layer.inputs])
    return shapes


def shape_of_layer(layer: TakenLayer, sources: Sequence[Shape]) -> Shape:
    """Give the shape of one layer's output from those that it reads; errors as `shapes_of`."""
    rule = _RULES.get(layer.kind.removeprefix("Q").removeprefix("Truncated").removesuffix("Batchnorm"))
    if rule is None:
        raise ModelError(
            "MODEL-LAYER",
            f"layer {layer.name!r} of class {layer.kind!r} has no shape rule here",
            where="model.file",
            fix="replace it by one of: " + ", ".join(sorted(_RULES)),
        )
    shape = rule(layer, sources)
    if any(size < 1 for size in shape):
        raise ModelError(
            "MODEL-SHAPE",
            f"layer {layer.name!r} gives the empty shape {shape}",
            where="model.file",
            fix="use a larger input, or smaller windows",
        )
    return shape


def _same(layer: TakenLayer, sources: Sequence[Shape]) -> Shape:
    return sources[0]


def _dense(layer: TakenLayer, sources: Sequence[Shape]) -> Shape:
    return (*sources[0][:-1], int(layer.settings["units"]))


def _sizes(written: Any, axes: int) -> Shape:
    return (int(written),) * axes if isinstance(written, int) else tuple(int(size) for size in written)


def _slide(layer: TakenLayer, source: Shape, window: Any) -> Shape:
    axes = len(source) - 1
    extents = _sizes(window, axes)
    strides = _sizes(layer.settings.get("strides") or window, axes)
    same = layer.settings.get("padding") == "same"
    return tuple(
        -(-size // stride) if same else (size - extent) // stride + 1
        for size, extent, stride in zip(source[:-1], extents, strides, strict=True)
    )


def _convolution(layer: TakenLayer, sources: Sequence[Shape]) -> Shape:
    times = int(layer.settings.get("depth_multiplier") or 1)
    channels = int(layer.settings.get("filters") or sources[0][-1] * times)
    return (*_slide(layer, sources[0], layer.settings["kernel_size"]), channels)


def _pool(layer: TakenLayer, sources: Sequence[Shape]) -> Shape:
    return (*_slide(layer, sources[0], layer.settings["pool_size"]), sources[0][-1])


def _global(layer: TakenLayer, sources: Sequence[Shape]) -> Shape:
    axes = len(sources[0]) - 1
    return (*(1,) * axes, sources[0][-1]) if layer.settings.get("keepdims") else sources[0][-1:]


def _flatten(layer: TakenLayer, sources: Sequence[Shape]) -> Shape:
    return (prod(sources[0]),)


def _rearranged(layer: TakenLayer, sources: Sequence[Shape]) -> Shape:
    return tuple(
        int(size) * int(times) for size, times in zip(layer.settings["sizes"], layer.settings["repeats"], strict=True)
    )


def _concatenate(layer: TakenLayer, sources: Sequence[Shape]) -> Shape:
    written, rank = int(layer.settings.get("axis", -1)), len(sources[0])
    axis = written - 1 if written > 0 else rank + written
    return tuple(
        sum(shape[place] for shape in sources) if place == axis else size for place, size in enumerate(sources[0])
    )


def _reshape(layer: TakenLayer, sources: Sequence[Shape]) -> Shape:
    target = tuple(int(size) for size in layer.settings["target_shape"])
    rest = prod(sources[0]) // max(prod(size for size in target if size != -1), 1)
    return tuple(rest if size == -1 else size for size in target)


def _merged(layer: TakenLayer, sources: Sequence[Shape]) -> Shape:
    return tuple(int(size) for size in np.broadcast_shapes(*sources))


def _pad(layer: TakenLayer, sources: Sequence[Shape]) -> Shape:
    *spatial, channels = sources[0]
    written = layer.settings["padding"]
    if len(spatial) == 1:
        before, after = (written, written) if isinstance(written, int) else written
        return (spatial[0] + before + after, channels)
    each = [written] * 2 if isinstance(written, int) else written
    pairs = [(one, one) if isinstance(one, int) else one for one in each]
    return (*(size + before + after for size, (before, after) in zip(spatial, pairs, strict=True)), channels)


_RULES: Mapping[str, Callable[[TakenLayer, Sequence[Shape]], Shape]] = {
    "Dense": _dense,
    **dict.fromkeys(("Conv1D", "Conv2D", "SeparableConv1D", "SeparableConv2D"), _convolution),
    **dict.fromkeys(("DepthwiseConv1D", "DepthwiseConv2D"), _convolution),
    **dict.fromkeys(("MaxPooling1D", "MaxPooling2D", "AveragePooling1D", "AveragePooling2D"), _pool),
    **dict.fromkeys(("GlobalMaxPooling1D", "GlobalMaxPooling2D"), _global),
    **dict.fromkeys(("GlobalAveragePooling1D", "GlobalAveragePooling2D"), _global),
    "Flatten": _flatten,
    "RearrangedElements": _rearranged,
    "Concatenate": _concatenate,
    "ZeroPadding1D": _pad,
    "ZeroPadding2D": _pad,
    "Reshape": _reshape,
    **dict.fromkeys(("Add", "Subtract", "Multiply", "Maximum", "Minimum"), _merged),
    **dict.fromkeys(("Activation", "TableActivation", "BatchNormalization", "Rescaling"), _same),
    **dict.fromkeys(("ReLU", "LeakyReLU", "Softmax", "Dropout"), _same),
}
"""By the class' name, without QKeras' first letter."""
