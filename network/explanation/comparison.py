"""How two executions of one tensor differ: how many values, by how much, and where first."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Difference:
    """The first element in which two executions differ: the input vector, the index in the tensor, both values."""

    vector: int
    index: tuple[int, ...]
    one: float
    other: float


@dataclass(frozen=True)
class Comparison:
    """One tensor: values compared, how many differ, by how much at most (in real units), and the first that does."""

    name: str
    values: int
    differing: int
    max_abs_difference: float
    first: Difference | None = None

    def merged(self, later: Comparison) -> Comparison:
        """Give the comparison of these vectors and of later ones of the same tensor."""
        return replace(
            self,
            values=self.values + later.values,
            differing=self.differing + later.differing,
            max_abs_difference=max(self.max_abs_difference, later.max_abs_difference),
            first=self.first or later.first,
        )

    def as_json(self) -> dict[str, Any]:
        """Return it as a plain dictionary."""
        return asdict(self)


def compare_values(
    name: str, one: NDArray[Any], other: NDArray[Any], *, step: float = 1.0, first_vector: int = 0
) -> Comparison:
    """Compare two executions of a tensor.

    Parameters
    ----------
    name
        Of the tensor.
    one, other
        (n, *shape) each: values, or codes of one type.
    step
        What a difference of one is in real units.
    first_vector
        Number of the first input vector, for the place of the first difference.
    """
    wrong = one != other
    first = None
    if wrong.any():
        where = np.unravel_index(int(wrong.argmax()), wrong.shape)
        index = tuple(int(i) for i in where[1:])
        first = Difference(first_vector + int(where[0]), index, one[where].item(), other[where].item())
    largest = float(np.abs(one - other).max(initial=0)) * step
    return Comparison(name, int(wrong.size), int(wrong.sum()), largest, first)


def add_to(total: dict[str, Comparison], found: Comparison) -> None:
    """Add a comparison of further vectors to what is known of its tensor."""
    known = total.get(found.name)
    total[found.name] = known.merged(found) if known is not None else found
