"""What is tried next: along the sensitivities first, then by Optuna, and the same again for the same."""

from __future__ import annotations

import optuna
import pytest
from known_sensitivities import SPACE, known_sensitivities
from optuna.storages.journal import JournalFileBackend

from siliconv.search.proposing import (
    LOUDEST,
    OF_WEIGHTS,
    Tried,
    first_proposals,
    narrowing_path,
    next_proposals,
    study_of_tried,
)
from siliconv.search.search_space import SearchedTensor, narrower_by, widest
from siliconv.search.sensitivity import Sensitivities


@pytest.fixture
def known():
    return known_sensitivities()


def test_noise_adds_up_and_shares_of_the_cost_multiply(known):
    one = {"input": 2, "one.weights": 4, "two.weights": "ternary"}
    assert known.noise(one) == pytest.approx(0.01 + 0.001 + 0.39 + 0.04)
    assert known.span_operations(one) == pytest.approx(100 * 0.5 * 0.5 + 100 * 0.1)
    assert known.span_operations(widest(SPACE)) == 200


def test_the_path_takes_bits_where_they_cost_least_noise_for_what_they_save(known):
    path = narrowing_path(known)
    assert path[0] == widest(SPACE)
    assert path[-1] == {"input": 1, "one.weights": "ternary", "two.weights": "ternary"}
    assert [narrower_by(SPACE, one) for one in path] == list(range(7))
    assert path[1]["input"] == 2
    assert path[2]["two.weights"] == 4
    assert path[3]["two.weights"] == "ternary"


def test_first_proposals_are_of_the_paths_in_turn_and_none_is_louder_than_it_may_be(known):
    found = first_proposals(known, 4)
    for number, one in enumerate(found):
        share = OF_WEIGHTS[number % 2]
        assert one in narrowing_path(known, share)
        assert known.noise(one, share) <= LOUDEST
    last = narrowing_path(known, OF_WEIGHTS[1])
    assert known.noise(last[last.index(found[-1]) + 1], OF_WEIGHTS[1]) > LOUDEST


def test_weights_whose_noise_training_takes_away_get_narrow_first(known):
    path = narrowing_path(known, 0.0)
    assert path[4] == {"input": 4, "one.weights": "ternary", "two.weights": "ternary"}


def tried(known):
    path = narrowing_path(known)
    return [Tried(one, (0.9 - known.noise(one), known.span_operations(one))) for one in path[:3]] + [
        Tried(path[-1], None)
    ]


def test_next_proposals_are_new_and_the_same_of_the_same_seed(known):
    before = tried(known)
    found = next_proposals(known, before, 5, seed=3)
    assert found == next_proposals(known, before, 5, seed=3)
    assert len(found) == 5
    assert all(one not in [old.proposal for old in before] for one in found)
    assert all(one[tensor.name] in tensor.widths for one in found for tensor in SPACE)


def test_a_space_that_is_used_up_gives_what_it_has(known):
    small = Sensitivities((SearchedTensor("", "input", (1, 2, 4)), SearchedTensor("one", "weights", (8,))), known.found)
    found = next_proposals(small, [Tried({"input": 2, "one.weights": 8}, (0.9, 1.0))], 8, seed=1)
    assert sorted(one["input"] for one in found) == [1, 4]
    assert all(one["one.weights"] == 8 for one in found)


def test_optunas_own_tools_open_the_journal(known, tmp_path):
    study_of_tried(known, tried(known), file=tmp_path / "optuna.journal")
    storage = optuna.storages.JournalStorage(JournalFileBackend(str(tmp_path / "optuna.journal")))
    (study,) = optuna.load_study(study_name="siliconv", storage=storage).best_trials[:1] or [None]
    trials = optuna.load_study(study_name="siliconv", storage=storage).trials
    assert study is not None
    assert [one.state.name for one in trials] == ["COMPLETE"] * 3 + ["FAIL"]
    assert trials[1].user_attrs["widths"] == tried(known)[1].proposal
