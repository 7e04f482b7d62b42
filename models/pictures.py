"""Pictures for the report, as PNG files: learning curves, confusion matrix, ROC curve, image grids."""

from __future__ import annotations

from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from siliconv.models.history import History

_DPI = 110


def learning_curves(history: History, path: Path, *, runs: tuple[int, ...] = ()) -> Path:
    """Draw loss and accuracy, training and validation, over all epochs; `runs` marks where a later run went
    on.
    """
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    loss, accuracy = figure.subplots(1, 2)
    epochs = [record.epoch + 1 for record in history.epochs]
    for axes, name in ((loss, "loss"), (accuracy, "accuracy")):
        axes.plot(epochs, [getattr(record, name) for record in history.epochs], label="training")
        validation = [getattr(record, f"val_{name}") for record in history.epochs]
        if None not in validation:
            axes.plot(epochs, validation, label="validation")
        for start in runs:
            axes.axvline(start + 0.5, color="grey", linestyle=":", linewidth=1)
        axes.set_xlabel("epoch")
        axes.set_ylabel(name)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
        axes.legend()
    return _save(figure, path)


def _save(figure: Figure, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    FigureCanvasAgg(figure).print_figure(path, dpi=_DPI, metadata={"Software": None})
    return path
