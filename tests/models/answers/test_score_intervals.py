"""Intervals of scores: of 95 in a hundred test sets they hold what all examples would say."""

from __future__ import annotations

import numpy as np
import pytest

from siliconv.models.answers.score_intervals import accuracy_interval, mean_interval
from siliconv.models.answers.scores import difference_score, multilabel_score, reconstruction_score, regression_score

DRAWS = 2000


def _covered(intervals, truth: float) -> float:
    return float(np.mean([low <= truth <= high for low, high in intervals]))


def test_an_accuracy_of_ten_images_is_hardly_known():
    assert accuracy_interval(0.9, 10) == pytest.approx((0.5958, 0.9821), abs=1e-3)
    right = np.random.default_rng(0).binomial(50, 0.9, DRAWS) / 50
    assert _covered((accuracy_interval(one, 50) for one in right), 0.9) == pytest.approx(0.95, abs=0.03)


def test_errors_of_two_targets_are_counted_by_the_example():
    random = np.random.default_rng(1)
    found = []
    for _ in range(DRAWS):
        errors = np.repeat(random.normal(0, 2, (60, 1)), 2, axis=1)  # both targets are wrong together
        found.append(regression_score(errors, np.zeros((60, 2)), ("a", "b")).interval)
    assert _covered(found, 2.0) == pytest.approx(0.94, abs=0.03)


def test_every_score_has_the_interval_of_its_value():
    random = np.random.default_rng(2)
    errors = random.exponential(1, (200, 3))
    scores = (
        regression_score(errors, np.zeros((200, 3)), ("a", "b", "c")),
        difference_score(errors, np.zeros((200, 3))),
        reconstruction_score(errors[:, 0], np.zeros(200), ()),
        multilabel_score(errors - 1, np.ones((200, 3)), ("a", "b", "c")),
    )
    for score in scores:
        low, high = score.interval
        assert low < score.value < high
        assert high - low < 0.5


def test_of_a_handful_no_interval_is_claimed():
    assert mean_interval(np.arange(29.0)) is None
    assert mean_interval(np.ones(30)) == (1.0, 1.0)
    assert difference_score(np.ones((4, 1)), np.zeros((4, 1))).interval is None


def test_shares_stay_shares():
    score = multilabel_score(np.ones((40, 2)), np.r_[np.ones((79, 1)), np.zeros((1, 1))].reshape(40, 2), ("a", "b"))
    assert score.interval[1] == 1.0
