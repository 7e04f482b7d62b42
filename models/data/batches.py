"""From the store to the network: shuffled, augmented, prefetched batches as a tf.data pipeline."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from siliconv.legacy_keras import tensorflow
from siliconv.models.data.ahead import ahead
from siliconv.models.data.augmentation import Augment
from siliconv.models.data.image_store import Images

_AHEAD = 4
"""Batches that wait while the network computes."""


def epoch_seed(seed: int, epoch: int) -> int:
    """Return the 31-bit seed of an epoch: another for each, the same in every run."""
    return int(np.random.SeedSequence([seed, epoch]).generate_state(1)[0] >> 1)


def training_batches(
    images: Images, weights: np.ndarray, batch_size: int, augment: Augment | None = None
) -> Callable[[int], Iterable[tuple[Any, Any, Any]]]:
    """Return the function from an epoch's seed to its batches: (float32 values, right answers, float32 weights).

    Right answers are class numbers (int32), or rows or maps of numbers (float32).

    Order and augmentation follow from the seed; the next batches are made while the network computes. The
    pipeline is built once, and iterated once an epoch.
    """
    tf = tensorflow()
    labels, shape, step = answers_for_training(images.labels), images.shape, images.input.step
    kinds = [tf.as_dtype(images.input.dtype), tf.as_dtype(labels.dtype), tf.float32, tf.int64]
    current: dict[str, Any] = {"seed": 0, "order": np.arange(len(images))}

    def read(number: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        chosen = current["order"][number * batch_size : (number + 1) * batch_size]
        return images.read(chosen), labels[chosen], weights[chosen], np.array([current["seed"], number])

    def load(number: Any) -> tuple[Any, Any, Any]:
        pixels, label, weight, seed = tf.numpy_function(read, [number], kinds)
        pixels.set_shape((None, *shape))
        label.set_shape((None, *labels.shape[1:]))
        weight.set_shape((None,))
        seed.set_shape((2,))
        if augment is not None:
            pixels = augment(pixels, seed)
        return tf.cast(pixels, tf.float32) * step, label, weight

    pipeline = tf.data.Dataset.range(math.ceil(len(images) / batch_size))
    pipeline = pipeline.map(load, num_parallel_calls=2, deterministic=True)

    def epoch(seed: int) -> Iterable[tuple[Any, Any, Any]]:
        current["seed"], current["order"] = seed, np.random.default_rng(seed).permutation(len(images))
        return ahead(pipeline, _AHEAD)

    return epoch


def answers_for_training(labels: np.ndarray) -> np.ndarray:
    """Return class numbers as int32, and rows or maps as float32."""
    return labels.astype(np.int32 if labels.ndim == 1 and labels.dtype.kind in "iu" else np.float32)
