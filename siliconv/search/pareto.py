"""Which records no other beats: as good for less, or better for as much."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from siliconv.search.run_record import RunRecord


def pareto_front(records: Iterable[RunRecord], cost: str) -> tuple[RunRecord, ...]:
    """Give the records that none beats in goodness on the validation images and in a cost, the cheapest first.

    Of equals the one with fewer span bit operations stays, then the first by its id.
    """
    front: list[RunRecord] = []
    for one in sorted(records, key=lambda one: _order(one, cost)):
        if one.feasible and (not front or one.judged.goodness > front[-1].judged.goodness):
            front.append(one)
    return tuple(front)


def chosen_of_front(front: Sequence[RunRecord], least: float) -> RunRecord | None:
    """Give the cheapest that is at least so good on the validation images; the best where none is."""
    good = [one for one in front if one.judged.goodness >= least]
    return good[0] if good else max(front, key=lambda one: one.judged.goodness, default=None)


def _order(one: RunRecord, cost: str) -> tuple[float, float, float, str]:
    return one.costs[cost], -one.judged.goodness, one.costs["span_operations"], one.id
