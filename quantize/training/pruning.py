"""Pruning: the smallest weights of a layer become zero while it is trained, and stay exactly zero from then on.

Schedules and the choice of the 2:4 pattern are those of tensorflow-model-optimization. Its layer wrapper is not used:
it would keep masks, thresholds and a step counter among the weights (to be stripped, and saved with every checkpoint),
let pruned weights move between two steps, and count steps of a process rather than of a training. Here a mask is a
constraint on the kernel, applied by the optimizer after each step, and is chosen anew from the weights at the first
step of each epoch as well as every few steps: it needs no place in a checkpoint, and a resumed training ends with the
same bits. There is nothing to strip: a mask is no part of the model's weights.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from siliconv import legacy_keras
from siliconv.models.training.train_config import TrainConfig
from siliconv.quantize.qkeras.kernel_mask import Masked
from siliconv.quantize.recipe import Pruning, Recipe

keras = legacy_keras.load()

import tensorflow as tf  # noqa: E402
from tensorflow_model_optimization.python.core.sparsity.keras import pruning_utils  # noqa: E402
from tensorflow_model_optimization.sparsity.keras import ConstantSparsity, PolynomialDecay  # noqa: E402

PRUNABLE = ("Conv1D", "Conv2D", "Dense")
"""Not depthwise convolutions, whose few weights are each a channel's own: tensorflow-model-optimization does alike."""

BLOCK = (2, 4)
"""Zeros among neighbouring input channels."""


class Pruner:
    """The masks of a model and their schedule; `before_step` is for `siliconv.models.training.training.fit`.

    Parameters
    ----------
    model
        The float model: layers, and shapes of their kernels.
    recipe
        Sparsity by layer, pattern and schedule.
    epochs, steps
        Epochs of the training, and steps of an epoch.
    begun
        The weights are pruned already: keep the full sparsity from the first step.
    """

    def __init__(self, model: Any, recipe: Recipe, *, epochs: int, steps: int, begun: bool = False) -> None:
        assert recipe.pruning is not None
        self._config, self._steps = recipe.pruning, steps
        self._begin = 0 if begun else math.ceil(recipe.pruning.begin * epochs * steps)
        self._schedules: dict[str, Any] = {}
        self.masks: dict[str, Any] = {}
        self._kernels: dict[str, Any] = {}
        for layer in model.layers:
            sparsity = recipe.bits(layer.name).sparsity if type(layer).__name__ in PRUNABLE else 0.0
            if sparsity:
                self.masks[layer.name] = tf.Variable(tf.ones(layer.kernel.shape), trainable=False)
                self._schedules[layer.name] = self._schedule(sparsity, epochs * steps, begun)

    def watch(self, model: Any) -> None:
        """Say which model's kernels the masks are chosen from."""
        self._kernels = {name: model.get_layer(name).kernel for name in self.masks}

    def before_step(self, step: int) -> None:
        """Choose the masks anew where this is due."""
        if step >= self._begin and (step % self._steps == 0 or (step - self._begin) % self._config.every == 0):
            self.prune(step)

    def prune(self, step: int) -> None:
        """Choose the masks of a step and apply them."""
        for name, kernel in self._kernels.items():
            sparsity = float(self._schedules[name](tf.constant(step))[1])
            mask = self.masks[name].assign(mask_of(kernel, sparsity, self._config))
            kernel.assign(kernel * mask)

    def _schedule(self, sparsity: float, total: int, begun: bool) -> Any:
        config = self._config
        end = math.floor(config.end * total)
        if begun or config.schedule == "constant" or end <= self._begin:
            return ConstantSparsity(sparsity, self._begin, frequency=config.every)
        return PolynomialDecay(
            min(config.initial_sparsity, sparsity), sparsity, self._begin, end, power=config.power,
            frequency=config.every,
        )  # fmt: skip


def settled(config: Pruning, train: TrainConfig) -> int:
    """Give the number of epochs before the full sparsity is reached: none of them may be kept as the best."""
    share = config.end if config.schedule == "polynomial" and config.pattern == "free" else config.begin
    return min(math.ceil(share * train.epochs), train.epochs - 1)


def mask_of(kernel: Any, sparsity: float, config: Pruning) -> Any:
    """Give the mask of a kernel (..., inputs, outputs): 1 for the weights that stay, the largest.

    Exactly ``round(sparsity * size)`` weights are pruned, of equally large ones the first in the kernel's order
    (tensorflow-model-optimization keeps all that are as large as its threshold); with the pattern 2:4 two of four
    neighbouring inputs.
    """
    if config.pattern == "2:4":
        flat = tf.reshape(kernel, (-1, *kernel.shape[-2:]))
        four_axes = flat[tf.newaxis] if len(kernel.shape) > 2 else kernel
        blocks = pruning_utils.generate_m_by_n_mask(pruning_utils.weights_rearrange(four_axes), BLOCK)
        return tf.reshape(pruning_utils.m_by_n_sparsity_mask_prepare(blocks, four_axes.shape), kernel.shape)
    values = np.abs(kernel.numpy()).ravel()
    mask = np.ones(values.size, np.float32)
    mask[np.argsort(values, kind="stable")[: round(sparsity * values.size)]] = 0.0
    return tf.reshape(tf.constant(mask), kernel.shape)


def with_masks(model: Any, masks: Mapping[str, Any], *, dropout: float | None = None) -> Any:
    """Clone a float model so that its kernels keep to the masks in training; `dropout` as in `quantized_model`."""

    def constrain(layer: Any) -> Any:
        config = layer.get_config()
        if dropout is not None and "Dropout" in type(layer).__name__:
            config["rate"] = dropout
        made = type(layer).from_config(config)
        if layer.name in masks:
            made.kernel_constraint = Masked(masks[layer.name], made.kernel_constraint)
        return made

    clone = keras.models.clone_model(model, clone_function=constrain)
    clone.set_weights(model.get_weights())
    return clone
