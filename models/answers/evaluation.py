"""How good a network is, from its logits alone: the same numbers for the float, the quantized and the
firmware network.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from siliconv.errors import ModelError
from siliconv.models.answers.score_intervals import accuracy_interval


@dataclass(frozen=True)
class ClassScore:
    """Of the images called so, the share that is (precision); of those that are, the share called so
    (recall).
    """

    name: str
    precision: float
    recall: float
    images: int


@dataclass(frozen=True)
class BinaryScore:
    """ROC curve of a two-class network and the threshold on its logit that was best on these images.

    `false_positive` and `true_positive` are the curve, from (0, 0) to (1, 1); `auc` the area under it.
    """

    false_positive: tuple[float, ...]
    true_positive: tuple[float, ...]
    auc: float
    best_threshold: float
    accuracy_at_best: float


@dataclass(frozen=True)
class Metrics:
    """`confusion[i][j]` counts images of class i that are called j."""

    accuracy: float
    images: int
    confusion: tuple[tuple[int, ...], ...]
    classes: tuple[ClassScore, ...]
    binary: BinaryScore | None

    @property
    def metric(self) -> str:
        """What `value` is."""
        return "accuracy"

    @property
    def value(self) -> float:
        """The number that sums it up."""
        return self.accuracy

    @property
    def goodness(self) -> float:
        """The same so that more is better."""
        return self.accuracy

    @property
    def interval(self) -> tuple[float, float]:
        """Of 95 % of the accuracy."""
        return accuracy_interval(self.accuracy, self.images)

    @property
    def in_words(self) -> str:
        """For the line of a stage."""
        return f"test accuracy {self.accuracy:.4f}"

    def as_json(self) -> dict[str, Any]:
        """Return it as plain lists and numbers."""
        return asdict(self)


def evaluate(
    logits: np.ndarray, labels: np.ndarray, class_names: tuple[str, ...], *, threshold: float = 0.0
) -> Metrics:
    """Compare logits, (n, classes) or (n, 1), with class numbers, (n,).

    Parameters
    ----------
    logits
        One logit a class, or a single one for two classes.
    labels
        Class numbers.
    class_names
        Names of the classes, by number.
    threshold
        A single logit above it means class 1; `calibrate_threshold` finds one on validation images.

    Raises
    ------
    ModelError
        ``EVAL-SHAPE`` when logits, labels and classes do not fit, ``EVAL-EMPTY`` without images.
    """
    logits = np.asarray(logits, np.float64)
    binary = logits.ndim == 2 and logits.shape[1] == 1 and len(class_names) == 2
    if logits.ndim != 2 or len(logits) != len(labels) or not (binary or logits.shape[1] == len(class_names)):
        raise ModelError(
            "EVAL-SHAPE",
            f"logits of shape {logits.shape} for {len(labels)} labels and {len(class_names)} classes",
            where="evaluate",
            fix="pass (images, classes), or (images, 1) for two classes",
        )
    if not len(labels):
        raise ModelError(
            "EVAL-EMPTY", "there are no images to evaluate on", where="evaluate", fix="keep a share for test"
        )
    guesses = (logits[:, 0] > threshold).astype(np.int64) if binary else logits.argmax(axis=1)
    confusion = np.zeros((len(class_names),) * 2, np.int64)
    np.add.at(confusion, (labels, guesses), 1)
    return Metrics(
        float((guesses == labels).mean()),
        len(labels),
        tuple(tuple(int(count) for count in row) for row in confusion),
        tuple(_class_score(name, number, confusion) for number, name in enumerate(class_names)),
        binary_score(logits[:, 0] if binary else logits[:, 1] - logits[:, 0], labels)
        if len(class_names) == 2
        else None,
    )


def fits_classes(outputs: int, classes: int) -> bool:
    """Say whether so many outputs can tell so many classes apart: one each, or one for two."""
    return outputs == classes or (outputs == 1 and classes == 2)


def calibrate_threshold(logits: np.ndarray, labels: np.ndarray) -> float:
    """Return the threshold on the single logit with the best accuracy on these images, 0 where it is
    as good.
    """
    scores = np.asarray(logits, np.float64).reshape(-1)
    threshold, accuracy = _best_threshold(scores, labels)
    return 0.0 if float(((scores > 0) == labels).mean()) >= accuracy else threshold


def _class_score(name: str, number: int, confusion: np.ndarray) -> ClassScore:
    called, images = int(confusion[:, number].sum()), int(confusion[number].sum())
    right = int(confusion[number, number])
    return ClassScore(name, right / called if called else 0.0, right / images if images else 0.0, images)


def binary_score(scores: np.ndarray, labels: np.ndarray) -> BinaryScore | None:
    """Give the ROC curve of scores, (n,), that are higher for label 1 than for 0; None where a label is missing."""
    positives, negatives = int((labels == 1).sum()), int((labels == 0).sum())
    if not positives or not negatives:
        return None
    order = np.argsort(-scores, kind="stable")
    ranked = labels[order] == 1
    # Equal scores are one point of the curve.
    last = np.flatnonzero(np.r_[np.diff(scores[order]) != 0, True])
    true_positive = np.r_[0.0, np.cumsum(ranked)[last] / positives]
    false_positive = np.r_[0.0, np.cumsum(~ranked)[last] / negatives]
    threshold, accuracy = _best_threshold(scores, labels)
    return BinaryScore(
        tuple(false_positive.tolist()),
        tuple(true_positive.tolist()),
        float(np.trapezoid(true_positive, false_positive)),
        threshold,
        accuracy,
    )


def _best_threshold(scores: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """Return the threshold, between two neighbouring scores, with the best accuracy, and that accuracy."""
    order = np.argsort(scores, kind="stable")
    ranked, positive = scores[order], labels[order] == 1
    # With the threshold behind the first k scores: zeros among them and ones after them are right.
    right = np.r_[0, np.cumsum(~positive)] + positive.sum() - np.r_[0, np.cumsum(positive)]
    between = np.r_[True, np.diff(ranked) != 0, True]
    right = np.where(between, right, -1)
    k = int(right.argmax())
    edges = np.r_[ranked[0] - 1.0, (ranked[:-1] + ranked[1:]) / 2, ranked[-1] + 1.0]
    return float(edges[k]), float(right[k] / len(scores))
