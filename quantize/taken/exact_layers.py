"""QKeras' layers and quantizers in float64, without what rounds in them although the firmware does not.

QKeras passes gradients through by ``x + (q - x)``, which may round; its ReLU goes back to float32; its average pooling
divides and multiplies again. These compute the same values without.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from siliconv import legacy_keras

legacy_keras.load()

import qkeras  # noqa: E402
import tensorflow as tf  # noqa: E402
import tf_keras as keras  # noqa: E402


class ExactRelu(qkeras.quantized_relu):
    """`quantized_relu` in the precision of its input."""

    def __call__(self, x: Any) -> Any:
        """Quantize; any shape."""
        slope, integer = float(self.negative_slope), int(self.integer)
        places = 2.0 ** (int(self.bits) - (slope != 0.0))
        scaled = x * (places / 2.0**integer)
        codes = tf.clip_by_value(tf.round(scaled), 0.0, places - 1.0)
        if slope > 0:
            codes += tf.clip_by_value(tf.round(scaled * slope), -places * slope, 0.0)
        value = codes * (2.0**integer / places)
        if self.relu_upper_bound and not self.is_quantized_clip:
            value = tf.minimum(value, tf.cast(self.relu_upper_bound, x.dtype))
        return value


class ExactBits(qkeras.quantized_bits):
    """`quantized_bits` with a given scale: QKeras multiplies by it in float32, whatever its input is."""

    def __call__(self, x: Any) -> Any:
        """Quantize; any shape."""
        sign = bool(self.keep_negative)
        if int(self.bits) - sign < 1:
            value = tf.where(x >= 0.0, tf.ones_like(x), (-tf.ones_like(x) if sign else tf.zeros_like(x)))
        else:
            places = 2.0 ** (int(self.bits) - sign)
            step = 2.0 ** int(self.integer) / places
            lowest = -places + bool(self.symmetric) if sign else 0.0
            value = tf.clip_by_value(tf.round(x / step), lowest, places - 1.0) * step
        if self.alpha is None or np.all(np.equal(self.alpha, 1.0)):
            return value
        return tf.cast(tf.cast(value, tf.float32) * np.float32(self.alpha), x.dtype)


class ExactBinary(qkeras.binary):
    """`binary` with a given scale."""

    def __call__(self, x: Any) -> Any:
        """Quantize; any shape."""
        sign = tf.where(x >= 0.0, tf.ones_like(x), -tf.ones_like(x))
        return _given(self.alpha) * ((sign + 1.0) / 2.0 if self.use_01 else sign)


class ExactTernary(qkeras.ternary):
    """`ternary` with a given scale."""

    def __call__(self, x: Any) -> Any:
        """Quantize; any shape."""
        threshold = np.float32(self.default_threshold if self.threshold is None else self.threshold)
        far = tf.cast(tf.abs(x) >= tf.cast(threshold, x.dtype), x.dtype)
        return _given(self.alpha) * far * tf.sign(x)


def _given(alpha: Any) -> float:
    """Give a scale as QKeras multiplies by it, in float32."""
    return 1.0 if alpha is None else float(np.float32(alpha))


class ScaleOffset(keras.layers.Layer):
    """``scale * x + offset`` for each channel: a batch normalization whose two constants are known."""

    def __init__(self, scale: np.ndarray, offset: np.ndarray, **config: Any) -> None:
        super().__init__(**config)
        self.factor, self.offset = np.asarray(scale, np.float64), np.asarray(offset, np.float64)

    def call(self, inputs: Any) -> Any:
        """Scale a batch."""
        return inputs * tf.cast(self.factor, inputs.dtype) + tf.cast(self.offset, inputs.dtype)


class Float32Rescaling(keras.layers.Layer):
    """Keras' Rescaling by numbers of many bits: what float32 makes of it, whatever the precision of its input."""

    def __init__(self, scale: Any, offset: Any, **config: Any) -> None:
        super().__init__(**config)
        self.factor, self.offset = np.asarray(scale, np.float32), np.asarray(offset, np.float32)

    def call(self, inputs: Any) -> Any:
        """Scale a batch."""
        return tf.cast(tf.cast(inputs, tf.float32) * self.factor + self.offset, inputs.dtype)


class SummedPooling(keras.layers.Layer):
    """The sum of each window times a factor, as QKeras' average pooling with a quantizer means it."""

    def __init__(self, factor: float, window: Any, strides: Any, activation: Any, **config: Any) -> None:
        super().__init__(**config)
        self.factor, self.window, self.strides, self.activation = factor, window, strides, activation

    def call(self, inputs: Any) -> Any:
        """Pool a batch of images."""
        window = tuple(inputs.shape[1:3]) if self.window is None else self.window
        kernel = np.ones((*window, inputs.shape[-1], 1))
        # TensorFlow takes one stride for both axes only, so that windows are left out afterwards.
        every = tf.nn.depthwise_conv2d(inputs, tf.constant(kernel, inputs.dtype), (1, 1, 1, 1), "VALID")
        down, across = self.strides or window
        total = every[:, ::down, ::across] * self.factor
        total = tf.reshape(total, (-1, inputs.shape[-1])) if self.window is None else total
        return total if self.activation is None else self.activation(total)


EXACT: Mapping[str, type] = {
    "quantized_bits": ExactBits,
    "quantized_relu": ExactRelu,
    "binary": ExactBinary,
    "ternary": ExactTernary,
}
"""By the name of QKeras' class."""
