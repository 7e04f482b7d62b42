"""What of a generated text is code: two texts with the same code differ in comments, spaces and pragmas alone."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from siliconv.errors import NetworkError
from siliconv.hls.conversion.firmware_types import parse_hls_type

SOURCES = (".h", ".hpp", ".c", ".cc", ".cpp")
"""Suffixes of what a C++ compiler reads."""

_TOKENS = re.compile(
    r"""(?P<comment>//(?:\\\n|[^\n])*|/\*.*?\*/)|(?P<text>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')""", re.DOTALL
)
# What steers a vendor's tool and means nothing to C++.
_PRAGMA = re.compile(r"^[ \t]*#[ \t]*pragma[ \t]+(?:HLS|hls_\w+|unroll|ii|ivdep|loop_coalesce)\b.*$", re.MULTILINE)
_TYPE = re.compile(r"\ba[pc]_u?fixed\s*<[^<>]*>")
_NUMBERS = re.compile(r"(\w+_t \w+\[\d+\] = )\{[^}]*\}")
_HASH_DIGITS = 16


def code_hash(path: Path) -> str:
    """Give a hash of what a file says to a compiler: without comments, spaces, pragmas, and spellings of types.

    The numbers of headers with weights count apart (`siliconv.hls.conversion.weight_headers`), as numbers. A file
    of another language counts byte by byte.
    """
    content = path.read_bytes()
    if path.suffix in SOURCES:
        text = _TOKENS.sub(lambda match: match["text"] or " ", content.decode(errors="replace").replace("\r\n", "\n"))
        text = _TYPE.sub(lambda match: _one_spelling(match[0]), _PRAGMA.sub("", text))
        if path.parent.name == "weights":
            text = _NUMBERS.sub(r"\1{}", text)
        # Lines end directives; other spaces between words count as one, beside signs as none.
        lines = (re.sub(r"\s*([^\w\s])\s*", r"\1", " ".join(line.split())) for line in text.split("\n"))
        content = "\n".join(line for line in lines if line).encode()
    return hashlib.sha256(content).hexdigest()


def _one_spelling(text: str) -> str:
    try:
        return str(parse_hls_type(text) or text)
    except NetworkError:
        return text  # wider than any type of ours: in a library


def line_hashes(path: Path) -> list[str]:
    """Give a short hash of each line of a text file, by which an edited line is found again."""
    return [hashlib.sha256(line.rstrip()).hexdigest()[:_HASH_DIGITS] for line in path.read_bytes().splitlines()]


def edited_lines(path: Path, written: list[str]) -> list[str]:
    """Give the lines of a file that were not written like that, each with its number."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    known = set(written)
    changed = [
        f"line {number}: {line.strip()}"
        for number, (line, digest) in enumerate(zip(lines, line_hashes(path), strict=True), start=1)
        if digest not in known
    ]
    if not changed and len(lines) != len(written):
        return [f"{abs(len(lines) - len(written))} lines were {'added' if len(lines) > len(written) else 'removed'}"]
    return changed or ["lines were moved"]
