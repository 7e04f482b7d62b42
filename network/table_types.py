"""The types of the tables that stand for sigmoid and tanh inside a network."""

from __future__ import annotations

from siliconv.network.exact_functions import exact_function
from siliconv.network.fixed_point import FixedPoint, Overflow, Rounding

FUNCTIONS = ("sigmoid", "tanh")

_ENDS = {"sigmoid": 4, "tanh": 3, "line(0.2,0.5)": 3}
"""Integer bits of the input with its sign: sigmoid(8) = 0.9997, tanh(4) = 0.9993; Keras' hard sigmoid ends at 2.5."""

INPUT_BITS = 10
"""1,024 entries: one block memory."""


def is_function(name: str) -> bool:
    """Whether a function of one element stands as a table inside a network: all but ReLU, which is a type."""
    return name in FUNCTIONS or (name != "relu" and exact_function(name) is not None)


def table_input(function: str) -> FixedPoint:
    """Give the type that the input of a function is brought into."""
    return FixedPoint(True, INPUT_BITS, _ENDS[function], Rounding.RND_CONV, Overflow.SAT)


def table_output(function: str, bits: int) -> FixedPoint:
    """Give the type of so many bits of a function's values: 0 to 1 for the sigmoid, -1 to 1 for tanh."""
    signed = function == "tanh"
    return FixedPoint(signed, bits, int(signed), Rounding.RND_CONV, Overflow.SAT)
