"""What the first screen says besides its verdicts: how good the networks are, and when that is not known well."""

from __future__ import annotations

from siliconv.models.answers.score_intervals import accuracy_interval
from siliconv.report.first_screen import NetworkScore, _doubts, _hls_figures


def doubts(accuracy, counts, duplicates=0):
    images = sum(counts)
    scores = [NetworkScore("firmware", accuracy, accuracy_interval(accuracy, images))]
    return _doubts(
        {"network": {"metric": "accuracy"}},
        {"counts": {"test": counts}, "duplicates": duplicates},
        scores,
        images,
        "images",
    )


def test_few_test_images_are_too_few_to_tell():
    assert any("Too few test images to tell: 8" in line for line in doubts(0.875, [4, 4]))
    assert doubts(0.9, [500, 500]) == ()


def test_a_network_that_learned_nothing_is_named():
    (line,) = doubts(0.91, [900, 100])
    assert "always answering the commonest class, which is right for 90.0%" in line
    assert doubts(0.95, [900, 100]) == ()


def test_copies_in_two_splits_flatter():
    assert "flattered" in doubts(0.9, [500, 500], duplicates=3)[0]


def test_other_tasks_have_no_such_doubts():
    assert (
        _doubts({}, {"counts": {"test": [8]}, "duplicates": 0}, [NetworkScore("firmware", 1.5, None)], 8, "images")
        == ()
    )


def test_a_long_stream_has_a_rate_of_its_own_where_it_is_another():
    found = {
        "clock_ns": 10.0,
        "latency_cycles": {"value": 900, "low": 900, "high": 900},
        "interval_cycles": {"value": 1000, "low": 800, "high": 1250},
        "axi": {"core_steady_cycles": 500},
    }
    latency, rate, steady = _hls_figures(found, "estimate", "image")
    assert (latency.value, latency.band) == ("9 µs", "")
    assert (rate.value, rate.band) == ("100,000", "80,000 to 125,000")
    assert "the core alone" in rate.title
    assert "the core alone" in steady.title
    assert (steady.value, steady.source) == ("200,000", "simulated stream model: an image in 500 cycles")
    assert len(_hls_figures(found | {"axi": {"core_steady_cycles": 990}}, "estimate", "input")) == 2
