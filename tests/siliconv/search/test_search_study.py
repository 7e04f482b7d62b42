"""What is asked of a search and cannot be, and the name of a study."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from siliconv.actions.search_project import search_project
from siliconv.errors import ProjectError
from siliconv.hardware.boards import board
from siliconv.progress import Silent
from siliconv.project.project import load_project
from siliconv.search.core_cost import Wanted
from siliconv.search.run_record import Measured
from siliconv.search.search_study import SearchOutcome, SearchSettings, _nothing_tried, study_of
from siliconv.search.trial import RefusedTrial, data_settings_id

SETTINGS = SearchSettings(Wanted(board("pynq-z2"), "hls"), by="trial")


@pytest.mark.parametrize("wrong", [replace(SETTINGS, by="luck"), replace(SETTINGS, target=1000)])
def test_a_way_that_there_is_not_and_a_target_by_trial_are_refused(wrong, tmp_path):
    with pytest.raises(ProjectError, match="SEARCH-BY"):
        search_project(tmp_path, wrong, "siliconv search", progress=Silent())


def test_where_no_candidate_becomes_a_network_the_first_refusal_is_told():
    measured = Measured("accuracy", 0.9, 0.9, None, None, 10)
    refused = (RefusedTrial("a", "FIT-BRAM", "no search"), RefusedTrial("b", "TRAIN-NAN", "no number"))
    found = SearchOutcome("search-1", SETTINGS, measured, (), True, refused=refused)
    error = _nothing_tried(found)
    assert error.code == "SEARCH-REFUSED"
    assert "none of 2 candidates" in error.what
    assert "[FIT-BRAM] no search" in error.what


def test_the_number_of_trials_is_that_of_the_way_unless_it_is_said():
    assert [SETTINGS.most_trials, replace(SETTINGS, by="gradient").most_trials] == [24, 6]
    assert replace(SETTINGS, trials=3).most_trials == 3


@pytest.fixture
def folder(tmp_path):
    return a_project(tmp_path / "one")


def a_project(place):
    (place / "build" / "float").mkdir(parents=True)
    (place / "build" / "data").mkdir()
    (place / "build" / "float" / "weights.npz").write_bytes(b"weights")
    (place / "build" / "data" / "train.u8").write_bytes(b"pixels")
    (place / "project.yml").write_text("version: 1\nmodel: {preset: digits}\ndata: {source: npz, path: images.npz}\n")
    return place


def name_of(folder, settings):
    return study_of(folder, load_project(folder), settings, "siliconv search").name


def test_a_study_is_the_same_with_more_trials_or_more_time_and_wherever_it_lies(folder, tmp_path):
    name = name_of(folder, SETTINGS)
    assert name_of(folder, replace(SETTINGS, trials=100, hours=1.0)) == name
    assert name_of(a_project(tmp_path / "two"), SETTINGS) == name


@pytest.mark.parametrize(
    "other",
    [
        replace(SETTINGS, seed=2),
        replace(SETTINGS, epochs=3),
        replace(SETTINGS, accuracy_drop=1.0),
        replace(SETTINGS, by="gradient"),
        replace(SETTINGS, wanted=Wanted(board("zcu104"), "hls")),
        replace(SETTINGS, wanted=Wanted(board("pynq-z2"), "hls", images_per_second=1000.0)),
    ],
)
def test_a_study_is_another_where_other_widths_would_be_proposed(folder, other):
    assert name_of(folder, other) != name_of(folder, SETTINGS)


def test_other_data_are_other_data(folder):
    before = data_settings_id(folder, load_project(folder))
    file = folder / "project.yml"
    file.write_text(file.read_text().replace("images.npz", "more.npz"))
    assert data_settings_id(folder, load_project(folder)) != before


def test_what_is_told_of_a_search_says_its_way_and_what_was_refused():
    measured = Measured("accuracy", 0.9, 0.9, None, None, 10)
    found = SearchOutcome("search-1", SETTINGS, measured, (), True, refused=(RefusedTrial("a", "TRAIN-NAN", "x"),))
    said = found.as_json()
    assert said["by"] == "trial"
    assert said["refused"] == [{"id": "a", "code": "TRAIN-NAN", "what": "x"}]
    assert SimpleNamespace(**said).chosen is None
