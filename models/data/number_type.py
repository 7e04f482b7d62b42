"""The fixed-point numbers that a network's input is made of: from real values to integer codes, and back exactly.

Rounding is to the nearest code, ties to the even one; what lies outside the type becomes its nearest end (saturation).
The values of up to 24 bits are exact as float32, so float network, QKeras and firmware see the same numbers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

MOST_BITS = 24
"""Of an input: so many are exact as float32."""

_SMALLEST = (np.uint8, np.int8, np.uint16, np.int16, np.int32)


@dataclass(frozen=True)
class NumberType:
    """`bits` in all, `integer` of them before the binary point, the sign included; the step is 2**(integer - bits)."""

    signed: bool
    bits: int
    integer: int

    @property
    def step(self) -> float:
        """The value of one code."""
        return math.ldexp(1.0, self.integer - self.bits)

    @property
    def codes(self) -> tuple[int, int]:
        """The lowest and the highest code."""
        return (-(1 << (self.bits - 1)), (1 << (self.bits - 1)) - 1) if self.signed else (0, (1 << self.bits) - 1)

    @property
    def ends(self) -> tuple[float, float]:
        """The lowest and the highest value."""
        low, high = self.codes
        return low * self.step, high * self.step

    @property
    def dtype(self) -> np.dtype[np.integer]:
        """The smallest integers of NumPy that hold the codes."""
        low, high = self.codes
        return next(np.dtype(kind) for kind in _SMALLEST if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max)

    def encode(self, values: np.ndarray) -> tuple[np.ndarray, int]:
        """Give the codes of real values, and how many values lay outside the type by half a step or more."""
        low, high = self.codes
        nearest = np.rint(np.asarray(values, np.float64) / self.step)
        outside = int(((nearest < low) | (nearest > high)).sum())
        return np.clip(nearest, low, high).astype(self.dtype), outside

    def decode(self, codes: np.ndarray) -> np.ndarray:
        """Give the values of codes, float32, exact."""
        return codes.astype(np.float32) * np.float32(self.step)

    def __str__(self) -> str:
        kind = "signed" if self.signed else "unsigned"
        low, high = self.ends
        return (
            f"{kind} {self.bits} bits, {self.integer} of them integer, {low:g} to {high:.9g} in steps of {self.step:g}"
        )


PIXELS = NumberType(signed=False, bits=8, integer=0)
"""A pixel of value k is k/256."""


def integer_bits_that_cover(largest: float, *, signed: bool) -> int:
    """Give the fewest integer bits, the sign included, whose type holds everything below `largest` in magnitude."""
    return int(np.floor(np.log2(largest))) + 1 + signed if largest > 0 else int(signed)


def integer_bits_of_least_error(values: np.ndarray, bits: int, *, signed: bool) -> int:
    """Give the integer bits, the sign included, whose rounding (ties to even) and saturation hurts the values least.

    The error is the mean square over all values; among equals the finer step wins.
    """
    exact = np.asarray(values, dtype=np.float64)
    largest = float(np.abs(exact).max(initial=0.0))
    top = int(np.ceil(np.log2(largest))) + 1 + signed if largest > 0 else int(signed)

    def error(integer: int) -> tuple[float, int]:
        kind = NumberType(signed, bits, integer)
        scaled = exact / kind.step
        return float(np.mean((np.clip(np.rint(scaled), *kind.codes) - scaled) ** 2)) * kind.step**2, integer

    return min(range(top - bits, top + 1), key=error)


def bits_of_whole_numbers(low: int, high: int) -> tuple[bool, int]:
    """Give sign and number of bits of the smallest type of step 1 that holds everything from `low` to `high`."""
    signed = low < 0
    largest = max(high, -low - 1 if signed else 0)
    return signed, max(largest.bit_length(), 1) + signed


def shape_in_words(shape: Sequence[int]) -> str:
    """Give a shape such as 8 x 8 x 1."""
    return " x ".join(str(size) for size in shape) or "a single number"
