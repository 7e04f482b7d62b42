"""Weights of few levels: binary, ternary, powers of two. What they are, and which fit given weights best."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from siliconv.quantize.recipe import LevelKind

KINDS: tuple[LevelKind, ...] = get_args(LevelKind)

PO2_BITS = 4
"""Sign and three bits of exponent: eight magnitudes."""

_TEXT = re.compile(r"(?P<kind>binary|ternary|po2)<(?P<exponent>-?\d+)>")


@dataclass(frozen=True)
class WeightLevels:
    """A set of levels, the largest ``2**exponent``.

    ``binary``: plus or minus it. ``ternary``: these and zero, the nearest. ``po2``: plus or minus a power of two down
    to `smallest`, the nearest in the logarithm; no zero.
    """

    kind: LevelKind
    exponent: int

    def __str__(self) -> str:
        """Give the text that `parse_quantization` reads."""
        return f"{self.kind}<{self.exponent}>"

    @property
    def smallest(self) -> int:
        """Exponent of the smallest magnitude but zero; for powers of two that of `qkeras.quantized_po2`."""
        if self.kind != "po2":
            return self.exponent
        # QKeras spends a bit of the exponent on its sign where there are values above 1.
        return min(self.exponent, -(2 ** (PO2_BITS - 1 - (self.exponent > 0))))

    @property
    def largest(self) -> float:
        """The largest level."""
        return 2.0**self.exponent

    @property
    def fraction(self) -> int:
        """Fractional bits of the fixed-point type that holds all levels."""
        return -self.smallest

    @property
    def has_zero(self) -> bool:
        """Whether zero is a level, so that pruned weights stay zero."""
        return self.kind == "ternary"

    def nearest(self, values: NDArray[np.floating]) -> NDArray[np.float64]:
        """Give the level of each value."""
        values = np.asarray(values, dtype=np.float64)
        sign, size = np.where(values >= 0, 1.0, -1.0), 2.0**self.exponent
        if self.kind == "binary":
            return sign * size
        if self.kind == "ternary":
            return np.where(np.abs(values) >= size / 2, sign * size, 0.0)
        with np.errstate(divide="ignore"):
            exponents = np.clip(np.rint(np.log2(np.abs(values))), self.smallest, self.exponent)
        return sign * 2.0**exponents


def stored_bits(weights: int | LevelKind) -> int:
    """Give the bits of a weight of a recipe's setting in its fixed-point type; for levels, those of the widest."""
    if isinstance(weights, int):
        return weights
    levels = WeightLevels(weights, 0)
    return levels.exponent - levels.smallest + 2


def best_levels(kind: LevelKind, weights: NDArray[np.floating]) -> WeightLevels:
    """Give the levels with the least mean squared error, the smaller ones among equals."""
    largest = float(np.abs(weights).max(initial=0.0))
    top = int(np.ceil(np.log2(largest))) if largest > 0 else 0
    candidates = [WeightLevels(kind, exponent) for exponent in range(top - 8, top + 1)]
    return min(candidates, key=lambda levels: float(np.mean((levels.nearest(weights) - weights) ** 2)))


def parse_levels(text: str) -> WeightLevels | None:
    """Read what the ``str`` of `WeightLevels` wrote; None for anything else."""
    match = _TEXT.fullmatch(text)
    return (
        WeightLevels(next(kind for kind in KINDS if kind == match["kind"]), int(match["exponent"])) if match else None
    )
