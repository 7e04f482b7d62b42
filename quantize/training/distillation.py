"""Knowledge distillation: fine-tuning towards what the float network says about each image.

The loss of an image is ``(1 - w) * loss of the label + w * T**2 * cross entropy`` between the softened probabilities of
the two networks, their logits divided by ``T`` (Hinton, Vinyals, Dean 2015; ``T**2`` keeps the gradients' size).
A single logit stands for two classes, several labels are two classes each.
"""

from __future__ import annotations

from typing import Any

from siliconv.legacy_keras import tensorflow
from siliconv.models.answers.task import Task
from siliconv.models.training.losses import output_in
from siliconv.models.training.scoring import Judge
from siliconv.models.training.training_step import Mix
from siliconv.quantize.recipe import Distillation


def distillation(teacher: Any, config: Distillation, judge: Judge | None = None) -> Mix:
    """Give the loss for `siliconv.models.training.training.fit`; it has no state, so a resumed training has the same.

    Parameters
    ----------
    teacher
        The float network, which gives logits; it runs without dropout and is not trained.
    config
        Weight and temperature.
    judge
        What the networks are asked, a class by default; of numbers, the square of the difference takes the place of the
        cross entropy. Of several outputs the likenesses of those with right answers are added.
    """
    tf = tensorflow()
    task: Task = judge.task if judge is not None else "classification"

    def mix(images: Any, logits: Any, losses: Any) -> Any:
        target = tf.stop_gradient(teacher(images, training=False))
        if judge is not None and judge.parts:
            pairs = [(part.task, number) for number, part in enumerate(judge.parts) if part.task != "none"]
            likeness = sum(
                _likeness(kind, output_in(number, judge, target), output_in(number, judge, logits), config.temperature)
                for kind, number in pairs
            )
        else:
            likeness = _likeness(task, target, logits, config.temperature)
        return (1.0 - config.weight) * losses + config.weight * likeness

    return mix


def _likeness(task: Task, target: Any, logits: Any, temperature: float) -> Any:
    """Return how far the outputs of an image are from the teacher's."""
    tf = tensorflow()
    if task in ("regression", "autoencoder"):
        apart = tf.square(target - logits)
        return tf.reduce_mean(tf.reshape(apart, (tf.shape(apart)[0], -1)), axis=1)
    softened, wanted = logits / temperature, target / temperature
    if logits.shape[-1] == 1 or task == "multilabel":
        each = tf.nn.sigmoid_cross_entropy_with_logits(tf.nn.sigmoid(wanted), softened)
        return temperature**2 * tf.reduce_mean(each, axis=1)
    return temperature**2 * tf.nn.softmax_cross_entropy_with_logits(tf.nn.softmax(wanted), softened)
