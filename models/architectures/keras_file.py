"""Read model files of Keras 2 and Keras 3 (.keras, .h5, or JSON with a file of weights) as data: the configuration and
the arrays, nothing is run.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from siliconv.bounded_reading import TEXT_BYTES, UnreadableError, in_words, parse_json
from siliconv.errors import DAMAGE, ModelError
from siliconv.models.architectures.keras_graph import Config
from siliconv.models.architectures.nested_models import NamedArrays, flat_model, inner_layers
from siliconv.models.data.hdf5 import MOST_BYTES, Arrays, member

Weights = dict[str, list[np.ndarray]]
"""Layer name -> its arrays, in Keras' order."""

_WEIGHTS_BYTES = 2 * MOST_BYTES
"""An archive keeps the optimizer's numbers beside the weights."""

UNTIL_KERAS_2_14 = "_layer_checkpoint_dependencies"
"""What archives called the folder of a model's layers before they called it ``layers``."""

_FOREIGN_FILES = {
    ".onnx": "export it from Keras instead: ONNX and QONNX files are not read",
    ".pt": "rebuild it in Keras: PyTorch and Brevitas files are not read",
    ".pth": "rebuild it in Keras: PyTorch and Brevitas files are not read",
}


def read_keras_file(path: Path, weights: Path | None = None) -> tuple[Config, Weights]:
    """Return the model configuration in a file and its weights by layer name; models in the model laid flat.

    Parameters
    ----------
    path
        ``.keras``, ``.h5``, or ``.json``, which is a configuration alone.
    weights
        The file that ``model.save_weights`` wrote beside a configuration (``.h5``, Keras 2 or 3); None for the others.

    Raises
    ------
    ModelError
        ``MODEL-FILE`` when a file is missing, damaged or no Keras model.
    """
    _refuse_foreign(path)
    try:
        config, found = _read(path, weights)
        return flat_model(config, found, where=str(path))
    except FileNotFoundError as error:
        raise ModelError(
            "MODEL-FILE",
            "there is no such model file",
            where=str(error.args[0]),
            fix="give the file's path from the project's folder, or module:function",
        ) from error
    except DAMAGE as error:
        raise ModelError(
            "MODEL-FILE",
            f"the file cannot be read as a Keras model: {in_words(error)}",
            where=str(path),
            fix="save the whole model with model.save('model.keras') or model.save('model.h5')",
        ) from error


def _refuse_foreign(path: Path) -> None:
    if (path / "saved_model.pb").is_file():
        raise ModelError(
            "MODEL-FILE",
            "a folder of a SavedModel holds compiled functions, which are not read",
            where=str(path),
            fix="make a file of it in Python: model = tf_keras.models.load_model('FOLDER'); model.save('model.keras')",
        )
    if path.is_dir():
        raise ModelError(
            "MODEL-FILE",
            "a folder is no model file",
            where=str(path),
            fix="name the file itself: .keras, .h5 or .json",
        )
    if path.suffix.lower() in _FOREIGN_FILES:
        raise ModelError(
            "MODEL-FILE",
            f"a {path.suffix} file is no Keras model",
            where=str(path),
            fix=_FOREIGN_FILES[path.suffix.lower()],
        )


def _read(path: Path, weights: Path | None) -> tuple[Config, NamedArrays]:
    import h5py

    for one in (path, weights):
        if one is not None and not one.is_file():
            raise FileNotFoundError(one)
    if path.suffix.lower() == ".json":
        if path.stat().st_size > TEXT_BYTES:
            raise UnreadableError("its configuration is longer than that of any model for an FPGA")
        config = _config(path.read_bytes())
        if weights is None:
            return config, {}
        with h5py.File(weights, "r") as file:
            return config, _of_h5(file) if _names_its_layers(file) else _of_archive(file, config)
    if weights is not None:
        raise UnreadableError("it has weights of its own, and model.weights names another file")
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            config = _config(_member(archive, "config.json", TEXT_BYTES))
            with h5py.File(io.BytesIO(_member(archive, "model.weights.h5", _WEIGHTS_BYTES)), "r") as file:
                return config, _of_archive(file, config)
    with h5py.File(path, "r") as file:
        archived = "layers" in file or UNTIL_KERAS_2_14 in file
        if "model_config" not in file.attrs and (archived or _names_its_layers(file)):
            raise _weights_alone(path)
        return _config(file.attrs["model_config"]), _of_h5(file)


