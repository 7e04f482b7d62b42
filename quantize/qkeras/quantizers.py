"""QKeras quantizers for fixed-point types, computed with few graph operations.

They are `quantized_bits(alpha=1)` and `quantized_relu` with the same values and gradients. Two things differ inside:
each is a scaling, a rounding and a clip instead of some twenty operations, and negative integer bits work (QKeras
raises an integer to a negative power, which TensorFlow refuses).
"""

from __future__ import annotations

import math
from typing import Any

from siliconv import legacy_keras
from siliconv.errors import NetworkError
from siliconv.network.fixed_point import FixedPoint, Overflow, Rounding
from siliconv.quantize.qkeras.activation_forms import BoundedRelu, HardFunction
from siliconv.quantize.qkeras.quantization import Quantization
from siliconv.quantize.qkeras.weight_levels import PO2_BITS, WeightLevels

legacy_keras.load()

import qkeras  # noqa: E402
import tensorflow as tf  # noqa: E402


class FixedPointBits(qkeras.quantized_bits):
    """`quantized_bits` of a fixed-point type; the gradient passes straight through, also outside the range."""

    def __init__(self, kind: FixedPoint) -> None:
        _check_modes(kind)
        super().__init__(
            bits=kind.width,
            integer=kind.integer - kind.signed,
            symmetric=kind.overflow is Overflow.SAT_SYM,
            keep_negative=kind.signed,
            alpha=1,
        )
        self._kind = kind

    def __call__(self, x: Any) -> Any:
        """Quantize; float32 in, float32 out, any shape."""
        return _straight_through(x, self._kind)


class FixedPointRelu(qkeras.quantized_relu):
    """`quantized_relu` of an unsigned type, with or without a bound; the gradient passes inside the range only."""

    slope = 1.0

    def __init__(self, kind: FixedPoint, bound: float | None = None) -> None:
        _check_modes(kind)
        super().__init__(bits=kind.width, integer=kind.integer, relu_upper_bound=bound, is_quantized_clip=bound is None)
        self._kind = kind
        self._largest = kind.codes.high * kind.step if bound is None else bound
        self.step = kind.step

    def __call__(self, x: Any) -> Any:
        """Quantize; float32 in, float32 out, any shape."""
        return _clipped(x, self)

    def codes(self, x: Any) -> Any:
        """Round to codes, integers held as float32."""
        return tf.minimum(_codes(x, self._kind), self._largest / self.step)

    def inside(self, x: Any) -> Any:
        """Say where the gradient passes."""
        return tf.logical_and(x > 0.0, x <= self._largest)


class Levels:
    """Weights of few levels, with QKeras' values (exact, not its ``x + (q - x)``); the gradient passes straight."""

    def __init__(self, levels: WeightLevels, **qkeras_arguments: Any) -> None:
        super().__init__(**qkeras_arguments)
        self._levels = levels

    def __call__(self, x: Any) -> Any:
        """Quantize; float32 in, float32 out, any shape."""
        self.scale = 2.0**self._levels.exponent

        @tf.custom_gradient
        def quantize(value: Any) -> Any:
            return self._nearest(value), lambda upstream: upstream

        return quantize(tf.convert_to_tensor(x))

    def _nearest(self, value: Any) -> Any:
        size = 2.0**self._levels.exponent
        signed = tf.where(value >= 0.0, tf.cast(size, value.dtype), tf.cast(-size, value.dtype))
        if self._levels.kind == "ternary":
            return tf.where(tf.abs(value) >= size / 2, signed, tf.zeros_like(signed))
        return signed


class BinaryWeights(Levels, qkeras.binary):
    """`binary` with a power of two as alpha."""

    def __init__(self, levels: WeightLevels) -> None:
        super().__init__(levels, alpha=2.0**levels.exponent)


class TernaryWeights(Levels, qkeras.ternary):
    """`ternary` with a power of two as alpha, and half of it as threshold."""

    def __init__(self, levels: WeightLevels) -> None:
        super().__init__(levels, alpha=2.0**levels.exponent, threshold=2.0 ** (levels.exponent - 1))


class PowerOfTwoWeights(Levels, qkeras.quantized_po2):
    """`quantized_po2`."""

    def __init__(self, levels: WeightLevels) -> None:
        super().__init__(levels, bits=PO2_BITS, max_value=2.0**levels.exponent)

    def _nearest(self, value: Any) -> Any:
        low, high = self._levels.smallest, self._levels.exponent
        # The logarithm of zero is minus infinity, which the clip takes to the smallest power.
        exponents = tf.clip_by_value(tf.round(tf.math.log(tf.abs(value)) / math.log(2.0)), float(low), float(high))
        sizes = tf.gather(
            tf.constant([2.0**power for power in range(low, high + 1)], value.dtype), tf.cast(exponents, tf.int32) - low
        )
        return tf.where(value >= 0.0, sizes, -sizes)


_OF_LEVELS = {"binary": BinaryWeights, "ternary": TernaryWeights, "po2": PowerOfTwoWeights}


def weight_quantizer(kind: Quantization) -> Any:
    """Give the quantizer of weights."""
    assert isinstance(kind, FixedPoint | WeightLevels)  # the other forms are for activations
    return FixedPointBits(kind) if isinstance(kind, FixedPoint) else _OF_LEVELS[kind.kind](kind)


def relu_quantizer(kind: Quantization) -> FixedPointRelu:
    """Give the quantizer of a ReLU."""
    if isinstance(kind, BoundedRelu):
        return FixedPointRelu(kind.type, kind.bound)
    assert isinstance(kind, FixedPoint)  # levels are for weights, hard functions for tanh and sigmoid
    return FixedPointRelu(kind)


def hard_quantizer(kind: HardFunction) -> Any:
    """Give QKeras' own quantizer of a hard function."""
    make = qkeras.quantized_tanh if kind.function == "tanh" else qkeras.quantized_sigmoid
    return make(bits=kind.width)


def _check_modes(kind: FixedPoint) -> None:
    if kind.rounding is not Rounding.RND_CONV or kind.overflow not in (Overflow.SAT, Overflow.SAT_SYM):
        raise NetworkError(
            "QUANTIZER-MODE",
            f"QKeras has no quantizer for {kind}",
            where="quantizer",
            fix="use the modes RND_CONV and SAT (or SAT_SYM)",
        )


def _codes(x: Any, kind: FixedPoint) -> Any:
    low, high = kind.codes
    if kind.overflow is Overflow.SAT_SYM and kind.signed:
        low = -high
    return tf.clip_by_value(tf.round(x * 2.0**kind.fraction), float(low), float(high))


def _straight_through(x: Any, kind: FixedPoint) -> Any:
    @tf.custom_gradient
    def quantize(value: Any) -> Any:
        return _codes(value, kind) * kind.step, lambda upstream: upstream

    return quantize(tf.convert_to_tensor(x))


def _clipped(x: Any, quantizer: Any) -> Any:
    @tf.custom_gradient
    def quantize(value: Any) -> Any:
        def gradient(upstream: Any) -> Any:
            return tf.where(quantizer.inside(value), upstream * quantizer.slope, tf.zeros_like(upstream))

        return quantizer.codes(value) * quantizer.step, gradient

    return quantize(tf.convert_to_tensor(x))
