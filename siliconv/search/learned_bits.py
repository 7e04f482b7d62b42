"""Layers whose bits are trained parameters: kernels, ReLUs and the network's input.

A tensor is rounded to a step of ``2**-fraction`` and held below ``2**integer``, both rounded to whole numbers. The
rounding error of each value, which halves with a fraction bit more, is the gradient of the fraction bits; what a
clipped value lacks is that of the integer bits. Both pull up; the cost in the loss pulls down.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from siliconv import legacy_keras
from siliconv.network.fixed_point import FixedPoint, Overflow, Rounding
from siliconv.quantize.qkeras.quantization import Quantization
from siliconv.quantize.qkeras.weight_levels import WeightLevels

keras = legacy_keras.load()

import tensorflow as tf  # noqa: E402

_LN2 = math.log(2.0)

BITS_PER_UNIT = 5.0
"""The variables count bits in fifths, so that the optimizer's steps are five times as large for them as for weights."""


@dataclass(frozen=True)
class BitRange:
    """What bits may become.

    Parameters
    ----------
    signed
        Whether there are negative values.
    fewest, most
        Magnitude bits, the sign left out.
    ternary
        Whether a single magnitude bit means -1, 0 and 1 steps.
    """

    signed: bool
    fewest: int
    most: int
    ternary: bool = False


class LearnedBits:
    """Fraction and integer bits of one tensor, as weights of the layer that has it."""

    def __init__(
        self, layer: Any, name: str, kind: FixedPoint, allowed: BitRange, *, learns_integer: bool = True
    ) -> None:
        def weight(part: str, bits: int, trainable: bool) -> Any:
            start = keras.initializers.Constant(bits / BITS_PER_UNIT)
            return layer.add_weight(name=f"{name}_{part}", shape=(), initializer=start, trainable=trainable)

        self.allowed = allowed
        one = keras.initializers.Ones()
        self.moves = layer.add_weight(name=f"{name}_moves", shape=(), initializer=one, trainable=False)
        self.fraction = weight("fraction_bits", kind.fraction, True)
        self.integer = weight("integer_bits", kind.integer - kind.signed, learns_integer)

    def __call__(self, values: Any) -> Any:
        """Quantize; float32 in, float32 out, any shape."""
        return _quantized(values, self._bits(self.fraction), self._bits(self.integer), self.allowed)

    @property
    def cost(self) -> Any:
        """Magnitude bits as a tensor that the loss can pull at."""
        bits = self._bits(self.fraction) + self._bits(self.integer)
        return tf.clip_by_value(bits, float(self.allowed.fewest), float(self.allowed.most))

    def soft_span(self, values: Any) -> Any:
        """Give the bits of each value's code as a tensor that the loss can pull at, same shape.

        ``log2(1 + |code|)`` before rounding: it pulls values to zero, the small ones most, and makes steps coarser.
        """
        step, top = (tf.pow(2.0, bits) for bits in (-self._bits(self.fraction), self._bits(self.integer)))
        return tf.math.log1p(tf.minimum(tf.abs(values), top) / step) / _LN2

    def settle(self) -> None:
        """Stop learning: from here on the bits are the whole numbers that they round to now."""
        fraction, integer = _whole(self.fraction * BITS_PER_UNIT, self.integer * BITS_PER_UNIT, self.allowed)
        self.fraction.assign(fraction / BITS_PER_UNIT)
        self.integer.assign(integer / BITS_PER_UNIT)
        self.moves.assign(0.0)

    def _bits(self, variable: Any) -> Any:
        """Give bits that a gradient reaches as long as they learn."""
        return BITS_PER_UNIT * (self.moves * variable + tf.stop_gradient((1.0 - self.moves) * variable))

    def tighten(self, codes: NDArray[np.int64]) -> None:
        """Take away the integer bits that none of the codes, which are those of `type`, needs."""
        needed = self.allowed.fewest
        while needed < self.bits and not self._lowest(needed) <= codes.min() <= codes.max() < 2**needed:
            needed += 1
        self.integer.assign_sub((self.bits - needed) / BITS_PER_UNIT)

    def _lowest(self, bits: int) -> int:
        return -1 if self.allowed.ternary and bits == 1 else -(2**bits) * self.allowed.signed

    @property
    def type(self) -> Quantization:
        """The type that is rounded to now: fixed point, or ternary levels."""
        fraction, integer = _whole(self.fraction * BITS_PER_UNIT, self.integer * BITS_PER_UNIT, self.allowed)
        fraction, integer = int(fraction), int(integer)
        if self.allowed.ternary and fraction + integer == 1:
            return WeightLevels("ternary", -fraction)
        signed = self.allowed.signed
        width = fraction + integer + signed
        return FixedPoint(signed, width, integer + signed, Rounding.RND_CONV, Overflow.SAT)

    @property
    def bits(self) -> int:
        """Magnitude bits now."""
        kind = self.type
        return kind.width - kind.signed if isinstance(kind, FixedPoint) else 1


def _whole(fraction: Any, integer: Any, allowed: BitRange) -> tuple[Any, Any]:
    """Give whole numbers of bits that are allowed; the fraction gives way."""
    integer = tf.round(integer)
    bits = tf.clip_by_value(tf.round(fraction) + integer, float(allowed.fewest), float(allowed.most))
    return bits - integer, integer


