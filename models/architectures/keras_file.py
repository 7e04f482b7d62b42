"""Read model files of Keras 2 and Keras 3 (.keras, .h5) as data: the configuration and the arrays,
nothing is run.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from siliconv.errors import ModelError
from siliconv.models.architectures.keras_graph import Config

Weights = dict[str, list[np.ndarray]]
"""Layer name -> its arrays, in Keras' order."""


def read_keras_file(path: Path) -> tuple[Config, Weights]:
    """Return the model configuration in a file and its weights by layer name.

    Raises
    ------
    ModelError
        ``MODEL-FILE`` when the file is missing, damaged or no Keras model.
    """
    import h5py

    if not path.is_file():
        raise ModelError(
            "MODEL-FILE",
            "there is no such model file",
            where=str(path),
            fix="give the file's path from the project's folder, or module:function",
        )
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                config = json.loads(archive.read("config.json"))
                with h5py.File(io.BytesIO(archive.read("model.weights.h5")), "r") as file:
                    return config, _of_archive(file, config)
        with h5py.File(path, "r") as file:
            config = json.loads(file.attrs["model_config"])
            return config, _of_h5(file["model_weights"])
    except (OSError, KeyError, ValueError, TypeError, zipfile.BadZipFile) as error:
        raise ModelError(
            "MODEL-FILE",
            f"the file cannot be read as a Keras model: {error}",
            where=str(path),
            fix="save the whole model with model.save('model.keras') or model.save('model.h5')",
        ) from error


def _of_archive(file: Any, config: Config) -> Weights:
    """.keras files number the layers of each class; Keras 3 writes their names beside."""
    folder = file["layers"] if "layers" in file else file["_layer_checkpoint_dependencies"]
    count: Counter[str] = Counter()
    weights: Weights = {}
    model = config["config"]
    for layer in model["layers"] if isinstance(model, dict) else model:
        name = _snake(layer["class_name"])
        key = f"{name}_{count[name]}" if count[name] else name
        count[name] += 1
        if key in folder and "vars" in folder[key]:
            values = folder[key]["vars"]
            written = values.attrs.get("name", layer["config"]["name"])
            weights[str(written)] = [np.asarray(values[str(number)]) for number in range(len(values))]
    return weights


def _of_h5(groups: Any) -> Weights:
    return {
        layer: [np.asarray(groups[layer][name]) for name in _names(groups[layer].attrs["weight_names"])]
        for layer in _names(groups.attrs["layer_names"])
    }


def _names(written: Any) -> list[str]:
    return [name.decode() if isinstance(name, bytes) else str(name) for name in written]


def _snake(name: str) -> str:
    """Keras' own rule for names in .keras files: GlobalMaxPooling2D -> global_max_pooling2d."""
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", name))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()
