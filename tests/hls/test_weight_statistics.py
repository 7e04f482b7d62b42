"""Weight statistics: counted exactly from weights, inferred well from totals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siliconv.hls import weight_statistics


def slow_csd_digits(number):
    """Non-zero digits of the canonical signed-digit form, by its definition: no two neighbours."""
    digits = 0
    while number:
        if number & 1:
            digits += 1
            number -= 2 - (number & 3)
        number >>= 1
    return digits


@given(st.integers(0, 2**20))
def test_csd_digits_are_those_of_the_definition(number):
    assert weight_statistics.csd_digits(np.array([number]))[0] == slow_csd_digits(number)


@settings(deadline=None)
@given(st.lists(st.integers(-127, 127), min_size=1, max_size=60))
def test_counts_of_integers(weights):
    found = weight_statistics.from_integers(np.array(weights))
    assert found.n == len(weights)
    assert found.nonzero == sum(w != 0 for w in weights)
    assert found.powers_of_two == sum(w != 0 and abs(w) & (abs(w) - 1) == 0 for w in weights)
    assert found.multiplications == sum(slow_csd_digits(abs(w)) >= 3 for w in weights)
    assert found.powers_of_two + found.shift_adds + found.multiplications == found.nonzero


@pytest.mark.parametrize(("width", "scale"), [(16, 300.0), (16, 20.0), (8, 20.0), (6, 5.0)])
def test_totals_tell_the_multiplications_of_ordinary_weights(width, scale):
    random = np.random.default_rng(1)
    limit = 2 ** (width - 1) - 1
    weights = np.clip(np.rint(random.laplace(scale=scale, size=(64, 32))), -limit, limit).astype(int)
    exact = weight_statistics.from_integers(weights)
    distinct = len(np.unique(np.abs(weights[weights != 0])))
    inferred = weight_statistics.from_counts(exact.n, exact.nonzero, exact.powers_of_two, distinct, width=width)
    assert inferred.multiplications == pytest.approx(exact.multiplications, rel=0.15, abs=5)
    assert inferred.magnitude_bits == pytest.approx(exact.magnitude_bits, abs=0.5)


def test_nothing_is_left_of_a_layer_of_zeros():
    assert weight_statistics.from_counts(10, 0, 0, 0, width=8).multiplications == 0
    assert weight_statistics.from_integers(np.zeros((3, 4))).multiplications == 0


@settings(deadline=None, max_examples=40)
@given(
    n=st.integers(1, 5000),
    share=st.floats(0, 1),
    power_share=st.floats(0, 1),
    distinct=st.one_of(st.none(), st.integers(1, 300)),
    width=st.integers(2, 32),
)
def test_inferred_counts_stay_within_the_totals(n, share, power_share, distinct, width):
    nonzero = int(n * share)
    powers = int(nonzero * power_share)
    found = weight_statistics.from_counts(n, nonzero, powers, distinct, width=width)
    assert 0 <= found.multiplications <= max(nonzero - powers, 0)
    assert np.isfinite(found.magnitude_bits)
