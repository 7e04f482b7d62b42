"""Signs that a terminal's encoding lacks, written with the letters that it has: 'us' for 'µs'."""

from __future__ import annotations

import codecs
from typing import TextIO

_NAME = "siliconv.plain"
_LETTERS = str.maketrans({"µ": "u", "×": "x", "…": "...", "→": "->", "·": "-"})


def plain_where_needed(*streams: TextIO) -> None:
    """Let streams whose encoding is not UTF-8 write plain letters where they would fail; others stay as they are."""
    codecs.register_error(_NAME, _plain)
    for stream in streams:
        encoding = getattr(stream, "encoding", None)
        if encoding and codecs.lookup(encoding).name != "utf-8" and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=_NAME)


def _plain(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    wrong = error.object[error.start : error.end]
    plain = wrong.translate(_LETTERS)
    return (plain, error.end) if plain.isascii() else codecs.backslashreplace_errors(error)
