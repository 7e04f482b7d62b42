"""Three of the kills of `tests/campaigns/kills.py`, one by each signal."""

from __future__ import annotations

import pytest
from trust_kills import kill_and_go_on, undisturbed


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    return undisturbed(tmp_path_factory.mktemp("undisturbed"))


@pytest.mark.long
@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2))])
def test_a_killed_run_leaves_nothing_running_and_ends_with_the_same_bits(known, compiler, tmp_path, seed):
    assert kill_and_go_on(tmp_path, known, seed) == ""
