"""Our quantizers give QKeras' values and gradients."""

from __future__ import annotations

import numpy as np
import pytest

from siliconv import legacy_keras
from siliconv.errors import NetworkError
from siliconv.network.fixed_point import FixedPoint, Overflow, Rounding, requantize

MODES = (Rounding.RND_CONV, Overflow.SAT)
# On the grid of half steps, so that ties occur, and far outside the range.
VALUES = np.concatenate([np.arange(-400, 400) / 64.0, np.random.default_rng(0).normal(0, 3, 2000)]).astype(np.float32)


def value_and_gradient(quantizer):
    tf = legacy_keras.tensorflow()
    x = tf.constant(VALUES)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = quantizer(x)
    return y.numpy(), tape.gradient(y, x).numpy()


@pytest.mark.parametrize("width", [2, 4, 6, 8])
@pytest.mark.parametrize("integer", [0, 1, 2])
@pytest.mark.parametrize("overflow", [Overflow.SAT, Overflow.SAT_SYM])
def test_bits_are_quantized_bits(width, integer, overflow):
    legacy_keras.load()
    import qkeras

    from siliconv.quantize.qkeras.quantizers import FixedPointBits

    kind = FixedPoint(True, width, integer + 1, Rounding.RND_CONV, overflow)
    symmetric = int(overflow is Overflow.SAT_SYM)
    theirs = value_and_gradient(qkeras.quantized_bits(width, integer, symmetric, alpha=1))
    ours = value_and_gradient(FixedPointBits(kind))
    # QKeras computes x + (q - x), whose float32 sum may miss q by a rounding; ours is q itself.
    assert np.allclose(ours[0], theirs[0], rtol=0, atol=1e-6)
    assert np.array_equal(ours[1], theirs[1])


@pytest.mark.parametrize("width", [2, 4, 6, 8])
@pytest.mark.parametrize("integer", [0, 1, 3])
def test_relu_is_quantized_relu(width, integer):
    legacy_keras.load()
    import qkeras

    from siliconv.quantize.qkeras.quantizers import FixedPointRelu

    theirs = value_and_gradient(qkeras.quantized_relu(width, integer))
    ours = value_and_gradient(FixedPointRelu(FixedPoint(False, width, integer, *MODES)))
    assert np.allclose(ours[0], theirs[0], rtol=0, atol=1e-6)
    assert np.array_equal(ours[1], theirs[1])


@pytest.mark.parametrize(("signed", "integer"), [(True, -2), (False, -3), (True, 4)])
def test_values_are_those_of_the_type_also_with_negative_integer_bits(signed, integer):
    from siliconv.quantize.qkeras.quantizers import FixedPointBits

    kind = FixedPoint(signed, 5, integer, *MODES)
    on_a_grid = np.round(VALUES * 2**16)
    ours = FixedPointBits(kind)((on_a_grid / 2**16).astype(np.float32)).numpy()
    assert np.array_equal(ours / kind.step, requantize(on_a_grid.astype(np.int64), 16, kind))


def test_a_mode_that_qkeras_does_not_have_is_refused():
    from siliconv.quantize.qkeras.quantizers import FixedPointBits

    with pytest.raises(NetworkError, match="QUANTIZER-MODE"):
        FixedPointBits(FixedPoint(True, 6, 1))
