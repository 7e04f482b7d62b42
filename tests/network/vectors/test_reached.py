"""How much of a proven range was reached, at both ends, and what is said of the rest."""

from __future__ import annotations

import numpy as np

from siliconv.network import reference
from siliconv.network.vectors.reached import Reached, accumulators, reached


def one(**fields):
    known = {"name": "conv", "kind": "Conv", "requantized": True, "step": 0.5}
    return Reached(**{**known, "proven_low": -10, "proven_high": 20, "low": -5, "high": 4, **fields})


def test_each_end_counts_for_itself():
    assert (one().share_low, one().share_high) == (0.5, 0.2)
    assert (one(low=3).share_low, one(high=-1).share_high) == (0.0, 0.0)
    assert (one(proven_low=0, low=0).share_low, one(proven_high=0, high=0).share_high) == (1.0, 1.0)


def test_what_is_below_half_is_told_with_the_best_and_the_bound():
    (line,) = one().lines()
    assert line == "conv: 20% of the upper end reached, 2 of the proven 10"
    assert list(one(high=10).lines()) == []


def test_what_several_vectors_reached_is_the_widest():
    merged = one().merged(one(low=-9, high=1))
    assert (merged.low, merged.high) == (-9, 4)


def test_all_sums_and_what_is_requantized_are_accumulators(build):
    network = build((6, 6, 1)).conv(2, (3, 3)).relu().max_pool(2, 2).global_average().dense(2).network()
    names = [node.name for node in accumulators(network)]
    assert names == ["conv_1", "global_average_1", "dense_1"]
    codes = np.full((2, 6, 6, 1), 255)
    found = reached(network, reference.run(network, codes))
    assert [item.name for item in found] == names
    assert [item.requantized for item in found] == [True, False, False]
    for item in found:
        assert item.proven_low <= item.low <= item.high <= item.proven_high
