"""The quantized activation as training computes it: fused with the max pooling behind it, one pass over the data.

Activations are the largest tensors of a training step, and a quantizer of single operations reads and writes them some
ten times. Here XLA compiles each to one loop. (Of the elementwise work only: it makes the convolutions slower.)

Behind an activation that a max pooling follows, the loop gives the pooled values and, in a byte each, which element of
the window they came from and whether the gradient passes. The gradient is then written in one pass from a quarter of
the data, and the large tensor is not kept. Values and gradients are those of the two layers one after the other, among
equal codes too: the first of the window gets the gradient, as in TensorFlow's own max pooling.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from siliconv import legacy_keras

keras = legacy_keras.load()

import qkeras  # noqa: E402
import tensorflow as tf  # noqa: E402

LARGEST_WINDOW = 16
"""Elements of a window that is fused, a power of two; the loop is unrolled over them."""


class ElementwiseQuantizer(Protocol):
    """What a quantizer of activations has to say for its training form; all of it is elementwise."""

    step: float
    """Value of one code."""
    slope: float
    """Gradient where it passes."""

    def codes(self, x: Any) -> Any:
        """Round to codes, integers held as float32, below 2**24; they must not fall where x rises."""

    def inside(self, x: Any) -> Any:
        """Say where the gradient passes."""


class TrainedActivation(qkeras.QActivation):
    """A QActivation with a fused training form; in inference it is the quantizer as it stands.

    With `pooled` it leaves its input alone in training: the max pooling behind it quantizes too.
    """

    def __init__(self, activation: ElementwiseQuantizer, *, pooled: bool = False, **others: Any) -> None:
        super().__init__(activation, **others)
        self.pooled = pooled
        self._fused = None if pooled else fused(activation)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Quantize, any shape."""
        if not training:
            return self.quantizer(inputs)
        return inputs if self._fused is None else self._fused(inputs)

    def get_config(self) -> dict[str, Any]:
        """Return what builds the layer again."""
        return {**super().get_config(), "pooled": self.pooled}


class _QuantizingMaxPooling:
    """A max pooling that in training also does the work of the activation before it."""

    def __init__(self, activation: ElementwiseQuantizer, **others: Any) -> None:
        super().__init__(**others)
        self.activation = activation
        self._fused = fused_with_max_pooling(activation, tuple(self.pool_size))  # type: ignore[attr-defined]

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Pool, (batch, *spatial, channels)."""
        return self._fused(inputs) if training else super().call(inputs)  # type: ignore[misc]

    def get_config(self) -> dict[str, Any]:
        """Return what builds the layer again."""
        return {**super().get_config(), "activation": self.activation}  # type: ignore[misc]


class QuantizingMaxPooling1D(_QuantizingMaxPooling, keras.layers.MaxPooling1D):  # type: ignore[name-defined]
    """Of sequences."""


class QuantizingMaxPooling2D(_QuantizingMaxPooling, keras.layers.MaxPooling2D):  # type: ignore[name-defined]
    """Of images."""


POOLINGS = {"MaxPooling1D": QuantizingMaxPooling1D, "MaxPooling2D": QuantizingMaxPooling2D}


def can_fuse(pooling: Any) -> bool:
    """Say whether a layer is a max pooling that can take over the quantization before it.

    Its windows must not overlap and need no padding, and lie on known sizes.
    """
    if type(pooling).__name__ not in POOLINGS:
        return False
    window, sizes = tuple(pooling.pool_size), pooling.input_shape[1:-1]
    if tuple(pooling.strides) != window or pooling.data_format != "channels_last" or None in sizes:
        return False
    whole = all(size % extent == 0 for size, extent in zip(sizes, window, strict=True))
    return int(np.prod(window)) <= LARGEST_WINDOW and (whole or pooling.padding == "valid")


def fused(quantizer: ElementwiseQuantizer) -> Callable[[Any], Any]:
    """Give the quantizer with its gradient, one pass each way."""

    @tf.function(jit_compile=True)
    def forward(x: Any) -> tuple[Any, Any]:
        return quantizer.codes(x) * quantizer.step, quantizer.inside(x)

    @tf.function(jit_compile=True)
    def backward(inside: Any, upstream: Any) -> Any:
        return tf.where(inside, upstream * quantizer.slope, 0.0)

    @tf.custom_gradient
    def quantize(x: Any) -> Any:
        value, inside = forward(x)
        return value, lambda upstream: backward(inside, upstream)

    return quantize


def fused_with_max_pooling(quantizer: ElementwiseQuantizer, window: tuple[int, ...]) -> Callable[[Any], Any]:
    """Give quantizer and max pooling (stride = window, no padding) in one, (batch, *spatial, channels)."""
    count, ones = int(np.prod(window)), (1,) * len(window)
    position = np.arange(count, dtype=np.uint8).reshape(1, *itertools.chain(*zip(ones, window, strict=True)), 1)
    offsets = list(itertools.product(*map(range, window)))

    # One integer an element, so that one maximum gives all: the code; among equal codes the first of the window; and
    # whether the gradient passes. (Selecting them apart takes XLA thirty times as long to compile.)
    @tf.function(jit_compile=True)
    def forward(x: Any) -> tuple[Any, Any]:
        blocks = _blocks(x, window)
        keys = []
        for number, offset in enumerate(offsets):
            part = blocks[(slice(None), *itertools.chain(*((slice(None), place) for place in offset)))]
            tail = 2 * (LARGEST_WINDOW - 1 - number) + tf.cast(quantizer.inside(part), tf.int32)
            keys.append(tf.cast(quantizer.codes(part), tf.int32) * (2 * LARGEST_WINDOW) + tail)
        largest = functools.reduce(tf.maximum, keys)
        code = tf.bitwise.right_shift(largest, (2 * LARGEST_WINDOW).bit_length() - 1)
        tail = tf.bitwise.bitwise_and(largest, 2 * LARGEST_WINDOW - 1)
        origin = tf.where(tail % 2 == 1, LARGEST_WINDOW - 1 - tail // 2, count)
        return tf.cast(code, tf.float32) * quantizer.step, tf.cast(origin, tf.uint8)

    @tf.function(jit_compile=True)
    def backward(origin: Any, upstream: Any, sizes: tuple[int, ...]) -> Any:
        def spread(tensor: Any) -> Any:
            return tensor[(slice(None), *(slice(None), tf.newaxis) * len(window))]

        blocks = tf.where(spread(origin) == position, spread(upstream * quantizer.slope), 0.0)
        pooled = upstream.shape[1:-1]
        covered = [size * extent for size, extent in zip(pooled, window, strict=True)]
        whole = tf.reshape(blocks, (-1, *covered, upstream.shape[-1]))
        rest = [(0, size - done) for size, done in zip(sizes, covered, strict=True)]
        return tf.pad(whole, [(0, 0), *rest, (0, 0)]) if any(after for _, after in rest) else whole

    @tf.custom_gradient
    def pool(x: Any) -> Any:
        largest, origin = forward(x)
        sizes = tuple(x.shape[1:-1])
        return largest, lambda upstream: backward(origin, upstream, sizes)

    return pool


def _blocks(x: Any, window: tuple[int, ...]) -> Any:
    """Cut (batch, *spatial, channels) into windows: each spatial axis becomes two, (windows, place within one)."""
    counts = [size // extent for size, extent in zip(x.shape[1:-1], window, strict=True)]
    covered = tuple(slice(n * extent) for n, extent in zip(counts, window, strict=True))
    shape = (-1, *itertools.chain(*zip(counts, window, strict=True)), x.shape[-1])
    return tf.reshape(x[(slice(None), *covered)], shape)
