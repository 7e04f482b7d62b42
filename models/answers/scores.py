"""How good a network's outputs are, in the terms of its task; classification has a file of its own (`evaluation`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np

from siliconv.errors import ModelError
from siliconv.models.answers.evaluation import BinaryScore, binary_score
from siliconv.models.answers.score_intervals import mean_interval

MOST_TARGETS = 64
"""Targets and labels that are told one by one."""


class Score(Protocol):
    """A judgement of all test examples."""

    @property
    def metric(self) -> str:
        """What `value` is."""

    @property
    def value(self) -> float:
        """The number that sums it up."""

    @property
    def goodness(self) -> float:
        """The same so that more is better."""

    @property
    def interval(self) -> tuple[float, float] | None:
        """Of 95 % of the value, as if the examples were drawn from all there are; None of too few."""

    @property
    def in_words(self) -> str:
        """For the line of a stage."""

    def as_json(self) -> dict[str, Any]:
        """Return it as plain lists and numbers."""


class _LessIsBetter:
    """A score whose value is an error."""

    metric: str
    unit: str = ""

    @property
    def value(self) -> float:
        raise NotImplementedError

    @property
    def goodness(self) -> float:
        """The error below zero."""
        return -self.value

    @property
    def in_words(self) -> str:
        """For the line of a stage."""
        return f"test {self.metric} {self.value:.4g}"


@dataclass(frozen=True)
class TargetError:
    """The error, output minus target, of one target.

    ``bias`` is its mean, ``resolution`` its standard deviation, ``rmse`` the root of its mean square,
    ``mean_absolute`` the mean of its magnitude, ``half_width_68`` half of what holds the central 68 % of it, and
    ``explained`` the share of the target's variance that is not in it (R squared; None where the target never changes).
    """

    name: str
    bias: float
    resolution: float
    rmse: float
    mean_absolute: float
    half_width_68: float
    explained: float | None


@dataclass(frozen=True)
class RegressionScore(_LessIsBetter):
    """Errors over all targets, and of each of the first `MOST_TARGETS`."""

    rmse: float
    mean_absolute: float
    images: int
    targets: tuple[TargetError, ...]
    interval: tuple[float, float] | None

    metric = "root mean square error"

    @property
    def value(self) -> float:
        """The root of the mean square error over all targets."""
        return self.rmse

    def as_json(self) -> dict[str, Any]:
        """Return it as plain lists and numbers."""
        return asdict(self)


@dataclass(frozen=True)
class LabelScore:
    """One label that is there or not: how often it was told right, and how well its score tells.

    ``precision``: of the examples told to have it, those that do; ``recall``: of those that do, those told so; ``auc``:
    area under the ROC curve, None where all or none have it.
    """

    name: str
    accuracy: float
    precision: float
    recall: float
    auc: float | None
    images: int


@dataclass(frozen=True)
class MultilabelScore:
    """Share of labels told right, of examples with all labels right, and each label."""

    label_accuracy: float
    all_right: float
    images: int
    labels: tuple[LabelScore, ...]
    interval: tuple[float, float] | None

    metric = "label accuracy"

    @property
    def value(self) -> float:
        """The share of labels told right."""
        return self.label_accuracy

    @property
    def goodness(self) -> float:
        """The same."""
        return self.label_accuracy

    @property
    def in_words(self) -> str:
        """For the line of a stage."""
        return f"{self.label_accuracy:.4f} of the test labels right, all of them for {self.all_right:.1%} of the inputs"

    def as_json(self) -> dict[str, Any]:
        """Return it as plain lists and numbers."""
        return asdict(self)


@dataclass(frozen=True)
class ReconstructionScore(_LessIsBetter):
    """Mean square error of the input that is given again, over all test examples.

    `quantiles` of the error of an example, at 5, 25, 50, 75 and 95 %; `anomaly` tells how well the error separates
    class 1 from class 0, where the data have two classes.
    """

    mean_square: float
    images: int
    quantiles: tuple[float, ...]
    anomaly: BinaryScore | None
    interval: tuple[float, float] | None

    metric = "mean square reconstruction error"

    @property
    def value(self) -> float:
        """The mean square error."""
        return self.mean_square

    @property
    def in_words(self) -> str:
        """For the line of a stage."""
        told = f", anomalies told apart with an area of {self.anomaly.auc:.4f}" if self.anomaly is not None else ""
        return f"test reconstruction error {self.mean_square:.4g} (mean square){told}"

    def as_json(self) -> dict[str, Any]:
        """Return it as plain lists and numbers."""
        return asdict(self)


@dataclass(frozen=True)
class DifferenceScore(_LessIsBetter):
    """Of a network whose right answers nobody knows: how far its outputs are from the float network's."""

    rms: float
    largest: float
    images: int
    interval: tuple[float, float] | None

    metric = "rms difference from the float network"

    @property
    def value(self) -> float:
        """The root of the mean square difference."""
        return self.rms

    @property
    def in_words(self) -> str:
        """For the line of a stage."""
        return f"no metric; {self.metric} {self.rms:.4g}"

    def as_json(self) -> dict[str, Any]:
        """Return it as plain lists and numbers."""
        return asdict(self)


