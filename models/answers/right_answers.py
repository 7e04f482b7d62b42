"""From the labels of a source to the right answers of a task; which task it is follows from network and labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path

import numpy as np

from siliconv.counting import listed
from siliconv.errors import DataError, ModelError
from siliconv.models.answers.evaluation import fits_classes
from siliconv.models.answers.labels import class_labels
from siliconv.models.answers.task import AnswerPart, Question, Task

_MOST_NAMES, _MOST_SHOWN = 1000, 12


@dataclass(frozen=True, eq=False)
class RightAnswers:
    """The right answers of all examples.

    Parameters
    ----------
    task
        What they answer.
    values
        Class numbers (n,) int32; rows of 0 and 1 (n, labels) uint8; targets (n, *output shape) float32. Of an
        autoencoder, whose target is its input, and of no task: class numbers, all zero where there are none. Of several
        outputs: those of all beside each other (n, numbers) float32.
    names
        Of classes or labels, or of targets; an autoencoder's are those of its classes, none without any.
    parts
        What several outputs are asked.
    classes
        Class numbers by which examples of several outputs are split evenly; None without any.
    """

    task: Task
    values: np.ndarray
    names: tuple[str, ...] = ()
    parts: tuple[AnswerPart, ...] = ()
    classes: np.ndarray | None = None

    @property
    def strata(self) -> np.ndarray:
        """Numbers by which examples are split evenly: the classes, (n,)."""
        if self.classes is not None:
            return self.classes
        return self.values if self.values.ndim == 1 and self.values.dtype == np.int32 else self.without_classes

    @property
    def classes_without_examples(self) -> tuple[str, ...]:
        """Names of the classes that no example has, of a source whose examples are known."""
        if self.task != "classification" or not len(self.values):
            return ()
        counts = np.bincount(self.values, minlength=len(self.names))
        return tuple(name for name, count in zip(self.names, counts, strict=True) if not count)

    @property
    def without_classes(self) -> np.ndarray:
        """One class for all, (n,)."""
        return np.zeros(len(self.values), np.int32)


def right_answers(
    labels: Sequence[np.ndarray] | None,
    counts: Sequence[int],
    question: Question | None,
    path: Path,
    *,
    names: Sequence[str] = (),
    repeats_input: bool = False,
) -> RightAnswers:
    """Give the right answers that the labels of a source hold.

    Parameters
    ----------
    labels
        As they are stored, of each part of the source; None where there are none.
    counts
        Examples of each part.
    question
        What is known of the network; None reads the labels as classes.
    path
        The file, for messages.
    names
        Of classes (by number), labels or targets, where the source has some.
    repeats_input
        Whether the labels are the inputs again.

    Raises
    ------
    DataError
        ``DATA-LABELS`` for labels that the task cannot take, ``DATA-LAYOUT`` for another number of them than examples,
        ``DATA-TASK`` where a task needs labels and there are none.
    """
    _check_counts(labels, counts, path)
    task = question.asked if question is not None else "classification"
    if task == "auto":
        assert question is not None  # of which it was asked
        task = found_task(labels, question, repeats_input=repeats_input)
    if task == "autoencoder" and labels is not None and (repeats_input or _is_map(labels, question)):
        labels = None  # the targets are the inputs; what else stands there is no class
    if labels is None or task == "none":
        if task in ("classification", "multilabel", "regression"):
            raise DataError(
                "DATA-TASK",
                f"{task} needs right answers, and there are no labels",
                where=str(path),
                fix="store the labels as y beside x; or write task: autoencoder, or task: none to compare bits alone",
            )
        return RightAnswers(task, np.zeros(sum(counts), np.int32))
    match task:
        case "classification" | "autoencoder" | "none":
            return _classes(task, labels, counts, path, names)
        case "multilabel":
            return _yes_or_no(labels, question, path, names)
        case "regression":
            return _targets(labels, question, path, names)
        case "several":
            raise ValueError("each of several outputs is asked by itself")


def answers_of_classes(
    labels: np.ndarray, names: tuple[str, ...], question: Question | None, path: Path
) -> RightAnswers:
    """Give the right answers of a source whose examples lie in classes, such as a folder of images.

    Raises
    ------
    DataError
        ``DATA-TASK`` for a task that classes do not answer.
    """
    asked = question.asked if question is not None else "classification"
    if question is not None and question.parts:
        from siliconv.models.answers.several_answers import labels_of_one, several_answers

        labelled = labels_of_one([labels], question)
        return several_answers(labelled, [len(labels)], question, path, names=dict.fromkeys(labelled, names))
    if asked == "auto":
        assert question is not None  # of which it was asked
        asked = of_classes(question, len(names))
    if asked in ("multilabel", "regression"):
        raise DataError(
            "DATA-TASK",
            f"{asked} needs several answers or numbers an example, and the source has classes",
            where=str(path),
            fix="store arrays x and y as .npz, HDF5 or CSV; or leave task out",
        )
    return RightAnswers(asked, labels, names)


def found_task(labels: Sequence[np.ndarray] | None, question: Question, *, repeats_input: bool = False) -> Task:
    """Give the task that network and labels say; labels of each part of the source as they are stored."""
    if repeats_input and question.repeats_its_input:
        return "autoencoder"
    if labels is None:
        return "autoencoder" if question.repeats_its_input else "none"
    if _is_map(labels, question):
        return "regression"
    vector = len(question.output) == 1
    outputs = prod(question.output)
    rows = _rows(labels)
    if rows is not None:
        zero_one = all(one.dtype.kind in "biuf" and np.isin(one, (0, 1)).all() for one in rows)
        one_hot = zero_one and all((one.astype(bool).sum(axis=1) == 1).all() for one in rows)
        if vector and rows[0].shape[1] == outputs and not one_hot:
            return "multilabel" if zero_one else "regression"
        return of_classes(question, rows[0].shape[1])
    if any(one.ndim > 2 and one.size != len(one) for one in labels):
        return "classification"  # which refuses them
    numbers = [np.asarray(one).reshape(-1) for one in labels]
    if all(one.dtype.kind in "biuf" for one in numbers):
        whole = all(one.dtype.kind != "f" or (np.isfinite(one) & (one == np.round(one))).all() for one in numbers)
        if not whole and outputs == 1:
            return "regression"
        distinct = len(np.unique(np.concatenate(numbers)))
        if whole and outputs == 1 and distinct > 2 and question.function is None:
            return "regression"
        return of_classes(question, distinct)
    return "classification"


def of_classes(question: Question, classes: int) -> Task:
    """Give the task of a network whose examples lie in so many classes."""
    if len(question.output) == 1 and fits_classes(question.output[0], classes):
        return "classification"
    if question.repeats_its_input:
        return "autoencoder"
    return "classification" if len(question.output) == 1 or question.trains else "none"


def check_answers(question: Question, task: Task, names: Sequence[str] | None) -> None:
    """Raise where a network's output cannot answer what it is asked, before any work.

    Parameters
    ----------
    question
        The network.
    task
        What it is asked.
    names
        Of classes or labels; None while they are not known.

    Raises
    ------
    ModelError
        ``OUTPUT-SHAPE`` for an output of another shape than the task's, ``TASK-TRAIN`` for a training without a task.
    DataError
        ``DATA-CLASSES`` for another number of outputs than classes.
    """
    for part in question.parts:
        if part.asked != "auto":
            check_answers(replace(part, trains=False), part.asked, None)
    where = f"layer '{question.layer}'"
    if task == "classification" and len(question.output) != 1:
        raise ModelError(
            "OUTPUT-SHAPE",
            f"the network ends in {question.output_in_words}, and an example's class is read from a vector",
            where=where,
            fix="put flatten or global_average_pool and a dense layer with one unit a class behind it; a network that "
            "is no classifier is taken with task: none (no training), regression or autoencoder",
        )
    if task == "classification" and names is not None and not fits_classes(question.output[0], len(names)):
        outputs, classes = question.output[0], len(names)
        shown = listed(names, _MOST_SHOWN)
        raise ModelError(
            "DATA-CLASSES",
            f"{outputs} output{'s' if outputs != 1 else ''} for {classes} class{'es' if classes != 1 else ''} in the "
            f"data: {shown}",
            where=where,
            fix=_other_count(question, classes),
        )
    if task == "multilabel" and (len(question.output) != 1 or (names and question.output[0] != len(names))):
        raise ModelError(
            "OUTPUT-SHAPE",
            f"the network ends in {question.output_in_words}"
            + (f" for {len(names)} labels" if names else ", and labels are read from a vector"),
            where=where,
            fix="give the last layer one unit a label, with a sigmoid",
        )
    if task == "multilabel" and question.function == "softmax":
        raise ModelError(
            "OUTPUT-SHAPE",
            "the network ends in a softmax, which says one class, and there are several labels",
            where=where,
            fix="end with a sigmoid",
        )
    if task == "autoencoder" and not question.repeats_its_input:
        raise ModelError(
            "OUTPUT-SHAPE",
            f"the network gives {question.output_in_words} for an input of "
            f"{'x'.join(map(str, question.inputs))}: it does not repeat its input",
            where=where,
            fix="end with a layer of the input's shape, or write another task",
        )
    if task == "none" and question.trains:
        raise ModelError(
            "TASK-TRAIN",
            "nothing says which answers are right, so nothing can be trained",
            where="task",
            fix="write train: null and quantize: {train: null}; or store labels and name the task",
        )


def _other_count(question: Question, classes: int) -> str:
    """Say what to do about another number of outputs than classes."""
    outputs = question.output[0]
    if classes < 2:
        return "give it at least two classes; in a folder of images each class is a folder of its own"
    as_found = f"give the last layer {classes} units" + (", or one with a sigmoid" if classes == 2 else "")
    if outputs < classes or outputs == 1:
        return as_found if question.trains else f"use a network with {classes} outputs, or data of its classes alone"
    stated = (
        f"where classes have no example, store class_names of all {outputs} beside the labels, or one-hot rows of "
        f"{outputs} columns"
    )
    return f"{as_found}; {stated}" if question.trains else stated


def _check_counts(labels: Sequence[np.ndarray] | None, counts: Sequence[int], path: Path) -> None:
    for one, count in zip(labels or (), counts, strict=False):
        if one.ndim == 0 or len(one) != count:
            raise DataError(
                "DATA-LAYOUT",
                f"{count} examples have {len(one) if one.ndim else 'a single number for their'} labels",
                where=str(path),
                fix="store one label an example, as numbers, names or one-hot rows",
            )


def _is_map(labels: Sequence[np.ndarray], question: Question | None) -> bool:
    """Whether labels have the shape of an output that is no vector, as targets of such a network have."""
    if question is None or len(question.output) < 2:
        return False
    wanted = [size for size in question.output if size != 1]
    return all([size for size in one.shape[1:] if size != 1] == wanted for one in labels)


def _rows(labels: Sequence[np.ndarray]) -> list[np.ndarray] | None:
    """Give labels that are several values an example, or None for one each."""
    several = [one for one in labels if one.ndim == 2 and one.size != len(one)]
    return several or None


def _classes(
    task: Task, labels: Sequence[np.ndarray], counts: Sequence[int], path: Path, names: Sequence[str]
) -> RightAnswers:
    every = np.concatenate([class_labels(one, count, path) for one, count in zip(labels, counts, strict=True)])
    values = np.unique(every)
    known = _stated_classes(labels, values, path, names)
    if known:
        return RightAnswers(task, every.astype(np.int32), known)
    if len(values) > max(_MOST_NAMES, len(every) // 2) and task == "autoencoder":
        return RightAnswers(task, np.zeros(len(every), np.int32))
    return RightAnswers(task, np.searchsorted(values, every).astype(np.int32), tuple(str(value) for value in values))


def _stated_classes(
    labels: Sequence[np.ndarray], values: np.ndarray, path: Path, names: Sequence[str]
) -> tuple[str, ...]:
    """Give the names of all classes where the source states how many there are, also those without an example.

    One-hot rows state it by their width; names of classes state it for labels that are numbers of them.
    """
    widths = {one.shape[1] for one in _rows(labels) or ()}
    if len(widths) > 1:
        raise DataError(
            "DATA-LABELS",
            f"the splits hold one-hot rows of {' and of '.join(map(str, sorted(widths)))} classes",
            where=str(path),
            fix="store rows of one width for all splits, a column for each class",
        )
    numbers_of_names = values.dtype.kind in "iu" and len(values) > 0 and values.min() >= 0 and len(names) > values.max()
    if widths:
        (width,) = widths
        return tuple(map(str, names)) if len(names) == width else tuple(map(str, range(width)))
    return tuple(map(str, names)) if numbers_of_names else ()


def _yes_or_no(
    labels: Sequence[np.ndarray], question: Question | None, path: Path, names: Sequence[str]
) -> RightAnswers:
    rows = [one.reshape(len(one), -1) for one in labels]
    width = rows[0].shape[1]
    for one in rows:
        if one.shape[1] != width or one.dtype.kind not in "biuf" or not np.isin(one, (0, 1)).all():
            raise DataError(
                "DATA-LABELS",
                f"labels of the type {one.dtype} and shape {one.shape} are no rows of {width} times 0 or 1",
                where=str(path),
                fix="store a row of 0 and 1 for each example, one value a label",
            )
    chosen = tuple(map(str, names)) if len(names) == width else tuple(f"label {number}" for number in range(width))
    return RightAnswers("multilabel", np.concatenate(rows).astype(np.uint8), chosen)


def _targets(labels: Sequence[np.ndarray], question: Question | None, path: Path, names: Sequence[str]) -> RightAnswers:
    shape = question.output if question is not None else labels[0].shape[1:] or (1,)
    taken = []
    for one in labels:
        if one.dtype.kind not in "biuf" or prod(one.shape[1:]) != prod(shape):
            raise DataError(
                "DATA-LABELS",
                f"targets of the type {one.dtype} and the shape {one.shape} for a network that gives "
                f"{'x'.join(map(str, shape))}",
                where=str(path),
                fix="store as many numbers for each example as the network has outputs",
            )
        if not np.isfinite(one).all():
            raise DataError(
                "DATA-LABELS",
                f"{int((~np.isfinite(one)).sum())} targets are NaN or infinite",
                where=str(path),
                fix="leave out examples without a target",
            )
        taken.append(one.reshape(len(one), *shape).astype(np.float32))
    outputs = prod(shape)
    chosen = tuple(map(str, names)) if len(names) == outputs else ()
    if not chosen and len(shape) == 1 and outputs <= _MOST_NAMES:
        chosen = ("target",) if outputs == 1 else tuple(f"target {number}" for number in range(outputs))
    return RightAnswers("regression", np.concatenate(taken), chosen)
