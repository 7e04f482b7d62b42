"""Read model files of Keras 2 and Keras 3 (.keras, .h5) as data: the configuration and the arrays,
nothing is run.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from siliconv.bounded_reading import TEXT_BYTES, UnreadableError, in_words, parse_json
from siliconv.errors import DAMAGE, ModelError
from siliconv.models.architectures.hdf5 import MOST_BYTES, Arrays, member
from siliconv.models.architectures.keras_graph import Config

Weights = dict[str, list[np.ndarray]]
"""Layer name -> its arrays, in Keras' order."""

_WEIGHTS_BYTES = 2 * MOST_BYTES
"""An archive keeps the optimizer's numbers beside the weights."""


def read_keras_file(path: Path) -> tuple[Config, Weights]:
    """Return the model configuration in a file and its weights by layer name.

    Raises
    ------
    ModelError
        ``MODEL-FILE`` when the file is missing, damaged or no Keras model.
    """
    import h5py

    try:
        if not path.is_file():
            raise FileNotFoundError
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                config = _config(_member(archive, "config.json", TEXT_BYTES))
                with h5py.File(io.BytesIO(_member(archive, "model.weights.h5", _WEIGHTS_BYTES)), "r") as file:
                    return config, _of_archive(file, config)
        with h5py.File(path, "r") as file:
            return _config(file.attrs["model_config"]), _of_h5(file)
    except FileNotFoundError as error:
        raise ModelError(
            "MODEL-FILE",
            "there is no such model file",
            where=str(path),
            fix="give the file's path from the project's folder, or module:function",
        ) from error
    except DAMAGE as error:
        raise ModelError(
            "MODEL-FILE",
            f"the file cannot be read as a Keras model: {in_words(error)}",
            where=str(path),
            fix="save the whole model with model.save('model.keras') or model.save('model.h5')",
        ) from error


def _member(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    size = archive.getinfo(name).file_size
    if size > most:
        raise UnreadableError(f"{name} unpacks to {size:,} bytes, more than a model for an FPGA can have")
    return archive.read(name)


def _config(text: str | bytes) -> Config:
    config = parse_json(text)
    if not isinstance(config, dict) or not isinstance(config.get("config"), dict | list):
        raise UnreadableError("its configuration describes no model")
    return config


def _of_archive(file: Any, config: Config) -> Weights:
    """.keras files number the layers of each class; Keras 3 writes their names beside."""
    folder = member(file, "layers" if "layers" in file else "_layer_checkpoint_dependencies")
    arrays = Arrays(folder)
    weights: Weights = {}
    model = config["config"]
    for layer, key in _keys(model["layers"] if isinstance(model, dict) else model):
        if key in folder and "vars" in member(folder, key):
            values = member(folder, f"{key}/vars")
            written = values.attrs.get("name", layer["config"]["name"])
            weights[str(written)] = list(_values(folder, key, layer, arrays))
    return weights


def _keys(layers: list[Config]) -> Iterator[tuple[Config, str]]:
    """Yield each layer with its key: the name of its class, and a number behind it for all but the first."""
    count: Counter[str] = Counter()
    for layer in layers:
        name = _snake(layer["class_name"])
        yield layer, f"{name}_{count[name]}" if count[name] else name
        count[name] += 1


def _values(folder: Any, key: str, layer: Config, arrays: Arrays) -> Iterator[np.ndarray]:
    """Yield the arrays of a layer, then those of the one or of the row that it distributes, in their order."""
    group = member(folder, key)
    if "vars" in group:
        yield from (arrays.read(f"{key}/vars/{number}") for number in range(len(member(group, "vars"))))
    inner = layer["config"].get("layer") if isinstance(layer.get("config"), dict) else None
    if isinstance(inner, dict) and "layer" in group:
        yield from _values(folder, f"{key}/layer", inner, arrays)
    row = layer["config"].get("layers") if isinstance(layer.get("config"), dict) else None
    for names in ("layers", "_layer_checkpoint_dependencies"):
        if isinstance(row, list) and names in group:
            for one, name in _keys(row):
                if name in member(group, names):
                    yield from _values(folder, f"{key}/{names}/{name}", one, arrays)


def _of_h5(file: Any) -> Weights:
    groups = member(file, "model_weights")
    arrays = Arrays(groups)
    return {
        layer: [arrays.read(f"{layer}/{name}") for name in _names(member(groups, layer).attrs["weight_names"])]
        for layer in _names(groups.attrs["layer_names"])
    }


def _names(written: Any) -> list[str]:
    return [name.decode() if isinstance(name, bytes) else str(name) for name in written]


def _snake(name: str) -> str:
    """Keras' own rule for names in .keras files: GlobalMaxPooling2D -> global_max_pooling2d."""
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", name))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()