@dataclass(frozen=True)
class SeveralScores:
    """The score of each of several outputs by name; the first that has right answers, or the first, sums them up."""

    outputs: Mapping[str, Score]
    first: str

    @property
    def metric(self) -> str:
        """That of the output which sums up, with its name."""
        return f"{self.outputs[self.first].metric} of {self.first}"

    @property
    def value(self) -> float:
        """That of the output which sums up."""
        return self.outputs[self.first].value

    @property
    def interval(self) -> tuple[float, float] | None:
        """That of the output which sums up."""
        return self.outputs[self.first].interval

    @property
    def goodness(self) -> float:
        """The mean over the outputs: shares, and errors below zero in units of their targets."""
        return float(np.mean([one.goodness for one in self.outputs.values()]))

    @property
    def in_words(self) -> str:
        """For the line of a stage."""
        return "; ".join(f"{name}: {score.in_words}" for name, score in self.outputs.items())

    def as_json(self) -> dict[str, Any]:
        """Return it as plain lists and numbers."""
        return {
            "outputs": {
                name: {"metric": one.metric, "value": one.value, "interval": one.interval, **one.as_json()}
                for name, one in self.outputs.items()
            }
        }


def regression_score(outputs: np.ndarray, targets: np.ndarray, names: tuple[str, ...]) -> RegressionScore:
    """Compare outputs with targets, both (n, *shape).

    Raises
    ------
    ModelError
        ``EVAL-SHAPE`` where they do not fit, ``EVAL-EMPTY`` without examples.
    """
    _check(outputs, targets.shape)
    found = np.asarray(outputs, np.float64).reshape(len(outputs), -1)
    right = np.asarray(targets, np.float64).reshape(len(targets), -1)
    errors = found - right
    each = tuple(
        _target_error(name, errors[:, number], right[:, number])
        for number, name in zip(range(min(right.shape[1], MOST_TARGETS)), names, strict=False)
    )
    rmse, interval = _root_mean_square(errors)
    return RegressionScore(rmse, float(np.mean(np.abs(errors))), len(found), each, interval)


def _target_error(name: str, errors: np.ndarray, targets: np.ndarray) -> TargetError:
    low, high = np.quantile(errors, (0.16, 0.84))
    spread = float(np.mean((targets - targets.mean()) ** 2))
    square = float(np.mean(errors**2))
    return TargetError(
        name,
        float(errors.mean()),
        float(errors.std()),
        float(np.sqrt(square)),
        float(np.abs(errors).mean()),
        float(high - low) / 2,
        1.0 - square / spread if spread > 0 else None,
    )


def multilabel_score(logits: np.ndarray, labels: np.ndarray, names: tuple[str, ...]) -> MultilabelScore:
    """Compare logits with rows of 0 and 1, both (n, labels); a logit above 0 says that the label is there.

    Raises
    ------
    ModelError
        As `regression_score`.
    """
    _check(logits, labels.shape)
    said, there = np.asarray(logits) > 0, labels == 1
    right = said == there
    each = tuple(_label_scores(np.asarray(logits, np.float64), said, there, names))
    interval = mean_interval(right.mean(axis=1))
    of_shares = (max(interval[0], 0.0), min(interval[1], 1.0)) if interval is not None else None
    return MultilabelScore(float(right.mean()), float(right.all(axis=1).mean()), len(labels), each, of_shares)


def _label_scores(
    logits: np.ndarray, said: np.ndarray, there: np.ndarray, names: tuple[str, ...]
) -> Iterator[LabelScore]:
    for number, name in zip(range(min(said.shape[1], MOST_TARGETS)), names, strict=False):
        one, true = said[:, number], there[:, number]
        both = int((one & true).sum())
        curve = binary_score(logits[:, number], true.astype(np.int64))
        yield LabelScore(
            name,
            float((one == true).mean()),
            both / int(one.sum()) if one.any() else 0.0,
            both / int(true.sum()) if true.any() else 0.0,
            curve.auc if curve is not None else None,
            int(true.sum()),
        )


def reconstruction_score(errors: np.ndarray, classes: np.ndarray, names: tuple[str, ...]) -> ReconstructionScore:
    """Sum up the mean square errors of examples, (n,), of classes (n,) where there are two of them.

    Raises
    ------
    ModelError
        ``EVAL-EMPTY`` without examples.
    """
    _check(errors, errors.shape)
    quantiles = tuple(float(one) for one in np.quantile(errors, (0.05, 0.25, 0.5, 0.75, 0.95)))
    anomaly = binary_score(errors, classes) if len(names) == 2 else None
    return ReconstructionScore(float(errors.mean()), len(errors), quantiles, anomaly, mean_interval(errors))


def difference_score(outputs: np.ndarray, floats: np.ndarray) -> DifferenceScore:
    """Compare outputs with those of the float network, both (n, *shape).

    Raises
    ------
    ModelError
        As `regression_score`.
    """
    _check(outputs, floats.shape)
    apart = np.abs(np.asarray(outputs, np.float64) - np.asarray(floats, np.float64))
    rms, interval = _root_mean_square(apart.reshape(len(apart), -1))
    return DifferenceScore(rms, float(apart.max()), len(outputs), interval)


def _root_mean_square(errors: np.ndarray) -> tuple[float, tuple[float, float] | None]:
    """Give the root of the mean square of errors, (n, values), and its interval."""
    squares = errors**2
    interval = mean_interval(squares.mean(axis=1))
    of_root = (max(interval[0], 0.0) ** 0.5, interval[1] ** 0.5) if interval is not None else None
    return float(np.sqrt(squares.mean())), of_root


def _check(outputs: np.ndarray, wanted: tuple[int, ...]) -> None:
    if not len(outputs):
        raise ModelError(
            "EVAL-EMPTY", "there are no images to evaluate on", where="evaluate", fix="keep a share for test"
        )
    if outputs.shape != wanted:
        raise ModelError(
            "EVAL-SHAPE",
            f"outputs of shape {outputs.shape} for answers of shape {wanted}",
            where="evaluate",
            fix="store as many numbers for each example as the network has outputs",
        )
