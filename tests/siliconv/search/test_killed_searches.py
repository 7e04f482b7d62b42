"""A search that is killed goes on, and ends with the front of an undisturbed one."""

from __future__ import annotations

import pytest
from search_kills import different, killed_search, undisturbed_search


@pytest.mark.slow
def test_a_search_by_trial_that_is_killed_three_times_ends_with_the_same_front(tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    known = undisturbed_search(tmp_path / "one", "trial")
    assert known.outcome["complete"]
    assert len({one["id"] for one in known.outcome["trials"]}) == 4
    found, hits = killed_search(tmp_path / "two", "trial", known.seconds, seed=1, kills=3)
    assert hits >= 2
    assert different(known, found) == ""
