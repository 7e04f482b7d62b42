"""Sigmoid and tanh as the firmware computes them, for Keras: the input rounded to a few bits, then a table.

The table is the integer network's own (`siliconv.network.function_table`), so both agree in every bit, whatever the
machine's `exp` is. The gradient is that of the function itself, inside the range of the table.
"""

from __future__ import annotations

from typing import Any

from siliconv import legacy_keras
from siliconv.network.fixed_point import FixedPoint, to_values
from siliconv.network.function_table import function_codes

legacy_keras.load()

import tensorflow as tf  # noqa: E402
import tf_keras as keras  # noqa: E402


class TableActivation(keras.layers.Layer):
    """A function by look-up.

    Parameters
    ----------
    function
        One of `siliconv.network.table_types.FUNCTIONS`.
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
        smooth = getattr(tf, self.function)

        @tf.custom_gradient
        def look_up(value: Any) -> Any:
            codes = tf.clip_by_value(tf.round(value * 2.0**self.inputs.fraction), float(low), float(high))
            values = tf.gather(tf.constant(self._entries, value.dtype), tf.cast(codes, tf.int32) - low)

            def gradient(upstream: Any) -> Any:
                inside = codes * self.inputs.step
                y = smooth(inside)
                slope = y * (1.0 - y) if self.function == "sigmoid" else 1.0 - y * y
                return upstream * slope

            return values, gradient

        return look_up(tf.convert_to_tensor(inputs))
