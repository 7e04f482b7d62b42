"""What Keras itself makes of a model file: its prediction, in the Keras that wrote the file, in Keras' safe mode.

Runs in a process of its own, because the first Keras that a process loads stays. The file was read as data before
(`siliconv.models.architectures.keras_file`), which refuses every class that holds code. Keras is given no more of it
than what was used there: a setting that is harmless to the prediction may name a module that loading would import.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from siliconv.errors import ModelError
from siliconv.legacy_keras import load as load_keras_2
from siliconv.models.architectures.keras_config import KerasPorts
from siliconv.models.architectures.keras_file import UNTIL_KERAS_2_14, read_keras_file
from siliconv.models.architectures.keras_operators import with_layers_for_operators
from siliconv.models.architectures.keras_settings import Harmless, dtype_name, treatment
from siliconv.models.architectures.nested_models import inner_layers, is_inside
from siliconv.progress import Progress

BATCH = 32


@dataclass(frozen=True)
class KerasPrediction:
    """What Keras computes for some inputs, (n, *shape) each, float64.

    `outputs` are those of the file; `logits` the same without the sigmoid or softmax that the network ends in; `layers`
    those of the layers asked for, by name.
    """

    keras: str
    outputs: NDArray[np.float64]
    logits: NDArray[np.float64]
    layers: Mapping[str, NDArray[np.float64]]


def predict_file(
    source: str,
    inputs: NDArray[np.floating],
    layers: Sequence[str],
    weights: Path | None = None,
    ports: KerasPorts | None = None,
    *,
    progress: Progress,
) -> KerasPrediction:
    """Run inputs through a model file in Keras.

    Parameters
    ----------
    source
        A ``.keras``, ``.h5`` or ``.json`` file by its whole path.
    inputs
        (n, *input shape), as the model takes them; rows of several inputs.
    layers
        Names of the layers whose outputs are wanted besides.
    weights
        The file of weights beside a ``.json``.
    ports
        Inputs and outputs of a model that has several; their outputs are rows.
    progress
        Not told: it takes seconds.

    Raises
    ------
    ModelError
        ``MODEL-KERAS`` when Keras cannot load the file.
    """
    keras = _keras_of(Path(source))
    model = _load(keras, Path(source), weights)
    batch = next((shape[0] for shape in [model.inputs[0].shape] if shape[0]), None)
    if ports is not None:
        return _predict_several(keras, model, inputs, layers, ports, batch)
    outputs = _predict(keras, model, model.outputs, inputs, batch)[0]
    wanted = [model.get_layer(name).output for name in layers]
    of_layers = _predict(keras, model, wanted, inputs, batch) if wanted else []
    logits = _predict(keras, model, [_logits(keras, model)], inputs, batch)[0]
    return KerasPrediction(f"Keras {keras.__version__}", outputs, logits, dict(zip(layers, of_layers, strict=True)))


def _predict_several(
    keras: Any, model: Any, rows: NDArray[np.floating], layers: Sequence[str], ports: KerasPorts, batch: int | None
) -> KerasPrediction:
    """Run rows through a model of several inputs or outputs, each by the name of its layer."""
    inputs, wanted = inputs_of_rows(model, rows, ports), outputs_in_order(model, ports)
    found = _predict(keras, model, [*wanted, *(model.get_layer(name).output for name in layers)], inputs, batch)
    ended = zip(wanted, ports.ended, strict=True)
    tensors = [_logits_of(keras, tensor) if function else tensor for tensor, function in ended]
    logits = _predict(keras, model, tensors, inputs, batch)
    row, row_of_logits = rows_of_outputs(found[: len(wanted)]), rows_of_outputs(logits)
    of_layers = dict(zip(layers, found[len(wanted) :], strict=True))
    return KerasPrediction(f"Keras {keras.__version__}", row, row_of_logits, of_layers)


def inputs_of_rows(model: Any, rows: NDArray[np.floating], ports: KerasPorts) -> list[NDArray[np.floating]]:
    """Take rows apart into what each input of a model takes, found by the names of its input layers."""
    if len(ports.inputs) == 1:
        return [rows]
    start, parts = 0, {}
    for name, shape in ports.inputs:
        size = int(np.prod(shape))
        parts[name] = rows[:, start : start + size].reshape(len(rows), *shape)
        start += size
    return [parts[_history(tensor)[0]] for tensor in model.inputs]


def outputs_in_order(model: Any, ports: KerasPorts) -> list[Any]:
    """Give the output tensors of a model in the order of its ports."""
    if len(ports.outputs) == 1:
        return list(model.outputs)
    known = {_history(tensor): tensor for tensor in model.outputs}
    return [known[use] for use in ports.outputs]


def rows_of_outputs(outputs: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Put outputs beside each other as rows; a single one stays as it is."""
    if len(outputs) == 1:
        return outputs[0]
    return np.concatenate([one.reshape(len(one), -1) for one in outputs], axis=1)


