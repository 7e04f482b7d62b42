"""The losses of the lecture: binary, categorical and sparse categorical cross entropy, of logits or
probabilities.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from siliconv.errors import ModelError
from siliconv.legacy_keras import load, tensorflow
from siliconv.models.training.train_config import TrainConfig

Loss = Callable[[Any, Any], Any]


def loss_of(config: TrainConfig, outputs: int) -> Loss:
    """Return the function (labels, network output) -> loss of each image.

    Labels are class numbers; categorical cross entropy turns them into one-hot rows itself.

    Raises
    ------
    ModelError
        ``TRAIN-LOSS`` when the loss does not fit the number of outputs.
    """
    kind = loss_kind(config, outputs)
    if (kind == "binary_crossentropy") != (outputs == 1):
        raise ModelError(
            "TRAIN-LOSS",
            f"{kind} does not fit a network with {outputs} output(s)",
            where="train.loss",
            fix="binary_crossentropy needs one output, the others one a class; or write loss: auto",
        )
    tf, losses = tensorflow(), load().losses
    smoothing, from_logits = config.label_smoothing, config.from_logits

    def binary(labels: Any, output: Any) -> Any:
        target = tf.cast(labels, output.dtype)[:, tf.newaxis]
        return losses.binary_crossentropy(target, output, from_logits=from_logits, label_smoothing=smoothing)

    def categorical(labels: Any, output: Any) -> Any:
        target = tf.one_hot(labels, outputs, dtype=output.dtype)
        return losses.categorical_crossentropy(target, output, from_logits=from_logits, label_smoothing=smoothing)

    def sparse(labels: Any, output: Any) -> Any:
        return losses.sparse_categorical_crossentropy(labels, output, from_logits=from_logits)

    if kind == "binary_crossentropy":
        return binary
    # Smoothed labels are no class numbers any more.
    return sparse if kind == "sparse_categorical_crossentropy" and smoothing == 0.0 else categorical


def loss_kind(config: TrainConfig, outputs: int) -> str:
    """Return the loss that `auto` stands for."""
    if config.loss != "auto":
        return config.loss
    return "binary_crossentropy" if outputs == 1 else "sparse_categorical_crossentropy"


def image_weights(config: TrainConfig, labels: np.ndarray, class_names: tuple[str, ...]) -> np.ndarray:
    """Return the float32 weight of each training image; they average 1 for `equal` and `balanced`.

    Raises
    ------
    ModelError
        ``TRAIN-WEIGHTS`` when a class is unknown or has no weight.
    """
    if config.class_weights == "equal":
        return np.ones(len(labels), np.float32)
    if config.class_weights == "balanced":
        counts = np.bincount(labels, minlength=len(class_names))
        weights = len(labels) / (len(class_names) * np.maximum(counts, 1))
    else:
        if set(config.class_weights) != set(class_names):
            raise ModelError(
                "TRAIN-WEIGHTS",
                f"weights are given for {sorted(config.class_weights)}; the classes are {list(class_names)}",
                where="train.class_weights",
                fix="give one weight for each class, or write balanced",
            )
        weights = np.array([config.class_weights[name] for name in class_names])
    return weights[labels].astype(np.float32)


def is_correct(labels: Any, output: Any, *, from_logits: bool) -> Any:
    """Return 1.0 where the most likely class is the label (one output: where it is on the label's side), else
    0.0.
    """
    tf = tensorflow()
    if output.shape[-1] == 1:
        guess = tf.cast(output[:, 0] > (0.0 if from_logits else 0.5), labels.dtype)
    else:
        guess = tf.argmax(output, axis=-1, output_type=labels.dtype)
    return tf.cast(guess == labels, tf.float32)
