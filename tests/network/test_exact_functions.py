"""Functions in exact arithmetic: the same as on tensors, to the last digit of double precision, and read by text."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from siliconv.legacy_keras import tensorflow
from siliconv.models.architectures.functions import FUNCTIONS, tensor_function
from siliconv.network.exact_functions import DEFAULTS, exact_function
from siliconv.network.fixed_point import FixedPoint, Overflow, Rounding
from siliconv.network.function_table import LINEAR, function_codes
from siliconv.network.table_types import is_function

TEXTS = (
    *("elu", "elu(1.25)", "selu", "softplus", "softsign", "swish", "gelu", "gelu_tanh", "exponential", "mish"),
    *("line(0.2,0.5)", "line(0.16666666666666666,0.5)", "hard_swish", "hard_tanh", "relu(inf,0,0.75)"),
    *("log_sigmoid", "tanh_shrink", "squareplus", "squareplus(0.5)", "sparse_plus", "soft_shrink", "hard_shrink(0.3)"),
    *("relu", "relu(6)", "relu(inf,0.1)", "relu(1.5,0.25,0.5)", "relu(inf,-2,1)"),
)
POINTS = [*np.linspace(-9, 9, 73), -40.0, 40.0, -1e-6, 1e-6]


@pytest.mark.parametrize("text", TEXTS)
def test_a_function_is_the_one_on_tensors(text):
    tf = tensorflow()

    exact = exact_function(text) or LINEAR[text]
    values = np.array(POINTS)
    smooth = tensor_function(text)(tf.constant(values, tf.float64)).numpy()
    for x, found in zip(values, smooth, strict=True):
        assert float(exact(Fraction(float(x)))) == pytest.approx(found, rel=2e-6, abs=2e-7), x


def test_both_know_the_same_functions_by_the_same_texts():
    assert set(FUNCTIONS) == {*DEFAULTS, "hard_tanh"}
    for name, defaults in DEFAULTS.items():
        assert [math.inf if one == "inf" else one and float(one) for one in defaults] == list(FUNCTIONS[name])


@pytest.mark.parametrize("text", ["", "nothing", "elu(1,2)", "line", "line(1)", "relu(nan)", "relu(a)", "relu(,,a)"])
def test_what_is_no_function_is_none(text):
    assert exact_function(text) is None
    assert not is_function(text)


def test_the_normal_share_has_all_its_digits():
    # Abramowitz and Stegun, table 26.1: the normal distribution at 1 and at 5.
    gelu = exact_function("gelu")
    assert abs(gelu(Fraction(1)) - Fraction("0.841344746068542948585")) < Fraction(1, 10**20)
    assert abs(gelu(Fraction(-5)) / -5 - Fraction("2.866515718791939117e-7")) < Fraction(1, 10**24)
    assert gelu(Fraction(-40)) == 0


def test_far_values_saturate_and_take_no_time():
    inputs, output = FixedPoint(True, 8, 20), FixedPoint(False, 8, 4, Rounding.RND_CONV, Overflow.SAT)
    codes = function_codes("exponential", inputs, output)
    assert codes.tolist() == [0] * 128 + [16] + [255] * 127
    assert function_codes("softplus", inputs, output).tolist()[:129] == [0] * 128 + [11]


@pytest.mark.parametrize("rounding", list(Rounding))
def test_entries_between_two_codes_follow_the_rounding(rounding):
    inputs, output = FixedPoint(True, 6, 6), FixedPoint(True, 5, 5, rounding, Overflow.SAT)
    codes = function_codes("relu(inf,0.25)", inputs, output)
    from exact_model import round_exactly

    expected = [round_exactly(Fraction(x, 4) if x < 0 else Fraction(min(x, 15)), rounding) for x in range(-32, 32)]
    assert codes.tolist() == expected
