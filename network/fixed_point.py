"""Fixed-point types and the exact conversion between them, as HLS `ap_fixed` defines it.

A value is an integer *code* times a power of two: ``value = code * 2**-fraction``. Everything here works on
codes, so nothing is ever rounded except where a type says so. The meaning of the rounding and overflow modes is
that of the Vitis HLS user guide (UG1399, "Arbitrary Precision Fixed-Point Data Types").
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from siliconv.errors import NetworkError

Codes = NDArray[np.int64]

# Codes are held in 64-bit integers; one bit is the sign and one is kept free for sums of two.
MAX_WIDTH = 62

# Shifts that would leave this range saturate here: just outside of every type.
CODE_LIMIT = 1 << MAX_WIDTH

# Keeps the value of a step inside the range of a double.
MAX_EXPONENT = 512


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
    """The nearest end of the range made symmetric: the lowest signed code is never used (in one bit it is, as SAT)."""
    SAT_ZERO = "SAT_ZERO"
    """Zero."""


class Interval(NamedTuple):
    """Bounds of codes, both included."""

    low: int
    high: int


@contextmanager
def types_made_in(layer: str) -> Iterator[None]:
    """Name the layer in errors about a type that is made in it."""
    try:
        yield
    except NetworkError as error:
        if error.code not in ("TYPE-WIDTH", "TYPE-EXPONENT") or not error.where.startswith("type "):
            raise
        raise NetworkError(
            error.code, f"it needs {error.what}", where=f"layer '{layer}', {error.where}", fix=error.fix
        ) from error


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
        Bits left of the binary point, -512 to 512; may be negative or larger than `width`.
    rounding, overflow
        How a value is brought into this type.

    Raises
    ------
    NetworkError
        ``TYPE-WIDTH`` if the width is outside 1 to 62, ``TYPE-EXPONENT`` if the integer bits are out of range.
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
                fix=f"use 1 to {MAX_WIDTH} bits: fewer bits for weights or activations, or an activation "
                "between the layers, which rounds",
            )
        if abs(self.integer) > MAX_EXPONENT:
            raise NetworkError(
                "TYPE-EXPONENT",
                f"a fixed-point type with {self.integer} integer bits",
                where=f"type of {self.width} bits",
                fix=f"use {-MAX_EXPONENT} to {MAX_EXPONENT} integer bits",
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

    @property
    def reachable(self) -> Interval:
        """The codes that a conversion into this type can give: not the lowest one where the range is symmetric."""
        low, high = self.codes
        if self.overflow is Overflow.SAT_SYM and self.signed and self.width > 1:
            return Interval(-high, high)
        return Interval(low, high)

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
    width = max(max(interval.high, 0).bit_length(), (~interval.low).bit_length() if signed else 0) + signed
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
    places = fraction - to.fraction
    if places < 0 and to.overflow is Overflow.WRAP:
        # Arithmetic modulo 2**64 keeps all the bits that a wrapping type looks at.
        return _overflow(codes << min(-places, 63), to)
    return _overflow(rounded(codes, places, to.rounding), to)


def rounded(codes: Codes, places: int, rounding: Rounding) -> Codes:
    """Divide codes by ``2**places`` with the given rounding; multiply where `places` is negative.

    The result is exact up to ``2**62`` in magnitude and saturates there, which is outside of every type.
    """
    if places <= 0:
        return shifted(codes, -places)
    if places > MAX_WIDTH:
        # Every code is far below half a step: rescale so that the sign and "not zero" survive.
        codes, places = np.sign(codes), 2
    quotient = codes >> places
    rest = codes - (quotient << places)
    return quotient + _rounds_up(codes, quotient, rest, 1 << (places - 1), rounding)


def shifted(codes: Codes, places: int) -> Codes:
    """Multiply codes by ``2**places``, saturating at plus and minus ``2**62`` instead of overflowing 64 bits."""
    if places == 0:
        return codes
    if places > MAX_WIDTH:
        return np.sign(codes) * CODE_LIMIT
    limit = CODE_LIMIT >> places
    return np.clip(codes, -limit, limit) << places


def _rounds_up(codes: Codes, quotient: Codes, rest: Codes, half: int, rounding: Rounding) -> Codes:
    """Give 1 where the rounding mode takes the code above the quotient, else 0."""
    up = {
        Rounding.TRN: lambda: codes != codes,
        Rounding.TRN_ZERO: lambda: (codes < 0) & (rest != 0),
        Rounding.RND: lambda: rest >= half,
        Rounding.RND_MIN_INF: lambda: rest > half,
        Rounding.RND_ZERO: lambda: (rest > half) | ((rest == half) & (codes < 0)),
        Rounding.RND_INF: lambda: (rest > half) | ((rest == half) & (codes >= 0)),
        Rounding.RND_CONV: lambda: (rest > half) | ((rest == half) & (quotient & 1 == 1)),
    }[rounding]()
    return np.asarray(up, dtype=np.int64)


def _overflow(codes: Codes, to: FixedPoint) -> Codes:
    low, high = to.reachable
    if to.overflow in (Overflow.SAT, Overflow.SAT_SYM):
        return np.clip(codes, low, high)
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
    # Not-a-number and what lies beyond every type would not survive the cast.
    known = np.abs(scaled) < CODE_LIMIT
    codes = np.rint(np.where(known, scaled, 0)).astype(np.int64)
    wrong = ~known | (codes != scaled) | (codes < kind.codes.low) | (codes > kind.codes.high)
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


PIXEL = FixedPoint(signed=False, width=8, integer=0)
"""The type of image pixels: k/256 for k = 0 to 255."""


def plain(kind: FixedPoint) -> FixedPoint:
    """Give the same bits without rounding and overflow modes, for a tensor that is never converted into the type."""
    return FixedPoint(kind.signed, kind.width, kind.integer)
