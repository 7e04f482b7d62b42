"""One step of training as a graph, the validation after an epoch, and the optimizers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from siliconv.legacy_keras import load, tensorflow
from siliconv.models.data.batches import answers_for_training
from siliconv.models.data.image_store import Images
from siliconv.models.training.losses import loss_of_judge, metric_of_judge
from siliconv.models.training.prediction import predictor
from siliconv.models.training.scoring import Judge
from siliconv.models.training.train_config import TrainConfig

Step = Callable[[Any, Any, Any], tuple[Any, Any]]
"""(images, labels, weights) -> (mean loss, number of right answers), and the model is a step further."""

Validate = Callable[[], tuple[float | None, float | None]]
"""() -> (loss, accuracy) on the validation images, None without any."""

Mix = Callable[[Any, Any, Any], Any]
"""(images, network outputs, losses from the labels) -> losses to train on, one an image: distillation hooks in here."""


def training_step(
    model: Any, optimizer: Any, config: TrainConfig, mix: Mix | None = None, *, judge: Judge, answers: np.ndarray
) -> Step:
    """Return the function that trains on one batch; `answers` are those of a few images, for their type and shape."""
    tf = tensorflow()
    task = judge.task
    loss_function = loss_of_judge(config, judge, model.output_shape[-1])
    known = answers_for_training(answers)
    signature = [
        tf.TensorSpec((None, *model.input_shape[1:]), tf.float32),
        tf.TensorSpec((None, *known.shape[1:]), tf.as_dtype(known.dtype)),
        tf.TensorSpec((None,), tf.float32),
    ]

    @tf.function(input_signature=signature)
    def step(pixels: Any, labels: Any, weights: Any) -> tuple[Any, Any]:
        with tf.GradientTape() as tape:
            output = model(pixels, training=True)
            right = pixels if task == "autoencoder" else labels
            losses = loss_function(right, output)
            losses = losses if mix is None else mix(pixels, output, losses)
            loss = tf.reduce_mean(losses * weights)
            total = tf.add_n([loss, *model.losses]) if model.losses else loss
        gradients = tape.gradient(total, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        metric = metric_of_judge(judge, right, output, from_logits=config.from_logits)
        return loss, tf.reduce_sum(metric)

    return step


def draws_random_numbers(step: Any) -> bool:
    """Whether the graph of a step has operations that draw from TensorFlow's own random stream.

    `SeededDropout` and augmentation have streams of their own.
    """
    definition = step.get_concrete_function().graph.as_graph_def()
    nodes = [*definition.node, *(node for function in definition.library.function for node in function.node_def)]
    return any("seed2" in node.attr for node in nodes)


def validator(model: Any, images: Images, config: TrainConfig, judge: Judge) -> Validate:
    """Return the function that computes loss and accuracy on the validation images."""
    if not len(images):
        return lambda: (None, None)
    tf = tensorflow()
    task = judge.task
    predict, loss_function = predictor(model), loss_of_judge(config, judge, model.output_shape[-1])
    labels = tf.constant(answers_for_training(images.labels)) if task != "autoencoder" else None

    def validate() -> tuple[float, float]:
        output = tf.constant(predict(images))
        right = labels if labels is not None else tf.constant(images.values(slice(None)))
        loss = float(tf.reduce_mean(loss_function(right, output)))
        metric = metric_of_judge(judge, right, output, from_logits=config.from_logits)
        return loss, float(tf.reduce_mean(metric))

    return validate


def optimizer_of(config: TrainConfig) -> Any:
    """Return the tf_keras optimizer of a configuration."""
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
