"""The gradient that steers the search is that of the network itself, by differences, where nothing rounds or clips."""

from __future__ import annotations

import numpy as np
import pytest

from siliconv.network import reference
from siliconv.network.fixed_point import FixedPoint
from siliconv.network.vectors.influence import influence

WIDE = FixedPoint(True, 40, 20)


@pytest.mark.parametrize(
    "make",
    [
        lambda build: build((6, 5, 2)).conv(3, (3, 2), strides=(2, 1)).conv(2, (2, 2), padding="valid"),
        lambda build: build((7, 3)).conv(3, (3,), strides=(2,)).requantize(WIDE, relu=False).flatten().dense(3),
        lambda build: build((4, 4, 2)).conv(3, (3, 3)).max_pool(2, 2).flatten().dense(2),
        lambda build: build((4, 4, 2)).conv(3, (3, 3)).requantize(WIDE, relu=True).flatten().dense(2),
    ],
    ids=["strides and padding", "one dimension", "maximum", "relu"],
)
def test_it_is_the_difference_that_one_input_makes(build, make):
    network = make(build).network()
    random = np.random.default_rng(0)
    image = random.integers(100, 150, network.input.shape)
    seed = random.normal(size=network.output.shape)
    values = {name: codes[0] for name, codes in reference.run(network, image[np.newaxis]).items()}
    gradient = influence(network, network.output.name, seed, values)
    images = np.stack([image] * image.size)
    for number, index in enumerate(np.ndindex(image.shape)):
        images[(number, *index)] += 1
    results = reference.run(network, images)[network.output.name] - values[network.output.name]
    differences = (results * seed).reshape(image.size, -1).sum(axis=1)
    # A maximum or a ReLU may turn over between two inputs: not for more than a few of them.
    same = np.isclose(gradient.ravel(), differences, rtol=1e-9, atol=1e-6)
    assert same.mean() > 0.8
    assert np.corrcoef(gradient.ravel(), differences)[0, 1] > 0.99
    assert np.abs(gradient).max() > 0


def test_an_average_a_sum_and_channels_side_by_side(build):
    """Exact but for the truncation of an average: its direction is right."""
    network = build((4, 4, 2)).conv(3, (3, 3)).average_pool(2, 2).global_average().dense(2).network()
    seed = np.array([1.0, 0.0])
    gradient = influence(network, network.output.name, seed)
    low, high = network.input.type.codes
    best = np.where(gradient > 0, high, low)[np.newaxis]
    random = np.random.default_rng(0).integers(low, high, (50, *network.input.shape), endpoint=True)
    values = reference.run(network, np.concatenate([best, random]))[network.output.name][:, 0]
    assert values.argmax() == 0, "a linear network is driven to its largest value by the signs alone"


def test_what_is_clipped_does_not_pass(build):
    network = build((4, 4, 1)).conv(1, (1, 1)).relu(3, -6).flatten().dense(1).network()
    values = {name: codes[0] for name, codes in reference.run(network, np.full((1, 4, 4, 1), 255)).items()}
    assert np.any(influence(network, "dense_1", np.ones(1)))
    assert not np.any(influence(network, "dense_1", np.ones(1), values))
