"""A QKeras model without its quantizers: the float model to be folded and quantized again, and the bits that it had.

For models whose batch normalizations no fixed-point type holds: folded into the layers before them, they give other
weights, which are quantized and fine-tuned with the bits of the quantizers that are taken away here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from siliconv.bounded_reading import UnreadableError
from siliconv.models.architectures.keras_graph import Config, refused
from siliconv.models.architectures.nested_models import inner_layers
from siliconv.models.qkeras_files.qkeras_settings import NORMALIZATION_QUANTIZERS, QUANTIZERS
from siliconv.models.qkeras_files.quantizer_settings import Quantizer, is_keras_activation, read_quantizer

_FLOAT = {
    "QDense": "Dense",
    "QConv1D": "Conv1D",
    "QConv2D": "Conv2D",
    "QDepthwiseConv2D": "DepthwiseConv2D",
    "QSeparableConv1D": "SeparableConv1D",
    "QSeparableConv2D": "SeparableConv2D",
    "QBatchNormalization": "BatchNormalization",
    "QActivation": "Activation",
    "QAveragePooling2D": "AveragePooling2D",
    "QGlobalAveragePooling2D": "GlobalAveragePooling2D",
}
_FUNCTIONS = {
    "quantized_relu": "relu",
    "quantized_bits": "linear",
    "quantized_tanh": "tanh",
    "quantized_sigmoid": "sigmoid",
}
_LEVELS = {"binary": "binary", "ternary": "ternary", "quantized_po2": "po2"}
_DROPPED = (*QUANTIZERS, *NORMALIZATION_QUANTIZERS, "kernel_range", "bias_range", "depthwise_range", "mask")
_FEWEST, _MOST = 2, 16


def float_config(config: Config, where: str) -> Config:
    """Give the configuration of the float model.

    Raises
    ------
    ModelError
        ``MODEL-LAYER`` for a layer or an activation that has no float counterpart.
    """
    model = config["config"]
    layers = [_float_layer(layer, where) for layer in inner_layers(config)]
    return {**config, "config": {**model, "layers": layers} if isinstance(model, Mapping) else layers}


def own_bits(config: Config) -> dict[str, dict[str, Any]]:
    """Give for each layer with weights, by its name in the file, the bits of its quantizers and of those behind it."""
    layers, found = inner_layers(config), dict[str, dict[str, Any]]()
    last: str | None = None
    for layer in layers:
        settings, name = layer["config"], str(layer["config"]["name"])
        kernel = _quantizer(settings.get("kernel_quantizer") or settings.get("depthwise_quantizer"))
        if kernel is not None:
            last = name
            weights = _LEVELS.get(kernel.name) or _bits(kernel)
            bias = _quantizer(settings.get("bias_quantizer"))
            found[name] = {"weights": weights} | ({"biases": _bits(bias)} if bias is not None else {})
        behind = _quantizer(settings.get("activation"))
        if behind is not None and last is not None and "bits" in behind.arguments:
            found[last]["activations"] = _bits(behind)
    return found


def _quantizer(written: Any) -> Quantizer | None:
    if written is None or is_keras_activation(written):
        return None
    return read_quantizer(written)


def _bits(quantizer: Quantizer) -> int:
    return min(max(int(quantizer.arguments.get("bits", 8)), _FEWEST), _MOST)


def _float_layer(layer: Config, where: str) -> Config:
    kind = str(layer["class_name"])
    if kind.startswith("Q") and kind not in _FLOAT:
        raise refused(layer, "it cannot be folded and quantized again", where, "leave fold: out, or use other layers")
    settings = {key: value for key, value in layer["config"].items() if key not in _DROPPED}
    for key in [key for key in settings if key.endswith(("_initializer", "_constraint", "_regularizer"))]:
        settings[key] = None
    if "activation" in settings:
        settings["activation"] = _function(layer, settings["activation"], where)
    if kind in ("QAveragePooling2D", "QGlobalAveragePooling2D") and settings.pop("activation", None) not in (
        None,
        "linear",
    ):
        raise refused(layer, "its activation stands in a pooling layer", where, "put it behind the layer")
    kept = {key: value for key, value in layer.items() if key not in ("module", "registered_name")}
    return {**kept, "class_name": _FLOAT.get(kind, kind), "config": settings}


def _function(layer: Config, written: Any, where: str) -> Any:
    if written is None or is_keras_activation(written):
        return written
    try:
        found = read_quantizer(written)
    except UnreadableError as error:
        raise refused(layer, str(error), where, "use a quantizer that docs/models.md lists") from error
    if found is None:
        return "linear"
    if found.name not in _FUNCTIONS or found.arguments.get("negative_slope"):
        raise refused(layer, f"{found.name} has no float function", where, "use quantized_relu, or leave fold: out")
    return _FUNCTIONS[found.name]
