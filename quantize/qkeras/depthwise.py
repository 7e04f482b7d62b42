"""Quantized depthwise convolution in one dimension, which QKeras does not have."""

from __future__ import annotations

from typing import Any

from siliconv import legacy_keras

legacy_keras.load()

import tensorflow as tf  # noqa: E402
import tf_keras as keras  # noqa: E402


class QDepthwiseConv1D(keras.layers.DepthwiseConv1D):
    """`DepthwiseConv1D` with quantized kernel and bias, by the attributes of QKeras' `QDepthwiseConv2D`.

    Parameters
    ----------
    depthwise_quantizer, bias_quantizer
        Quantizers of kernel and bias; None only for a bias that is not used.
    """

    def __init__(self, *args: Any, depthwise_quantizer: Any, bias_quantizer: Any = None, **config: Any) -> None:
        super().__init__(*args, **config)
        self.depthwise_quantizer_internal, self.bias_quantizer_internal = depthwise_quantizer, bias_quantizer

    def call(self, inputs: Any) -> Any:
        """Convolve each channel of (batch, length, channels)."""
        result = tf.nn.depthwise_conv2d(
            tf.expand_dims(inputs, 1),
            tf.expand_dims(self.depthwise_quantizer_internal(self.depthwise_kernel), 0),
            strides=(1, *self.strides * 2, 1),
            padding=self.padding.upper(),
            dilations=(1, *self.dilation_rate),
        )
        if self.use_bias:
            result = tf.nn.bias_add(result, self.bias_quantizer_internal(self.bias))
        return self.activation(tf.squeeze(result, [1]))
