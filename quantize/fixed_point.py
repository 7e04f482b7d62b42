"""Fixed-point types and the exact conversion between them, as HLS `ap_fixed` defines it.

A value is an integer *code* times a power of two: ``value = code * 2**-fraction``. Everything here works on
codes, so nothing is ever rounded except where a type says so. The meaning of the rounding and overflow modes is
that of the Vitis HLS user guide (UG1399, "Arbitrary Precision Fixed-Point Data Types").
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from siliconv.errors import NetworkError

Codes = NDArray[np.int64]

# Codes are held in 64-bit integers; one bit is the sign and one is kept free for sums of two.
MAX_WIDTH = 62


class Rounding(StrEnum):
    """What happens to the bits below the last place."""

    TRN = "TRN"
    """Towards minus infinity (drop the bits)."""
    TRN_ZERO = "TRN_ZERO"
    """Towards zero."""
    RND = "RND"
    """To nearest, ties towards plus infinity."""
    RND_CONV = "RND_CONV"
    """To nearest, ties to even (what QKeras computes)."""
    RND_ZERO = "RND_ZERO"
    """To nearest, ties towards zero."""
    RND_MIN_INF = "RND_MIN_INF"
    """To nearest, ties towards minus infinity."""
    RND_INF = "RND_INF"
    """To nearest, ties away from zero."""


class Overflow(StrEnum):
    """What happens to a value outside the range."""

    WRAP = "WRAP"
    """Keep the low bits (two's complement)."""
    SAT = "SAT"
    """The nearest end of the range."""
    SAT_SYM = "SAT_SYM"
    """The nearest end of the range made symmetric: the lowest signed code is never used."""
    SAT_ZERO = "SAT_ZERO"
    """Zero."""


class Interval(NamedTuple):
    """Bounds of codes, both included."""

    low: int
    high: int


@dataclass(frozen=True)
class FixedPoint:
    """A fixed-point type of `width` bits in all, `integer` of them before the point (the sign included).

    Parameters
    ----------
    signed
        Two's complement if true.
    width
        Bits in all, 1 to 62.
    integer
        Bits left of the binary point; may be negative or larger than `width`.
    rounding, overflow
        How a value is brought into this type.

    Raises
    ------
    NetworkError
        ``TYPE-WIDTH`` if the width is outside 1 to 62.
    """

    signed: bool
    width: int
    integer: int
    rounding: Rounding = Rounding.TRN
    overflow: Overflow = Overflow.WRAP

    def __post_init__(self) -> None:
        if not 1 <= self.width <= MAX_WIDTH:
            raise NetworkError(
                "TYPE-WIDTH",
                f"a fixed-point type of {self.width} bits",
                where=f"type with {self.integer} integer bits",
                fix=f"use 1 to {MAX_WIDTH} bits: fewer bits for weights or activations, or smaller layers",
            )

    @property
    def fraction(self) -> int:
        """Bits right of the point: one code step is ``2**-fraction``."""
        return self.width - self.integer

    @property
    def step(self) -> float:
        """Value of one unit in the last place."""
        return 2.0**-self.fraction

    @property
    def codes(self) -> Interval:
        """All codes that the type's bits can hold."""
        if self.signed:
            return Interval(-(1 << (self.width - 1)), (1 << (self.width - 1)) - 1)
        return Interval(0, (1 << self.width) - 1)

    def holds(self, interval: Interval) -> bool:
        """Whether every code of the interval is one of this type."""
        return self.codes.low <= interval.low and interval.high <= self.codes.high

    def __str__(self) -> str:
        modes = ""
        if (self.rounding, self.overflow) != (Rounding.TRN, Overflow.WRAP):
            modes = f",{self.rounding.value},{self.overflow.value}"
        return f"{'' if self.signed else 'u'}fixed<{self.width},{self.integer}{modes}>"


_TYPE_TEXT = re.compile(
    r"(?P<unsigned>u?)fixed<(?P<width>\d+),(?P<integer>-?\d+)(?:,(?P<rounding>\w+),(?P<overflow>\w+))?>"
)


def parse_type(text: str) -> FixedPoint:
    """Read a type as `FixedPoint.__str__` writes it, for example ``ufixed<6,2,RND_CONV,SAT>``.

    Raises
    ------
    NetworkError
        ``TYPE-TEXT`` if the text is not a type.
    """
    match = _TYPE_TEXT.fullmatch(text)
    try:
        if match is None:
            raise ValueError(text)
        return FixedPoint(
            signed=not match["unsigned"],
            width=int(match["width"]),
            integer=int(match["integer"]),
            rounding=Rounding(match["rounding"] or "TRN"),
            overflow=Overflow(match["overflow"] or "WRAP"),
        )
    except ValueError as error:
        raise NetworkError(
            "TYPE-TEXT",
            f"'{text}' is not a fixed-point type",
            where="type of a tensor",
            fix="write it as fixed<16,6> or ufixed<6,2,RND_CONV,SAT>",
        ) from error


def narrowest(interval: Interval, fraction: int) -> FixedPoint:
    """Give the narrowest type with this fraction that holds every code of the interval (at least one bit).

    Unsigned where no code is negative.
    """
    signed = interval.low < 0
    width = max(interval.high.bit_length(), (~interval.low).bit_length() if signed else 0) + signed
    width = max(width, 1)
    return FixedPoint(signed, width, width - fraction)


def requantize(codes: Codes, fraction: int, to: FixedPoint) -> Codes:
    """Bring codes with `fraction` fractional bits into the type `to`: round first, then treat overflow.

    Parameters
    ----------
    codes
        Any shape, int64.
    fraction
        Fractional bits of the codes.
    to
        The type of the result.

    Returns
    -------
    Codes of type `to`, same shape.
    """
    return _overflow(_shift(codes, fraction - to.fraction, to.rounding), to)


def _shift(codes: Codes, places: int, rounding: Rounding) -> Codes:
    """Divide codes by ``2**places`` with the given rounding (multiply where `places` is negative)."""
    if places <= 0:
        return codes << -places
    if places > MAX_WIDTH:
        # Every code is far below half a step: rescale so that the sign and "not zero" survive.
        codes, places = np.sign(codes), 2
    quotient = codes >> places
    rest = codes - (quotient << places)
    half = 1 << (places - 1)
    up = {
        Rounding.TRN: lambda: False,
        Rounding.TRN_ZERO: lambda: (codes < 0) & (rest != 0),
        Rounding.RND: lambda: rest >= half,
        Rounding.RND_MIN_INF: lambda: rest > half,
        Rounding.RND_ZERO: lambda: (rest > half) | ((rest == half) & (codes < 0)),
        Rounding.RND_INF: lambda: (rest > half) | ((rest == half) & (codes >= 0)),
        Rounding.RND_CONV: lambda: (rest > half) | ((rest == half) & (quotient & 1 == 1)),
    }[rounding]()
    return quotient + np.asarray(up, dtype=np.int64)


def _overflow(codes: Codes, to: FixedPoint) -> Codes:
    low, high = to.codes
    if to.overflow is Overflow.SAT:
        return np.clip(codes, low, high)
    if to.overflow is Overflow.SAT_SYM:
        return np.clip(codes, -high if to.signed else 0, high)
    if to.overflow is Overflow.SAT_ZERO:
        return np.where((codes < low) | (codes > high), 0, codes)
    return ((codes - low) & ((1 << to.width) - 1)) + low


def to_values(codes: Codes, kind: FixedPoint) -> NDArray[np.float64]:
    """Give the real values of codes; exact while codes stay within 53 bits."""
    return codes.astype(np.float64) * kind.step


def exact_codes(values: NDArray[np.floating], kind: FixedPoint, *, where: str) -> Codes:
    """Give the codes of values that must be representable in the type, without any rounding.

    Raises
    ------
    NetworkError
        ``VALUE-NOT-IN-TYPE`` if a value is not exactly one of the type's.
    """
    scaled = np.asarray(values, dtype=np.float64) * 2.0**kind.fraction
    codes = np.rint(scaled).astype(np.int64)
    wrong = (codes != scaled) | (codes < kind.codes.low) | (codes > kind.codes.high)
    if np.any(wrong):
        first = np.argwhere(wrong)[0]
        value = np.asarray(values)[tuple(first)]
        raise NetworkError(
            "VALUE-NOT-IN-TYPE",
            f"{int(wrong.sum())} of {wrong.size} values are not exactly {kind}, first {value!r} at "
            f"{tuple(int(i) for i in first)}",
            where=where,
            fix="quantize the tensor to that type before it gets here",
        )
    return codes
