"""The truncating average gives the same bits in eager mode, inside a graph and in `predict`: those of the firmware."""

from __future__ import annotations

import numpy as np
import pytest

from siliconv import legacy_keras
from siliconv.network.windows import real_elements, same_padding

keras = legacy_keras.load()
tf = legacy_keras.tensorflow()

from siliconv.quantize.qkeras import average_pooling  # noqa: E402

BITS = 8


def exact(codes, counts, window, strides, padding, places):
    """Truncate the average of codes in integers, for a batch of (length, channels)."""
    (before, after), *_ = padding
    padded = np.pad(codes, ((0, 0), (before, after), (0, 0)))
    starts = range(0, padded.shape[1] - window + 1, strides)
    sums = np.stack([padded[:, start : start + window].sum(axis=1) for start in starts], axis=1)
    return (sums << places) // counts.reshape(1, -1, 1)


@pytest.mark.parametrize("window", [3, 5, 6, 7, 9, 11, 49])
@pytest.mark.parametrize("padding", ["same", "valid"])
def test_the_same_in_every_mode_and_exact(window, padding):
    length, places = 124, (window - 1).bit_length()
    layer = average_pooling.TruncatedAveragePooling1D(
        source_fraction=BITS, fraction=BITS + places, pool_size=window, padding=padding
    )
    signal = keras.Input((length, 5))
    model = keras.Model(signal, layer(signal))
    codes = np.random.default_rng(window).integers(0, 2**BITS, (16, length, 5))
    values = (codes / 2**BITS).astype(np.float32)
    sides = same_padding((length,), (window,), (window,)) if padding == "same" else ((0, 0),)
    counts = real_elements((length,), (window,), (window,), sides)
    expected = exact(codes, counts, window, window, sides, places) * 2.0 ** -(BITS + places)
    found = {
        "eager": model(values, training=False).numpy(),
        "predict": model.predict(values, verbose=0),
        "graph": tf.function(lambda x: model(x, training=False))(values).numpy(),
    }
    assert {mode: int((one != expected).sum()) for mode, one in found.items()} == dict.fromkeys(found, 0)


@pytest.mark.parametrize("shape", [(6, 7, 2), (3, 3, 4), (5, 11, 1)])
def test_a_global_average_too_with_either_sign(shape):
    count = shape[0] * shape[1]
    places = (count - 1).bit_length()
    layer = average_pooling.TruncatedGlobalAveragePooling2D(source_fraction=BITS, fraction=BITS + places)
    image = keras.Input(shape)
    model = keras.Model(image, layer(image))
    codes = np.random.default_rng(count).integers(-(2 ** (BITS - 1)), 2 ** (BITS - 1), (200, *shape))
    total = codes.sum(axis=(1, 2)) << places
    expected = np.sign(total) * (abs(total) // count) * 2.0 ** -(BITS + places)
    values = (codes / 2**BITS).astype(np.float32)
    for one in (model(values).numpy(), model.predict(values, verbose=0), tf.function(model)(values).numpy()):
        np.testing.assert_array_equal(one, expected)
