"""Generations and their halves, with trials that take no time: the same front whatever stops the search, and when."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from known_sensitivities import known_sensitivities
from run_records import a_record

from siliconv.project.project import parse_project
from siliconv.search import trial_search as tested
from siliconv.search.crew import Crew
from siliconv.search.run_record import record_id
from siliconv.search.trial import RefusedTrial, weights_of_trial
from siliconv.search.trial_search import GENERATION, TrialSettings, trial_search

SETTINGS = TrialSettings(14, 20, 1, least=0.9, slack=0.02, cost="lut")
FLOAT_MODEL = SimpleNamespace(layers=[])


class KilledError(Exception):
    pass


@dataclass
class Trials:
    """Gives records at once: of more bits and more epochs better ones, and dearer ones of more bits."""

    known: object
    left: float = float("inf")
    asked: list | None = None
    refuses: object = lambda widths: False

    def __call__(self, study, candidates, crew, progress, *, deadline=None, one_at_least=False):
        self.asked = self.asked or []
        self.asked.append(candidates)
        outcomes = []
        for one in candidates:
            if deadline is not None and len(outcomes) >= deadline:
                outcomes.append(None)
                continue
            self.left -= 1
            if self.left < 0:
                raise KilledError
            outcomes.append(self.outcome(study, one))
        return outcomes

    def outcome(self, study, one):
        layers = one.changes["quantize.layers"]
        widths = {"one.weights": layers["one"]["weights"], "two.weights": layers["two"]["weights"]}
        widths["input"] = one.changes.get("data.pixel_bits", 4)
        name = record_id({"changes": one.changes, "start": str(one.start)})
        if self.refuses(widths):
            return RefusedTrial(name, "RECIPE-BOUND", "no multiple")
        goodness = 0.97 - 0.1 * self.known.noise(widths) / one.changes["quantize.train"]["epochs"]
        record = a_record(name, goodness, self.known.span_operations(widths))
        return replace(record, changes=dict(one.changes), origin=one.origin)


class Stops:
    def say(self, line):
        pass


@pytest.fixture
def search(monkeypatch, tmp_path):
    known = known_sensitivities()
    monkeypatch.setattr(tested, "load_float_model", lambda build: FLOAT_MODEL)
    monkeypatch.setattr(tested, "sensitivities", lambda *arguments: known)
    project = parse_project("version: 1\nmodel: {preset: digits}\n", Path("project.yml"))
    given = SimpleNamespace(type=SimpleNamespace(signed=False, bits=4, integer=0), is_pixels=True)

    def run(name, trials=None, settings=SETTINGS, deadline=None):
        trials = trials or Trials(known)
        monkeypatch.setattr(tested, "run_trials", trials)
        study = SimpleNamespace(folder=tmp_path, work=tmp_path / name, name=name)
        dataset = SimpleNamespace(summary=SimpleNamespace(input=given))
        return trial_search(study, project, dataset, settings, Crew(), Stops(), deadline=deadline), trials, study

    return SimpleNamespace(run=run, known=known)


def test_the_better_half_of_a_generation_goes_on_from_its_own_weights(search):
    found, trials, study = search.run("one", settings=replace(SETTINGS, trials=GENERATION))
    assert [len(candidates) for candidates in trials.asked] == [8, 4, 2]
    epochs = [one.changes["quantize.train"]["epochs"] for one in trials.asked[-1]]
    assert epochs == [20, 20]
    known = {record_id({"changes": one.changes, "start": str(one.start)}): one for one in trials.asked[0]}
    for one in trials.asked[1]:
        (before,) = (name for name in known if weights_of_trial(study, name) == one.start)
        assert known[before].changes["quantize.layers"] == one.changes["quantize.layers"]
    assert found.complete
    assert len(found.records) == 8
    assert sorted(int(one.origin.split(", ")[1].split()[0]) for one in found.records) == [4] * 4 + [8] * 2 + [20] * 2


def test_as_many_candidates_are_begun_as_are_wanted_and_none_twice(search):
    found, trials, _ = search.run("one")
    begun = [one for candidates in trials.asked for one in candidates if "4 epochs" in one.origin]
    assert len(begun) == 14 == len(found.records)
    layers = [str((one.changes["quantize.layers"], one.changes.get("data.pixel_bits"))) for one in begun]
    assert len(set(layers)) == 14


def test_a_later_generation_starts_from_weights_of_at_least_as_many_bits(search):
    _, trials, study = search.run("one")
    by_weights = {}
    for candidates in trials.asked:
        for one in candidates:
            by_weights[weights_of_trial(study, record_id({"changes": one.changes, "start": str(one.start)}))] = one
    later = [one for one in trials.asked[3] if one.start is not None]
    assert later
    order = ["binary", "ternary", 3, 4, 5, 6, 7, 8]
    for one in later:
        before = by_weights[one.start]
        for layer in ("one", "two"):
            mine, theirs = (given.changes["quantize.layers"][layer]["weights"] for given in (one, before))
            assert order.index(theirs) >= order.index(mine)


@pytest.mark.parametrize("seed", range(2))
def test_a_search_that_is_killed_again_and_again_ends_with_the_same_records(search, seed):
    whole, _, _ = search.run("one")
    chance, kills = random.Random(seed), 0
    while True:
        try:
            found, _, _ = search.run("two", Trials(search.known, left=chance.randint(3, 40)))
        except KilledError:
            kills += 1
            if kills < 10:
                continue
            found, _, _ = search.run("two")
        break
    normal = [replace(one, id="", weights=None) for one in whole.records]
    assert [replace(one, id="", weights=None) for one in found.records] == normal


def test_without_time_it_ends_in_the_middle_and_goes_on_to_the_same(search):
    whole, _, _ = search.run("one")
    part, _, _ = search.run("two", deadline=5)
    assert not part.complete
    assert len(part.records) == 5
    found, _, _ = search.run("two")
    assert found.complete
    assert [one.judged for one in found.records] == [one.judged for one in whole.records]


def test_what_becomes_no_network_is_told_and_does_not_go_on(search):
    trials = Trials(search.known)
    trials.refuses = lambda widths: widths["input"] == 1
    found, trials, _ = search.run("one", trials)
    refused = [one for one in trials.asked[0] + trials.asked[3] if one.changes.get("data.pixel_bits") == 1]
    assert len(found.refused) == len(refused) > 0
    assert len(found.records) + len(found.refused) == 14


def test_a_short_fine_tuning_has_fewer_rounds():
    assert SETTINGS.rungs == (4, 8, 20)
    assert replace(SETTINGS, epochs=1).rungs == (1,)
    assert replace(SETTINGS, epochs=3).rungs == (1, 3)