def _history(tensor: Any) -> tuple[str, int]:
    """Give the layer that made a tensor of Keras 2 or 3, and which of its uses that was."""
    made = tensor._keras_history
    return str(_made_by(made).name), int(made.node_index)


def _made_by(history: Any) -> Any:
    return history.layer if hasattr(history, "layer") else history.operation


def _keras_of(path: Path) -> Any:
    """Give the Keras that wrote a file: 2 unless the file says 3 or later."""
    if written_version(path).split(".")[0] in ("", "0", "1", "2"):
        return load_keras_2()
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras

    return keras


def written_version(path: Path) -> str:
    """Give the version of the Keras that wrote a file; nothing where the file does not say."""
    import h5py

    if path.suffix.lower() == ".json":
        found = json.loads(path.read_bytes())
        if not isinstance(found, dict):
            return ""
        # Keras 3 writes no version into a configuration alone, but its own modules.
        of_keras_3 = str(found.get("module")).partition(".")[0] == "keras" and "backend" not in found
        return str(found.get("keras_version", "3" if of_keras_3 else ""))
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            return str(json.loads(archive.read("metadata.json")).get("keras_version", ""))
    with h5py.File(path, "r") as file:
        found = file.attrs.get("keras_version", "")
        return found.decode() if isinstance(found, bytes) else str(found)


def _load(keras: Any, path: Path, weights: Path | None) -> Any:
    try:
        if path.suffix.lower() == ".json" or any(is_inside(layer) for layer in inner_layers(_written_config(path))):
            return _of_configuration(keras, path, weights)
        with tempfile.TemporaryDirectory(prefix="siliconv-") as scratch:
            copy = _for_prediction(path, Path(scratch))
            return keras.models.load_model(copy, compile=False, safe_mode=True)
    except Exception as error:
        # Whatever Keras raises, it is the file that it cannot load.
        raise ModelError(
            "MODEL-KERAS",
            f"Keras {keras.__version__} cannot load the file: {(str(error).splitlines() or [repr(error)])[0]}",
            where=str(path),
            fix="save it again with the installed Keras: what was read of it is compared with Keras' own prediction",
        ) from error


def _written_config(path: Path) -> Mapping[str, Any]:
    import h5py

    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            found: Mapping[str, Any] = json.loads(archive.read("config.json"))
            return found
    with h5py.File(path, "r") as file:
        return dict(json.loads(file.attrs["model_config"]))


def _of_configuration(keras: Any, path: Path, weights: Path | None) -> Any:
    """Build the model of its configuration, models in it laid flat and wrappers taken away, and give it its weights."""
    config, arrays = read_keras_file(path, weights)
    given = for_prediction(config)
    if keras.__version__.split(".")[0] not in ("0", "1", "2"):
        given = _with_modules(given)
    model = keras.models.model_from_json(json.dumps(given))
    for layer in model.layers:
        if layer.weights:
            layer.set_weights(arrays[layer.name])
    return model


def _with_modules(config: Mapping[str, Any]) -> dict[str, Any]:
    """Say where Keras 3 finds the classes of a configuration; an ``.h5`` file leaves it out."""
    model = config["config"]
    of_layers = {"module": "keras.layers", "registered_name": None}
    layers = [{**layer, **of_layers} for layer in model["layers"]]
    of_model = {"module": "keras", "registered_name": None}
    if config["class_name"] != "Sequential":
        of_model = {"module": "keras.src.models.functional", "registered_name": "Functional"}
    return {**config, **of_model, "config": {**model, "layers": layers}}


def _for_prediction(path: Path, folder: Path) -> Path:
    """Copy a file with what a prediction needs of it, and nothing else."""
    import h5py

    copy = folder / path.name
    if not zipfile.is_zipfile(path):
        shutil.copyfile(path, copy)
        with h5py.File(copy, "r+") as file:
            file.attrs["model_config"] = json.dumps(for_prediction(json.loads(file.attrs["model_config"])))
            file.attrs.pop("training_config", None)
        return copy
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(copy, "w") as written:
        written.writestr("config.json", json.dumps(for_prediction(json.loads(archive.read("config.json")))))
        written.writestr("metadata.json", archive.read("metadata.json"))
        written.writestr("model.weights.h5", _as_written_today(archive.read("model.weights.h5")))
    return copy


