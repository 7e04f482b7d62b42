"""From the store to the network: shuffled, augmented, prefetched batches as a tf.data pipeline."""

from __future__ import annotations

from typing import Any

import numpy as np

from siliconv.models.augmentation import Augment
from siliconv.models.image_files import PIXEL_SCALE
from siliconv.models.image_store import Images
from siliconv.models.legacy_keras import tensorflow


def epoch_seed(seed: int, epoch: int) -> int:
    """Return the 31-bit seed of an epoch: another for each, the same in every run."""
    return int(np.random.SeedSequence([seed, epoch]).generate_state(1)[0] >> 1)


def training_batches(
    images: Images, weights: np.ndarray, batch_size: int, seed: int, augment: Augment | None = None
) -> Any:
    """Return one epoch's tf.data.Dataset of (float32 fractions, int32 labels, float32 weights).

    Order and augmentation follow from `seed`; the next batches are made while the network computes.
    """
    tf = tensorflow()
    order = np.random.default_rng(seed).permutation(len(images))
    labels, shape = images.labels.astype(np.int32), images.shape

    def read(chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return images.read(chosen), labels[chosen], weights[chosen]

    def load(number: Any, chosen: Any) -> tuple[Any, Any, Any]:
        pixels, label, weight = tf.numpy_function(read, [chosen], [tf.uint8, tf.int32, tf.float32])
        pixels.set_shape((None, *shape))
        label.set_shape((None,))
        weight.set_shape((None,))
        if augment is not None:
            pixels = augment(pixels, tf.stack([tf.constant(seed, tf.int64), number]))
        return as_fraction(pixels), label, weight

    chosen = tf.data.Dataset.from_tensor_slices(order).batch(batch_size)
    return chosen.enumerate().map(load, num_parallel_calls=2, deterministic=True).prefetch(4)


def as_fraction(pixels: Any) -> Any:
    """Return k/256 for uint8 k as a float32 tensor: `to_fraction` in TensorFlow."""
    tf = tensorflow()
    return tf.cast(pixels, tf.float32) / float(PIXEL_SCALE)
