"""Which of several candidates go on."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from siliconv.search.ranking import ranked

POINTS = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=12)


def test_fronts_stand_one_behind_the_other_and_their_ends_first():
    points = [(3.0, 3.0), (0.0, 4.0), (1.0, 1.0), (4.0, 0.0), (0.9, 1.3), (5.0, 5.0)]
    assert ranked(points, [0.0] * 6) == [1, 3, 2, 4, 0, 5]


def test_what_falls_short_stands_behind_all_others_the_nearest_first():
    points = [(0.0, 0.0), (9.0, 9.0), (0.0, 0.0)]
    assert ranked(points, [0.3, 0.0, 0.1]) == [1, 2, 0]


@given(POINTS)
def test_nobody_stands_behind_one_that_he_beats(points):
    order = ranked(points, [0.0] * len(points))
    assert sorted(order) == list(range(len(points)))
    for place, one in enumerate(order):
        for other in order[place + 1 :]:
            beaten = points[other] != points[one] and all(
                mine <= theirs for mine, theirs in zip(points[other], points[one], strict=True)
            )
            assert not beaten


@given(POINTS, st.randoms())
def test_the_order_of_the_candidates_says_nothing(points, chance):
    shuffled = sorted(range(len(points)), key=lambda one: chance.random())
    found = ranked([points[one] for one in shuffled], [0.0] * len(points))
    expected = ranked(points, [0.0] * len(points))
    assert [points[shuffled[one]] for one in found] == [points[one] for one in expected]
