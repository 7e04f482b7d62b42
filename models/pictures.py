"""Pictures of training and answers, as PNG or SVG files: learning curves, confusion matrix, ROC curve, image grids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from siliconv.models.answers.evaluation import BinaryScore, Metrics
from siliconv.models.training.history import History
from siliconv.models.vector_pictures import save_vector_picture, tell

_DPI = 110
MOST_TOLD = 60
"""Epochs of a learning curve whose values show when they are pointed at."""

_GRID_IMAGE, _GRID_TITLE, _GRID_LINE, _GRID_GAP = 1.6, 0.22, 0.15, 0.14
"""Of a grid of images, in inches: side of an image, height of the title above and of each line below it, and what is
free between two of them."""


def learning_curves(history: History, path: Path) -> Path:
    """Draw loss and accuracy, training and validation, over all epochs, with a line where a later run went on."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    loss, accuracy = figure.subplots(1, 2)
    for axes, name, title in ((loss, "loss", "loss"), (accuracy, "accuracy", history.metric)):
        _draw_curves(axes, history, name, title)
        axes.legend()
    return save_picture(figure, path)


def learning_curve_pictures(history: History, folder: Path, name: str, kept: int | None) -> tuple[Path, ...]:
    """Draw loss and metric over all epochs, an SVG each, with the epoch whose weights were kept.

    Parameters
    ----------
    history
        Of the training.
    folder, name
        Where the files go, and how their names begin: ``NAME_loss.svg``, ``NAME_metric.svg``.
    kept
        Index of the epoch whose weights the network has; None where it has none of them.
    """
    found = []
    for field, title in (("loss", "loss"), ("accuracy", history.metric)):
        figure = Figure(figsize=(4.6, 3.1), layout="constrained")
        axes = figure.subplots()
        _draw_curves(axes, history, field, title)
        for colour, prefix in (("C0", ""), ("C1", "val_")):
            for record in history.epochs[:: -(-len(history) // MOST_TOLD)]:
                value = getattr(record, prefix + field)
                if value is not None:
                    (point,) = axes.plot([record.epoch + 1], [value], "o", color=colour, markersize=7, alpha=0.0)
                    which = "validation" if prefix else "training"
                    tell(point, f"epoch {record.epoch + 1}, {which}: {title} {value:.4g}")
        if kept is not None:
            line = axes.axvline(kept + 1, color="C2", linestyle="--", linewidth=1.2, label=f"kept: epoch {kept + 1}")
            tell(line, f"the weights of epoch {kept + 1} were kept")
        axes.legend(fontsize=8)
        found.append(save_picture(figure, folder / f"{name}_{'loss' if field == 'loss' else 'metric'}.svg"))
    return tuple(found)


def _draw_curves(axes: Axes, history: History, name: str, title: str) -> None:
    epochs = [record.epoch + 1 for record in history.epochs]
    axes.plot(epochs, [getattr(record, name) for record in history.epochs], label="training")
    validation = [getattr(record, f"val_{name}") for record in history.epochs]
    if None not in validation:
        axes.plot(epochs, validation, label="validation")
    for start in history.runs:
        axes.axvline(start + 0.5, color="grey", linestyle=":", linewidth=1)
    axes.set_xlabel("epoch")
    axes.set_ylabel(title)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)


def confusion_picture(metrics: Metrics, path: Path) -> Path:
    """Draw the confusion matrix with its counts: true classes down, predicted ones across."""
    names = [in_picture(score.name) for score in metrics.classes]
    counts = np.array(metrics.confusion)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = 2.2 + 0.5 * len(names)
    figure = Figure(figsize=(side, side), layout="constrained")
    axes = figure.subplots()
    axes.imshow(shares, cmap="Blues", vmin=0.0, vmax=1.0)
    for row, column in np.ndindex(counts.shape):
        colour = "white" if shares[row, column] > 0.5 else "black"
        axes.text(column, row, str(counts[row, column]), ha="center", va="center", color=colour, fontsize=8)
    axes.set_xticks(range(len(names)), names, rotation=45 if len(names) > 3 else 0)
    axes.set_yticks(range(len(names)), names)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    axes.set_title(f"accuracy {metrics.accuracy:.4f}")
    return save_picture(figure, path)


def roc_picture(curves: Mapping[str, BinaryScore], path: Path) -> Path:
    """Draw the ROC curves of one or several networks, such as float, quantized and firmware."""
    figure = Figure(figsize=(4.4, 4.2), layout="constrained")
    axes = figure.subplots()
    for name, score in curves.items():
        (line,) = axes.plot(score.false_positive, score.true_positive, label=f"{name}, area {score.auc:.4f}")
        tell(line, f"{name}: area under the curve {score.auc:.4f}")
    axes.plot([0, 1], [0, 1], color="grey", linestyle=":", linewidth=1)
    axes.set_xlabel("false positive rate")
    axes.set_ylabel("true positive rate")
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")
    return save_picture(figure, path)


def prediction_grid(
    pixels: np.ndarray,
    labels: np.ndarray,
    predictions: Mapping[str, np.ndarray],
    class_names: tuple[str, ...],
    path: Path,
    *,
    columns: int = 6,
) -> Path:
    """Draw images with their true class and what each network says; wrong answers are red.

    Parameters
    ----------
    pixels
        uint8 images, (n, height, width, channels), or other inputs as they are.
    labels
        Class numbers, (n,).
    predictions
        For each network, by name, its logits, (n, 1) or (n, classes).
    class_names
        Names of the classes, by number.
    path
        The PNG file.
    columns
        Images a row.
    """
    answers = {name: probabilities(logits) for name, logits in predictions.items()}
    rows = max(1, -(-len(pixels) // columns))
    cell = _GRID_TITLE + _GRID_IMAGE + _GRID_LINE * len(answers) + _GRID_GAP
    width, height = columns * (_GRID_IMAGE + _GRID_GAP), rows * cell
    figure = Figure(figsize=(width, height))
    for number, image in enumerate(pixels):
        row, column = divmod(number, columns)
        left, top = column * (_GRID_IMAGE + _GRID_GAP) + _GRID_GAP / 2, height - row * cell - _GRID_TITLE
        place = (left / width, (top - _GRID_IMAGE) / height, _GRID_IMAGE / width, _GRID_IMAGE / height)
        axes = figure.add_axes(place)
        axes.axis("off")
        _show(axes, image)
        axes.set_title(in_picture(class_names[labels[number]]), fontsize=8, pad=3)
        for line, (name, shares) in enumerate(answers.items()):
            guess = int(shares[number].argmax())
            figure.text(
                (left + _GRID_IMAGE / 2) / width,
                (top - _GRID_IMAGE - _GRID_LINE * (line + 0.2)) / height,
                in_picture(f"{name}: {class_names[guess]} {shares[number, guess]:.2f}"),
                ha="center",
                va="top",
                fontsize=7,
                color="black" if guess == labels[number] else "red",
            )
    return save_picture(figure, path)


def probabilities(logits: np.ndarray) -> np.ndarray:
    """Return class probabilities, (n, classes): the softmax, or for a single logit the sigmoid and
    its rest.
    """
    logits = np.asarray(logits, np.float64)
    if logits.shape[1] == 1:
        logits = np.concatenate([np.zeros_like(logits), logits], axis=1)
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def image_sheet(columns: Sequence[tuple[str, np.ndarray]], path: Path) -> Path:
    """Draw columns of images under their names, such as the same images under each augmentation."""
    rows = max(len(images) for _, images in columns)
    figure = Figure(figsize=(1.3 * len(columns), 1.35 * rows + 0.3), layout="constrained")
    grid = figure.subplots(rows, len(columns), squeeze=False)
    for column, (name, images) in enumerate(columns):
        grid[0, column].set_title(name, fontsize=8)
        for row in range(rows):
            grid[row, column].axis("off")
            if row < len(images):
                _show(grid[row, column], images[row])
    return save_picture(figure, path)


def in_picture(text: str) -> str:
    """Give a text that matplotlib draws as it is: between two dollars it would read a formula."""
    return text.replace("$", r"\$")


def _show(axes: Axes, pixels: np.ndarray) -> None:
    if pixels.ndim == 1:
        axes.bar(range(len(pixels)), pixels)
    elif pixels.ndim == 2:
        axes.plot(pixels, linewidth=0.8)
    elif pixels.dtype != np.uint8 or pixels.shape[-1] not in (1, 3, 4):
        axes.imshow(pixels.mean(axis=-1), cmap="gray")
    else:
        axes.imshow(pixels, cmap="gray" if pixels.shape[-1] == 1 else None, vmin=0, vmax=255)


def save_picture(figure: Figure, path: Path) -> Path:
    """Write a figure as what its name ends with: ``.svg`` for a page, or PNG."""
    if path.suffix == ".svg":
        return save_vector_picture(figure, path)
    path.parent.mkdir(parents=True, exist_ok=True)
    FigureCanvasAgg(figure).print_figure(path, dpi=_DPI, metadata={"Software": None})
    return path
