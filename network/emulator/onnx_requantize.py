"""Rounding and overflow as ONNX operations, exact on each of the three roads (float32, float64, int64)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from siliconv.network.emulator.onnx_compare import clip, maximum, sign
from siliconv.network.emulator.onnx_forms import I64, LARGEST, LARGEST_EXPONENT, ROADS, magnitude
from siliconv.network.emulator.onnx_graph import OnnxGraph
from siliconv.network.fixed_point import CODE_LIMIT, MAX_WIDTH, FixedPoint, Interval, Overflow, Rounding, rounded

_ADDS_HALF = (Rounding.RND, Rounding.RND_MIN_INF, Rounding.RND_ZERO, Rounding.RND_INF)
_SATURATES = (Overflow.SAT, Overflow.SAT_SYM)


@dataclass(frozen=True)
class OnnxConversion:
    """One conversion of codes within `source` bounds by `places` bits into the type `to`."""

    source: Interval
    places: int
    to: FixedPoint
    relu: bool

    @property
    def before_overflow(self) -> Interval:
        """Bounds of the rounded codes before overflow is treated."""
        floor = 0 if self.relu else -CODE_LIMIT
        ends = np.array([max(end, floor) for end in self.source], dtype=np.int64)
        low, high = rounded(ends, self.places, self.to.rounding)
        return Interval(int(low), int(high))

    @property
    def overflows(self) -> bool:
        """Whether any code can leave the range of the type."""
        least, most = self.to.reachable
        return self.before_overflow.low < least or most < self.before_overflow.high

    @property
    def is_monotone(self) -> bool:
        """Whether a larger code never becomes a smaller one."""
        return not self.overflows or self.to.overflow in _SATURATES

    @property
    def road(self) -> str:
        """The fastest road on which every step is exact."""
        if abs(self.places) > LARGEST_EXPONENT:
            return I64
        needed = magnitude(self.source)
        if self.places > 0 and self.to.rounding in _ADDS_HALF:
            # code * 2**-places + 1/2, in units of 2**-places
            needed += 1 << (self.places - 1)
        ends = magnitude(self.before_overflow)
        if not self.overflows:
            needed = max(needed, ends)
        elif self.to.overflow is Overflow.WRAP:
            needed = max(needed, ends + (1 << self.to.width))
        else:
            needed = max(needed, 1 << self.to.width)
        return next((road for road in ROADS if needed <= LARGEST[road]), I64)


def convert(graph: OnnxGraph, value: str, road: str, conversion: OnnxConversion) -> str:
    """Add the operations of a conversion.

    Parameters
    ----------
    graph
        Where to add them.
    value
        Name of the codes; on the float roads already divided by ``2**places``.
    road
        ``float32``, ``float64`` or ``int64``.
    conversion
        What to do.
    """
    if road == I64:
        return _convert_integers(graph, value, conversion)
    saturates = conversion.overflows and conversion.to.overflow in _SATURATES
    if conversion.relu and conversion.source.low < 0 and not saturates:
        value = maximum(graph, value, graph.constant(0, road), road)
    if conversion.places > 0:
        value = _round_floats(graph, value, road, conversion.to.rounding)
    return _overflow_floats(graph, value, road, conversion) if conversion.overflows else value


def _round_floats(graph: OnnxGraph, value: str, road: str, rounding: Rounding) -> str:
    half = graph.constant(0.5, road)
    if rounding is Rounding.TRN:
        return graph.op("Floor", value)
    if rounding is Rounding.RND_CONV:
        # ONNX rounds halves to even.
        return graph.op("Round", value)
    if rounding is Rounding.RND:
        return graph.op("Floor", graph.op("Add", value, half))
    if rounding is Rounding.RND_MIN_INF:
        return graph.op("Ceil", graph.op("Sub", value, half))
    size = graph.op("Abs", value)
    if rounding is Rounding.TRN_ZERO:
        size = graph.op("Floor", size)
    elif rounding is Rounding.RND_ZERO:
        size = graph.op("Ceil", graph.op("Sub", size, half))
    else:
        size = graph.op("Floor", graph.op("Add", size, half))
    return graph.op("Mul", graph.op("Sign", value), size)


def _overflow_floats(graph: OnnxGraph, value: str, road: str, conversion: OnnxConversion) -> str:
    least, most = conversion.to.reachable
    if conversion.to.overflow in _SATURATES:
        # Rounding is monotone and keeps zero, so a ReLU is a higher lower end.
        least = max(least, 0) if conversion.relu else least
        return clip(graph, value, least, most, road)
    if conversion.to.overflow is Overflow.SAT_ZERO:
        return _zero_outside(graph, value, road, least, most)
    size = 2.0**conversion.to.width
    turns = graph.op("Mul", graph.op("Sub", value, graph.constant(least, road)), graph.constant(1 / size, road))
    return graph.op("Sub", value, graph.op("Mul", graph.op("Floor", turns), graph.constant(size, road)))


def _zero_outside(graph: OnnxGraph, value: str, road: str, least: int, most: int) -> str:
    clipped = clip(graph, value, least, most, road)
    return graph.op("Where", graph.op("Equal", value, clipped), value, graph.constant(0, road))


def _convert_integers(graph: OnnxGraph, value: str, conversion: OnnxConversion) -> str:
    to, places = conversion.to, conversion.places
    if conversion.relu:
        value = maximum(graph, value, graph.constant(0, I64), I64)
    if places < 0:
        wraps = conversion.overflows and to.overflow is Overflow.WRAP
        value = _shift_left(graph, value, -places, to.width if wraps else None)
    elif places > MAX_WIDTH:
        # As in fixed_point.rounded: only the sign counts.
        value = _round_integers(graph, sign(graph, value, I64), 2, to.rounding)
    elif places > 0:
        value = _round_integers(graph, value, places, to.rounding)
    if not conversion.overflows:
        return value
    least, most = to.reachable
    if to.overflow in _SATURATES:
        return clip(graph, value, least, most, I64)
    if to.overflow is Overflow.SAT_ZERO:
        return _zero_outside(graph, value, I64, least, most)
    low = graph.constant(least, I64)
    mask = graph.constant((1 << to.width) - 1, I64)
    return graph.op("Add", graph.op("BitwiseAnd", graph.op("Sub", value, low), mask), low)


def _shift_left(graph: OnnxGraph, value: str, places: int, wraps_at: int | None) -> str:
    if wraps_at is not None:
        # Only the low bits of the code reach the type, and only they can be shifted without leaving 64 bits.
        kept = max(wraps_at - places, 0)
        value = graph.op("BitwiseAnd", value, graph.constant((1 << kept) - 1, I64))
    else:
        limit = CODE_LIMIT >> places
        if limit == 0:
            # Whatever is not zero is outside of every type.
            return graph.op("Mul", sign(graph, value, I64), graph.constant(CODE_LIMIT, I64))
        value = clip(graph, value, -limit, limit, I64)
    return graph.op("Mul", value, graph.constant(1 << min(places, MAX_WIDTH), I64))


def _round_integers(graph: OnnxGraph, value: str, places: int, rounding: Rounding) -> str:
    rest = graph.op("BitwiseAnd", value, graph.constant((1 << places) - 1, I64))
    quotient = graph.op("Div", graph.op("Sub", value, rest), graph.constant(1 << places, I64))
    zero, half = graph.constant(0, I64), graph.constant(1 << (places - 1), I64)
    if rounding is Rounding.TRN:
        return quotient
    if rounding is Rounding.TRN_ZERO:
        up = graph.op("And", graph.op("Less", value, zero), graph.op("Greater", rest, zero))
    elif rounding is Rounding.RND:
        up = graph.op("GreaterOrEqual", rest, half)
    else:
        up = graph.op("Greater", rest, half)
        tie = graph.op("Equal", rest, half)
        if rounding is Rounding.RND_ZERO:
            up = graph.op("Or", up, graph.op("And", tie, graph.op("Less", value, zero)))
        elif rounding is Rounding.RND_INF:
            up = graph.op("Or", up, graph.op("And", tie, graph.op("GreaterOrEqual", value, zero)))
        elif rounding is Rounding.RND_CONV:
            one = graph.constant(1, I64)
            odd = graph.op("Equal", graph.op("BitwiseAnd", quotient, one), one)
            up = graph.op("Or", up, graph.op("And", tie, odd))
    return graph.op("Add", quotient, graph.op("Cast", up, to=7))