def _as_written_today(weights: bytes) -> bytes:
    """Give the weights of an archive with their folders called as today's Keras calls them."""
    import h5py

    with h5py.File(io.BytesIO(weights), "r") as file:
        if UNTIL_KERAS_2_14 not in file:
            return weights
        renamed = io.BytesIO()
        with h5py.File(renamed, "w") as copy:

            def take(name: str, found: Any) -> None:
                place = name.replace(UNTIL_KERAS_2_14, "layers")
                if isinstance(found, h5py.Dataset):
                    copy[place] = found[()]
                else:
                    copy.require_group(place)

            file.visititems(take)
    return renamed.getvalue()


def for_prediction(config: Mapping[str, Any]) -> dict[str, Any]:
    """Give a model's configuration with the settings that are used of it, all of which were looked at."""
    config = with_layers_for_operators(config)
    model = config["config"]
    layers = [_layer_for_prediction(layer) for layer in (model["layers"] if isinstance(model, Mapping) else model)]
    kept = {key: model[key] for key in _OF_A_MODEL if key in model} if isinstance(model, Mapping) else {}
    known = {key: value for key, value in config.items() if key in ("class_name", "module")}
    if config.get("registered_name") == config["class_name"]:
        known["registered_name"] = config["class_name"]
    return {**known, "config": {**kept, "layers": layers} if isinstance(model, Mapping) else layers}


_OF_A_MODEL = ("name", "input_layers", "output_layers", "build_input_shape")


def _layer_for_prediction(layer: Mapping[str, Any]) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    for key, value in layer["config"].items():
        if key == "dtype":
            settings[key] = dtype_name(value)
        elif key == "activation" and isinstance(value, Mapping):
            settings[key] = value["config"]  # the name of a function of Keras', or it was refused
        elif key == "layer" and isinstance(value, Mapping):
            settings[key] = _inner_for_prediction(value)
        elif not isinstance(treatment(layer["class_name"], key), Harmless):
            settings[key] = value
    known = {key: layer[key] for key in ("class_name", "name", "inbound_nodes") if key in layer}
    if "module" in layer:
        known |= {"module": "keras.layers", "registered_name": None}
    return {**known, "config": settings}


def _inner_for_prediction(inner: Mapping[str, Any]) -> dict[str, Any]:
    """Give the layer or the row of layers that another one distributes, with the settings that are used of them."""
    if inner["class_name"] != "Sequential":
        return _layer_for_prediction(inner)
    known = {"module": "keras", "registered_name": None} if "module" in inner else {}
    return {"class_name": "Sequential", **known, "config": for_prediction(inner)["config"]}


def _logits(keras: Any, model: Any) -> Any:
    """Give the output tensor without the sigmoid or softmax that the model ends in."""
    return _without_function(keras, model.layers[-1], model.outputs[0])


def _logits_of(keras: Any, tensor: Any) -> Any:
    """Give one of several outputs without the sigmoid or softmax that it is."""
    return _without_function(keras, _made_by(tensor._keras_history), tensor)


def _without_function(keras: Any, last: Any, tensor: Any) -> Any:
    functions = (keras.activations.sigmoid, keras.activations.softmax)
    if type(last).__name__ == "Softmax" or (type(last).__name__ == "Activation" and last.activation in functions):
        return last.input
    if getattr(last, "activation", None) in functions:
        # The layer is called again below, by the graph that is made of it.
        last.activation = keras.activations.linear
    return tensor


def _predict(
    keras: Any,
    model: Any,
    tensors: Sequence[Any],
    inputs: NDArray[np.floating] | Sequence[NDArray[np.floating]],
    batch: int | None,
) -> list[NDArray[np.float64]]:
    """Run inputs, a list of several, through part of a model, in batches of the size that it is fixed to."""
    part, size = keras.Model(model.inputs, list(tensors)), batch or BATCH
    given = [inputs] if isinstance(inputs, np.ndarray) else list(inputs)
    count = len(given[0])
    rest = -count % size if batch else 0
    padded = [np.concatenate([one, np.repeat(one[-1:], rest, axis=0)]) if rest else one for one in given]
    found = part.predict(padded if len(padded) > 1 else padded[0], batch_size=size, verbose=0)
    return [np.asarray(one, np.float64)[:count] for one in (found if isinstance(found, list | tuple) else [found])]
