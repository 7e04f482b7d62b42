"""All bad inputs, a twentieth a seed, and 60 that Hypothesis draws: no internal error, nothing of the user's lost."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis
from hypothesis import strategies as st
from trust_campaign import Campaign
from trust_properties import bytes_of_artefact, bytes_of_model, text_of_project

SEEDS = 20
EXAMPLES = 20


def run(seed: int) -> dict[str, Any]:
    """Let a share of the inputs meet a project of its own."""
    with tempfile.TemporaryDirectory() as scratch:
        for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
            os.environ[name] = str(Path(scratch) / name)
        campaign = Campaign(Path(scratch))
        inputs = [one for kind in campaign.inputs().values() for one in kind[seed::SEEDS]]
        complaints = [complaint for one in inputs if (complaint := campaign.complaint(one))]
        for draw in (text_of_project, bytes_of_artefact, bytes_of_model):
            _check_drawn(campaign, draw, seed)
    assert not complaints, "\n".join(complaints)
    return {"inputs": len(inputs) + 3 * EXAMPLES}


def _check_drawn(campaign: Campaign, draw: Callable[[Any], Any], seed: int) -> None:
    @hypothesis.seed(seed)
    @hypothesis.settings(max_examples=EXAMPLES, deadline=None, database=None)
    @hypothesis.given(st.data())
    def holds(data: Any) -> None:
        assert campaign.complaint(draw(data)) == ""

    holds()
