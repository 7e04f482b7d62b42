"""Dropout with a stream that can be set, and max pooling with a quick gradient."""

from __future__ import annotations

import numpy as np
import pytest

from siliconv.models import layers as kinds
from siliconv.models.architecture import Architecture
from siliconv.models.keras_model import build_model
from siliconv.models.legacy_keras import tensorflow


def _dropout(rate: float) -> object:
    from siliconv.models.dropout import SeededDropout

    return SeededDropout(rate, seed=5)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("size", [10_000, 10_001])
def test_l11_dropout_drops_its_share_and_keeps_the_mean(rate: float, size: int) -> None:
    ones = np.ones((4, size), np.float32)
    found = _dropout(rate)(ones, training=True).numpy()  # type: ignore[operator]
    assert (found == 0).mean() == pytest.approx(rate, abs=0.01)
    assert found.mean() == pytest.approx(1.0, abs=0.03)
    assert len(np.unique(found)) == 2


def test_l11_dropout_is_the_identity_outside_training() -> None:
    ones = np.ones((4, 10), np.float32)
    assert (_dropout(0.5)(ones, training=False).numpy() == ones).all()  # type: ignore[operator]


def test_dropout_draws_anew_and_repeats_after_reseeding() -> None:
    layer, ones = _dropout(0.5), np.ones((4, 100), np.float32)
    draws = []
    for seed in (7, 7, 8):
        layer.reseed(seed)  # type: ignore[attr-defined]
        draws.append([layer(ones, training=True).numpy() for _ in range(2)])  # type: ignore[operator]
    assert (draws[0][0] == draws[1][0]).all()
    assert (draws[0][1] == draws[1][1]).all()
    assert (draws[0][0] != draws[0][1]).any()
    assert (draws[0][0] != draws[2][0]).any()


@pytest.mark.parametrize("pool", [2, (3, 2), (1, 4)])
def test_quick_max_pooling_has_the_outputs_and_the_gradient_of_max_pooling(pool: kinds.Size) -> None:
    network = Architecture(input_shape=(12, 8, 3), layers=(kinds.MaxPool(pool=pool),))
    tf = tensorflow()
    images = tf.constant(np.random.default_rng(1).normal(size=(5, 12, 8, 3)), tf.float32)
    results = []
    for quick in (False, True):
        model = build_model(network, quick_gradients=quick)
        with tf.GradientTape() as tape:
            tape.watch(images)
            output = model(images)
            score = tf.reduce_sum(output**2)
        results.append(
            (type(model.layers[-1]).__name__, output.numpy(), tape.gradient(score, images).numpy())
        )
    assert [name for name, _, _ in results] == ["MaxPooling2D", "TrainedMaxPooling2D"]
    assert (results[0][1] == results[1][1]).all()
    assert (results[0][2] == results[1][2]).all()


def test_overlapping_windows_keep_the_layer_of_keras() -> None:
    for pool in (kinds.MaxPool(pool=3, stride=2), kinds.MaxPool(pool=5)):
        model = build_model(Architecture(input_shape=(12, 12, 3), layers=(pool,)), quick_gradients=True)
        assert type(model.layers[-1]).__name__ == "MaxPooling2D"
