"""Types and conversions against fractions, and against the real `ap_fixed`: that one decides what the modes mean."""

import itertools
from fractions import Fraction

import ap_fixed
import numpy as np
import pytest
from exact_model import convert
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import types

from siliconv.errors import NetworkError
from siliconv.network.fixed_point import (
    CODE_LIMIT,
    FixedPoint,
    Interval,
    Overflow,
    Rounding,
    exact_codes,
    narrowest,
    parse_type,
    requantize,
    rounded,
    to_values,
    types_made_in,
)

MODES = list(itertools.product(Rounding, Overflow))
SOURCES = [FixedPoint(True, 7, 3), FixedPoint(False, 6, 2), FixedPoint(True, 4, -1), FixedPoint(False, 4, 7)]
TARGETS = [
    (True, 4, 3),
    (False, 4, 3),
    (True, 1, 1),
    (True, 6, -2),
    (False, 1, 1),
    (False, 3, 6),
    (True, 13, 8),
    (True, 3, 13),
]
# Compiling a pair takes 40 ms. The headers abort where more bits are dropped than the source has, so the pairs that do
# (the last targets) are compared with fractions only.
COMPILED_SOURCES, COMPILED_TARGETS = SOURCES[:2], 4


def targets(rounding, overflow):
    return [FixedPoint(*bits, rounding, overflow) for bits in TARGETS]


@pytest.mark.parametrize(("rounding", "overflow"), MODES)
def test_requantize_equals_fractions(rounding, overflow):
    for source, target in itertools.product(SOURCES, targets(rounding, overflow)):
        codes = np.arange(source.codes.low, source.codes.high + 1)
        expected = [convert(int(code), source.fraction, target) for code in codes]
        assert requantize(codes, source.fraction, target).tolist() == expected, f"{source} to {target}"


@pytest.fixture(scope="session")
def ap_fixed_tables(tmp_path_factory):
    """What the real `ap_fixed` makes of every code, by (source, target); compiled once a session."""
    if reason := ap_fixed.missing():
        pytest.skip(reason)
    pairs = [
        pair for modes in MODES for pair in itertools.product(COMPILED_SOURCES, targets(*modes)[:COMPILED_TARGETS])
    ]
    return dict(zip(pairs, ap_fixed.conversions(pairs, tmp_path_factory.mktemp("ap_fixed")), strict=True))


@pytest.mark.parametrize(("rounding", "overflow"), MODES)
def test_requantize_equals_ap_fixed(rounding, overflow, ap_fixed_tables):
    for source, target in itertools.product(COMPILED_SOURCES, targets(rounding, overflow)[:COMPILED_TARGETS]):
        codes = ap_fixed.source_codes(source)
        ours, theirs = requantize(codes, source.fraction, target), ap_fixed_tables[source, target]
        wrong = [
            f"{int(c) * source.step} -> {int(o)} units in the last place, ap_fixed says {int(t)}"
            for c, o, t in zip(codes, ours, theirs, strict=True)
            if o != t
        ]
        assert not wrong, f"{source} to {target}: {len(wrong)} of {codes.size} differ, first {wrong[:3]}"


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    codes=st.lists(st.integers(-(2**61), 2**61 - 1), min_size=1, max_size=4),
    fraction=st.integers(-80, 80),
    to=types(widths=st.integers(1, 62), fractions=st.integers(-80, 80)),
)
def test_requantize_is_exact_for_any_width_and_shift(codes, fraction, to):
    expected = [convert(code, fraction, to) for code in codes]
    assert requantize(np.array(codes), fraction, to).tolist() == expected


@settings(max_examples=200, deadline=None, derandomize=True)
@given(code=st.integers(-(2**20), 2**20), fraction=st.integers(-5, 20), to=types())
def test_requantizing_twice_is_requantizing_once(code, fraction, to):
    once = requantize(np.array([code]), fraction, to)
    assert to.codes.low <= once[0] <= to.codes.high
    np.testing.assert_array_equal(requantize(once, to.fraction, to), once)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(code=st.integers(-(2**60), 2**60), places=st.integers(-70, 70), rounding=st.sampled_from(list(Rounding)))
