"""The model that was read of a QKeras file in float64: a second opinion where QKeras' own float32 rounds.

Weights are what the quantizers make of them in float32, which is what QKeras runs; a batch normalization is its two
constants. Everything else is computed in float64.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from siliconv import legacy_keras
from siliconv.errors import WorkSaysNoError
from siliconv.models.architectures.architecture import INPUT
from siliconv.models.architectures.keras_file import Weights
from siliconv.models.qkeras_files.qkeras_reading import TakenLayer, TakenModel
from siliconv.network.fixed_point import to_values
from siliconv.quantize.lowering.exact_classes import quantizer_in_words
from siliconv.quantize.lowering.lowering_normalization import scale_and_offset, takes_few_bits
from siliconv.quantize.lowering.quantized_weights import WIDEST_BIAS, channel_weights, integer_weights, quantized
from siliconv.quantize.taken.taken_model import live_activation, taken_layer, taken_model

_FOLDED = {"QConv2DBatchnorm": "QConv2D", "QDepthwiseConv2DBatchnorm": "QDepthwiseConv2D"}
_OF_CONVOLUTION = (
    *("filters", "kernel_size", "strides", "padding", "data_format", "dilation_rate", "activation"),
    *("depth_multiplier",),
)
_AGREES = 2e-6
"""Share of the largest weight by which QKeras' float32 may be off from the integer that it means."""


def exact_model(model: TakenModel, weights: Weights) -> Any:
    """Build the model in float64; called in `siliconv.legacy_keras.double_precision`.

    Raises
    ------
    ModelError, NetworkError
        As `siliconv.quantize.taken.taken_model.taken_model` and lowering.
    """
    keras = legacy_keras.load()
    with _single_precision():
        single = taken_model(model, weights)
        found = {layer.name: _constants(layer, single.get_layer(layer.name)) for layer in model.layers}
    inputs = keras.Input(model.input_shape, name=INPUT)
    tensors = {INPUT: inputs}
    for layer in model.layers:
        sources = [tensors[name] for name in layer.inputs]
        built = _layer(layer, found[layer.name])
        tensors[layer.name] = built(sources if len(sources) > 1 else sources[0])
        if built.weights:
            built.set_weights(found[layer.name])
    return keras.Model(inputs, tensors[model.layers[-1].name], name="siliconv")


@contextmanager
def _single_precision() -> Iterator[None]:
    backend = legacy_keras.load().backend
    before = backend.floatx()
    backend.set_floatx("float32")
    try:
        yield
    finally:
        backend.set_floatx(before)


def _constants(layer: TakenLayer, live: Any) -> list[NDArray[np.float64]]:
    """Give the arrays of a layer as they are multiplied with."""
    kind, where = layer.kind, f"layer '{layer.name}'"
    if kind in ("BatchNormalization", "QBatchNormalization"):
        return list(scale_and_offset(live))
    if kind in ("QAveragePooling2D", "QGlobalAveragePooling2D") and live.average_quantizer:
        window = live.input_shape[1:3] if kind.startswith("QGlobal") else live.pool_size
        factor = np.array([1.0 / int(np.prod(window))], np.float32)
        return [quantized(factor, live.average_quantizer_internal).astype(np.float64)]
    if kind in _FOLDED:
        kernel, bias = (np.asarray(one) for one in live.get_folded_weights())
        bias = np.broadcast_to(bias, live.output_shape[-1])
        quantizers = live.get_quantizers()
        return [_exactly(kernel, quantizers[0], where), _exactly(bias, quantizers[1], where, bias=True)]
    if not live.weights:
        return []
    if not hasattr(live, "get_quantizers"):
        return [np.asarray(one, np.float64) for one in live.get_weights()]
    values = live.get_weights()
    roles = list(live.get_quantizers()[: len(values)])
    has_bias = bool(getattr(live, "use_bias", False))
    last = len(values) - 1
    return [
        _exactly(one, quantizer, where, bias=has_bias and number == last)
        for number, (one, quantizer) in enumerate(zip(values, roles, strict=True))
    ]


def _exactly(values: Any, quantizer: Any, where: str, *, bias: bool = False) -> NDArray[np.float64]:
    """Give quantized weights without the rounding of QKeras' trick, which must be all that they differ by."""
    floats = np.asarray(values)
    if quantizer is None:
        return floats.astype(np.float64)
    if bias:
        found = integer_weights(floats, quantizer, where, widest=WIDEST_BIAS)
        scales = None
    else:
        found, scales = channel_weights(floats, quantizer, where)
    exact = to_values(found.codes, found.type) * (1.0 if scales is None else scales)
    own = quantized(floats, quantizer).astype(np.float64)
    if np.any(np.abs(exact - own) > _AGREES * max(1.0, float(np.abs(own).max(initial=0.0)))):
        raise WorkSaysNoError(
            "LOWER-DIFFERS",
            f"weights of {quantizer_in_words(quantizer)} are not what QKeras makes of them",
            where=where,
            fix="this is a defect of siliconv, please report it with the model",
        )
    return exact


def _layer(layer: TakenLayer, constants: list[NDArray[np.float64]]) -> Any:
    from siliconv.quantize.taken.exact_layers import Float32Rescaling, ScaleOffset, SummedPooling

    settings, kind = layer.settings, layer.kind
    activation = _activation(settings.get("activation"))
    if kind in ("BatchNormalization", "QBatchNormalization"):
        return ScaleOffset(*constants, name=layer.name)
    if kind == "Rescaling":
        scale, offset = (np.asarray(settings[name], np.float32) for name in ("scale", "offset"))
        return (ScaleOffset if takes_few_bits(scale) else Float32Rescaling)(scale, offset, name=layer.name)
    if kind in ("QAveragePooling2D", "QGlobalAveragePooling2D") and constants:
        overall = kind.startswith("QGlobal")
        window = None if overall else _pair(settings["pool_size"])
        strides = None if overall else _pair(settings.get("strides") or settings["pool_size"])
        return SummedPooling(float(constants[0][0]), window, strides, activation, name=layer.name)
    if kind == "QActivation":
        return legacy_keras.qkeras().QActivation(activation or legacy_keras.load().activations.linear, name=layer.name)
    if kind in _FOLDED:
        kept = {key: settings[key] for key in _OF_CONVOLUTION if key in settings}
        layer = layer.model_copy(update={"kind": _FOLDED[kind], "settings": kept})
    # The activation in float64 takes the place of QKeras' own.
    kept = {key: value for key, value in layer.settings.items() if not key.endswith("_quantizer")}
    built = taken_layer(
        layer.model_copy(update={"settings": {**kept, **({"activation": None} if "activation" in kept else {})}})
    )
    if activation is not None:
        built.activation = activation
    return built


def _activation(written: Any) -> Any:
    """Give an activation that computes in float64."""
    if written is None:
        return None
    from siliconv.quantize.taken.exact_layers import EXACT

    if not isinstance(written, Mapping) or written["class_name"] not in EXACT:
        return live_activation(written)
    arguments = {key: np.array(one) if isinstance(one, list) else one for key, one in written["config"].items()}
    return EXACT[written["class_name"]](**arguments)


def _pair(size: Any) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else (int(size[0]), int(size[1]))
