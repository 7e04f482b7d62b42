"""Weights on disk: npz without pickle, checked by name and shape when they are read."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from siliconv import bounded_reading
from siliconv.bounded_reading import UnreadableError
from siliconv.errors import ModelError


def save_weights(model: Any, path: Path) -> None:
    """Write all weights of a model; the file is complete or the one that was there before."""
    write_arrays(path, named_weights(model))


def load_weights(model: Any, path: Path) -> None:
    """Read weights into a model of the same layers.

    Raises
    ------
    ModelError
        ``MODEL-WEIGHTS`` when the file is missing, damaged, or belongs to another network (names, shapes).
    """
    found = read_arrays(path)
    wanted = named_weights(model)
    for name, value in wanted.items():
        if name not in found or found[name].shape != value.shape:
            has = f"of shape {found[name].shape}" if name in found else "missing"
            raise ModelError(
                "MODEL-WEIGHTS",
                f"weight {name!r} is {has}; the network needs {value.shape}",
                where=str(path),
                fix="these weights belong to another network: train again",
            )
    surplus = sorted(set(found) - set(wanted))
    if surplus:
        raise ModelError(
            "MODEL-WEIGHTS",
            f"the file holds {len(surplus)} weights that the network lacks, such as {surplus[0]!r}",
            where=str(path),
            fix="these weights belong to another network: train again",
        )
    model.set_weights([found[name] for name in wanted])


def named_weights(model: Any) -> dict[str, np.ndarray]:
    """Return the weights in the order of `model.weights`, under ``layer/kernel``-like names."""
    named: dict[str, np.ndarray] = {}
    for variable, value in zip(model.weights, model.get_weights(), strict=True):
        name = variable.name.split(":")[0]
        while name in named:
            name += "_"
        named[name] = value
    return named


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write an npz at one stroke: a reader, or a run after a crash, never sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("wb") as file:
            # mypy takes the keywords for savez's own `allow_pickle`.
            np.savez(file, **arrays)  # type: ignore[arg-type]
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read an npz without executing anything in it, or raise `ModelError` ``MODEL-WEIGHTS``."""
    try:
        return bounded_reading.read_arrays(path)
    except UnreadableError as error:
        raise ModelError(
            "MODEL-WEIGHTS",
            f"the weights cannot be read: {error}",
            where=str(path),
            fix="train again; the file is missing or damaged",
        ) from error
