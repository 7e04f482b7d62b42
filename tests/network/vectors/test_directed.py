"""Directed vectors reach further into proven ranges than the corners, are few, and are the same each time."""

from __future__ import annotations

import numpy as np
import pytest
from every_layer_kind import ONE_DIMENSIONAL, TWO_DIMENSIONAL, lowered

from siliconv.network import reference
from siliconv.network.vectors import directed
from siliconv.network.vectors.corners import corner_vectors
from siliconv.network.vectors.directed import directed_vectors
from siliconv.network.vectors.reached import accumulators, reached


@pytest.fixture(scope="module")
def network(build):
    return (
        build((8, 8, 1))
        .conv(4, (3, 3))
        .relu(6, 3)
        .max_pool(2, 2)
        .conv(6, (3, 3))
        .relu(6, 4)
        .flatten()
        .dense(3)
        .network()
    )


def shares(network, codes):
    found = reached(network, reference.run(network, codes))
    return {
        (one.name, end): share for one in found for end, share in (("low", one.share_low), ("high", one.share_high))
    }


def test_they_reach_further_than_the_corners(network):
    by_search = shares(network, directed_vectors(network))
    by_corners = shares(network, np.stack(list(corner_vectors(network).values())))
    assert all(by_search[end] >= by_corners[end] for end in by_search)
    assert sum(by_search.values()) > 1.25 * sum(by_corners.values())


def test_the_ends_of_the_first_sum_are_reached_but_for_its_bias(network):
    """A sum of products of the input itself: its signs are its weights'. A partial sum may lie beyond its last one."""
    found = shares(network, directed_vectors(network))
    assert min(found["conv_1", "low"], found["conv_1", "high"]) > 0.75


def test_they_are_few_and_the_same_each_time(network, monkeypatch):
    one = directed_vectors(network)
    monkeypatch.setattr(directed, "_cache", {})
    other = directed_vectors(network)
    assert np.array_equal(one, other)
    assert one is not other
    assert len(one) <= 2 * len(accumulators(network))
    low, high = network.input.type.codes
    assert low <= one.min() <= one.max() <= high


def test_a_network_with_a_signed_input_and_one_without_sums(build):
    from siliconv.network.fixed_point import FixedPoint

    signed = build((5,), input_type=FixedPoint(True, 6, 2)).dense(3).network()
    found = shares(signed, directed_vectors(signed))
    assert min(found.values()) > 0.7
    bare = build((4,)).requantize(FixedPoint(False, 4, 0)).network()
    assert len(directed_vectors(bare)) == 0


@pytest.mark.long
@pytest.mark.parametrize("architecture", [TWO_DIMENSIONAL, ONE_DIMENSIONAL], ids=["2-D", "1-D"])
def test_every_layer_kind_is_searched_through(architecture):
    _, network, codes = lowered(architecture)
    vectors = directed_vectors(network)
    assert len(vectors) > len(accumulators(network)) / 2
    directed_shares, seen = shares(network, vectors), shares(network, codes)
    assert sum(directed_shares.values()) > sum(seen.values())
