"""Table entries are correctly rounded, for every rounding mode, and their error is what it is said to be."""

import math
from fractions import Fraction

import numpy as np
import pytest
from exact_model import convert, round_exactly

from siliconv.errors import NetworkError
from siliconv.network import reference
from siliconv.network.emulator import emulator
from siliconv.network.fixed_point import FixedPoint, Overflow, Rounding, to_values
from siliconv.network.function_table import LINEAR, SMOOTH, function_codes, table_error, table_node
from siliconv.network.graph import Input, Network
from siliconv.network.intervals import prove

TEN_BITS = FixedPoint(True, 10, 4)
NEAREST = FixedPoint(True, 9, 2, Rounding.RND_CONV, Overflow.SAT)
INPUTS = np.arange(-512, 512)


def in_floats(function, x):
    """Give a function in float64, accurate to about 1e-16."""
    return {
        "sigmoid": 1 / (1 + math.exp(-x)),
        "tanh": math.tanh(x),
        "hard_sigmoid": min(max(x / 2 + 0.5, 0), 1),
        "smooth_sigmoid": min(max(3 * x / 16 + 0.5, 0), 1),
        "hard_tanh": min(max(x, -1), 1),
        "smooth_tanh": min(max(3 * x / 8, -1), 1),
    }[function]


@pytest.mark.parametrize("rounding", Rounding)
@pytest.mark.parametrize("function", [*SMOOTH, *LINEAR])
def test_entries_are_correctly_rounded(function, rounding):
    """Away from ties float64 decides; exactly on them (zero, and lines) it is exact."""
    output = FixedPoint(True, 9, 2, rounding, Overflow.SAT)
    values = [in_floats(function, x) for x in to_values(INPUTS, TEN_BITS)]
    exact = [Fraction(value) * 2**output.fraction for value in values]
    expected = [round_exactly(value, rounding) for value in exact]
    assert function_codes(function, TEN_BITS, output).tolist() == expected


def test_lines_in_a_type_that_overflows_follow_its_mode():
    for overflow in Overflow:
        narrow = FixedPoint(True, 4, 1, Rounding.RND_CONV, overflow)
        # hard_tanh keeps the codes between -1 and 1: bring them into the type one by one.
        clipped = np.clip(INPUTS, -64, 64)
        expected = [convert(int(code), TEN_BITS.fraction, narrow) for code in clipped]
        assert function_codes("hard_tanh", TEN_BITS, narrow).tolist() == expected


@pytest.mark.parametrize("function", [*SMOOTH, *LINEAR])
def test_error_is_at_most_half_a_last_place_and_grows_with_a_wrong_entry(function):
    image = Input("image", (), (4,), TEN_BITS)
    table = table_node("table", image, function, NEAREST)
    assert table_error(table, TEN_BITS).last_places <= 0.5
    table.table.codes[100] += 3
    error = table_error(table, TEN_BITS)
    assert error.last_places >= 2.5
    assert error.code == -512 + 100


def test_entries_of_a_wide_output_are_nearest_too():
    """Beyond float64: 60 bits, compared with the mirror sigmoid(-x) = 1 - sigmoid(x)."""
    output = FixedPoint(True, 60, 2, Rounding.RND_CONV, Overflow.SAT)
    codes = function_codes("sigmoid", FixedPoint(True, 6, 4), output)
    assert (codes[1:32] + codes[:32:-1] == 1 << output.fraction).all()
    assert abs(codes[40] / 2.0**output.fraction - in_floats("sigmoid", 2.0)) < 1e-15


def test_small_values_far_from_zero_keep_their_digits():
    inputs, output = FixedPoint(True, 7, 6), FixedPoint(False, 60, 0, Rounding.RND_CONV, Overflow.SAT)
    codes = function_codes("sigmoid", inputs, output)
    for code, x in zip(codes[:64], range(-64, 0), strict=True):
        assert abs(int(code) - math.exp(x / 2) / (1 + math.exp(x / 2)) * 2.0**60) < 2 + int(code) * 1e-14


def test_far_from_zero_the_limit_is_never_reached():
    """Truncation keeps every sigmoid below one and every tanh above minus one, however large the input."""
    inputs = FixedPoint(True, 8, 20)
    sigmoids = function_codes("sigmoid", inputs, FixedPoint(False, 9, 1))
    assert sigmoids.tolist() == [0] * 128 + [128] + [255] * 127
    assert function_codes("tanh", inputs, FixedPoint(True, 9, 1)).tolist() == [-256] * 128 + [0] + [255] * 127
    towards_zero = FixedPoint(True, 9, 1, Rounding.TRN_ZERO)
    assert function_codes("tanh", inputs, towards_zero).tolist() == [-255] * 128 + [0] + [255] * 127


def test_a_network_with_tables_is_proven_and_runs_everywhere():
    image = Input("image", (), (1024,), TEN_BITS)
    network = Network("tanh", (image, table_node("tanh", image, "tanh", NEAREST)))
    bounds = prove(network)["tanh"].interval
    codes = INPUTS.reshape(1, -1)
    expected = reference.run(network, codes)["tanh"]
    assert (expected.min(), expected.max()) == bounds
    np.testing.assert_array_equal(emulator.compile(network).run(codes)["tanh"], expected)


def test_unknown_functions_and_wide_inputs_are_refused():
    with pytest.raises(NetworkError, match="TABLE-FUNCTION"):
        function_codes("exp", TEN_BITS, NEAREST)
    with pytest.raises(NetworkError, match="TABLE-WIDTH"):
        function_codes("tanh", FixedPoint(True, 17, 4), NEAREST)
