"""Pictures of answers that are no classes, PNG or SVG: outputs against targets, errors, reconstruction errors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from siliconv.models.pictures import in_picture, save_picture

MOST_TARGETS = 6
"""Targets that are drawn each by itself."""

_MOST_POINTS = 20_000
_MOST_VECTORS = 1000


def targets_picture(
    outputs: np.ndarray, targets: np.ndarray, names: tuple[str, ...], path: Path, *, title: str = "target"
) -> Path:
    """Draw outputs against targets, and the errors against targets and as a histogram; a row for each target.

    Parameters
    ----------
    outputs, targets
        (n, *shape); more than `MOST_TARGETS` of them are drawn as one.
    names
        Of the targets.
    path
        The file, PNG or SVG.
    title
        What the targets are.
    """
    found, right = (np.asarray(one, np.float64).reshape(len(outputs), -1) for one in (outputs, targets))
    together = right.shape[1] > MOST_TARGETS or len(names) != right.shape[1]
    columns = [("all outputs", found.ravel(), right.ravel())]
    if not together:
        columns = [(name, found[:, number], right[:, number]) for number, name in enumerate(names)]
    figure = Figure(figsize=(11, 3.2 * len(columns)), layout="constrained")
    grid = figure.subplots(len(columns), 3, squeeze=False)
    for (scatter, residual, histogram), (name, given, true) in zip(grid, columns, strict=True):
        shown = slice(None, None, max(1, len(given) // _MOST_POINTS))
        ends = [float(min(given.min(), true.min())), float(max(given.max(), true.max()))]
        scatter.plot(ends, ends, color="grey", linewidth=1)
        # Thousands of points are pixels in a vector picture too.
        many = len(true[shown]) > _MOST_VECTORS
        scatter.plot(true[shown], given[shown], ".", markersize=2, rasterized=many)
        residual.axhline(0.0, color="grey", linewidth=1)
        residual.plot(true[shown], (given - true)[shown], ".", markersize=2, rasterized=many)
        histogram.hist(given - true, bins=60)
        scatter.set_title(in_picture(name), fontsize=9)
        for axes, across, up in (
            (scatter, title, "output"),
            (residual, title, "error"),
            (histogram, "error: output minus target", "entries"),
        ):
            axes.set_xlabel(across)
            axes.set_ylabel(up)
            axes.grid(alpha=0.3)
    return save_picture(figure, path)


def errors_picture(errors: np.ndarray, classes: np.ndarray, names: tuple[str, ...], path: Path) -> Path:
    """Draw how the reconstruction errors of images, (n,), are spread; a histogram for each class, (n,), if there are.

    Parameters
    ----------
    errors
        Mean square error of each image.
    classes
        Class numbers.
    names
        Of the classes; none draws all in one.
    path
        The file, PNG or SVG.
    """
    figure = Figure(figsize=(7, 3.4), layout="constrained")
    axes = figure.subplots()
    bins = np.linspace(float(errors.min()), max(float(errors.max()), float(errors.min()) + 1e-12), 60)
    parts = {name: errors[classes == number] for number, name in enumerate(names)} or {"all images": errors}
    for name, part in parts.items():
        axes.hist(part, bins=list(bins), alpha=0.6, label=in_picture(name))
    axes.set_xlabel("mean square reconstruction error")
    axes.set_ylabel("images")
    axes.legend()
    axes.grid(alpha=0.3)
    return save_picture(figure, path)
