"""The QKeras model that was read of a file, built of QKeras' own layers and quantizers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from siliconv import legacy_keras
from siliconv.bounded_reading import in_words
from siliconv.errors import DAMAGE, ModelError
from siliconv.models.architectures.architecture import INPUT
from siliconv.models.architectures.keras_file import Weights
from siliconv.models.qkeras_files.qkeras_reading import TakenLayer, TakenModel
from siliconv.models.qkeras_files.qkeras_settings import NORMALIZATION_QUANTIZERS, QKERAS_SETTINGS, QUANTIZERS
from siliconv.models.qkeras_files.quantizer_settings import CLASSES, FUNCTIONS, KERAS_HARD_SIGMOID, read_quantizer
from siliconv.network.fixed_point import parse_type
from siliconv.quantize.taken.unquantized import TABLE

_FOLDED = ("QConv2DBatchnorm", "QDepthwiseConv2DBatchnorm")


def taken_model(model: TakenModel, weights: Weights, *, where: str = "model.file") -> Any:
    """Build a model that was read, with its weights: a functional tf_keras model of QKeras' layers.

    Raises
    ------
    ModelError
        ``MODEL-WEIGHTS`` where there are none, ``MODEL-FILE`` where they do not fit, or QKeras refuses a layer.
    """
    keras = legacy_keras.load()
    inputs = keras.Input(model.input_shape, name=INPUT)
    tensors = {INPUT: inputs}
    for layer in model.layers:
        try:
            built = taken_layer(layer)
            sources = [tensors[name] for name in layer.inputs]
            tensors[layer.name] = built(sources if len(sources) > 1 else sources[0])
        except DAMAGE as error:
            raise ModelError(
                "MODEL-LAYER",
                f"layer {layer.name!r} of class {layer.kind!r} cannot be built: {in_words(error)}",
                where=where,
                fix="save the model again with the installed QKeras",
            ) from error
        give_weights(built, weights.get(layer.name, []), where)
    return keras.Model(inputs, tensors[model.layers[-1].name], name="siliconv")


def taken_layer(layer: TakenLayer) -> Any:
    """Build one layer, without weights."""
    keras, qkeras = legacy_keras.load(), legacy_keras.qkeras()
    if layer.kind == TABLE:
        return _table(layer)
    if layer.kind == "RearrangedElements":
        from siliconv.models.architectures.own_keras_layers import RearrangedElements

        return RearrangedElements(**layer.settings, name=layer.name)
    if layer.kind.startswith("Truncated"):
        from siliconv.quantize.qkeras import average_pooling

        return getattr(average_pooling, layer.kind)(**layer.settings, name=layer.name)
    settings = dict(layer.settings)
    for name in (*QUANTIZERS, *NORMALIZATION_QUANTIZERS):
        if settings.get(name) is not None:
            settings[name] = live_quantizer(settings[name])
    if layer.kind == "QActivation" or "activation" in settings:
        settings["activation"] = live_activation(settings.get("activation"))
    if layer.kind == "QActivation":
        return qkeras.QActivation(settings["activation"] or keras.activations.linear, name=layer.name)
    if layer.kind in _FOLDED:
        # QKeras hands the settings of its parents on to Keras, which does not know them all.
        settings = {key: value for key, value in settings.items() if key not in ("groups", "mask", "adjustment")}
    if layer.kind == "QBatchNormalization":
        settings = {key: value for key, value in settings.items() if key != "inverse_quantizer"}
    library = qkeras if layer.kind in QKERAS_SETTINGS else keras.layers
    settings = {key: tuple(value) if isinstance(value, list) else value for key, value in settings.items()}
    return getattr(library, layer.kind)(**settings, name=layer.name)


def _table(layer: TakenLayer) -> Any:
    from siliconv.quantize.qkeras.table_activation import TableActivation

    types = (parse_type(layer.settings[name]) for name in ("inputs", "outputs"))
    return TableActivation(layer.settings["function"], *types, name=layer.name)


def live_quantizer(written: Any) -> Any:
    """Give QKeras' quantizer of a class and its arguments, or its function."""
    found = read_quantizer(written)
    assert found is not None  # it was read before
    make = getattr(legacy_keras.qkeras().quantizers, found.name)
    if found.name not in CLASSES:
        return make
    arguments = {key: np.array(value) if isinstance(value, list) else value for key, value in found.arguments.items()}
    return make(**arguments)


def live_activation(written: Any) -> Any:
    """Give the quantizer or the function of Keras' that stands behind a layer; None where nothing does."""
    if written is None:
        return None
    if isinstance(written, Mapping) or written in FUNCTIONS:
        return live_quantizer(written)
    if written == KERAS_HARD_SIGMOID:
        written = "hard_sigmoid"
    return legacy_keras.load().activations.get(written)


def give_weights(layer: Any, values: list[np.ndarray], where: str) -> None:
    """Give a layer its weights; for the errors see `taken_model`."""
    wanted, has = [tuple(weight.shape) for weight in layer.weights], [value.shape for value in values]
    if wanted and not has:
        raise ModelError(
            "MODEL-WEIGHTS",
            f"layer {layer.name!r} has no weights",
            where=where,
            fix="save the whole model, or name the file of its weights: model: {file: m.json, weights: m_weights.h5}",
        )
    if wanted != has:
        raise ModelError(
            "MODEL-FILE",
            f"layer {layer.name!r} has weights of shapes {has}, and needs {wanted}",
            where=where,
            fix="save the model and its weights again, at the same time",
        )
    if wanted:
        layer.set_weights(values)
