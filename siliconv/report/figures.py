"""A number of the report with its unit and its source, and how times are written."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """A number of the hardware with its unit, the ends of its band in words, and where it is from."""

    title: str
    value: str
    band: str
    source: str


def time_in_words(nanoseconds: float) -> str:
    """Write a time with three digits."""
    for unit, size in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if nanoseconds >= 0.9995 * size:
            return f"{three_digits(nanoseconds / size)} {unit}"
    return f"{three_digits(nanoseconds)} ns"


def three_digits(value: float) -> str:
    """Write a number with three digits, or all before the point where there are more."""
    return f"{value:,.0f}" if value >= 99.95 else f"{value:.3g}"
