"""Reciprocals against integer division, for every dividend."""

import numpy as np
import pytest

from siliconv.rtl.plan.reciprocals import exact_reciprocals


@pytest.mark.parametrize("largest", [0, 1, 2, 5, 17, 255, 256, 4095, 20000])
@pytest.mark.parametrize("counts", [[n] for n in range(1, 26)] + [[4, 6, 9], [1, 2, 3, 4, 5], [12, 49]])
def test_every_quotient_is_exact_and_a_place_fewer_is_not(counts, largest):
    values, places = exact_reciprocals(counts, largest)
    totals = np.arange(largest + 1)
    for count, value in zip(counts, values, strict=True):
        assert np.array_equal(totals * value >> places, totals // count)
    if places:
        fewer = [-(-(1 << places - 1) // count) for count in counts]
        assert any(
            not np.array_equal(totals * value >> places - 1, totals // count)
            for count, value in zip(counts, fewer, strict=True)
        )


def test_a_power_of_two_is_a_shift():
    assert exact_reciprocals([64], 1 << 40) == ((1,), 6)


def test_a_very_large_sum():
    values, places = exact_reciprocals([9, 6, 4], (1 << 61) - 1)
    for total in ((1 << 61) - 1, (1 << 61) - 2, (1 << 60) + 7):
        assert [total * value >> places for value in values] == [total // 9, total // 6, total // 4]
