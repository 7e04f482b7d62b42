"""A fifth of the campaign of bad inputs: no internal error, no stack trace, nothing of the user's lost.

All of it is run by `tests/campaigns/bad_inputs.py`, nightly.
"""

from __future__ import annotations

import os

import hypothesis
import pytest
from hypothesis import strategies as st
from trust_campaign import Campaign
from trust_properties import bytes_of_artefact, bytes_of_model, text_of_project

SHARES = {"texts": 25, "fields": 20, "arguments": 18, "builds": 14, "models": 16, "data": 8}
EXAMPLES = 6


@pytest.fixture(scope="module")
def campaign(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
            patch.setenv(name, str(tmp_path_factory.mktemp(name)))
        yield Campaign(tmp_path_factory.mktemp("trust"))


@pytest.mark.parametrize("kind", SHARES)
def test_no_bad_input_ends_in_an_internal_error_or_loses_a_file(campaign, compiler, kind):
    inputs = campaign.inputs()[kind]
    complaints = [campaign.complaint(one) for one in inputs[: SHARES[kind]]]
    assert [complaint for complaint in complaints if complaint] == []


def test_the_whole_campaign_has_more_than_600_inputs_over_all_commands(campaign, compiler):
    inputs = [one for kind in campaign.inputs().values() for one in kind]
    assert len(inputs) >= 600
    assert len({one.name for one in inputs}) == len(inputs)
    commands = {one.command[0] for one in inputs if one.command}
    assert commands >= set(
        "run report csim convert estimate check summary verify explain predict export fit build calibrate new boards"
        " doctor".split()
    )


@pytest.mark.parametrize("draw", [text_of_project, bytes_of_artefact, bytes_of_model], ids=lambda draw: draw.__name__)
def test_nothing_that_can_be_drawn_ends_in_an_internal_error(campaign, compiler, draw):
    @hypothesis.settings(max_examples=EXAMPLES, deadline=None, database=None, derandomize=True)
    @hypothesis.given(st.data())
    def holds(data):
        assert campaign.complaint(draw(data)) == ""

    holds()


def test_a_complaint_is_made_where_there_is_reason_for_one(campaign, compiler, monkeypatch):
    """A campaign that cannot fail would be none: a defect and a loss are told."""
    from trust_texts import BadInput

    def broken(*arguments):
        os.remove(campaign.project / "notes.txt")  # noqa: PTH107  (as a careless command would)
        raise KeyError("a defect")

    monkeypatch.setattr("siliconv.actions.summary.summarize", broken)
    monkeypatch.setattr("siliconv.actions.verify.verify_project", broken)
    told = campaign.complaint(BadInput("one", lambda folder: None, ("summary", "P")))
    assert "internal error; lost notes.txt" in told
