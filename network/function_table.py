"""Tables of functions over every code of an input type, rounded correctly whatever the machine.

Entries come from exact arithmetic (`siliconv.network.exact_functions`), not from the C library's `exp`, whose last bits
differ between machines. Each entry is the exact value brought into the output type by that type's own rounding and
overflow.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from math import floor
from typing import NamedTuple

import numpy as np

from siliconv.errors import NetworkError
from siliconv.network.exact_functions import DEFAULTS, clipped_line, exact_function, sigmoid, tanh
from siliconv.network.fixed_point import FixedPoint, Overflow, plain, requantize
from siliconv.network.graph import Node, Table, Weights

WIDEST_INPUT = 16
"""65,536 entries: as many as a table in block RAM reasonably has."""

GUARD_BITS = 2
"""Bits kept below the last place, and under them one that says whether anything is left: rounding needs no more."""

SMOOTH: Mapping[str, Callable[[Fraction], Fraction]] = {"sigmoid": sigmoid, "tanh": tanh}
"""Functions that are never exactly between two codes, except at zero."""

LINEAR: Mapping[str, Callable[[Fraction], Fraction]] = {
    "hard_sigmoid": clipped_line(Fraction(1, 2), Fraction(1, 2), 0),
    "smooth_sigmoid": clipped_line(Fraction(3, 16), Fraction(1, 2), 0),
    "hard_tanh": clipped_line(Fraction(1), Fraction(0), -1),
    "smooth_tanh": clipped_line(Fraction(3, 8), Fraction(0), -1),
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
        A key of `SMOOTH` or `LINEAR`, or the text of one of `siliconv.network.exact_functions`.
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
        if output.overflow in (Overflow.SAT, Overflow.SAT_SYM):
            # Beyond the type's ends, and still a code: an exponential grows without end.
            low, high = output.codes
            whole = min(max(whole, (low - 1) << GUARD_BITS), (high + 1) << GUARD_BITS)
        codes.append(2 * whole + (scaled != whole))
    return requantize(np.array(codes, dtype=np.int64), guarded + 1, output)


def table_error(table: Table, inputs: FixedPoint) -> TableError:
    """Give how far a table's entries are from the function it is named after.

    Parameters
    ----------
    table
        A node whose `function` is one of those of `table_node`.
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
    exact = {**SMOOTH, **LINEAR}.get(function) or exact_function(function)
    if exact is None:
        raise NetworkError(
            "TABLE-FUNCTION",
            f"no function is called '{function}'",
            where="table of a function",
            fix="use one of " + ", ".join((*SMOOTH, *LINEAR, *DEFAULTS)),
        )
    step = Fraction(2) ** -inputs.fraction
    return [exact(code * step) for code in range(inputs.codes.low, inputs.codes.high + 1)]
