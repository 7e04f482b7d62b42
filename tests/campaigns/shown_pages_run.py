"""Every page whose commands are run, a page a seed: each block ends as the page says."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from shown_pages import RUN, page_name, run_page

SEEDS = len(RUN)


def run(seed: int) -> dict[str, Any]:
    """Run the blocks of a page in an empty folder."""
    with tempfile.TemporaryDirectory() as scratch:
        run_page(RUN[seed], Path(scratch))
    return {"pages": 1, "page": page_name(RUN[seed])}