def test_rounded_is_within_one_step_and_saturates_outside_of_every_type(code, places, rounding):
    result = int(rounded(np.array([code]), places, rounding)[0])
    exact = Fraction(code) / Fraction(2) ** places
    if abs(exact) >= CODE_LIMIT:
        assert result == (CODE_LIMIT if code > 0 else -CODE_LIMIT)
    else:
        assert abs(result - exact) < 1


@pytest.mark.parametrize("overflow", Overflow)
def test_symmetric_saturation_drops_only_the_lowest_signed_code(overflow):
    far = np.array([-1000, 1000])
    signed = requantize(far, 0, FixedPoint(True, 4, 4, overflow=overflow)).tolist()
    unsigned = requantize(far, 0, FixedPoint(False, 4, 4, overflow=overflow)).tolist()
    assert signed == {"WRAP": [-8, -8], "SAT": [-8, 7], "SAT_SYM": [-7, 7], "SAT_ZERO": [0, 0]}[overflow]
    assert unsigned == {"WRAP": [8, 8], "SAT": [0, 15], "SAT_SYM": [0, 15], "SAT_ZERO": [0, 0]}[overflow]


@settings(max_examples=100, deadline=None, derandomize=True)
@given(kind=types(widths=st.integers(1, 62), fractions=st.integers(-100, 100)))
def test_type_text_round_trip(kind):
    assert parse_type(str(kind)) == kind


@pytest.mark.parametrize(
    "text",
    ["", "fixed", "fixed<8>", "fixed<8,2,RND>", "fixed<8,2,RND,NO>", "fixed<8,2> ", "float<8,2>", "fixed<٣,2>extra"],
)
def test_text_that_is_no_type_is_refused(text):
    with pytest.raises(NetworkError, match="TYPE-TEXT"):
        parse_type(text)


@pytest.mark.parametrize(
    ("width", "integer", "code"),
    [(0, 0, "TYPE-WIDTH"), (63, 1, "TYPE-WIDTH"), (8, 513, "TYPE-EXPONENT"), (8, -(10**400), "TYPE-EXPONENT")],
)
def test_impossible_types_are_refused(width, integer, code):
    with pytest.raises(NetworkError, match=code):
        FixedPoint(True, width, integer)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(ends=st.tuples(st.integers(-(2**61), 2**61 - 1), st.integers(-(2**61), 2**61 - 1)), fraction=st.integers(-9, 9))
def test_narrowest_holds_and_one_bit_less_does_not(ends, fraction):
    interval = Interval(min(ends), max(ends))
    kind = narrowest(interval, fraction)
    assert kind.fraction == fraction
    assert kind.holds(interval)
    assert kind.signed == (interval.low < 0)
    if kind.width > 1:
        assert not FixedPoint(kind.signed, kind.width - 1, kind.integer - 1).holds(interval)


def test_exact_codes_accepts_what_the_type_holds_and_nothing_else():
    kind = FixedPoint(True, 4, 2)
    codes = np.arange(-8, 8)
    np.testing.assert_array_equal(exact_codes(to_values(codes, kind), kind, where="here"), codes)
    for value in (2.0, -2.25, 0.125, float("nan"), float("inf"), -1e300):
        with pytest.raises(NetworkError, match="VALUE-NOT-IN-TYPE"):
            exact_codes(np.array([0.0, value]), kind, where="here")


def test_a_type_that_is_too_wide_names_the_layer_it_is_made_in():
    with pytest.raises(NetworkError, match="it needs a fixed-point type of 63 bits") as caught, types_made_in("fc1"):
        FixedPoint(True, 63, 1)
    assert (caught.value.code, caught.value.where) == ("TYPE-WIDTH", "layer 'fc1', type with 1 integer bits")
