"""Averages without a quantizer in a QKeras model: over nine pixels they have no end in binary, and are truncated."""

from __future__ import annotations

from typing import Any

from siliconv.errors import NetworkError
from siliconv.models.architectures.keras_config import name_here
from siliconv.models.architectures.keras_file import Weights
from siliconv.models.qkeras_files.qkeras_reading import TakenLayer, TakenModel
from siliconv.models.qkeras_files.taken_shapes import Shape, shapes_of
from siliconv.network.fixed_point import FixedPoint
from siliconv.network.windows import real_elements, same_padding
from siliconv.quantize.lowering.exact_classes import exact_class
from siliconv.quantize.lowering.quantizer_types import quantizer_type

TRUNCATED = "Truncated"
"""Before the name of Keras' class."""

_AVERAGES = ("AveragePooling1D", "AveragePooling2D", "GlobalAveragePooling1D", "GlobalAveragePooling2D")
_KEPT = ("pool_size", "strides", "padding", "data_format", "keepdims")
_SAME_STEPS = (
    *("MaxPooling1D", "MaxPooling2D", "GlobalMaxPooling1D", "GlobalMaxPooling2D", "Flatten", "Reshape", "Dropout"),
    *("RearrangedElements", "ZeroPadding1D", "ZeroPadding2D", "Add", "Subtract", "Maximum", "Minimum", "Concatenate"),
)


_ANY_INPUTS = (FixedPoint(True, 16, 5), FixedPoint(True, 8, 6))
"""Types of the input with different last places: what is the same for both does not depend on it."""


def with_truncated_averages(model: TakenModel, weights: Weights) -> tuple[TakenModel, dict[str, int]]:
    """Give the model in which such averages truncate, and the fractional bits of each by its layer's name.

    An average over a power of two stays as it is, and so does one of values whose last place depends on the input's.
    An activation of the averaging layer itself is put behind it.
    """
    shapes = shapes_of(model)
    steps: dict[str, int | None] = {}
    layers: list[TakenLayer] = []
    found: dict[str, int] = {}
    for layer in model.layers:
        before = [steps.get(name) for name in layer.inputs]
        finest = None if None in before else max(one for one in before if one is not None)
        steps[layer.name] = _fraction(layer, finest)
        kind = layer.kind.removeprefix("Q")
        if kind in _AVERAGES and not layer.settings.get("average_quantizer"):
            most, exact = _elements(layer, shapes[layer.inputs[0]])
            if not exact and finest is None:
                finest = _lowered_fraction(model, layers, layer.inputs[0], weights)
            if not exact and finest is not None:
                found[layer.name] = finest + (most - 1).bit_length()
                own = {key: layer.settings[key] for key in _KEPT if key in layer.settings}
                own |= {"source_fraction": finest, "fraction": found[layer.name]}
                truncated = layer.model_copy(update={"kind": f"{TRUNCATED}{kind}", "settings": own})
                activation = layer.settings.get("activation")
                if activation is None:
                    layer, steps[layer.name] = truncated, found[layer.name]
                else:
                    name = name_here(f"{layer.name}_average", shapes)
                    layers.append(truncated.model_copy(update={"name": name}))
                    behind = {"kind": "QActivation", "settings": {"activation": activation}, "inputs": (name,)}
                    layer = layer.model_copy(update=behind)
        layers.append(layer)
    return model.model_copy(update={"layers": tuple(layers)}), found


def _lowered_fraction(model: TakenModel, layers: list[TakenLayer], source: str, weights: Weights) -> int | None:
    """Lower what stands before an average, and give its last place; None where the input's decides it."""
    from siliconv.quantize.lowering.lowering import lower
    from siliconv.quantize.taken.taken_model import taken_model

    needed, before = {source}, list[TakenLayer]()
    for layer in reversed(layers):
        if layer.name in needed:
            needed |= set(layer.inputs)
            before.insert(0, layer)
    if not before:
        return None
    built = taken_model(model.model_copy(update={"layers": tuple(before), "ending": None}), weights)
    try:
        places = {lower(built, name="before", input_type=kind).output.type.fraction for kind in _ANY_INPUTS}
    except NetworkError:
        return None  # said when the whole model is lowered
    return places.pop() if len(places) == 1 else None


def _elements(layer: TakenLayer, shape: Shape) -> tuple[int, bool]:
    """Give how many elements an average is over at most, and whether all of its counts are powers of two."""
    spatial = shape[:-1]
    if "Global" in layer.kind:
        window, strides, padding = spatial, spatial, ((0, 0),) * len(spatial)
    else:
        window = _sizes(layer.settings["pool_size"], len(spatial))
        strides = _sizes(layer.settings.get("strides") or window, len(spatial))
        same = layer.settings.get("padding") == "same"
        padding = same_padding(spatial, window, strides) if same else ((0, 0),) * len(spatial)
    counts = real_elements(spatial, window, strides, padding)
    return int(counts.max()), not (counts & (counts - 1)).any()


def _sizes(written: Any, axes: int) -> Shape:
    return (written,) * axes if isinstance(written, int) else tuple(int(size) for size in written)


def _fraction(layer: TakenLayer, finest: int | None) -> int | None:
    """Give the fractional bits of a layer's output where its quantizer says them, or what it reads does."""
    written = layer.settings.get("activation")
    if written is None:
        return finest if layer.kind in _SAME_STEPS else None
    from siliconv.quantize.taken.taken_model import live_activation

    quantizer = live_activation(written)
    if getattr(quantizer, "relu_upper_bound", None) is not None or exact_class(quantizer) == "quantized_sigmoid":
        return None  # the type is that of what is rounded, before its table
    try:
        return quantizer_type(quantizer, where=layer.name).fraction
    except NetworkError:
        return finest if written == "relu" and layer.kind in ("Activation", "QActivation") else None
