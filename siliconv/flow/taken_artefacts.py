"""A QKeras model that is taken as it is, in a build folder: its layers as JSON, and its weights."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from siliconv.bounded_reading import UnreadableError, read_as
from siliconv.errors import ProjectError

if TYPE_CHECKING:
    from siliconv.models.architectures.keras_file import Weights
    from siliconv.models.qkeras_files.qkeras_reading import TakenModel

TAKEN_FILE = "taken.json"


def save_taken(model: TakenModel, weights: Weights, folder: Path) -> None:
    """Write what `load_taken` reads."""
    from siliconv.models.architectures.weights import write_arrays

    (folder / TAKEN_FILE).write_text(model.model_dump_json(indent=1) + "\n", encoding="utf-8")
    arrays = {f"{layer}/{number}": one for layer, values in weights.items() for number, one in enumerate(values)}
    write_arrays(folder / "weights.npz", arrays)


def is_taken(folder: Path) -> bool:
    """Whether a folder has a QKeras model that was taken as it is."""
    return (folder / TAKEN_FILE).is_file()


def read_taken(folder: Path) -> tuple[TakenModel, Weights]:
    """Read the layers and the weights.

    Raises
    ------
    ProjectError
        ``BUILD-DAMAGED`` for what siliconv did not write.
    """
    from siliconv.models.architectures.weights import read_arrays
    from siliconv.models.qkeras_files.qkeras_reading import TakenModel

    try:
        model = read_as(folder / TAKEN_FILE, TakenModel)
    except UnreadableError as error:
        raise ProjectError(
            "BUILD-DAMAGED",
            f"it is not what siliconv wrote: {error}",
            where=str(folder / TAKEN_FILE),
            fix="have it written again: siliconv run PROJECT --force",
        ) from error
    weights: Weights = {}
    arrays = read_arrays(folder / "weights.npz")
    for name in sorted(arrays, key=lambda name: (name.rpartition("/")[0], int(name.rpartition("/")[2]))):
        weights.setdefault(name.rpartition("/")[0], []).append(arrays[name])
    return model, weights


def load_taken(folder: Path) -> Any:
    """Build the model again; in `siliconv.legacy_keras.double_precision` the one that computes in float64."""
    from siliconv import legacy_keras
    from siliconv.quantize.taken.exact_model import exact_model
    from siliconv.quantize.taken.taken_model import taken_model

    model, weights = read_taken(folder)
    double = legacy_keras.load().backend.floatx() == "float64"
    return exact_model(model, weights) if double else taken_model(model, weights)
