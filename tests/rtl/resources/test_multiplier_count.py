"""Products against what Yosys maps them to: whole multipliers, factors that are cut, rests that become logic."""

import pytest

from siliconv.rtl.resources.multiplier_count import multipliers_of_product


@pytest.mark.parametrize(
    ("family", "one", "other", "count"),
    [
        ("ecp5", 18, 18, 1),
        ("ecp5", 19, 18, 1),  # a rest of one bit
        ("ecp5", 20, 18, 2),
        ("ecp5", 36, 36, 4),
        ("xc7", 25, 18, 1),
        ("xc7", 18, 25, 1),
        ("xc7", 20, 19, 2),
        ("xc7", 26, 18, 2),
        ("xc7", 4, 4, 0),
        ("xcup", 27, 18, 1),
    ],
)
def test_a_factor_that_is_too_wide_is_cut(family, one, other, count):
    assert multipliers_of_product(one, other, family) == count
