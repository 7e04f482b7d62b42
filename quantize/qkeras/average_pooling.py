"""Average pooling as the firmware computes it, for Keras: the sum divided and truncated towards zero.

A mean over 9 pixels has no end in binary. hls4ml divides the sum in its accumulator's type, which drops what lies
below the last place; Keras' own layer rounds to float32. These layers compute the former, so the quantized model and
the firmware agree in every bit. Their gradient is the mean's.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from siliconv import legacy_keras
from siliconv.network.windows import real_elements, same_padding

legacy_keras.load()

import tensorflow as tf  # noqa: E402
import tf_keras as keras  # noqa: E402


class _Truncated(keras.layers.Layer):
    """What the four layers share.

    Parameters
    ----------
    source_fraction
        Fractional bits of the input's codes.
    fraction
        Fractional bits of the result, at least as many.
    """

    def __init__(self, *, source_fraction: int, fraction: int, **config: Any) -> None:
        super().__init__(**config)
        self.source_fraction, self.fraction = source_fraction, fraction

    def counts(self, spatial: tuple[int, ...]) -> Any:
        """Count the real elements under each window of an image; (*output positions, 1)."""
        window, strides = tuple(self.pool_size), tuple(self.strides)
        padding = same_padding(spatial, window, strides) if self.padding == "same" else ((0, 0),) * len(window)
        return real_elements(spatial, window, strides, padding)

    def call(self, inputs: Any) -> Any:
        """Pool a batch of real values that are multiples of the input's step."""
        counts = self.counts(tuple(inputs.shape[1:-1])).astype(inputs.dtype.as_numpy_dtype)
        return _truncated(super().call(inputs), counts, self.source_fraction, self.fraction)


class TruncatedAveragePooling1D(_Truncated, keras.layers.AveragePooling1D):
    """`AveragePooling1D`, truncated."""


class TruncatedAveragePooling2D(_Truncated, keras.layers.AveragePooling2D):
    """`AveragePooling2D`, truncated."""


class _TruncatedGlobal(_Truncated):
    def counts(self, spatial: tuple[int, ...]) -> Any:
        """Count all elements of an image."""
        return np.array([int(np.prod(spatial))])


class TruncatedGlobalAveragePooling1D(_TruncatedGlobal, keras.layers.GlobalAveragePooling1D):
    """`GlobalAveragePooling1D`, truncated."""


class TruncatedGlobalAveragePooling2D(_TruncatedGlobal, keras.layers.GlobalAveragePooling2D):
    """`GlobalAveragePooling2D`, truncated."""


def _truncated(mean: Any, counts: Any, source_fraction: int, fraction: int) -> Any:
    @tf.custom_gradient
    def truncate(value: Any) -> Any:
        # The mean lost less than half a unit of the sum, so the sum comes back whole.
        total = tf.round(value * counts * 2.0**source_fraction) * 2.0 ** (fraction - source_fraction)
        size = tf.abs(total)
        # A graph divides by a constant by multiplying with its reciprocal, which may be off by one where eager mode is
        # not. Quotient and rest are whole numbers, so the rest says which way.
        quotient = tf.floor(size / counts)
        rest = size - quotient * counts
        codes = quotient + tf.cast(rest >= counts, size.dtype) - tf.cast(rest < 0.0, size.dtype)
        return tf.sign(total) * codes * 2.0**-fraction, lambda upstream: upstream

    return truncate(mean)
