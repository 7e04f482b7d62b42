"""The state of a training after an epoch, in one file that is there whole or not at all."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from siliconv.bounded_reading import parse_json
from siliconv.errors import DAMAGE, ModelError
from siliconv.models.architectures.weights import read_arrays, write_arrays
from siliconv.models.data.image_store import Dataset
from siliconv.models.training.history import History
from siliconv.models.training.train_config import TrainConfig

# What may change between two runs of one training: it says how long to go on, not how.
_MAY_CHANGE = {"epochs", "patience"}
_UNUSABLE: tuple[type[Exception], ...] = (ModelError, *DAMAGE)
_SAMPLE = 64
"""Images of a split that are looked at to tell one data set from another."""


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """Everything the next epoch depends on, and whether the training had come to its end."""

    history: History
    finished: bool
    model: list[np.ndarray]
    optimizer: list[np.ndarray]
    best: list[np.ndarray]
    instructions: str = ""
    """The `instruction_set` that its last epoch was trained with."""


def training_fingerprint(config: TrainConfig, initial: list[np.ndarray], dataset: Dataset, about: str = "") -> str:
    """Return a hash of what a training starts from: settings, initial weights, labels, some of the images, and
    whatever `about` says.
    """
    digest = hashlib.sha256(config.model_dump_json(exclude=_MAY_CHANGE).encode())
    digest.update(f"{about}{config.code_of_loss}".encode())
    digest.update(repr((dataset.class_names, dataset.task, dataset.input, *dataset.summary.parts)).encode())
    arrays = list(initial)
    for images in (dataset.train, dataset.val):
        sample = np.linspace(0, max(len(images) - 1, 0), min(_SAMPLE, len(images))).astype(np.int64)
        arrays += [images.labels, images.read(sample)]
    for values in arrays:
        digest.update(f"{values.shape}{values.dtype}".encode())
        digest.update(np.ascontiguousarray(values).data)
    return digest.hexdigest()


def save_checkpoint(path: Path, checkpoint: Checkpoint, fingerprint: str) -> None:
    """Replace the checkpoint by a newer one."""
    about: dict[str, Any] = {
        "fingerprint": fingerprint,
        "history": checkpoint.history.as_json(),
        "finished": checkpoint.finished,
    }
    about["instructions"] = checkpoint.instructions
    arrays: dict[str, np.ndarray] = {"about": np.frombuffer(json.dumps(about).encode(), np.uint8)}
    for group in ("model", "optimizer", "best"):
        values = getattr(checkpoint, group)
        arrays |= {f"{group}/{number:04d}": value for number, value in enumerate(values)}
    write_arrays(path, arrays)


def load_checkpoint(path: Path, fingerprint: str) -> Checkpoint | str:
    """Return the checkpoint of this training, or the reason why there is none to go on from (empty:
    no file).
    """
    if not path.exists():
        return ""
    try:
        arrays = read_arrays(path)
        about = parse_json(arrays["about"].tobytes(), finite=False)
        own, finished = about["fingerprint"] == fingerprint, about["finished"]
        history = History.from_json(about["history"])
    except _UNUSABLE:
        return f"{path.name} is damaged or of another version"
    if not own:
        return f"{path.name} belongs to other settings or data"
    groups: dict[str, Any] = {
        group: [arrays[name] for name in sorted(arrays) if name.startswith(f"{group}/")]
        for group in ("model", "optimizer", "best")
    }
    return Checkpoint(history, finished, **groups, instructions=str(about.get("instructions", "")))
