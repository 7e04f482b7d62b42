"""The softmax at the end of a network that decides between classes, by tables in the firmware.

The logits are requantized to steps of 1/64 first, with all the integer bits that they were proven to need, so nothing
saturates. Differences to the largest logit index a table of exponentials; the sum's reciprocal comes from a table as
well, indexed by the bits behind its leading one. The decision stays that of the logits: probabilities may tie.
"""

from __future__ import annotations

from decimal import Context, Decimal, localcontext
from fractions import Fraction

import numpy as np

from siliconv.network.fixed_point import FixedPoint, Overflow, Rounding
from siliconv.network.graph import Network, Node, Requantize, Softmax, Weights
from siliconv.network.intervals import prove

STEP_BITS = 6
"""Fractional bits of the logits: 1/64, at which an exponential changes by 1.6 %."""
FURTHEST_BITS = 4
"""exp(-16) is below half a unit of the exponentials' last place: beyond it all are zero."""
EXPONENTIAL = FixedPoint(False, 17, 1)
INDEX_BITS = 10
"""1,024 reciprocals: each is off by at most 1/2048 of itself."""
RECIPROCAL = FixedPoint(False, 16, 0)
OUTPUT = FixedPoint(False, 11, 1, Rounding.RND, Overflow.SAT)
"""Probabilities in steps of 1/1024; one has a code."""


def with_softmax(network: Network, *, name: str, logits: Node | None = None) -> Network:
    """Append a softmax to a network that ends with its logits.

    Parameters
    ----------
    network
        Ends with logits, one a class along the last axis.
    name
        Name of the softmax node; the requantization before it is ``<name>_input``.
    logits
        The output that it stands behind, of a network of several.
    """
    logits = logits or network.output
    low, high = prove(network)[logits.name].interval
    magnitude = max(abs(Fraction(low)), abs(Fraction(high + 1))) * Fraction(2) ** -logits.type.fraction
    integer = max(int(magnitude).bit_length() + 1, 1)
    requantize = Requantize(f"{name}_input", (logits.name,), logits.shape, input_type(integer), relu=False)
    softmax = Softmax(name, (requantize.name,), logits.shape, OUTPUT, *tables())
    return network.behind(logits, requantize, softmax)


def tables() -> tuple[Weights, Weights]:
    """Give the exponentials and the reciprocals of a softmax whose input has steps of 1/64."""
    return _exponentials(Fraction(1, 1 << STEP_BITS)), _reciprocals()


def input_type(integer: int) -> FixedPoint:
    """Give the type that logits of so many integer bits are brought into."""
    return FixedPoint(True, integer + STEP_BITS, integer, Rounding.RND_CONV, Overflow.SAT)


def softmax_error(node: Softmax) -> float:
    """Give a bound of a softmax' distance from the real one of its input, in units of its last place.

    Half a unit is the rounding of the result. The rest is what reciprocal and exponentials are off by, times the
    largest result, one.
    """
    reciprocals, half = node.reciprocal, Fraction(1, 2)
    entries = reciprocals.codes.size
    relative = Fraction(0)
    for index, code in enumerate(reciprocals.codes.tolist()):
        value = Fraction(code) * Fraction(2) ** -reciprocals.type.fraction
        for end in (index, index + 1):
            relative = max(relative, abs(value * Fraction(entries + end, entries) - 1))
    # Each exponential is off by half a unit, and so is each term of the sum, which is at least the first one.
    spread = half * (node.shape[-1] + 1) / Fraction(int(node.exponential.codes[0]))
    return float(half + (relative + spread) * Fraction(2) ** node.type.fraction)


def _exponentials(step: Fraction) -> Weights:
    """Tabulate exp(-d * step), correctly rounded in 60-digit decimals."""
    codes = []
    with localcontext(Context(prec=60)):
        for below in range(1 << (STEP_BITS + FURTHEST_BITS)):
            exponent = -Decimal(below * step.numerator) / Decimal(step.denominator)
            codes.append(round(Fraction(exponent.exp()) * Fraction(2) ** EXPONENTIAL.fraction))
    return Weights(np.array(codes, dtype=np.int64), EXPONENTIAL)


def _reciprocals() -> Weights:
    """Tabulate 1 / m at the middle of each interval of m from 1 to 2."""
    entries = 1 << INDEX_BITS
    values = [Fraction(2 * entries, 2 * entries + 2 * index + 1) for index in range(entries)]
    codes = [round(value * Fraction(2) ** RECIPROCAL.fraction) for value in values]
    return Weights(np.array(codes, dtype=np.int64), RECIPROCAL)
