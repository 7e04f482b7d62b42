"""Weights and types that a fine-tuning starts from in place of the float network's, in one file without pickle."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from siliconv import legacy_keras
from siliconv.bounded_reading import as_kind, parse_json
from siliconv.errors import DAMAGE, ModelError, SiliconvError
from siliconv.models.architectures.weights import named_weights, read_arrays, write_arrays
from siliconv.network.fixed_point import FixedPoint
from siliconv.quantize.qkeras.quantization import Quantization, parse_quantization
from siliconv.quantize.qkeras.weight_levels import WeightLevels
from siliconv.quantize.training.calibration import as_text

_TYPES = "types"
_UNUSABLE: tuple[type[Exception], ...] = (SiliconvError, *DAMAGE)


def write_start(path: Path, weights: Mapping[str, np.ndarray], types: Mapping[str, Quantization]) -> None:
    """Write weights, by the names of `named_weights`, and the types that they were trained with."""
    text = json.dumps(as_text(types), sort_keys=True)
    write_arrays(path, {**weights, _TYPES: np.frombuffer(text.encode(), np.uint8)})


def weights_of_float_layers(float_model: Any, trained: Any) -> dict[str, np.ndarray]:
    """Give the weights that a model of the float model's layers has in them, by the float model's names."""
    found: dict[str, np.ndarray] = {}
    for layer in float_model.layers:
        own, values = named_weights(layer), trained.get_layer(layer.name).get_weights() if layer.weights else []
        found |= dict(zip(own, values[: len(own)], strict=True))
    return found


def start_hash(path: Path | None) -> str | None:
    """Give the SHA-256 of a file of weights, None without one.

    Raises
    ------
    ModelError
        ``MODEL-WEIGHTS`` where there is no such file.
    """
    if path is None:
        return None
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise _unusable(path, f"cannot be read: {error.strerror}") from error


def started(float_model: Any, path: Path) -> tuple[Any, dict[str, Quantization]]:
    """Give the float model with the weights of the file, and the types in it.

    Raises
    ------
    ModelError
        ``MODEL-WEIGHTS`` where the file is missing, damaged or of another network.
    """
    found = read_arrays(path)
    try:
        texts = as_kind(parse_json(found.pop(_TYPES).tobytes()), dict[str, str])
        types = {name: parse_quantization(text) for name, text in texts.items()}
    except _UNUSABLE as error:
        raise _unusable(path, "holds no types") from error
    wanted = named_weights(float_model)
    wrong = sorted(name for name in {*wanted, *found} if _shape(wanted, name) != _shape(found, name))
    if wrong:
        here, there = _shape(wanted, wrong[0]), _shape(found, wrong[0])
        raise _unusable(path, f"is of another network: '{wrong[0]}' is of shape {there} in it and {here} here")
    model = legacy_keras.load().models.clone_model(float_model)
    model.set_weights([found[name] for name in wanted])
    return model, types


def with_known(chosen: Mapping[str, Quantization], known: Mapping[str, Quantization]) -> dict[str, Quantization]:
    """Give the types of a calibration, in their place the known ones where these have the bits of the recipe."""
    return {name: known[name] if _as_many_bits(known.get(name), kind) else kind for name, kind in chosen.items()}


def _as_many_bits(known: Quantization | None, chosen: Quantization) -> bool:
    if isinstance(known, FixedPoint) and isinstance(chosen, FixedPoint):
        return (known.signed, known.width) == (chosen.signed, chosen.width)
    return isinstance(known, WeightLevels) and isinstance(chosen, WeightLevels) and known.kind == chosen.kind


def _shape(arrays: Mapping[str, np.ndarray], name: str) -> tuple[int, ...] | None:
    return arrays[name].shape if name in arrays else None


def _unusable(path: Path, what: str) -> ModelError:
    return ModelError(
        "MODEL-WEIGHTS",
        f"the file of weights {what}",
        where=f"quantize.start: {path}",
        fix="search again, or take quantize.start out: fine-tuning then starts from the float network",
    )
