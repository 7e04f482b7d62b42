"""Texts as Markdown shows them: in a cell of a table, as they are."""

from __future__ import annotations

import re


def cell(text: str) -> str:
    """Give a text that stands in one cell of a table and has no markup of its own; links and code spans stay."""
    plain = " ".join(str(text).split())
    return re.sub(r"([|<>*_])", _escaped, plain)


def _escaped(found: re.Match[str]) -> str:
    return {"|": "\\|", "<": "&lt;", ">": "&gt;", "*": "\\*", "_": "\\_"}[found.group(1)]
