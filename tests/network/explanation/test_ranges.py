"""Ranges against types: what is reported of the values is what they are."""

from __future__ import annotations

import numpy as np
import pytest

from siliconv.network.explanation.ranges import value_ranges
from siliconv.network.fixed_point import parse_type
from siliconv.network.graph import Input, Network, Requantize


def test_ranges_are_those_of_the_values():
    pixel, narrow = parse_type("ufixed<8,0>"), parse_type("fixed<4,1,RND_CONV,SAT>")
    network = Network(
        "net", (Input("image", (), (4,), pixel), Requantize("narrow", ("image",), (4,), narrow, relu=False))
    )
    traced = {"image": np.array([[0, 64, 128, 255]]), "narrow": np.array([[0, -8, 7, 4], [0, 0, 7, 2]])}
    image, after = value_ranges(network, traced)
    assert (image.name, image.step, image.limit) == ("image", 1 / 256, 255 / 256)
    assert image.quantiles[0] == 0.25
    assert image.quantiles[2] == 0.5
    assert image.quantiles[-1] == 255 / 256
    assert (image.zeros, image.at_limit) == (0.25, 0.25)
    assert (after.step, after.limit) == (1 / 8, 1.0)
    assert after.quantiles[-1] == 1.0
    assert (after.zeros, after.at_limit) == (3 / 8, pytest.approx(3 / 8))


def test_a_tensor_of_zeros_has_no_quantiles():
    kind = parse_type("ufixed<8,0>")
    network = Network("net", (Input("image", (), (4,), kind), Requantize("same", ("image",), (4,), kind, relu=False)))
    assert value_ranges(network, {"same": np.zeros((2, 4), np.int64)})[0].quantiles == ()
