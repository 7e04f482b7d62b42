"""Records of runs: whole or refused, and equal where the same was run."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from run_records import a_record

from siliconv.errors import ProjectError
from siliconv.models.answers.score_intervals import accuracy_interval
from siliconv.search.pareto import chosen_of_front, pareto_front
from siliconv.search.run_record import find_record, read_records, record_id, write_record


def test_a_record_comes_back_as_it_was(tmp_path):
    record = a_record("a1", 0.95, 100.0)
    write_record(tmp_path, record)
    assert find_record(tmp_path, "a1") == record
    assert read_records(tmp_path) == (record,)


def test_the_same_run_at_another_time_says_the_same():
    record = a_record("a1", 0.95, 100.0)
    assert record.same_as(replace(record, started="2020-01-01T00:00:00+00:00", seconds=9.0))
    assert not record.same_as(replace(record, seed=2))


def test_an_unknown_run_is_refused_with_those_that_there_are(tmp_path):
    write_record(tmp_path, a_record("a1", 0.95, 100.0))
    with pytest.raises(ProjectError, match="RUN-UNKNOWN") as caught:
        find_record(tmp_path, "b2")
    assert "a1" in caught.value.fix
    with pytest.raises(ProjectError, match="RUN-UNKNOWN"):
        find_record(tmp_path, "../a1")


@pytest.mark.parametrize(
    "change", [{"format": 2}, {"id": "zz"}, {"costs": "many"}, {"details": {"exact": "yes"}}, None]
)
def test_a_damaged_record_is_refused(tmp_path, change):
    write_record(tmp_path, a_record("a1", 0.95, 100.0))
    path = tmp_path / "runs" / "records" / "a1.json"
    path.write_text(path.read_text()[:50] if change is None else json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(ProjectError, match="RUN-RECORD"):
        find_record(tmp_path, "a1")


def test_a_name_follows_from_the_content_alone():
    assert record_id({"a": 1, "b": [2]}) == record_id({"b": [2], "a": 1}) != record_id({"a": 1, "b": [3]})


def test_the_interval_of_an_accuracy_by_hand():
    """9 of 10: centre (0.9 + 0.19207) / 1.38415, and 0.2036 to either side."""
    low, high = accuracy_interval(0.9, 10)
    assert (low, high) == pytest.approx((0.59585, 0.98212), abs=1e-4)
    assert accuracy_interval(1.0, 20)[1] == pytest.approx(1.0)


def test_the_front_by_hand():
    """B costs less than c and is as good; d is beaten by all; e does not fit the board."""
    records = [
        a_record("a", 0.90, 10.0),
        a_record("b", 0.95, 20.0),
        a_record("c", 0.95, 30.0),
        a_record("d", 0.80, 40.0),
        replace(a_record("e", 0.99, 5.0), feasible=False),
        a_record("f", 0.97, 50.0),
    ]
    front = pareto_front(records, "lut")
    assert [one.id for one in front] == ["a", "b", "f"]
    assert [chosen_of_front(front, least).id for least in (0.5, 0.93, 0.96, 0.99)] == ["a", "b", "f", "f"]
    assert chosen_of_front((), 0.5) is None
