"""The pictures of the report, drawn from the logits that the stages left: no network runs for them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from siliconv.flow.artefacts import TEST_LOGITS_FILE, TEST_OUTPUTS_FILE, read_json
from siliconv.models.answer_pictures import errors_picture, targets_picture
from siliconv.models.answers.evaluation import binary_score, evaluate
from siliconv.models.answers.several_answers import answers_of, outputs_of
from siliconv.models.answers.task import AnswerPart
from siliconv.models.data.image_store import Dataset, open_dataset, spread
from siliconv.models.data.number_type import PIXELS
from siliconv.models.pictures import learning_curve_pictures, prediction_grid, probabilities, roc_picture
from siliconv.models.training.history import History
from siliconv.models.training.scoring import Judge, reconstruction_errors
from siliconv.project.project import ProjectConfig

NETWORKS = {"float": "float", "quantized": "quantized", "firmware": "network"}
"""What the pictures call each network, and its folder in the build; the integer network is the firmware's."""

GRID_IMAGES = 18
MOST_CURVES = 12

Outputs = dict[str, np.ndarray]
"""What each network gives for the test images, by its name."""


def draw_pictures(build: Path, folder: Path, judge: Judge, project: ProjectConfig) -> None:
    """Draw what the three networks say of the test images into `folder`: vector pictures, and grids of images as PNG.

    ``learning_float_loss.svg`` and the like with the epoch that was kept, and a copy of ``augmentation.png``, where
    there was a training; and in the terms of the task:

    - classification: ``roc.svg`` (two classes only), ``predictions.png`` (test images spread over the set),
      ``mistakes.png`` (where the firmware is wrong and surest, if anywhere);
    - several labels: ``roc.svg``, a curve for each label of the firmware;
    - numbers: ``targets.svg``, the firmware's outputs and their errors against the targets;
    - an autoencoder: ``errors.svg``, the reconstruction errors of the firmware, and ``roc.svg`` where there are two
      classes;
    - no task: ``targets.svg``, the firmware's outputs against those of the float network;
    - several outputs: those of each in a folder called like it.
    """
    folder.mkdir(parents=True)
    dataset = open_dataset(build / "data")
    logits = {name: np.load(build / place / TEST_LOGITS_FILE) for name, place in NETWORKS.items()}
    outputs = {name: judge.outputs(values) for name, values in logits.items()}
    if (build / "network" / TEST_OUTPUTS_FILE).exists():
        outputs["firmware"] = np.load(build / "network" / TEST_OUTPUTS_FILE)
    if not judge.parts:
        _DRAWERS[judge.task](dataset, outputs, folder)
    for number, part in enumerate(judge.parts):
        (folder / part.name).mkdir()
        of_part = {name: outputs_of(number, judge.parts, values) for name, values in outputs.items()}
        _DRAWERS[part.task](_of_output(dataset, number, part), of_part, folder / part.name)
    if (build / "float" / "augmentation.png").exists():
        shutil.copyfile(build / "float" / "augmentation.png", folder / "augmentation.png")
    for name in ("float", "quantized"):
        path = build / name / "history.json"
        if path.exists():
            history = History.from_json(read_json(path))
            learning_curve_pictures(history, folder, f"learning_{name}", _kept_epoch(build, name, history, project))


def _kept_epoch(build: Path, name: str, history: History, project: ProjectConfig) -> int | None:
    """Give the index of the epoch whose weights a network has; None where fine-tuning did not help."""
    recipe = project.quantize
    config, settled = project.train, 0
    if name == "quantized":
        if not read_json(build / name / "metrics.json")["fine_tuned"]:
            return None
        config = recipe.train
        if config is not None and recipe.pruning is not None and recipe.pruning.before is None:
            from siliconv.quantize.training.pruning import settled as settled_of

            settled = settled_of(recipe.pruning, config)
    if config is None or not len(history):
        return None
    return history.best_epoch(config, settled) if config.keep == "best" else len(history) - 1


def _of_output(dataset: Dataset, number: int, part: AnswerPart) -> Dataset:
    """Give a data set whose test images have the right answers of one output."""
    labels = answers_of(number, dataset.summary.parts, dataset.test.labels)
    summary = replace(dataset.summary, task=part.task, class_names=part.names, parts=())
    return replace(dataset, test=replace(dataset.test, labels=labels, class_names=part.names), summary=summary)


def _draw_classes(dataset: Dataset, outputs: Outputs, folder: Path) -> None:
    metrics = {name: evaluate(values, dataset.test.labels, dataset.class_names) for name, values in outputs.items()}
    curves = {name: found.binary for name, found in metrics.items() if found.binary is not None}
    if curves:
        roc_picture(curves, folder / "roc.svg")
    _grid(spread(len(dataset.test), GRID_IMAGES), outputs, dataset, folder / "predictions.png")
    mistakes = _surest_mistakes(outputs["firmware"], dataset.test.labels)[:GRID_IMAGES]
    if len(mistakes):
        _grid(mistakes, outputs, dataset, folder / "mistakes.png")


def _draw_labels(dataset: Dataset, outputs: Outputs, folder: Path) -> None:
    labels = dataset.test.labels
    found = {
        name: binary_score(outputs["firmware"][:, number], labels[:, number].astype(np.int64))
        for number, name in zip(range(MOST_CURVES), dataset.class_names, strict=False)
    }
    curves = {name: curve for name, curve in found.items() if curve is not None}
    if curves:
        roc_picture(curves, folder / "roc.svg")


def _draw_targets(dataset: Dataset, outputs: Outputs, folder: Path) -> None:
    targets_picture(outputs["firmware"], dataset.test.labels, dataset.class_names, folder / "targets.svg")


def _draw_reconstruction(dataset: Dataset, outputs: Outputs, folder: Path) -> None:
    labels, names = dataset.test.labels, dataset.class_names
    errors = {name: reconstruction_errors(values, dataset.test) for name, values in outputs.items()}
    errors_picture(errors["firmware"], labels, names, folder / "errors.svg")
    if len(names) == 2:
        found = {name: binary_score(values, labels) for name, values in errors.items()}
        roc_picture({name: curve for name, curve in found.items() if curve is not None}, folder / "roc.svg")


def _draw_difference(dataset: Dataset, outputs: Outputs, folder: Path) -> None:
    targets_picture(outputs["firmware"], outputs["float"], (), folder / "targets.svg", title="float network")


_DRAWERS: dict[str, Callable[[Dataset, Outputs, Path], None]] = {
    "classification": _draw_classes,
    "multilabel": _draw_labels,
    "regression": _draw_targets,
    "autoencoder": _draw_reconstruction,
    "none": _draw_difference,
}


def _grid(chosen: np.ndarray, logits: Outputs, dataset: Dataset, path: Path) -> None:
    predictions = {name: values[chosen] for name, values in logits.items()}
    shown = dataset.test.read(chosen) if dataset.input == PIXELS else dataset.test.values(chosen)
    prediction_grid(shown, dataset.test.labels[chosen], predictions, dataset.class_names, path)


def _surest_mistakes(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Numbers of the images that are called wrong, the surest first."""
    shares = probabilities(logits)
    guesses = shares.argmax(axis=1)
    wrong = np.flatnonzero(guesses != labels)
    return np.asarray(wrong[np.argsort(-shares[wrong, guesses[wrong]], kind="stable")])
