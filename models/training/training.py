"""Train any tf_keras model, a checkpoint an epoch: killed at any moment and started again, it ends with the
same bits.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from siliconv.errors import ModelError
from siliconv.legacy_keras import tensorflow
from siliconv.models.data.augmentation import AugmentConfig, augmenter
from siliconv.models.data.batches import epoch_seed, training_batches
from siliconv.models.data.image_store import Dataset
from siliconv.models.data.number_type import PIXELS
from siliconv.models.training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint, training_fingerprint
from siliconv.models.training.history import EpochRecord, History, learning_rate
from siliconv.models.training.instruction_set import instruction_set
from siliconv.models.training.losses import image_weights, metric_of
from siliconv.models.training.scoring import Judge
from siliconv.models.training.train_config import TrainConfig
from siliconv.models.training.training_step import (
    Mix,
    Step,
    Validate,
    draws_random_numbers,
    optimizer_of,
    training_step,
    validator,
)
from siliconv.progress import Progress, Silent, activity

CHECKPOINT = "checkpoint.npz"


def fit(
    model: Any,
    dataset: Dataset,
    config: TrainConfig,
    *,
    work: Path,
    progress: Progress | None = None,
    activity_name: str = "Training",
    before_step: Callable[[int], None] | None = None,
    mix: Mix | None = None,
    about: str = "",
    settled: int = 0,
    function: str | None = None,
    after_epoch: Callable[[EpochRecord], None] | None = None,
) -> History:
    """Train `model` in place to the end that `config` describes, from the checkpoint in `work` if there is
    one.

    Parameters
    ----------
    model
        Any tf_keras model that gives logits (probabilities with ``from_logits: false``): float or QKeras.
        Call
        with the same initial weights to resume.
    dataset
        Training and validation images; the test images are never looked at.
    config
        See `TrainConfig`. With more epochs than before, a finished training goes on, optimizer state
        included.
    work
        Folder of the checkpoint, one for each training.
    progress
        Told about every step, with loss and accuracy.
    activity_name
        What the progress calls it.
    before_step
        Called with the number of the step (over all epochs) before it is done; pruning schedules hook in
        here. The first step of an epoch may be the first after a resume.
    mix
        See `siliconv.models.training.training_step.Mix`.
    about
        Whatever else the training depends on (its hooks, its quantizers), as text: a checkpoint of another
        training is not resumed.
    function
        The sigmoid or softmax that the network ends in, whether the model gives logits or not.
    after_epoch
        Called with what an epoch gave, before it is kept: weights of the model that it changes are kept with it. A run
        that was killed in between does the epoch, and the call, again.
    settled
        Epochs at the beginning that are neither kept as the best nor waited for by `patience`.

    Returns
    -------
    History
        All epochs, those of earlier runs included. The model has the weights that ``config.keep`` names.

    Raises
    ------
    ModelError
        ``TRAIN-SHAPE`` when images and model do not fit, ``TRAIN-LOSS``, ``TRAIN-WEIGHTS``, or ``TRAIN-NAN``
        when the loss is no number any more.
    """
    progress = progress or Silent()
    judge = Judge.of(dataset, function)
    _check_fit(model, dataset)
    tf = tensorflow()
    tf.config.experimental.enable_op_determinism()
    tf.random.set_seed(config.seed)
    weights = image_weights(config, dataset.train.labels, dataset.class_names, dataset.task)
    _check_augmentation(config, dataset)
    augment = augmenter(config.augmentation, dataset.train.shape)
    optimizer = optimizer_of(config)
    optimizer.build(model.trainable_variables)
    step = training_step(model, optimizer, config, mix, judge=judge, answers=dataset.train.labels[:1])
    training = _Training(
        model,
        optimizer,
        config,
        step,
        draws_random_numbers(step),
        validator(model, dataset.val, config, judge),
        training_batches(dataset.train, weights, config.batch_size, augment),
        math.ceil(len(dataset.train) / config.batch_size),
        before_step,
        progress,
        metric_of(judge),
    )
    path = work / CHECKPOINT
    fingerprint = training_fingerprint(config, model.get_weights(), dataset, about)
    history, best, finished = _resume(path, fingerprint, model, optimizer, progress)
    history = replace(history, metric=training.metric)
    if not history.should_stop(config, settled):
        history = history.continued() if finished else history
        with activity(
            progress, activity_name, config.epochs * training.steps, "steps", done=len(history) * training.steps
        ):
            while not history.should_stop(config, settled):
                history = history.with_epoch(training.epoch(history))
                if after_epoch is not None:
                    after_epoch(history.epochs[-1])
                if history.best_epoch(config, settled) == len(history) - 1:
                    best = model.get_weights()
                state = [variable.numpy() for variable in optimizer.variables]
                stop = history.should_stop(config, settled)
                checkpoint = Checkpoint(history, stop, model.get_weights(), state, best, instruction_set())
                save_checkpoint(path, checkpoint, fingerprint)
    if config.keep == "best":
        model.set_weights(best)
    return history


@dataclass(frozen=True, eq=False)
class _Training:
    """What stays the same from epoch to epoch."""

    model: Any
    optimizer: Any
    config: TrainConfig
    step: Step
    draws: bool
    validate: Validate
    batches: Callable[[int], Iterable[tuple[Any, Any, Any]]]
    steps: int
    before_step: Callable[[int], None] | None
    progress: Progress
    metric: str = "accuracy"

    def epoch(self, history: History) -> EpochRecord:
        """Train one epoch: all that is random in it follows from the seed and the number of the epoch."""
        from siliconv.models.architectures.dropout import reseed_dropout

        started, epoch = time.monotonic(), len(history)
        seed = epoch_seed(self.config.seed, epoch)
        if self.draws:
            # It makes TensorFlow optimize every graph again, which takes seconds.
            tensorflow().random.set_seed(seed)
        reseed_dropout(self.model, seed)
        seen, loss_sum, correct, rate = 0, 0.0, 0.0, 0.0
        for number, (pixels, labels, weight) in enumerate(self.batches(seed)):
            rate = learning_rate(self.config, history, number, self.steps)
            self.optimizer.learning_rate.assign(rate)
            if self.before_step is not None:
                self.before_step(epoch * self.steps + number)
            loss, right = self.step(pixels, labels, weight)
            count = int(labels.shape[0])
            seen, loss_sum, correct = seen + count, loss_sum + float(loss) * count, correct + float(right)
            if not math.isfinite(loss_sum):
                raise _not_a_number(float(loss), epoch, number)
            note = f"epoch {epoch + 1}/{self.config.epochs}, loss {loss_sum / seen:.4f}"
            note += f", {self.metric} {correct / seen:.3f}"
            self.progress.update(epoch * self.steps + number + 1, note)
        val_loss, val_accuracy = self.validate()
        if val_accuracy is not None:
            note += f", validation loss {val_loss:.4f}, {self.metric} {val_accuracy:.3f}"
        self.progress.update((epoch + 1) * self.steps, note)
        seconds = time.monotonic() - started
        return EpochRecord(epoch, loss_sum / seen, correct / seen, val_loss, val_accuracy, rate, seconds)


def _not_a_number(loss: float, epoch: int, step: int) -> ModelError:
    return ModelError(
        "TRAIN-NAN",
        f"the loss is {loss} in epoch {epoch + 1}, step {step + 1}",
        where="train",
        fix="lower the learning rate",
    )


def _resume(
    path: Path, fingerprint: str, model: Any, optimizer: Any, progress: Progress
) -> tuple[History, list[np.ndarray], bool]:
    found = load_checkpoint(path, fingerprint)
    if isinstance(found, str):
        if found:
            progress.say(f"{found}: training starts from the beginning")
        return History(), model.get_weights(), False
    if found.instructions and found.instructions != instruction_set():
        progress.say(
            f"the training began on a machine with {found.instructions}, and goes on with {instruction_set()}: it may "
            "end with other bits than on one machine"
        )
    model.set_weights(found.model)
    for variable, value in zip(optimizer.variables, found.optimizer, strict=True):
        variable.assign(value)
    return found.history, found.best, found.finished


def _check_augmentation(config: TrainConfig, dataset: Dataset) -> None:
    if config.augmentation != AugmentConfig() and dataset.summary.ports:
        raise ModelError(
            "AUGMENT-SHAPE",
            "augmentation changes images, and the network has several inputs",
            where="train.augmentation",
            fix="leave the augmentation out",
        )
    if config.augmentation != AugmentConfig() and dataset.input != PIXELS:
        raise ModelError(
            "AUGMENT-SHAPE",
            f"augmentation changes 8-bit images; the inputs are {dataset.input}",
            where="train.augmentation",
            fix="leave the augmentation out",
        )


def _check_fit(model: Any, dataset: Dataset) -> None:
    classes, outputs = len(dataset.class_names), model.output_shape[-1]
    task, given = dataset.task, tuple(model.output_shape[1:])
    if tuple(model.input_shape[1:]) != tuple(dataset.train.shape):
        raise ModelError(
            "TRAIN-SHAPE",
            f"the network takes {model.input_shape[1:]}, the images are {dataset.train.shape}",
            where="model.input_shape",
            fix="prepare the data with the network's input shape",
        )
    wanted = dataset.train.shape if task == "autoencoder" else dataset.train.labels.shape[1:]
    if task not in ("classification", "several") and (task == "none" or given != tuple(wanted)):
        raise ModelError(
            "TRAIN-SHAPE",
            f"the network gives {given}, and its answers are {tuple(wanted)}"
            if task != "none"
            else "no answers to learn",
            where="model.layers",
            fix="end with as many outputs as there are numbers to learn",
        )
    if task == "classification" and outputs != classes and not (outputs == 1 and classes == 2):
        raise ModelError(
            "TRAIN-SHAPE",
            f"the network has {outputs} output(s) for {classes} classes: {', '.join(dataset.class_names)}",
            where="model.layers",
            fix="end with one output a class (or a single one for two classes)",
        )
