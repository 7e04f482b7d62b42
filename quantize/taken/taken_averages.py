"""Averages without a quantizer in a QKeras model: over nine pixels they have no end in binary, and are truncated."""

from __future__ import annotations

from typing import Any

from siliconv.errors import NetworkError
from siliconv.models.qkeras_files.qkeras_reading import TakenLayer, TakenModel
from siliconv.models.qkeras_files.taken_shapes import Shape, shapes_of
from siliconv.network.windows import real_elements, same_padding
from siliconv.quantize.lowering.quantizer_types import quantizer_type

TRUNCATED = "Truncated"
"""Before the name of Keras' class."""

_AVERAGES = ("AveragePooling1D", "AveragePooling2D", "GlobalAveragePooling1D", "GlobalAveragePooling2D")
_KEPT = ("pool_size", "strides", "padding", "data_format", "keepdims")
_SAME_STEPS = (
    *("MaxPooling1D", "MaxPooling2D", "GlobalMaxPooling1D", "GlobalMaxPooling2D", "Flatten", "Reshape", "Dropout"),
    *("RearrangedElements", "ZeroPadding1D", "ZeroPadding2D", "Add", "Subtract", "Maximum", "Minimum", "Concatenate"),
)


def with_truncated_averages(model: TakenModel) -> tuple[TakenModel, dict[str, int]]:
    """Give the model in which such averages truncate, and the fractional bits of each by its layer's name.

    An average over a power of two stays as it is, and so does one of values whose last place is not known before the
    model is lowered: behind a layer with weights and no activation, for example.
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
        if kind in _AVERAGES and finest is not None and _is_bare(layer):
            most, exact = _elements(layer, shapes[layer.inputs[0]])
            if not exact:
                found[layer.name] = steps[layer.name] = finest + (most - 1).bit_length()
                own = {key: layer.settings[key] for key in _KEPT if key in layer.settings}
                own |= {"source_fraction": finest, "fraction": found[layer.name]}
                layer = layer.model_copy(update={"kind": f"{TRUNCATED}{kind}", "settings": own})
        layers.append(layer)
    return model.model_copy(update={"layers": tuple(layers)}), found


def _is_bare(layer: TakenLayer) -> bool:
    return not layer.settings.get("average_quantizer") and layer.settings.get("activation") is None


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
    if getattr(quantizer, "relu_upper_bound", None) is not None:
        return None
    try:
        return quantizer_type(quantizer, where=layer.name).fraction
    except NetworkError:
        return finest if written == "relu" and layer.kind in ("Activation", "QActivation") else None
