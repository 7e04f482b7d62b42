"""Right answers of several outputs: each has its own, kept beside those of the others in one row an example."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import prod
from pathlib import Path

import numpy as np

from siliconv.errors import DataError, ModelError
from siliconv.models.answers.right_answers import RightAnswers, check_answers, found_task, right_answers
from siliconv.models.answers.task import AnswerPart, Question, Task

Labels = Sequence[np.ndarray]
"""As they are stored, of each part of a source."""


def several_answers(
    labels: Mapping[str, Labels],
    counts: Sequence[int],
    question: Question,
    path: Path,
    *,
    names: Mapping[str, Sequence[str]] | None = None,
) -> RightAnswers:
    """Give the right answers of each output, those of outputs without labels being none.

    Parameters
    ----------
    labels
        By the output's name.
    counts
        Examples of each part of the source.
    question
        What is known of the network and its outputs.
    path
        The source, for messages.
    names
        Of classes, labels or targets by the output's name, where the source has some.

    Raises
    ------
    DataError
        ``DATA-LABELS``, ``DATA-LAYOUT``, ``DATA-TASK`` as `right_answers`.
    ModelError
        As `check_answers`, for each output; ``TASK-TRAIN`` where no output has right answers to train on.
    """
    parts, columns, strata = [], [], None
    for one in question.parts:
        found = right_answers(labels.get(one.layer), counts, one, path, names=(names or {}).get(one.layer, ()))
        check_answers(replace(one, trains=False), found.task, found.names)
        column = np.zeros((len(found.values), 0), np.float32)
        if found.task != "none":
            column = found.values.reshape(len(found.values), -1).astype(np.float32)
        parts.append(AnswerPart(one.layer, found.task, one.output, one.function, found.names, column.shape[1]))
        columns.append(column)
        if strata is None and found.task == "classification":
            strata = found.values
    if question.trains and all(part.task == "none" for part in parts):
        raise ModelError(
            "TASK-TRAIN",
            "nothing says which answers are right, so nothing can be trained",
            where="task",
            fix="store labels for an output, called like it, or say which they are with data: {y: {output: name}}; or "
            "write train: null and quantize: {train: null}",
        )
    rows = np.concatenate(columns, axis=1)
    return RightAnswers("several", rows, parts=tuple(parts), classes=strata)


def labels_of_one(labels: Labels, question: Question) -> dict[str, Labels]:
    """Give labels that belong to no named output to the one output that they fit; to none where several do.

    What can be classes of one output is that, although whole numbers could be numbers for another.
    """
    tasks = {one.layer: _task_of(labels, one) for one in question.parts if one.asked != "none"}
    fitting = [name for name, task in tasks.items() if task == "classification"]
    fitting = fitting or [name for name, task in tasks.items() if task is not None]
    return {fitting[0]: labels} if len(fitting) == 1 else {}


def _task_of(labels: Labels, question: Question) -> Task | None:
    """Give the task of an output that labels can be the right answers of; None where they can't."""
    task = question.asked if question.asked not in ("auto", "several") else found_task(labels, question)
    try:
        found = right_answers(labels, [len(one) for one in labels], replace(question, asked=task), Path("labels"))
        check_answers(replace(question, trains=False), found.task, found.names)
    except (DataError, ModelError):
        return None
    return found.task if found.task != "none" else None


def answers_of(part: int, parts: Sequence[AnswerPart], rows: np.ndarray) -> np.ndarray:
    """Take the right answers of one output out of rows of all: class numbers, rows of 0 and 1, or numbers."""
    start = sum(one.width for one in parts[:part])
    found, one = rows[:, start : start + parts[part].width], parts[part]
    if one.task == "classification":
        return found[:, 0].astype(np.int32)
    if one.task == "regression":
        return found.reshape(len(rows), *one.shape)
    return found.astype(np.uint8) if one.task == "multilabel" else np.zeros(len(rows), np.int32)


def outputs_of(part: int, parts: Sequence[AnswerPart], rows: np.ndarray) -> np.ndarray:
    """Take one output out of rows of all, (n, *shape)."""
    start = sum(one.values for one in parts[:part])
    return rows[:, start : start + prod(parts[part].shape)].reshape(len(rows), *parts[part].shape)
