"""Divisions by a multiplication: reciprocals that give the exact quotient for every dividend up to the largest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Reciprocals(NamedTuple):
    """One reciprocal a count, and the places that their products are shifted down by."""

    values: tuple[int, ...]
    places: int


def exact_reciprocals(counts: Sequence[int], largest: int) -> Reciprocals:
    """Give reciprocals with the fewest places such that ``t * r >> places == t // count`` for 0 <= t <= largest.

    With ``r = ceil(2^places / count)`` and ``e = r * count - 2^places``, the shifted product is ``t / count + t * e /
    (count * 2^places)``: its floor is right if and only if ``t * e < 2^places * (count - t % count)``. The worst t are
    the largest one, and the largest that leaves the rest ``count - 1``.
    """
    places = 0
    while not all(_is_exact(count, places, largest) for count in set(counts)):
        places += 1
    return Reciprocals(tuple(-(-(1 << places) // count) for count in counts), places)


def _is_exact(count: int, places: int, largest: int) -> bool:
    error = -(-(1 << places) // count) * count - (1 << places)
    full = (largest + 1) // count * count - 1
    return all(total * error < (count - total % count) << places for total in (full, largest) if total >= 0)
