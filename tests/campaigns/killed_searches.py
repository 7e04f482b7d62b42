"""Searches killed ten times each at random moments, by gradient and by trial: the same front, the same bytes."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from search_kills import Searched, different, killed_search, undisturbed_search

SEEDS = 4
KILLS = 10
WAYS = {"trial": ("--trials", "16"), "gradient": ("--epochs", "60", "--trials", "8")}
"""With more work than a small search has, so that ten kills find it at work."""


@cache
def _known(by: str) -> Searched:
    with tempfile.TemporaryDirectory() as scratch:
        return undisturbed_search(Path(scratch), by, *WAYS[by])


def run(seed: int) -> dict[str, Any]:
    """Kill one search again and again, and let it come to its end."""
    by = list(WAYS)[seed % len(WAYS)]
    known = _known(by)
    with tempfile.TemporaryDirectory() as scratch:
        found, hits = killed_search(Path(scratch), by, known.seconds, seed, KILLS, *WAYS[by])
    wrong = different(known, found)
    assert not wrong, wrong
    return {"kills": hits, "trials": len(found.outcome["trials"]), "road": by}
