"""What Keras itself makes of a model file: its prediction, in the Keras that wrote the file, in Keras' safe mode.

Runs in a process of its own, because the first Keras that a process loads stays. The file was read as data before
(`siliconv.models.architectures.keras_file`), which refuses every class that holds code.
"""

from __future__ import annotations

import json
import os
import re
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
from siliconv.progress import Progress

BATCH = 32

_ONLY_IN_TRAINING = re.compile(r"\w+_(regularizer|constraint|initializer)")


@dataclass(frozen=True)
class KerasPrediction:
    """What Keras computes for some inputs, (n, *shape) each, float64.

    `outputs` are those of the file; `logits` the same without the sigmoid or softmax that the network ends in; `layers`
    those of the layers asked for, by name. `without` names settings that Keras had to be spared to load the file.
    """

    keras: str
    outputs: NDArray[np.float64]
    logits: NDArray[np.float64]
    layers: Mapping[str, NDArray[np.float64]]
    without: str = ""


def predict_file(
    source: str, inputs: NDArray[np.floating], layers: Sequence[str], *, progress: Progress
) -> KerasPrediction:
    """Run inputs through a model file in Keras.

    Parameters
    ----------
    source
        A ``.keras`` or ``.h5`` file by its whole path.
    inputs
        (n, *input shape), as the model takes them.
    layers
        Names of the layers whose outputs are wanted besides.
    progress
        Not told: it takes seconds.

    Raises
    ------
    ModelError
        ``MODEL-KERAS`` when Keras cannot load the file.
    """
    keras = _keras_of(Path(source))
    model, without = _load(keras, Path(source))
    batch = next((shape[0] for shape in [model.inputs[0].shape] if shape[0]), None)
    outputs = _predict(keras, model, model.outputs, inputs, batch)[0]
    wanted = [model.get_layer(name).output for name in layers]
    of_layers = _predict(keras, model, wanted, inputs, batch) if wanted else []
    logits = _predict(keras, model, [_logits(keras, model)], inputs, batch)[0]
    return KerasPrediction(
        f"Keras {keras.__version__}", outputs, logits, dict(zip(layers, of_layers, strict=True)), without
    )


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

    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            return str(json.loads(archive.read("metadata.json")).get("keras_version", ""))
    with h5py.File(path, "r") as file:
        found = file.attrs.get("keras_version", "")
        return found.decode() if isinstance(found, bytes) else str(found)


def _load(keras: Any, path: Path) -> tuple[Any, str]:
    try:
        return keras.models.load_model(path, compile=False, safe_mode=True), ""
    except Exception as error:  # noqa: BLE001  (whatever Keras raises, the file is tried again with less in it)
        first = error
    try:
        with tempfile.TemporaryDirectory(prefix="siliconv-") as scratch:
            model = keras.models.load_model(_only_for_prediction(path, Path(scratch)), compile=False, safe_mode=True)
            return model, "its initializers, regularizers and constraints"
    except Exception as error:
        raise ModelError(
            "MODEL-KERAS",
            f"Keras {keras.__version__} cannot load the file: {(str(first).splitlines() or [repr(first)])[0]}",
            where=str(path),
            fix="save it again with the installed Keras: what was read of it is compared with Keras' own prediction",
        ) from error


def _only_for_prediction(path: Path, folder: Path) -> Path:
    """Copy a file without what layers have for training only: classes of the user's among it are never loaded."""
    import h5py

    copy = folder / path.name
    if not zipfile.is_zipfile(path):
        shutil.copyfile(path, copy)
        with h5py.File(copy, "r+") as file:
            file.attrs["model_config"] = json.dumps(_stripped(json.loads(file.attrs["model_config"])))
        return copy
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(copy, "w") as written:
        for entry in archive.infolist():
            content = archive.read(entry)
            if entry.filename == "config.json":
                content = json.dumps(_stripped(json.loads(content))).encode()
            written.writestr(entry.filename, content)
    return copy


def _stripped(config: Any) -> Any:
    if isinstance(config, Mapping):
        left = {key: _stripped(value) for key, value in config.items() if not _ONLY_IN_TRAINING.fullmatch(str(key))}
        return {key: value for key, value in left.items() if key != "compile_config"}
    return [_stripped(one) for one in config] if isinstance(config, list) else config


def _logits(keras: Any, model: Any) -> Any:
    """Give the output tensor without the sigmoid or softmax that the model ends in."""
    last = model.layers[-1]
    functions = (keras.activations.sigmoid, keras.activations.softmax)
    if type(last).__name__ == "Softmax" or (type(last).__name__ == "Activation" and last.activation in functions):
        return last.input
    if getattr(last, "activation", None) in functions:
        # The layer is called again below, by the graph that is made of it.
        last.activation = keras.activations.linear
    return model.outputs[0]


def _predict(
    keras: Any, model: Any, tensors: Sequence[Any], inputs: NDArray[np.floating], batch: int | None
) -> list[NDArray[np.float64]]:
    """Run inputs through part of a model, in batches of the size that it is fixed to."""
    part, size = keras.Model(model.inputs, list(tensors)), batch or BATCH
    rest = -len(inputs) % size if batch else 0
    padded = np.concatenate([inputs, np.repeat(inputs[-1:], rest, axis=0)]) if rest else inputs
    found = part.predict(padded, batch_size=size, verbose=0)
    return [
        np.asarray(one, np.float64)[: len(inputs)] for one in (found if isinstance(found, list | tuple) else [found])
    ]
