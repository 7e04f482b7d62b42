"""The losses: cross entropy of classes and labels, and errors of numbers; from logits or from what they become."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from siliconv.errors import ModelError
from siliconv.legacy_keras import load, tensorflow
from siliconv.models.answers.task import Task
from siliconv.models.architectures.model_source import is_function
from siliconv.models.training.own_loss import load_loss
from siliconv.models.training.scoring import Judge
from siliconv.models.training.train_config import TrainConfig

Loss = Callable[[Any, Any], Any]

_OF_NUMBERS = ("mse", "mae", "huber")


def loss_of(config: TrainConfig, outputs: int, task: Task = "classification", function: str | None = None) -> Loss:
    """Return the function (right answers, network output) -> loss of each image.

    Labels are class numbers; categorical cross entropy turns them into one-hot rows itself. Labels of 0 and 1 and
    numbers have the shape of the output.

    Parameters
    ----------
    config
        Loss, smoothing, and whether the network gives logits.
    outputs
        Size of the output's last axis.
    task
        What the network is asked.
    function
        The sigmoid or softmax that the network ends in; errors of numbers are those behind it.

    Raises
    ------
    ModelError
        ``TRAIN-LOSS`` when the loss does not fit task and outputs.
    """
    kind = loss_kind(config, outputs, task)
    if config.own_loss is not None:
        own = load_loss(config.own_loss, config.folder)
        return lambda answers, output: own(answers, behind(output, function) if config.from_logits else output)
    why = loss_misfit(kind, outputs, task, function)
    if why is not None:
        raise ModelError("TRAIN-LOSS", why[0], where="train.loss", fix=why[1])
    if kind in _OF_NUMBERS or task in ("regression", "autoencoder", "multilabel"):
        return _of_numbers(config, kind, function)
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


def _of_numbers(config: TrainConfig, kind: str, function: str | None) -> Loss:
    """Return a loss between outputs and answers of one shape, its mean over all values of an image."""
    tf, losses = tensorflow(), load().losses
    smoothing, from_logits = config.label_smoothing, config.from_logits
    error = {"mae": losses.mean_absolute_error, "huber": losses.huber}.get(kind, losses.mean_squared_error)

    def flat(values: Any) -> Any:
        return tf.reshape(values, (tf.shape(values)[0], -1))

    def loss(answers: Any, output: Any) -> Any:
        target = flat(tf.cast(answers, output.dtype))
        if kind == "binary_crossentropy":
            return losses.binary_crossentropy(target, flat(output), from_logits=from_logits, label_smoothing=smoothing)
        return error(target, flat(behind(output, function) if from_logits else output))

    return loss


def behind(logits: Any, function: str | None) -> Any:
    """Return what the sigmoid or softmax at the end of a network makes of its logits, in TensorFlow."""
    tf = tensorflow()
    return {"sigmoid": tf.sigmoid, "softmax": tf.nn.softmax}[function](logits) if function is not None else logits


def loss_kind(config: TrainConfig, outputs: int, task: Task = "classification") -> str:
    """Return the loss that `auto` stands for."""
    if config.loss != "auto":
        return config.loss
    if task in ("regression", "autoencoder"):
        return "mse"
    return "binary_crossentropy" if outputs == 1 or task == "multilabel" else "sparse_categorical_crossentropy"


def loss_of_judge(config: TrainConfig, judge: Judge, outputs: int) -> Loss:
    """Return the loss of what a judge judges: of several outputs the sum of their losses, each its own.

    Raises
    ------
    ModelError
        ``TRAIN-LOSS`` as `loss_of`; for several outputs, whose losses follow from their tasks, also for one that is
        stated, or of probabilities.
    """
    if not judge.parts:
        return loss_of(config, outputs, judge.task, judge.function)
    if config.loss != "auto" or not config.from_logits:
        raise ModelError(
            "TRAIN-LOSS",
            f"{config.loss if config.loss != 'auto' else 'a loss of probabilities'} for several outputs",
            where="train.loss",
            fix="leave loss and from_logits out: each output has the loss of its task, and their sum is trained on",
        )
    trained = [
        (number, loss_of(config, part.shape[-1], part.task, part.function))
        for number, part in enumerate(judge.parts)
        if part.task != "none"
    ]

    def total(answers: Any, output: Any) -> Any:
        return sum(
            loss(answers_in(number, judge, answers), output_in(number, judge, output)) for number, loss in trained
        )

    return total


def metric_of_judge(judge: Judge, answers: Any, output: Any, *, from_logits: bool) -> Any:
    """Return the metric of each image, as `measured`; of several outputs that of the first with right answers."""
    if not judge.parts:
        return measured(answers, output, from_logits=from_logits, task=judge.task, function=judge.function)
    number = next(i for i, part in enumerate(judge.parts) if part.task != "none")
    part = judge.parts[number]
    return measured(
        answers_in(number, judge, answers),
        output_in(number, judge, output),
        from_logits=from_logits,
        task=part.task,
        function=part.function,
    )


def answers_in(number: int, judge: Judge, rows: Any) -> Any:
    """Take the right answers of one output out of rows of all, as its loss wants them."""
    tf, part = tensorflow(), judge.parts[number]
    start = sum(one.width for one in judge.parts[:number])
    found = rows[:, start : start + part.width]
    if part.task == "classification":
        return tf.cast(found[:, 0], tf.int32)
    return tf.reshape(found, (-1, *part.shape))


def output_in(number: int, judge: Judge, rows: Any) -> Any:
    """Take one output out of rows of all."""
    part = judge.parts[number]
    start = sum(one.values for one in judge.parts[:number])
    return tensorflow().reshape(rows[:, start : start + part.values], (-1, *part.shape))


def loss_misfit(kind: str, outputs: int, task: Task, function: str | None) -> tuple[str, str] | None:
    """Give why a loss does not fit what a network is asked, and what to do; None where it fits."""
    if is_function(kind):
        return None
    if task in ("regression", "autoencoder"):
        fits = kind in _OF_NUMBERS or (kind == "binary_crossentropy" and function == "sigmoid")
        fix = "use mse, mae or huber; binary_crossentropy for targets of 0 to 1 behind a sigmoid"
    elif task == "multilabel":
        fits, fix = kind == "binary_crossentropy", "use binary_crossentropy, or write loss: auto"
    else:
        fits = kind not in _OF_NUMBERS and (kind == "binary_crossentropy") == (outputs == 1)
        fix = "binary_crossentropy needs one output, the others one a class; or write loss: auto"
        if kind not in _OF_NUMBERS and not fits:
            return f"{kind} does not fit a network with {outputs} output(s)", fix
    return None if fits else (f"{kind} does not fit the task {task}", fix)


def image_weights(
    config: TrainConfig, labels: np.ndarray, class_names: tuple[str, ...], task: Task = "classification"
) -> np.ndarray:
    """Return the float32 weight of each training image; they average 1 for `equal` and `balanced`.

    Raises
    ------
    ModelError
        ``TRAIN-WEIGHTS`` when a class is unknown or has no weight, or there are no classes.
    """
    if config.class_weights == "equal":
        return np.ones(len(labels), np.float32)
    if task != "classification":
        raise ModelError(
            "TRAIN-WEIGHTS",
            f"class weights are given, and the task is {task}",
            where="train.class_weights",
            fix="leave class_weights out",
        )
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


def metric_of(judge: Judge) -> str:
    """Return what is told of each epoch besides the loss."""
    task = judge.task
    if judge.parts:
        part, of_part = next(pair for pair in zip(judge.parts, judge.each, strict=True) if pair[0].task != "none")
        return f"{metric_of(of_part)} of {part.name}"
    return {"classification": "accuracy", "multilabel": "label accuracy"}.get(task, "mean absolute error")


def measured(
    answers: Any, output: Any, *, from_logits: bool, task: Task = "classification", function: str | None = None
) -> Any:
    """Return the metric of each image: whether it is right, the share of labels that are, or its absolute error."""
    tf = tensorflow()
    if task == "classification":
        return is_correct(answers, output, from_logits=from_logits)
    if task == "multilabel":
        said = output > (0.0 if from_logits else 0.5)
        right = tf.cast(said == (answers > 0.5), tf.float32)
    else:
        right = tf.abs((behind(output, function) if from_logits else output) - tf.cast(answers, output.dtype))
    return tf.reduce_mean(tf.reshape(right, (tf.shape(right)[0], -1)), axis=1)


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
