"""The type of a network's input, from the numbers of its data."""

from __future__ import annotations

from siliconv.models.data.number_type import NumberType
from siliconv.network.fixed_point import FixedPoint


def fixed_point_of(numbers: NumberType) -> FixedPoint:
    """Give the fixed-point type of an input; pixels are `siliconv.network.fixed_point.PIXEL`."""
    return FixedPoint(numbers.signed, numbers.bits, numbers.integer)
