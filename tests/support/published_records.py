"""Where the published synthesis results lie, for the tests that need them; they are not in the project."""

import json
import os
from functools import lru_cache
from pathlib import Path

import pytest


def folder() -> Path:
    """Return the folder of synthesis reports, or skip the test where it is missing."""
    beside = Path(__file__).resolve().parents[3] / "shared"
    shared = Path(os.environ.get("SILICONV_SHARED", beside))
    found = shared / "synthesis_reports"
    if not found.is_dir():
        pytest.skip(f"no published synthesis reports at {found} (set SILICONV_SHARED)")
    return found


@lru_cache(maxsize=1)
def entries() -> list[dict]:
    """Return the entries of records.json."""
    return json.loads((folder() / "records.json").read_text("utf-8"))
