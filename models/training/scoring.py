"""Judge a network's outputs on a split of the data, in the terms of its task."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from siliconv.models.answers.evaluation import evaluate
from siliconv.models.answers.scores import (
    Score,
    SeveralScores,
    difference_score,
    multilabel_score,
    reconstruction_score,
    regression_score,
)
from siliconv.models.answers.several_answers import answers_of, outputs_of
from siliconv.models.answers.task import AnswerPart, Task
from siliconv.models.data.image_store import Dataset, Images

_BLOCK = 4096


@dataclass(frozen=True)
class Judge:
    """What a network is asked, and the function at its end.

    Parameters
    ----------
    task, names
        As in `siliconv.models.answers.right_answers.RightAnswers`.
    function
        The sigmoid or softmax behind the logits, or None.
    parts
        What each of several outputs is asked; their logits and answers are rows.
    """

    task: Task
    names: tuple[str, ...]
    function: str | None = None
    parts: tuple[AnswerPart, ...] = ()

    @classmethod
    def of(cls, dataset: Dataset, function: str | None = None) -> Judge:
        """Give the judge of a data set's task."""
        return cls(dataset.task, dataset.class_names, function, dataset.summary.parts)

    @property
    def each(self) -> tuple[Judge, ...]:
        """The judge of each of several outputs."""
        return tuple(Judge(part.task, part.names, part.function) for part in self.parts)

    @property
    def compares(self) -> bool:
        """Whether outputs without right answers are compared with those of the float network."""
        return self.task == "none" or any(part.task == "none" for part in self.parts)

    @property
    def takes_logits(self) -> bool:
        """Whether answers are decided by logits; others are what stands behind the function at the end."""
        return self.task in ("classification", "multilabel")

    def outputs(self, logits: np.ndarray) -> np.ndarray:
        """Give what is judged of a network that gives logits."""
        if self.parts:
            judged = (judge.outputs(outputs_of(i, self.parts, logits)) for i, judge in enumerate(self.each))
            return np.concatenate([one.reshape(len(logits), -1) for one in judged], axis=1)
        return logits if self.takes_logits else behind_logits(logits, self.function)

    def score(self, outputs: np.ndarray, images: Images, floats: np.ndarray | None = None) -> Score:
        """Judge outputs, (n, ...), of these images.

        Parameters
        ----------
        outputs
            As `outputs` gives them.
        images
            The images, with their right answers.
        floats
            The outputs of the float network, with which those of no task are compared; themselves by default.

        Raises
        ------
        ModelError
            ``EVAL-SHAPE`` where outputs and answers do not fit, ``EVAL-EMPTY`` without images.
        """
        match self.task:
            case "classification":
                return evaluate(outputs, images.labels, self.names)
            case "multilabel":
                return multilabel_score(outputs, images.labels, self.names)
            case "regression":
                return regression_score(outputs, images.labels, self.names)
            case "autoencoder":
                return reconstruction_score(reconstruction_errors(outputs, images), images.labels, self.names)
            case "none":
                return difference_score(outputs, outputs if floats is None else floats)
            case "several":
                return self._scores(outputs, images, outputs if floats is None else floats)

    def _scores(self, outputs: np.ndarray, images: Images, floats: np.ndarray) -> SeveralScores:
        found: dict[str, Score] = {}
        for number, (part, judge) in enumerate(zip(self.parts, self.each, strict=True)):
            own = replace(images, labels=answers_of(number, self.parts, images.labels))
            one, of_float = (outputs_of(number, self.parts, rows) for rows in (outputs, floats))
            found[part.name] = judge.score(one, own, of_float)
        answered = (part.name for part in self.parts if part.task != "none")
        return SeveralScores(found, next(answered, self.parts[0].name))


def reconstruction_errors(outputs: np.ndarray, images: Images) -> np.ndarray:
    """Give the mean square error of each image, float64 (n,)."""
    errors = [np.zeros(0)]
    for start in range(0, len(images), _BLOCK):
        apart = outputs[start : start + _BLOCK].astype(np.float64) - images.values(slice(start, start + _BLOCK))
        errors.append(np.mean(apart.reshape(len(apart), -1) ** 2, axis=1))
    return np.concatenate(errors)


def behind_logits(logits: np.ndarray, function: str | None) -> np.ndarray:
    """Give what the sigmoid or softmax at the end of a network makes of its logits, float64."""
    exact = np.asarray(logits, np.float64)
    if function == "sigmoid":
        return 0.5 * (1.0 + np.tanh(exact / 2.0))
    if function == "softmax":
        powers = np.exp(exact - exact.max(axis=-1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=-1, keepdims=True))
    return exact