def _quantized(values: Any, fraction: Any, integer: Any, allowed: BitRange) -> Any:
    @tf.custom_gradient
    def quantize(x: Any, f: Any, i: Any) -> Any:
        places, before = _whole(f, i, allowed)
        step, top = tf.pow(2.0, -places), tf.pow(2.0, before)
        high = top - step
        low = tf.zeros_like(high)
        if allowed.signed:
            low = tf.where(places + before > 1.0, -top, -high) if allowed.ternary else -top
        result = tf.clip_by_value(tf.round(x / step) * step, low, high)
        inside = tf.logical_and(x >= low - step / 2, x <= high + step / 2)

        def gradient(upstream: Any) -> Any:
            error = tf.reduce_sum(tf.where(inside, upstream * (x - result), 0.0)) * _LN2
            clipped = tf.reduce_sum(tf.where(inside, 0.0, upstream * tf.sign(x))) * top * _LN2
            return tf.where(inside, upstream, 0.0), error, clipped

        return result, gradient

    return quantize(values, fraction, integer)


class LearnedInput(keras.layers.Layer):  # type: ignore[name-defined]
    """The network's input with fewer bits, and what the loss is told of the cost: its weight and its target.

    Parameters
    ----------
    kind
        The type that the data have.
    learns
        Whether the bits may change.
    """

    def __init__(self, kind: FixedPoint, *, learns: bool, **others: Any) -> None:
        super().__init__(**others)
        self._kind, self._learns = kind, learns

    def build(self, shape: Any) -> None:
        """Make the variables."""
        most = self._kind.width - self._kind.signed
        allowed = BitRange(self._kind.signed, 1 if self._learns else most, most)
        self.learned = LearnedBits(self, "input", self._kind, allowed, learns_integer=False)
        zero = keras.initializers.Zeros()
        self.pressure = self.add_weight(name="pressure", shape=(), initializer=zero, trainable=False)
        self.target = self.add_weight(name="target", shape=(), initializer=zero, trainable=False)
        super().build(shape)

    def call(self, inputs: Any) -> Any:
        """Round, any shape."""
        return self.learned(inputs)


class LearnedRelu(keras.layers.Layer):  # type: ignore[name-defined]
    """A ReLU, with or without a bound, into a type whose bits are learned."""

    def __init__(self, kind: FixedPoint, allowed: BitRange, bound: float, **others: Any) -> None:
        super().__init__(**others)
        self._kind, self._allowed, self._bound = kind, allowed, bound

    def build(self, shape: Any) -> None:
        """Make the variables."""
        self.learned = LearnedBits(self, "output", self._kind, self._allowed)
        super().build(shape)

    def call(self, inputs: Any) -> Any:
        """Rectify and round, any shape."""
        rectified = tf.nn.relu(inputs)
        return self.learned(rectified if math.isinf(self._bound) else tf.minimum(rectified, self._bound))


class _LearnedKernel:
    """What a layer with weights does beside its own work: its kernel is rounded, and it knows its share of the cost."""

    KERNEL = "kernel"

    def __init__(self, *, kind: FixedPoint, allowed: BitRange, **config: Any) -> None:
        super().__init__(**config)
        self._kind, self._allowed = kind, allowed

    def build(self, shape: Any) -> None:
        """Make the variables, those of the layer first."""
        super().build(shape)  # type: ignore[misc]
        self.learned = LearnedBits(self, "kernel", self._kind, self._allowed)
        one = keras.initializers.Ones()
        # Span of the weights as a share of their bits, as it was at the end of the last epoch.
        self.span_share = self.add_weight(name="span_share", shape=(), initializer=one, trainable=False)  # type: ignore[attr-defined]

    def call(self, inputs: Any) -> Any:
        """Compute with the rounded kernel."""
        kernel = vars(self)[self.KERNEL]
        vars(self)[self.KERNEL] = self.learned(kernel)
        try:
            return super().call(inputs)  # type: ignore[misc]
        finally:
            vars(self)[self.KERNEL] = kernel


class LearnedConv1D(_LearnedKernel, keras.layers.Conv1D):  # type: ignore[name-defined]
    """A convolution of sequences."""


class LearnedConv2D(_LearnedKernel, keras.layers.Conv2D):  # type: ignore[name-defined]
    """A convolution of images."""


class LearnedDense(_LearnedKernel, keras.layers.Dense):  # type: ignore[name-defined]
    """A dense layer."""


class LearnedDepthwiseConv1D(_LearnedKernel, keras.layers.DepthwiseConv1D):  # type: ignore[name-defined]
    """A depthwise convolution of sequences."""

    KERNEL = "depthwise_kernel"


class LearnedDepthwiseConv2D(_LearnedKernel, keras.layers.DepthwiseConv2D):  # type: ignore[name-defined]
    """A depthwise convolution of images."""

    KERNEL = "depthwise_kernel"


LEARNED = {
    "Conv1D": LearnedConv1D,
    "Conv2D": LearnedConv2D,
    "Dense": LearnedDense,
    "DepthwiseConv1D": LearnedDepthwiseConv1D,
    "DepthwiseConv2D": LearnedDepthwiseConv2D,
}
"""By the name of the float layer."""
