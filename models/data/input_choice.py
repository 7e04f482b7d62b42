"""Which fixed-point type the real numbers of a source get as the network's input, and how it fits them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from siliconv.counting import counted, listed
from siliconv.errors import DataError
from siliconv.models.data.data_config import InputConfig, PixelScale
from siliconv.models.data.number_type import (
    MOST_BITS,
    PIXELS,
    NumberType,
    bits_of_whole_numbers,
    integer_bits_of_least_error,
    integer_bits_that_cover,
)

REAL_BITS = 16
"""Of numbers that are not whole, where nothing is said."""

FEW_STEPS = 8
"""A feature that varies by less is rounded to three bits or fewer, or to nothing."""

MOST_SATURATED = 0.5
"""Above this share of saturated values a type that was asked for is a mistake."""

MOST_INTEGER = 40
"""Bits before the binary point, of which sums of products take more; a type has 62 at most."""

_SHOWN = 8

_SAMPLE = 1 << 20
"""Values that a type is chosen by, spread over the training data."""


@dataclass(frozen=True)
class InputChoice:
    """The type of the network's input, how it was chosen, and how it fits the data.

    Parameters
    ----------
    type
        Of the input.
    method
        How it was chosen, in words.
    smallest, largest
        Of all values; those of pixels are 0 and 255/256.
    saturated
        Share of all values outside the type.
    offset
        What is added to a pixel of 0 to 255 to be the code; None of numbers that are no pixels.
    coarse
        Places on the last axis (features, channels) whose values vary, and by less than `FEW_STEPS` of the type.
    """

    type: NumberType = PIXELS
    method: str = "8-bit pixels, k/256"
    smallest: float = 0.0
    largest: float = 255 / 256
    saturated: float = 0.0
    offset: int | None = 0
    coarse: tuple[int, ...] = ()

    @property
    def is_pixels(self) -> bool:
        """Whether inputs are 8-bit pixels of images."""
        return self.offset is not None

    def codes_of_pixels(self, pixels: np.ndarray) -> np.ndarray:
        """Give the codes of pixels of 0 to 255; of fewer bits than 8, the nearest, ties to the even one."""
        codes = pixels.astype(np.int16) + (self.offset or 0) if self.offset else pixels
        if self.type.bits < PIXELS.bits:
            return self.type.encode(codes.astype(np.float64) * math.ldexp(1.0, self.type.integer - PIXELS.bits))[0]
        return codes.astype(self.type.dtype)

    @property
    def in_words(self) -> str:
        """For the line of a stage."""
        if self.is_pixels:
            return self.method
        return (
            f"{self.type} ({self.method}); values from {self.smallest:.6g} to {self.largest:.6g}, "
            f"{self.saturated:.3%} saturate"
        )

    def coarse_in_words(self, shape: Sequence[int]) -> str:
        """Say which features or channels the type is too coarse for; nothing where there are none."""
        if not self.coarse:
            return ""
        what = "feature" if len(shape) == 1 else "channel"
        shown = listed(self.coarse, _SHOWN)
        return (
            f"{counted(len(self.coarse), what)} (number {shown}, from 0) of {shape[-1]:,} vary by less than "
            f"{FEW_STEPS} steps of the input's type ({self.type.step:g}): the network gets little or nothing of them"
        )

    def as_json(self) -> dict[str, Any]:
        """Return it as plain numbers and texts."""
        return {**asdict(self), "step": self.type.step, "ends": list(self.type.ends)}

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> InputChoice:
        """Read what `as_json` gave."""
        known = {key: value for key, value in found.items() if key not in ("step", "ends")}
        coarse = tuple(found.get("coarse", ()))
        return cls(**{**known, "type": NumberType(**found["type"]), "coarse": coarse})

    def with_range(self, low: np.ndarray, high: np.ndarray, outside: int, values: int) -> InputChoice:
        """Return it with what all values say: their range at each place of the last axis, and how many saturate."""
        spread = (high - low) / self.type.step
        # A feature of two values that are codes is whole, however few steps it takes.
        exact = (np.rint(low / self.type.step) == low / self.type.step) & (spread == np.rint(spread))
        coarse = np.flatnonzero((spread > 0) & (spread < FEW_STEPS) & ~exact)
        return replace(
            self,
            smallest=float(low.min()),
            largest=float(high.max()),
            saturated=outside / max(values, 1),
            coarse=tuple(coarse.tolist()),
        )


@dataclass(frozen=True, eq=False)
class Seen:
    """What the training data hold: their range and some values; `step` of numbers that are all multiples of it."""

    smallest: float
    largest: float
    sample: np.ndarray
    step: float | None


def look_at(blocks: Iterable[np.ndarray], values: int, scale: float, *, whole: bool, where: str) -> Seen:
    """Look at the training data, a block at a time.

    Parameters
    ----------
    blocks
        Of numbers as they are stored.
    values
        How many there are.
    scale
        What they are multiplied by.
    whole
        Whether they are stored as whole numbers.
    where
        The source, for messages.

    Raises
    ------
    DataError
        As `scaled`.
    """
    smallest, largest = math.inf, -math.inf
    stride, sample = max(1, -(-values // _SAMPLE)), []
    for block in blocks:
        exact = scaled(block, scale, where)
        if exact.size:
            smallest, largest = min(smallest, float(exact.min())), max(largest, float(exact.max()))
            sample.append(exact.reshape(-1)[::stride].copy())  # a view would keep the whole block
    if not sample:
        smallest, largest = 0.0, 0.0
    power_of_two = scale > 0 and math.frexp(scale)[0] == 0.5
    step = scale if whole and power_of_two else None
    return Seen(smallest, largest, np.concatenate(sample) if sample else np.zeros(0), step)


def scaled(values: np.ndarray, scale: float, where: str) -> np.ndarray:
    """Give numbers as the network is to see them, float64.

    Raises
    ------
    DataError
        ``DATA-RANGE`` for NaN and infinity, which no fixed-point number is.
    """
    exact = values.astype(np.float64) * scale
    wrong = ~np.isfinite(exact)
    if wrong.any():
        raise DataError(
            "DATA-RANGE",
            f"{int(wrong.sum())} of the numbers are NaN or infinite",
            where=where,
            fix="leave out these examples, or put a number in their place",
        )
    return exact


def choose_input(stated: InputConfig, seen: Seen, percentile: float | None) -> InputChoice:
    """Choose what is left open of the input's type.

    Parameters
    ----------
    stated
        What the project says.
    seen
        The training data.
    percentile
        Share of the values, in percent, that must not saturate; None for the least mean square error.
    """
    signed = stated.signed if stated.signed is not None else seen.smallest < 0
    if seen.step is not None and stated.integer is None:
        found, needed = bits_of_whole_numbers(round(seen.smallest / seen.step), round(seen.largest / seen.step))
        needed += signed and not found
        bits = stated.bits or needed
        if needed <= bits <= MOST_BITS and (signed or not found):
            integer = bits + round(math.log2(seen.step))
            return _numbers(NumberType(signed, bits, integer), "holds all whole numbers of the training data")
    bits = stated.bits or min(MOST_BITS if seen.step is not None else REAL_BITS, MOST_BITS)
    if stated.integer is not None:
        return _numbers(NumberType(signed, bits, stated.integer), "as the project says")
    values = seen.sample if signed else np.maximum(seen.sample, 0.0)
    if percentile is None:
        integer = integer_bits_of_least_error(values, bits, signed=signed)
        return _numbers(NumberType(signed, bits, integer), "least error on the training data")
    largest = float(np.percentile(np.abs(values), percentile)) if values.size else 0.0
    integer = integer_bits_that_cover(largest, signed=signed)
    return _numbers(NumberType(signed, bits, integer), f"percentile {percentile:g} of the training data")


def _numbers(kind: NumberType, method: str) -> InputChoice:
    return InputChoice(kind, method, offset=None)


def pixels_as(scale: PixelScale, bits: int = 8) -> InputChoice:
    """Give what 8-bit pixels are for the network, rounded to `bits`; with 8 a bit pattern each, whatever they mean."""
    kind, words, offset = {
        "0..1": (PIXELS, "k/256", 0),
        "0..255": (NumberType(False, 8, 8), "as they are, 0 to 255", 0),
        "-1..1": (NumberType(True, 8, 1), "as k/128 - 1: codes k - 128", -128),
    }[scale]
    if bits == PIXELS.bits:
        words = f"8-bit pixels{',' if scale == '0..1' else ''} {words}"
        return InputChoice(kind, words, *kind.ends, offset=offset)
    kind = NumberType(kind.signed, bits, kind.integer)
    return InputChoice(kind, f"8-bit pixels, {words}, rounded to {bits} bits", *kind.ends, offset=offset)


def refuse_extremes(choice: InputChoice, where: str) -> None:
    """Raise `DataError` ``DATA-RANGE`` for numbers so large that no sum of products of them fits a type."""
    if choice.type.integer > MOST_INTEGER:
        raise DataError(
            "DATA-RANGE",
            f"the numbers reach {max(abs(one) for one in choice.type.ends):.3g}: {choice.type.integer} bits before the "
            "binary point",
            where=where,
            fix="bring them to the size of what the network was trained on, with data.scale or in the file",
        )


def refuse_saturation(choice: InputChoice, where: str) -> None:
    """Raise `DataError` ``DATA-RANGE`` where most values are outside the type."""
    if choice.saturated > MOST_SATURATED:
        low, high = choice.type.ends
        raise DataError(
            "DATA-RANGE",
            f"{choice.saturated:.0%} of the numbers lie outside {low:g} to {high:g}; they go from "
            f"{choice.smallest:g} to {choice.largest:g}",
            where=where,
            fix="say more integer bits in data.input, or leave integer and signed out: they are chosen from the data",
        )
