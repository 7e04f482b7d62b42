"""A project file for arrays or a table that runs as it is: a small network for their numbers and their answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from siliconv.bounded_reading import UnreadableError
from siliconv.errors import DataError
from siliconv.hardware.boards import Board
from siliconv.models.answers.task import Question, TaskChoice
from siliconv.models.data.array_sources import parts_of_file
from siliconv.models.data.data_config import DataConfig, SourceKind
from siliconv.project.photo_template import convolutions, hardware_lines, task_lines, training_lines, written_path
from siliconv.project.versions import VERSION

_MOST_CLASSES = 100
_EXAMPLES_A_CLASS = 4
"""Whole numbers of which each occurs so often on average are classes; others are values of a target."""

_FEW_MULTIPLIERS = 256
"""Of a layer, where no board is named."""


@dataclass(frozen=True)
class FoundArrays:
    """What a file holds.

    Parameters
    ----------
    count
        Examples.
    shape
        Of one input, as a network takes it.
    last
        The layer that answers, as a project file describes it; empty where the answer is the input again.
    answers
        What it answers, in words.
    real
        Whether the inputs are real numbers, whose features may differ in scale.
    """

    count: int
    shape: tuple[int, ...]
    last: str
    answers: str
    real: bool


def look_at_arrays(path: Path, source: SourceKind, task: TaskChoice = "auto") -> FoundArrays:
    """Look at inputs and right answers; what the network is asked follows from those where it is not said.

    Raises
    ------
    DataError
        ``DATA-LAYOUT`` for what is no such file, ``DATA-TASK`` where it has no right answers, or none of the task,
        ``DATA-...`` as `siliconv.models.data.array_sources.parts_of_file`.
    """
    try:
        question = Question(task, layer="", inputs=(), output=())  # of one that may be asked nothing
        parts, _ = parts_of_file(DataConfig(source=source, path=path), path, question)
        labels = [part.y.read(0, part.y.shape[0]) for part in parts if part.y is not None and part.y.shape]
    except UnreadableError as error:
        raise DataError(
            "DATA-LAYOUT",
            f"it cannot be read: {error}",
            where=str(path),
            fix="give arrays x and y (numpy.savez), or a table with a line of names (docs/data.md)",
        ) from error
    if task == "none":
        raise DataError(
            "DATA-TASK",
            "a network that is asked nothing cannot be made from data",
            where="--task none",
            fix="name the network with --from or --preset",
        )
    if task != "autoencoder" and (not labels or any(part.y is None for part in parts)):
        raise DataError(
            "DATA-TASK",
            "there are no right answers in it, so no network can be made for them",
            where=str(path),
            fix="call their array y, or a table's column label; say --task autoencoder for a network that gives its "
            "input again; or name a network with --from or --preset",
        )
    column = parts[0].x
    shape = column.shape[1:] or (1,)
    if len(shape) == 2 and column.dtype == np.uint8:
        shape = (*shape, 1)  # grey pictures
    last, answers = "", "its input again"
    if task != "autoencoder":
        last, answers = _last(np.concatenate(labels), task, path)
    count = sum(part.x.shape[0] for part in parts)
    return FoundArrays(count, shape, last, answers, column.dtype.kind == "f")


def array_project_text(
    name: str,
    project: Path,
    arrays: FoundArrays,
    path: Path,
    source: SourceKind,
    board: Board | None,
    task: TaskChoice = "auto",
) -> str:
    """Give the text of a project file for arrays.

    Parameters
    ----------
    name
        Of the project.
    project
        Its folder; the path of the file is written as seen from there.
    arrays, path, source
        What was found, and where.
    board
        Whose device and clock the firmware is written for; None for the defaults.
    task
        What the network is asked, where it was said.
    """
    layers = (*_hidden(arrays.shape), arrays.last) if arrays.last else _autoencoder(arrays.shape)
    lines = [
        f"# siliconv project '{name}', made for {arrays.count:,} inputs of {' x '.join(map(str, arrays.shape))}.",
        f"version: {VERSION}",
        "",
        "data:",
        f"  source: {source}",
        f"  path: {written_path(path, project)}",
        *(["  standardize: true  # each feature to mean 0 and deviation 1, as part of the network"] * _scaled(arrays)),
        "",
        f"# A small network to begin with; its answer: {arrays.answers}.",
        "model:",
        f"  input_shape: [{', '.join(map(str, arrays.shape))}]",
        "  layers:",
        *(f"    - {layer}" for layer in layers),
        "",
        *task_lines(task),
        *training_lines(arrays.count),
    ]
    few = ["", "hls:", f"  max_multipliers: {_FEW_MULTIPLIERS}"]
    return "\n".join([*lines, *(hardware_lines(board) if board is not None else few)]) + "\n"


def _scaled(arrays: FoundArrays) -> bool:
    return bool(arrays.last) and arrays.real and len(arrays.shape) < 3


def _hidden(shape: tuple[int, ...]) -> Sequence[str]:
    if len(shape) == 1:
        return [f"{{kind: dense, units: {units}, activation: relu}}" for units in (64, 32)]
    if len(shape) == 2:
        return [
            "{kind: conv1d, filters: 8, activation: relu}",
            *["{kind: max_pool}"] * (shape[0] >= 8),
            "{kind: conv1d, filters: 16, activation: relu}",
            *["{kind: max_pool}"] * (shape[0] >= 16),
            "{kind: flatten}",
            "{kind: dense, units: 32, activation: relu}",
        ]
    return [*convolutions(min(shape[:2]), 2), "{kind: global_average_pool}"]


def _autoencoder(shape: tuple[int, ...]) -> Sequence[str]:
    """Describe a small network whose output has the shape of its input."""
    if len(shape) == 1:
        hidden = (64, 8, 64)
        return [
            *(f"{{kind: dense, units: {units}, activation: relu}}" for units in hidden),
            f"{{kind: dense, units: {shape[0]}}}",
        ]
    kind = "conv1d" if len(shape) == 2 else "conv2d"
    return [
        *(f"{{kind: {kind}, filters: {filters}, activation: relu}}" for filters in (8, 4, 8)),
        f"{{kind: {kind}, filters: {shape[-1]}}}",
    ]


def _last(labels: np.ndarray, task: TaskChoice, path: Path) -> tuple[str, str]:
    """Give the layer that answers, and what it does, from all right answers and the task, where it was said."""
    rows = labels.reshape(len(labels), -1) if len(labels) else labels.reshape(0, 1)
    width = rows.shape[1]
    numbers = labels.dtype.kind in "biuf"
    zero_one = numbers and bool(np.isin(rows, (0, 1)).all())
    one_hot = width > 1 and zero_one and bool((rows.astype(bool).sum(axis=1) == 1).all())
    whole = labels.dtype.kind in "biuSU" or (numbers and bool((rows == np.round(rows)).all()))
    distinct = len(np.unique(rows))
    possible = {
        "classification": one_hot or (width == 1 and whole and distinct > 1),
        "multilabel": zero_one,
        "regression": numbers,
    }
    if task == "auto":
        few = distinct <= min(_MOST_CLASSES, max(len(rows) // _EXAMPLES_A_CLASS, 2))
        if one_hot or (width == 1 and whole and few):
            task = "classification"
        else:
            task = "multilabel" if width > 1 and zero_one else "regression"
    elif not possible[task]:
        fitting = [name for name, fits in possible.items() if fits]
        raise DataError(
            "DATA-TASK",
            f"the right answers are none of {task}: {width} a line, {distinct} different ones, {labels.dtype}",
            where=f"{path}, --task {task}",
            fix="leave --task out" + (f", or say {' or '.join(fitting)}" if fitting else ""),
        )
    if task == "classification" and (width > 1 or distinct != 2):
        count = width if width > 1 else distinct
        return f"{{kind: dense, units: {count}}}", f"{count} classes"
    if task == "classification":
        return "{kind: dense, units: 1, activation: sigmoid}", "the second of two classes"
    if task == "multilabel":
        return f"{{kind: dense, units: {width}, activation: sigmoid}}", f"{width} labels, each there or not"
    return f"{{kind: dense, units: {width}}}", f"{width} numbers" if width > 1 else "a number"
