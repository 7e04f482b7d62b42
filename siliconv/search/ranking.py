"""Which candidates go on: those that fewer others beat, and of equals those that stand farther from the others."""

from __future__ import annotations

import math
from collections.abc import Sequence

Point = tuple[float, float]
"""Two numbers of which less is better."""


def ranked(points: Sequence[Point], short: Sequence[float]) -> list[int]:
    """Give the numbers of all points, those that are worth most first.

    Those that fall short of what has to be reached stand behind all others, by how much they do. The others stand by
    the front that they are on when the fronts before it are taken away, and on one front by the distance of their
    neighbours (Deb et al. 2002, NSGA-II): its ends first, then where it is sparse.

    Parameters
    ----------
    points
        In any units.
    short
        How far each falls short; nothing for one that does not.
    """
    left = [number for number in range(len(points)) if short[number] <= 0]
    order: list[int] = []
    while left:
        front = [one for one in left if not any(_beats(points[other], points[one]) for other in left)]
        order += _sparsest_first(front, points)
        left = [one for one in left if one not in front]
    behind = sorted((number for number in range(len(points)) if short[number] > 0), key=lambda one: (short[one], one))
    return order + behind


def _beats(one: Point, other: Point) -> bool:
    return one != other and one[0] <= other[0] and one[1] <= other[1]


def _sparsest_first(front: Sequence[int], points: Sequence[Point]) -> list[int]:
    distance = dict.fromkeys(front, 0.0)
    for axis in (0, 1):
        along = sorted(front, key=lambda one: (points[one][axis], one))
        reach = points[along[-1]][axis] - points[along[0]][axis]
        distance[along[0]] = distance[along[-1]] = math.inf
        for before, one, after in zip(along, along[1:], along[2:], strict=False):
            distance[one] += (points[after][axis] - points[before][axis]) / reach if reach > 0 else 0.0
    return sorted(front, key=lambda one: (-distance[one], points[one], one))
