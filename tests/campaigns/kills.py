"""Runs killed at random moments, by SIGKILL, SIGTERM and SIGINT: no child goes on, and the same bits come out."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from trust_kills import SIGNALS, Undisturbed, kill_and_go_on, undisturbed

SEEDS = 20


@cache
def _known() -> Undisturbed:
    with tempfile.TemporaryDirectory() as scratch:
        return undisturbed(Path(scratch))


def run(seed: int) -> dict[str, Any]:
    """Kill one run, and go on."""
    with tempfile.TemporaryDirectory() as scratch:
        wrong = kill_and_go_on(Path(scratch), _known(), seed)
    assert not wrong, wrong
    return {"kills": 1, "road": SIGNALS[seed % len(SIGNALS)].name}
