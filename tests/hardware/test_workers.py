"""Processes for a compiled firmware: what ends or hangs is told, in time, and the next one runs."""

from __future__ import annotations

import time

import pytest
from worker_tasks import abort, double, hang

from siliconv.hardware.workers import CrashedTaskError, StuckTaskError, run_tasks

IDLE_SECONDS = 10.5
"""After ten idle seconds loky ends its processes."""


def results(function, count, seconds=60.0, processes=1):
    """Call it in processes."""
    tasks = [(number,) for number in range(count)]
    return [outcome.result for outcome in run_tasks(function, tasks, processes=processes, seconds=seconds)]


def test_outcomes_come_in_the_order_of_the_tasks():
    assert results(double, 20, processes=2) == [2 * number for number in range(20)]


@pytest.mark.long
def test_a_process_that_was_started_anew_and_crashes_is_seen_at_once():
    assert results(double, 1) == [0]
    time.sleep(IDLE_SECONDS)
    with pytest.raises(CrashedTaskError, match="Assertion of a template"):
        results(abort, 1, seconds=20.0)
    assert results(double, 1) == [0]


def test_one_that_hangs_is_ended_and_the_next_one_runs():
    with pytest.raises(StuckTaskError):
        results(hang, 1, seconds=2.0)
    assert results(double, 2) == [0, 2]