def _weights_alone(path: Path) -> ModelError:
    return ModelError(
        "MODEL-FILE",
        "the file holds the weights of a model, and nothing says which layers it has",
        where=str(path),
        fix=f"name the configuration beside it, model: {{file: MODEL.json, weights: {path.name}}}, from "
        "model.to_json(); or save the whole model with model.save('model.keras')",
    )


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


def _of_archive(file: Any, config: Config) -> NamedArrays:
    """.keras files number the layers of each class; Keras 3 writes their names beside."""
    folder = member(file, "layers" if "layers" in file else UNTIL_KERAS_2_14)
    weights: NamedArrays = {}
    _of_folder(folder, Arrays(folder), "", config, weights)
    return weights


def _of_folder(folder: Any, arrays: Arrays, path: str, config: Mapping[str, Any], weights: NamedArrays) -> None:
    count: Counter[str] = Counter()
    for layer in inner_layers(config):
        kind = _snake(layer["class_name"])
        key = f"{path}{kind}_{count[kind]}" if count[kind] else f"{path}{kind}"
        count[kind] += 1
        if key not in folder:
            continue
        group, name = member(folder, key), str(layer["config"]["name"])
        for part in _PARTS:
            if f"{part}vars" in group:
                values = member(group, f"{part}vars")
                written = str(values.attrs.get("name", name)) if not part else name
                found = [
                    (f"{part}{number}", arrays.read(f"{key}/{part}vars/{number}")) for number in range(len(values))
                ]
                weights.setdefault(written, []).extend(found)
        # The layers of a model in the model, or of one that a wrapper holds.
        for start, model in (("", layer), ("layer/", layer["config"].get("layer"))):
            if not isinstance(model, Mapping) or not isinstance(model["config"].get("layers"), list):
                continue
            for inside in (f"{start}layers/", f"{start}{UNTIL_KERAS_2_14}/"):
                if inside[:-1] in group:
                    inner: NamedArrays = {}
                    _of_folder(folder, arrays, f"{key}/{inside}", model, inner)
                    found = [(f"{one}/{number}", value) for one, many in inner.items() for number, value in many]
                    weights[name] = [*(weights.get(name, []) if start else []), *found]


_PARTS = ("", "batchnorm/", "layer/", "layer/batchnorm/", "layer/layer/", "layer/layer/layer/")
"""Where a layer of an archive keeps variables, and what their names begin with: its own, those of the normalization
inside QKeras' folded layers, and those of the layer inside a wrapper, which may be one itself."""


def _names_its_layers(file: Any) -> bool:
    """Whether a file has the layout of Keras 2; `save_weights` of Keras 3 writes that of its archives."""
    return "model_weights" in file or "layer_names" in file.attrs


def _of_h5(file: Any) -> NamedArrays:
    groups = member(file, "model_weights") if "model_weights" in file else file
    arrays = Arrays(groups)
    return {
        layer: [
            (name, arrays.read(f"{layer}/{name}")) for name in texts_of(member(groups, layer).attrs["weight_names"])
        ]
        for layer in texts_of(groups.attrs["layer_names"])
    }


def texts_of(written: Any) -> list[str]:
    """Give an attribute of an HDF5 file that lists names, which are bytes or texts there."""
    return [name.decode() if isinstance(name, bytes) else str(name) for name in written]


def _snake(name: str) -> str:
    """Keras' own rule for names in .keras files: GlobalMaxPooling2D -> global_max_pooling2d."""
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", name))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()
