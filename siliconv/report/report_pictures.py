"""The pictures of the report, drawn from the logits that the stages left: no network runs for them."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from siliconv.flow.artefacts import RANGES_FILE, TEST_LOGITS_FILE, metrics_of, read_json
from siliconv.models.data.image_store import Dataset, open_dataset, spread
from siliconv.models.pictures import confusion_picture, prediction_grid, probabilities, roc_picture
from siliconv.report.range_picture import range_picture

NETWORKS = {"float": "float", "quantized": "quantized", "firmware": "network"}
"""What the pictures call each network, and its folder in the build; the integer network is the firmware's."""

GRID_IMAGES = 18


def draw_pictures(build: Path, folder: Path) -> None:
    """Draw what the three networks say of the test images into `folder`, as PNG.

    ``confusion.png`` (firmware), ``roc.png`` (two classes only), ``predictions.png`` (test images spread over the
    set), ``mistakes.png`` (where the firmware is wrong and surest, if anywhere), ``ranges.png`` (the values of each
    tensor against its type), and copies of
    ``learning_curves_float.png``, ``learning_curves_quantized.png`` and ``augmentation.png`` where there was a
    training.
    """
    folder.mkdir(parents=True)
    dataset = open_dataset(build / "data")
    logits = {name: np.load(build / place / TEST_LOGITS_FILE) for name, place in NETWORKS.items()}
    metrics = {name: metrics_of(values, dataset) for name, values in logits.items()}
    confusion_picture(metrics["firmware"], folder / "confusion.png")
    curves = {name: found.binary for name, found in metrics.items() if found.binary is not None}
    if curves:
        roc_picture(curves, folder / "roc.png")
    _grid(spread(len(dataset.test), GRID_IMAGES), logits, dataset, folder / "predictions.png")
    mistakes = _surest_mistakes(logits["firmware"], dataset.test.labels)[:GRID_IMAGES]
    if len(mistakes):
        _grid(mistakes, logits, dataset, folder / "mistakes.png")
    range_picture(read_json(build / "network" / RANGES_FILE), folder / "ranges.png")
    for source, name in (
        ("float/learning_curves.png", "learning_curves_float.png"),
        ("quantized/learning_curves.png", "learning_curves_quantized.png"),
        ("float/augmentation.png", "augmentation.png"),
    ):
        if (build / source).exists():
            shutil.copyfile(build / source, folder / name)


def _grid(chosen: np.ndarray, logits: dict[str, np.ndarray], dataset: Dataset, path: Path) -> None:
    predictions = {name: values[chosen] for name, values in logits.items()}
    prediction_grid(dataset.test.read(chosen), dataset.test.labels[chosen], predictions, dataset.class_names, path)


def _surest_mistakes(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Numbers of the images that are called wrong, the surest first."""
    shares = probabilities(logits)
    guesses = shares.argmax(axis=1)
    wrong = np.flatnonzero(guesses != labels)
    return np.asarray(wrong[np.argsort(-shares[wrong, guesses[wrong]], kind="stable")])
