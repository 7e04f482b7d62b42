"""The numbers that the lecture's slides compute, from one-layer float networks, exactly."""

from __future__ import annotations

import numpy as np
import pytest
import worked_examples as slides

from siliconv.models.architectures import layers as kinds
from siliconv.models.architectures.architecture import Architecture
from siliconv.models.architectures.keras_model import build_model


def _compute(layer: kinds.Layer, image: np.ndarray, *weights: np.ndarray) -> np.ndarray:
    model = build_model(Architecture(input_shape=image.shape, layers=(layer,)))
    if weights:
        model.set_weights([weight.astype(np.float32) for weight in weights])
    found: np.ndarray = model(image[np.newaxis].astype(np.float32)).numpy()[0]
    return found


def test_convolution_in_one_dimension() -> None:
    assert slides.SAMPLES_KERNEL.ravel().tolist() == [1 / 2, 3 / 4, 1, 1 / 4][::-1]
    layer = kinds.Conv1D(filters=1, kernel=4, stride=2, padding="valid")
    found = _compute(layer, slides.SAMPLES, slides.SAMPLES_KERNEL, np.zeros(1))
    assert found[:, 0].tolist() == slides.SAMPLES_CONVOLVED


def test_convolution_of_an_rgb_image() -> None:
    found = _compute(kinds.Conv2D(filters=1), slides.IMAGE, slides.IMAGE_KERNEL, np.ones(1))
    assert found.shape == (5, 5, 1)
    assert found[0, 0, 0] == slides.IMAGE_FIRST == -25


@pytest.mark.parametrize(
    ("layer", "values", "expected"),
    [
        (kinds.MaxPool(), slides.MAXIMUM_OF, slides.MAXIMUM),
        (kinds.AveragePool(), slides.AVERAGE_OF, slides.AVERAGE),
    ],
)
def test_pooling(layer: kinds.Layer, values: np.ndarray, expected: list[list[float]]) -> None:
    assert _compute(layer, values)[:, :, 0].tolist() == expected


def test_max_pooling_is_invariant() -> None:
    for image in slides.ALIKE:
        assert _compute(kinds.MaxPool(), image)[:, :, 0].tolist() == slides.ALIKE_MAXIMUM
