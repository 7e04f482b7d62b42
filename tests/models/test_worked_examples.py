"""The numbers that the lecture's slides compute, from one-layer float networks, exactly."""

from __future__ import annotations

import numpy as np
import pytest

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
    samples = np.array([3, 2, 1, 7, 1, 2, 5, 4])[:, np.newaxis]
    kernel = np.array([1 / 2, 3 / 4, 1, 1 / 4])[::-1]
    assert kernel.tolist() == [1 / 4, 1, 3 / 4, 1 / 2]
    layer = kinds.Conv1D(filters=1, kernel=4, stride=2, padding="valid")
    assert _compute(layer, samples, kernel[:, None, None], np.zeros(1))[:, 0].tolist() == [7, 9, 8]


def test_convolution_of_an_rgb_image() -> None:
    red = [[156, 155, 156, 158, 158], [153, 154, 157, 159, 159], [149, 151, 155, 158, 159]]
    red += [[146, 146, 149, 153, 158], [145, 143, 143, 148, 158]]
    green = [[167, 166, 167, 169, 169], [164, 165, 168, 170, 170], [160, 162, 166, 169, 170]]
    green += [[156, 156, 159, 163, 168], [155, 153, 153, 158, 168]]
    blue = [[163, 162, 163, 165, 165], [160, 161, 164, 166, 166], [156, 158, 162, 165, 166]]
    blue += [[155, 155, 158, 162, 167], [154, 152, 152, 157, 167]]
    kernels = [
        [[-1, -1, 1], [0, 1, -1], [0, 1, 1]],
        [[1, 0, 0], [1, -1, -1], [1, 0, -1]],
        [[0, 1, 1], [0, 1, 0], [1, -1, 1]],
    ]
    image = np.stack([red, green, blue], axis=-1)
    kernel = np.moveaxis(np.array(kernels), 0, -1)[:, :, :, np.newaxis]
    found = _compute(kinds.Conv2D(filters=1), image, kernel, np.ones(1))
    assert found.shape == (5, 5, 1)
    assert found[0, 0, 0] == 308 - 498 + 164 + 1 == -25


@pytest.mark.parametrize(
    ("layer", "values", "expected"),
    [
        (kinds.MaxPool(), [[3, 5, 1, 0], [7, 9, -6, -3], [2, 8, -2, 1], [4, -3, -4, 8]], [[9, 1], [8, 8]]),
        (
            kinds.AveragePool(),
            [[3, 5, 1, 0], [7, 9, -6, -3], [2, 8, -2, 6], [4, -3, -4, 8]],
            [[6, -2], [2.75, 2]],
        ),
    ],
)
def test_pooling(layer: kinds.Layer, values: list[list[int]], expected: list[list[float]]) -> None:
    assert _compute(layer, np.array(values)[:, :, np.newaxis])[:, :, 0].tolist() == expected


def test_max_pooling_is_invariant() -> None:
    one = [[10, 255, 125, 0, 170, 100], [70, 255, 105, 25, 25, 70], [255, 0, 150, 0, 10, 10]]
    one += [[0, 255, 10, 10, 150, 20], [70, 15, 200, 100, 95, 0], [35, 25, 100, 20, 0, 60]]
    other = [[100, 100, 100, 50, 100, 50], [95, 255, 100, 125, 125, 170], [80, 40, 10, 10, 125, 150]]
    other += [[255, 30, 150, 20, 120, 125], [30, 30, 150, 100, 70, 70], [70, 30, 100, 200, 70, 95]]
    for values in (one, other):
        found = _compute(kinds.MaxPool(), np.array(values)[:, :, np.newaxis])[:, :, 0]
        assert found.tolist() == [[255, 125, 170], [255, 150, 150], [70, 200, 95]]
