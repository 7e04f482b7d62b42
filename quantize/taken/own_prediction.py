"""What QKeras itself makes of a file: Keras deserializes the configuration, with QKeras' classes and no others.

Runs in a process of its own. The file was read as data before, so Keras is given no more of it than the settings that
were used there; of an ``.h5`` file, Keras reads the weights itself.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from siliconv import legacy_keras
from siliconv.errors import DAMAGE, ModelError
from siliconv.models.architectures.keras_config import KerasPorts
from siliconv.models.architectures.keras_file import Weights
from siliconv.models.architectures.keras_prediction import inputs_of_rows, outputs_in_order, rows_of_outputs
from siliconv.models.architectures.keras_settings import dtype_name
from siliconv.models.architectures.nested_models import inner_layers
from siliconv.models.qkeras_files.qkeras_reading import kept_settings
from siliconv.models.qkeras_files.quantizer_settings import plain_value
from siliconv.progress import Progress

BATCH = 256


def predict_qkeras(
    config: Mapping[str, Any],
    weights: Weights,
    file: Path | None,
    inputs: NDArray[np.floating],
    ports: KerasPorts | None = None,
    *,
    progress: Progress,
) -> NDArray[np.float32]:
    """Run inputs through a QKeras file, by QKeras.

    Parameters
    ----------
    config
        The configuration, models in it laid flat.
    weights
        Arrays by the names in the file; taken where Keras cannot read them itself.
    file
        An ``.h5`` file, whole or weights alone, that has the layers of the configuration; None for any other.
    inputs
        (n, *input shape), rows of several.
    ports
        Inputs and outputs of a model that has several; what it gives are rows.
    progress
        Not told: it takes seconds.

    Raises
    ------
    ModelError
        ``MODEL-KERAS`` when Keras cannot load it.
    """
    legacy_keras.load()
    model = own_model(config, weights, file)
    given = inputs.astype(np.float32)
    if ports is None:
        found: NDArray[np.float32] = model.predict(given, batch_size=BATCH, verbose=0)
        return found
    part = legacy_keras.load().Model(model.inputs, outputs_in_order(model, ports))
    parts = part.predict(inputs_of_rows(model, given, ports), batch_size=BATCH, verbose=0)
    return rows_of_outputs(parts if isinstance(parts, list) else [parts])


def own_model(config: Mapping[str, Any], weights: Weights, file: Path | None) -> Any:
    """Load the model; for the rest see `predict_qkeras`."""
    keras = legacy_keras.load()
    known: dict[str, Any] = {}
    legacy_keras.qkeras().utils._add_supported_quantized_objects(known)
    try:
        model = keras.models.model_from_json(json.dumps(_for_prediction(config)), custom_objects=known)
        if file is not None:
            with tempfile.TemporaryDirectory(prefix="siliconv-") as scratch:
                model.load_weights(_only_weights(file, Path(scratch)))
        else:
            for layer in model.layers:
                if layer.weights:
                    layer.set_weights(weights[layer.name])
    except DAMAGE as error:
        first = (str(error).splitlines() or [repr(error)])[0]
        raise ModelError(
            "MODEL-KERAS",
            f"QKeras cannot load the file: {first}",
            where=str(file or "model"),
            fix="save it again with the installed QKeras: what was read of it is compared with QKeras' own prediction",
        ) from error
    return model


def _only_weights(file: Path, folder: Path) -> str:
    """Copy the weights of a file and nothing else."""
    import h5py

    copy = folder / "weights.h5"
    with h5py.File(file, "r") as whole, h5py.File(copy, "w") as kept:
        group = whole.get("model_weights", whole)
        for name in group:
            group.copy(name, kept, expand_external=False)
        for name in ("layer_names", "backend", "keras_version"):
            if name in group.attrs:
                kept.attrs[name] = group.attrs[name]
    return str(copy)


def _for_prediction(config: Mapping[str, Any]) -> dict[str, Any]:
    model = config["config"]
    layers = [
        {
            **{key: layer[key] for key in ("class_name", "name", "inbound_nodes") if key in layer},
            "config": _old_settings(kept_settings(layer)),
        }
        for layer in inner_layers(config)
    ]
    if not isinstance(model, Mapping):
        return {"class_name": "Sequential", "config": layers}
    kept = {key: model[key] for key in ("name", "input_layers", "output_layers") if key in model}
    return {"class_name": config["class_name"], "config": {**kept, "layers": layers}}


def _old_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _old_style(key, value) for key, value in settings.items()}


def _old_style(key: str, value: Any) -> Any:
    """Give a setting as QKeras 0.9 and Keras 2 read it: without modules, which name where a class would come from."""
    if key == "dtype":
        return dtype_name(value)
    if key == "layer":
        return {"class_name": value["class_name"], "config": _old_settings(value["config"])}
    if not isinstance(value, Mapping) or "class_name" not in value:
        return value
    if value["class_name"] == "function":
        return value["config"]
    # An alpha that is an array is written as Keras writes arrays, which QKeras does not read again.
    inner = {name: plain_value(one) for name, one in value["config"].items() if name != "post_training_scale"}
    # Keras makes an object of what is marked so, and hands anything else on as it is written.
    return {"class_name": value["class_name"], "config": inner, "__passive_serialization__": True}
