"""Where a user's model or loss comes from: a file, which is read as data, or a function, which is the user's code."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def is_function(source: str) -> bool:
    """Whether a source is ``module:function`` and not a file or a name; only such a source is ever run."""
    return re.fullmatch(r"[\w.]+:\w+", source) is not None


@contextmanager
def importable(folder: Path) -> Iterator[None]:
    """Let Python find the modules of a folder."""
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
