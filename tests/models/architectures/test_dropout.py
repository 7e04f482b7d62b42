"""Dropout with a stream that can be set."""

from __future__ import annotations

import numpy as np
import pytest


def _dropout(rate: float) -> object:
    from siliconv.models.architectures.dropout import SeededDropout

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
