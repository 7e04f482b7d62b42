"""Where a user's model comes from: a file, which is read as data, or a function, which is the user's code."""

from __future__ import annotations

import re


def is_function(source: str) -> bool:
    """Whether a model's source is ``module:function`` and not a file; only such a source is ever run."""
    return re.fullmatch(r"[\w.]+:\w+", source) is not None
