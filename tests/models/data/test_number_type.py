"""The numbers of an input: every code exact, rounding and saturation counted, types chosen from data."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siliconv.errors import DataError
from siliconv.models.data.data_config import InputConfig
from siliconv.models.data.input_choice import InputChoice, Seen, choose_input, look_at, refuse_saturation
from siliconv.models.data.number_type import MOST_BITS, PIXELS, NumberType, bits_of_whole_numbers
from siliconv.network.fixed_point import FixedPoint, Overflow, Rounding, requantize, to_values
from siliconv.quantize.input_type import fixed_point_of

KINDS = st.builds(NumberType, st.booleans(), st.integers(2, MOST_BITS), st.integers(-4, 20))


@settings(max_examples=60, deadline=None)
@given(KINDS, st.integers(0, 2**32 - 1))
def test_values_become_the_nearest_code_or_an_end(kind, seed):
    low, high = kind.codes
    finer = np.random.default_rng(seed).integers(32 * low - 40, 32 * high + 40, 50)  # of 16 to a step
    values = finer * kind.step / 16
    codes, outside = kind.encode(values)
    rounded = FixedPoint(kind.signed, kind.bits, kind.integer, Rounding.RND_CONV, Overflow.SAT)
    assert codes.tolist() == requantize(finer, rounded.fraction + 4, rounded).tolist()
    assert codes.dtype == kind.dtype
    nearest = np.rint(values / kind.step)
    assert outside == sum(not kind.codes[0] <= one <= kind.codes[1] for one in nearest)


@settings(max_examples=60, deadline=None)
@given(KINDS)
def test_every_code_is_exact_in_float32_and_the_same_as_in_the_network(kind):
    low, high = kind.codes
    codes = np.unique(np.linspace(low, high, 1000).round().astype(np.int64)).astype(kind.dtype)
    values = kind.decode(codes)
    assert values.dtype == np.float32
    assert values.tolist() == to_values(codes.astype(np.int64), fixed_point_of(kind)).tolist()
    again, outside = kind.encode(values)
    assert (again.tolist(), outside) == (codes.tolist(), 0)


def test_pixels_are_the_networks():
    from siliconv.network.fixed_point import PIXEL

    assert fixed_point_of(PIXELS) == PIXEL
    assert PIXELS.dtype == np.uint8


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0, 4095, (False, 12)), (1, 4096, (False, 13)), (-1, 0, (True, 2)), (-2048, 2047, (True, 12)), (0, 0, (False, 1))],
)
def test_whole_numbers_need_so_many_bits(low, high, expected):
    assert bits_of_whole_numbers(low, high) == expected


def seen(values, scale=1.0):
    values = np.asarray(values)
    return look_at([values], values.size, scale, whole=values.dtype.kind in "iu", where="here")


@pytest.mark.parametrize(
    ("stated", "values", "scale", "expected"),
    [
        ({}, np.array([1, 4095], np.uint16), 1.0, NumberType(False, 12, 12)),
        ({}, np.array([1, 4095], np.uint16), 1 / 4096, NumberType(False, 12, 0)),
        ({}, np.array([-2048, 2047], np.int16), 1.0, NumberType(True, 12, 12)),
        ({"bits": 16}, np.array([1, 4095], np.uint16), 1.0, NumberType(False, 16, 16)),
        ({"signed": True}, np.array([1, 4095], np.uint16), 1.0, NumberType(True, 13, 13)),
        ({"bits": 8}, np.arange(4096, dtype=np.uint16), 1.0, NumberType(False, 8, 12)),
        ({}, np.linspace(-3.6, 3.2, 1000), 1.0, NumberType(True, 16, 3)),
        ({}, np.linspace(0, 7.2, 1000), 1.0, NumberType(False, 16, 3)),
        ({"bits": 10, "integer": 4, "signed": True}, np.linspace(0, 7.2, 1000), 1.0, NumberType(True, 10, 4)),
        ({"bits": 12}, np.linspace(-900, 900, 1000), 1.0, NumberType(True, 12, 11)),
    ],
)
def test_the_type_follows_from_the_training_data(stated, values, scale, expected):
    assert choose_input(InputConfig(**stated), seen(values, scale), None).type == expected


def test_a_percentile_lets_outliers_saturate_and_least_error_weighs_them():
    values = np.concatenate([np.linspace(-1, 1, 10_000), [500.0]])
    held = choose_input(InputConfig(bits=8), seen(values), 99.9).type
    assert held.integer == 1
    assert choose_input(InputConfig(bits=8), seen(values), 100.0).type.integer == 10
    assert choose_input(InputConfig(bits=16), seen(values), None).type.integer == 10


def test_a_type_that_most_numbers_miss_is_refused_with_the_way_out():
    choice = InputChoice(NumberType(False, 12, 0), "as the project says")
    with pytest.raises(DataError, match="integer bits") as found:
        refuse_saturation(choice.with_range(np.zeros(1), np.full(1, 4095.0), 90, 100), "data.npz")
    assert found.value.code == "DATA-RANGE"
    refuse_saturation(choice.with_range(np.zeros(1), np.full(1, 1.1), 10, 100), "data.npz")


def test_numbers_that_are_none_are_refused():
    with pytest.raises(DataError, match="2 of the numbers are NaN or infinite"):
        seen(np.array([1.0, np.nan, np.inf]))


def test_what_was_chosen_is_kept_as_json_and_told():
    choice = choose_input(InputConfig(), Seen(-1.5, 2.0, np.linspace(-1.5, 2.0, 99), None), None).with_range(
        np.full(2, -1.5), np.full(2, 2.0), 1, 99
    )
    assert InputChoice.from_json(choice.as_json()) == choice
    for told in ("signed 16 bits", "least error", "-1.5 to 2", "steps of", "1.010% saturate"):
        assert told in choice.in_words


def test_a_stated_type_has_two_bits_where_it_has_a_sign():
    with pytest.raises(ValueError, match="two bits"):
        InputConfig(bits=1, signed=True)
