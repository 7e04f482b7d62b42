"""Functions of one element as the firmware computes them, for Keras: the input rounded to a few bits, then a table.

The table is the integer network's own (`siliconv.network.function_table`), so both agree in every bit, whatever the
machine's `exp` is. The gradient is that of the function itself, inside the range of the table.
"""

from __future__ import annotations

from typing import Any

from siliconv import legacy_keras
from siliconv.models.architectures.functions import tensor_function
from siliconv.network.fixed_point import FixedPoint, to_values
from siliconv.network.function_table import function_codes
from siliconv.network.output_softmax import OUTPUT, tables
from siliconv.network.table_types import FUNCTIONS

legacy_keras.load()

import tensorflow as tf  # noqa: E402
import tf_keras as keras  # noqa: E402


class TableActivation(keras.layers.Layer):
    """A function by look-up.

    Parameters
    ----------
    function
        ``sigmoid``, ``tanh``, or the text of one of `siliconv.models.architectures.functions`.
    inputs, outputs
        Types of the table's index and entries.
    """

    def __init__(self, function: str, inputs: FixedPoint, outputs: FixedPoint, **config: Any) -> None:
        super().__init__(**config)
        self.function, self.inputs, self.outputs = function, inputs, outputs
        self._entries = to_values(function_codes(function, inputs, outputs), outputs)

    def call(self, inputs: Any) -> Any:
        """Look every element up."""
        low, high = self.inputs.codes

        @tf.custom_gradient
        def look_up(value: Any) -> Any:
            codes = tf.clip_by_value(tf.round(value * 2.0**self.inputs.fraction), float(low), float(high))
            values = tf.gather(tf.constant(self._entries, value.dtype), tf.cast(codes, tf.int32) - low)

            def gradient(upstream: Any) -> Any:
                return upstream * _slope(self.function, codes * self.inputs.step)

            return values, gradient

        return look_up(tf.convert_to_tensor(inputs))

    def get_config(self) -> dict[str, Any]:
        """Give what the layer is made of."""
        own = {"function": self.function, "inputs": self.inputs, "outputs": self.outputs}
        return {**super().get_config(), **own}


class SlopedActivation(keras.layers.Layer):
    """A ReLU whose slope below zero is a power of two, rounded to a signed type.

    Parameters
    ----------
    outputs
        The type.
    slope
        A power of two.
    """

    def __init__(self, outputs: FixedPoint, slope: float, **config: Any) -> None:
        super().__init__(**config)
        self.outputs, self.slope = outputs, slope

    def call(self, inputs: Any) -> Any:
        """Round; the gradient is that of the function, inside the range of the type."""
        low, high = self.outputs.codes

        @tf.custom_gradient
        def rounded(value: Any) -> Any:
            # The scale is a power of two, so nothing rounds before the rounding.
            scaled = tf.where(value > 0, value, value * self.slope) * 2.0**self.outputs.fraction

            def gradient(upstream: Any) -> Any:
                inside = tf.logical_and(scaled >= float(low), scaled <= float(high))
                passed = tf.where(value > 0, upstream, upstream * self.slope)
                return tf.where(inside, passed, tf.zeros_like(upstream))

            return tf.clip_by_value(tf.round(scaled), float(low), float(high)) * self.outputs.step, gradient

        return rounded(tf.convert_to_tensor(inputs))

    def get_config(self) -> dict[str, Any]:
        """Give what the layer is made of."""
        return {**super().get_config(), "outputs": self.outputs, "slope": self.slope}


def _slope(function: str, inside: Any) -> Any:
    """Give the derivative of a function at some values."""
    if function in FUNCTIONS:
        y = getattr(tf, function)(inside)
        return y * (1.0 - y) if function == "sigmoid" else 1.0 - y * y
    with tf.GradientTape() as tape:
        tape.watch(inside)
        y = tensor_function(function)(inside)
    return tape.gradient(y, inside)


class SoftmaxActivation(keras.layers.Layer):
    """A softmax along the last axis by the tables of the integer network, in integers.

    Parameters
    ----------
    inputs
        The type that its input is brought into first, with steps of 1/64.
    """

    def __init__(self, inputs: FixedPoint, **config: Any) -> None:
        super().__init__(**config)
        self.inputs = inputs
        exponential, reciprocal = tables()
        self._exponentials, self._reciprocals = exponential.codes, reciprocal.codes
        self._shift = reciprocal.type.fraction - OUTPUT.fraction

    def call(self, inputs: Any) -> Any:
        """Compute the shares; the gradient is that of the softmax of the rounded input."""
        low, high = self.inputs.codes

        @tf.custom_gradient
        def shares(value: Any) -> Any:
            rounded = tf.clip_by_value(tf.round(value * 2.0**self.inputs.fraction), float(low), float(high))
            codes = tf.cast(rounded, tf.int64)
            below = tf.reduce_max(codes, axis=-1, keepdims=True) - codes
            furthest = len(self._exponentials) - 1
            exponentials = tf.gather(tf.constant(self._exponentials), tf.minimum(below, furthest))
            total = tf.reduce_sum(exponentials, axis=-1, keepdims=True)
            entries = len(self._reciprocals)
            bits = entries.bit_length() - 1
            # How many powers of two the sum reaches beyond that of the number of entries: its leading one.
            powers = tf.constant([1 << place for place in range(bits + 1, 62)], tf.int64)
            above = tf.reduce_sum(tf.cast(total[..., tf.newaxis] >= powers, tf.int64), axis=-1)
            index = tf.bitwise.right_shift(total, above) - entries
            shift = above + bits + self._shift
            product = exponentials * tf.gather(tf.constant(self._reciprocals), index)
            half = tf.bitwise.left_shift(tf.ones_like(shift), shift - 1)
            codes_out = tf.minimum(tf.bitwise.right_shift(product + half, shift), OUTPUT.codes.high)

            def gradient(upstream: Any) -> Any:
                y = tf.nn.softmax(rounded * self.inputs.step)
                return y * (upstream - tf.reduce_sum(upstream * y, axis=-1, keepdims=True))

            return tf.cast(codes_out, value.dtype) * OUTPUT.step, gradient

        return shares(tf.convert_to_tensor(inputs))

    def get_config(self) -> dict[str, Any]:
        """Give what the layer is made of."""
        return {**super().get_config(), "inputs": self.inputs}
