"""Tables of functions over every code of an input type, rounded correctly whatever the machine.

Entries come from 60-digit decimal arithmetic (or fractions, where the function is piecewise linear), not from the C
library's `exp`, whose last bits differ between machines. Each entry is the exact value brought into the output type by
that type's own rounding and overflow.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Context, Decimal, localcontext
from fractions import Fraction
from math import floor
from typing import NamedTuple

import numpy as np

from siliconv.errors import NetworkError
from siliconv.network.fixed_point import FixedPoint, plain, requantize
from siliconv.network.graph import Node, Table, Weights

WIDEST_INPUT = 16
"""65,536 entries: as many as a table in block RAM reasonably has."""

GUARD_BITS = 2
"""Bits kept below the last place, and under them one that says whether anything is left: rounding needs no more."""

_PRECISION = Context(prec=60)

_FAR = 1400
"""Where the functions are nearer to their limits than the last place of any type: exp(-1400) < 2**-2000."""


def _logistic_tail(x: Fraction) -> Fraction:
    """Give 1 / (1 + exp(-x)) for a negative x, to 60 significant digits however small it is."""
    x = max(x, Fraction(-_FAR))
    with localcontext(_PRECISION):
        power = (Decimal(x.numerator) / Decimal(x.denominator)).exp()
        return Fraction(power / (1 + power))


def _sigmoid(x: Fraction) -> Fraction:
    if x == 0:
        return Fraction(1, 2)
    return _logistic_tail(x) if x < 0 else 1 - _logistic_tail(-x)


def _tanh(x: Fraction) -> Fraction:
    return 2 * _sigmoid(2 * x) - 1


def _clipped_line(slope: Fraction, shift: Fraction, low: int) -> Callable[[Fraction], Fraction]:
    return lambda x: min(max(slope * x + shift, Fraction(low)), Fraction(1))


SMOOTH: Mapping[str, Callable[[Fraction], Fraction]] = {"sigmoid": _sigmoid, "tanh": _tanh}
"""Functions that are never exactly between two codes, except at zero."""

LINEAR: Mapping[str, Callable[[Fraction], Fraction]] = {
    "hard_sigmoid": _clipped_line(Fraction(1, 2), Fraction(1, 2), 0),
    "smooth_sigmoid": _clipped_line(Fraction(3, 16), Fraction(1, 2), 0),
    "hard_tanh": _clipped_line(Fraction(1), Fraction(0), -1),
    "smooth_tanh": _clipped_line(Fraction(3, 8), Fraction(0), -1),
}
"""QKeras' piecewise linear ones: sigmoids with the slopes 1/2 and 3/16, and tanh(x) = 2 sigmoid(x) - 1."""


class TableError(NamedTuple):
    """Largest distance of an entry from the exact value in units of the last place, and the input code it is at."""

    last_places: float
    code: int


def table_node(name: str, source: Node, function: str, output: FixedPoint) -> Table:
    """Give a node that looks a function of its input up.

    Parameters
    ----------
    name
        Name of the node.
    source
        The node that it reads; its type decides the number of entries.
    function
        A key of `SMOOTH` or `LINEAR`.
    output
        Type of the result, with the rounding and overflow of its entries.
    """
    entries = Weights(function_codes(function, source.type, output), plain(output))
    return Table(name, (source.name,), source.shape, entries.type, entries, function)


def function_codes(function: str, inputs: FixedPoint, output: FixedPoint) -> np.ndarray:
    """Give the codes of a function at every code of a type, from the lowest to the highest.

    Raises
    ------
    NetworkError
        ``TABLE-FUNCTION`` for an unknown function, ``TABLE-WIDTH`` for an input of more than 16 bits.
    """
    guarded = output.fraction + GUARD_BITS
    codes = []
    for value in _exact_values(function, inputs):
        scaled = value * Fraction(2) ** guarded
        whole = floor(scaled)
        codes.append(2 * whole + (scaled != whole))
    return requantize(np.array(codes, dtype=np.int64), guarded + 1, output)


def table_error(table: Table, inputs: FixedPoint) -> TableError:
    """Give how far a table's entries are from the function it is named after.

    Parameters
    ----------
    table
        A node whose `function` is a key of `SMOOTH` or `LINEAR`.
    inputs
        The type of the node's input.
    """
    scale = Fraction(2) ** table.type.fraction
    distances = [
        abs(float(value * scale - int(code)))
        for value, code in zip(_exact_values(table.function, inputs), table.table.codes, strict=True)
    ]
    worst = int(np.argmax(distances))
    return TableError(distances[worst], inputs.codes.low + worst)


def _exact_values(function: str, inputs: FixedPoint) -> list[Fraction]:
    if inputs.width > WIDEST_INPUT:
        raise NetworkError(
            "TABLE-WIDTH",
            f"a table with an entry for each of 2^{inputs.width} codes",
            where=f"table of {function}",
            fix=f"requantize its input to at most {WIDEST_INPUT} bits",
        )
    if function not in {**SMOOTH, **LINEAR}:
        raise NetworkError(
            "TABLE-FUNCTION",
            f"no function is called '{function}'",
            where="table of a function",
            fix="use one of " + ", ".join((*SMOOTH, *LINEAR)),
        )
    exact = {**SMOOTH, **LINEAR}[function]
    step = Fraction(2) ** -inputs.fraction
    return [exact(code * step) for code in range(inputs.codes.low, inputs.codes.high + 1)]
