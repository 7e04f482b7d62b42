"""Train any tf_keras model, a checkpoint an epoch: killed at any moment and started again, it ends with the
same bits.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from siliconv.errors import ModelError
from siliconv.models.augmentation import Augment, augmenter
from siliconv.models.batches import epoch_seed, training_batches
from siliconv.models.checkpoint import Checkpoint, load_checkpoint, save_checkpoint, training_fingerprint
from siliconv.models.history import EpochRecord, History, learning_rate
from siliconv.models.image_store import Dataset, Images
from siliconv.models.legacy_keras import load, tensorflow
from siliconv.models.losses import image_weights, is_correct, loss_of
from siliconv.models.prediction import predictor
from siliconv.models.train_config import TrainConfig
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
        here.

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
    _check_fit(model, dataset)
    tf = tensorflow()
    tf.config.experimental.enable_op_determinism()
    tf.random.set_seed(config.seed)
    weights = image_weights(config, dataset.train.labels, dataset.class_names)
    augment = augmenter(config.augmentation, dataset.train.shape)
    optimizer = _optimizer(config)
    optimizer.build(model.trainable_variables)
    step = _training_step(model, optimizer, config)
    validate = _validator(model, dataset.val, config)
    path = work / CHECKPOINT
    fingerprint = training_fingerprint(
        config, model.get_weights(), [dataset.train.labels, dataset.val.labels], dataset.class_names
    )
    history, best = _resume(path, fingerprint, model, optimizer, progress)
    steps = math.ceil(len(dataset.train) / config.batch_size)
    if not history.should_stop(config):
        with activity(progress, activity_name, config.epochs * steps, "steps"):
            while not history.should_stop(config):
                record = _epoch(
                    model,
                    optimizer,
                    step,
                    validate,
                    dataset.train,
                    weights,
                    config,
                    history,
                    progress,
                    augment,
                    before_step,
                )
                history = history.with_epoch(record)
                if history.best_epoch(config) == len(history) - 1:
                    best = model.get_weights()
                state = [variable.numpy() for variable in optimizer.variables]
                save_checkpoint(path, Checkpoint(history, model.get_weights(), state, best), fingerprint)
                progress.update(len(history) * steps, _note(record, config))
    if config.keep == "best":
        model.set_weights(best)
    return history


def _epoch(
    model: Any,
    optimizer: Any,
    step: Callable[..., Any],
    validate: Callable[[], tuple[float | None, float | None]],
    images: Images,
    weights: np.ndarray,
    config: TrainConfig,
    history: History,
    progress: Progress,
    augment: Augment | None,
    before_step: Callable[[int], None] | None,
) -> EpochRecord:
    from siliconv.models.dropout import reseed_dropout

    started, epoch = time.monotonic(), len(history)
    seed = epoch_seed(config.seed, epoch)
    tensorflow().random.set_seed(seed)
    reseed_dropout(model, seed)
    steps = math.ceil(len(images) / config.batch_size)
    seen, loss_sum, correct, rate = 0, 0.0, 0.0, 0.0
    for number, (pixels, labels, weight) in enumerate(
        training_batches(images, weights, config.batch_size, seed, augment)
    ):
        rate = learning_rate(config, history, number, steps)
        optimizer.learning_rate.assign(rate)
        if before_step is not None:
            before_step(epoch * steps + number)
        loss, right = step(pixels, labels, weight)
        count = int(labels.shape[0])
        seen, loss_sum, correct = seen + count, loss_sum + float(loss) * count, correct + float(right)
        if not math.isfinite(loss_sum):
            raise ModelError(
                "TRAIN-NAN",
                f"the loss is {float(loss)} in epoch {epoch + 1}, step {number + 1}",
                where="train",
                fix="lower the learning rate",
            )
        note = f"epoch {epoch + 1}/{config.epochs}, loss {loss_sum / seen:.4f}, accuracy {correct / seen:.3f}"
        progress.update(epoch * steps + number + 1, note)
    val_loss, val_accuracy = validate()
    seconds = time.monotonic() - started
    return EpochRecord(epoch, loss_sum / seen, correct / seen, val_loss, val_accuracy, rate, seconds)


def _training_step(model: Any, optimizer: Any, config: TrainConfig) -> Callable[..., Any]:
    tf = tensorflow()
    loss_function = loss_of(config, model.output_shape[-1])
    signature = [
        tf.TensorSpec((None, *model.input_shape[1:]), tf.float32),
        tf.TensorSpec((None,), tf.int32),
        tf.TensorSpec((None,), tf.float32),
    ]

    @tf.function(input_signature=signature)
    def step(pixels: Any, labels: Any, weights: Any) -> tuple[Any, Any]:
        with tf.GradientTape() as tape:
            output = model(pixels, training=True)
            loss = tf.reduce_mean(loss_function(labels, output) * weights)
            total = tf.add_n([loss, *model.losses]) if model.losses else loss
        gradients = tape.gradient(total, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss, tf.reduce_sum(is_correct(labels, output, from_logits=config.from_logits))

    return step


def _validator(
    model: Any, images: Images, config: TrainConfig
) -> Callable[[], tuple[float | None, float | None]]:
    if not len(images):
        return lambda: (None, None)
    tf = tensorflow()
    predict, loss_function = predictor(model), loss_of(config, model.output_shape[-1])
    labels = tf.constant(images.labels.astype(np.int32))

    def validate() -> tuple[float, float]:
        output = tf.constant(predict(images))
        loss = float(tf.reduce_mean(loss_function(labels, output)))
        return loss, float(tf.reduce_mean(is_correct(labels, output, from_logits=config.from_logits)))

    return validate


def _optimizer(config: TrainConfig) -> Any:
    optimizers, rate = load().optimizers, config.learning_rate
    match config.optimizer:
        case "adam":
            return optimizers.Adam(rate, jit_compile=False)
        case "adamw":
            return optimizers.AdamW(rate, weight_decay=config.weight_decay, jit_compile=False)
        case "sgd":
            decay = config.weight_decay or None
            return optimizers.SGD(rate, momentum=0.9, nesterov=True, weight_decay=decay, jit_compile=False)
        case "rmsprop":
            return optimizers.RMSprop(rate, jit_compile=False)


def _resume(
    path: Path, fingerprint: str, model: Any, optimizer: Any, progress: Progress
) -> tuple[History, list[np.ndarray]]:
    found = load_checkpoint(path, fingerprint)
    if isinstance(found, str):
        if found:
            progress.say(f"{found}: training starts from the beginning")
        return History(), model.get_weights()
    model.set_weights(found.model)
    for variable, value in zip(optimizer.variables, found.optimizer, strict=True):
        variable.assign(value)
    return found.history, found.best


def _note(record: EpochRecord, config: TrainConfig) -> str:
    note = f"epoch {record.epoch + 1}/{config.epochs}, loss {record.loss:.4f}, accuracy {record.accuracy:.3f}"
    if record.val_accuracy is None:
        return note
    return f"{note}, validation {record.val_loss:.4f}, {record.val_accuracy:.3f}"


def _check_fit(model: Any, dataset: Dataset) -> None:
    classes, outputs = len(dataset.class_names), model.output_shape[-1]
    if tuple(model.input_shape[1:]) != tuple(dataset.train.shape):
        raise ModelError(
            "TRAIN-SHAPE",
            f"the network takes {model.input_shape[1:]}, the images are {dataset.train.shape}",
            where="model.input_shape",
            fix="prepare the data with the network's input shape",
        )
    if outputs != classes and not (outputs == 1 and classes == 2):
        raise ModelError(
            "TRAIN-SHAPE",
            f"the network has {outputs} output(s) for {classes} classes: {', '.join(dataset.class_names)}",
            where="model.layers",
            fix="end with one output a class (or a single one for two classes)",
        )
