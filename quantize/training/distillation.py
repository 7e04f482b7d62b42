"""Knowledge distillation: fine-tuning towards what the float network says about each image.

The loss of an image is ``(1 - w) * loss of the label + w * T**2 * cross entropy`` between the softened probabilities of
the two networks, their logits divided by ``T`` (Hinton, Vinyals, Dean 2015; ``T**2`` keeps the gradients' size).
A single logit stands for two classes, several labels are two classes each.
"""

from __future__ import annotations

from typing import Any

from siliconv.legacy_keras import tensorflow
from siliconv.models.answers.task import Task
from siliconv.models.training.training_step import Mix
from siliconv.quantize.recipe import Distillation


def distillation(teacher: Any, config: Distillation, task: Task = "classification") -> Mix:
    """Give the loss for `siliconv.models.training.training.fit`; it has no state, so a resumed training has the same.

    Parameters
    ----------
    teacher
        The float network, which gives logits; it runs without dropout and is not trained.
    config
        Weight and temperature.
    task
        What the networks are asked; of numbers, the square of the difference takes the place of the cross entropy.
    """
    tf = tensorflow()

    def mix(images: Any, logits: Any, losses: Any) -> Any:
        if task in ("regression", "autoencoder"):
            apart = tf.square(tf.stop_gradient(teacher(images, training=False)) - logits)
            likeness = tf.reduce_mean(tf.reshape(apart, (tf.shape(apart)[0], -1)), axis=1)
            return (1.0 - config.weight) * losses + config.weight * likeness
        target = tf.stop_gradient(teacher(images, training=False)) / config.temperature
        softened = logits / config.temperature
        if logits.shape[-1] == 1 or task == "multilabel":
            each = tf.nn.sigmoid_cross_entropy_with_logits(tf.nn.sigmoid(target), softened)
            likeness = tf.reduce_mean(each, axis=1)
        else:
            likeness = tf.nn.softmax_cross_entropy_with_logits(tf.nn.softmax(target), softened)
        return (1.0 - config.weight) * losses + config.weight * config.temperature**2 * likeness

    return mix
