"""How commands show what they found: tables on stdout, words for people on stderr."""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Iterator, Sequence
from typing import TextIO

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

PIPE_WIDTH = 160

_NARROWEST, _MOST_BROKEN = 20, 1.5
"""Columns of the narrowest terminal, and how much wider than the terminal a table may be whose cells are broken."""

console = Console(stderr=True, highlight=False, soft_wrap=True, markup=False, emoji=False)
"""For people: stdout belongs to --json."""


def columns_of(stream: TextIO) -> int | None:
    """Give the columns that people see of a stream: COLUMNS where it is set, else the terminal's; None on a pipe."""
    said = os.environ.get("COLUMNS", "")
    if said.isdecimal() and int(said):
        return max(int(said), _NARROWEST)
    try:
        return max(os.get_terminal_size(stream.fileno()).columns, _NARROWEST) if stream.isatty() else None
    except (OSError, ValueError):
        return None


def note(text: str, *, first: str = "- ", stream: TextIO | None = None) -> str:
    """Give a line for people, broken between words under its own beginning; as it is on a pipe.

    Parameters
    ----------
    text
        What is said.
    first
        What stands in front of it; lines below are indented by as much.
    stream
        Where it goes; stderr by default.
    """
    width = columns_of(stream if stream is not None else sys.stderr)
    if width is None:
        return first + text
    indent = " " * cell_len(first)
    return "\n".join(_wrapped(text, width, first, indent)) or first.rstrip()


def show(table: Table) -> None:
    """Print a table to stdout; on a pipe, as wide as it is. What stands in its cells is shown as it is.

    No word is cut. Where a table is too wide, the lines between its columns go first, then long cells are broken
    between words; where most of them would be, each row is a paragraph.
    """
    seen = columns_of(sys.stdout)
    width = seen or PIPE_WIDTH
    out = Console(highlight=False, width=width, markup=False, emoji=False)
    words, texts = [], []
    for column in table.columns:
        cells = [str(column.header), *map(str, column.cells)]
        words.append(max((cell_len(word) for text in cells for word in text.split()), default=1))
        texts.append(max(map(cell_len, cells)))
        column.min_width = words[-1]
    frame = 3 * len(words) + 1
    if sum(texts) + frame > width >= sum(texts) + 2 * len(words):
        table.box, table.show_edge, table.padding = box.SIMPLE_HEAD, False, (0, 1, 0, 0)
    elif sum(words) + frame > width or (seen and sum(texts) + frame > _MOST_BROKEN * width):
        out.print("\n".join(_paragraphs(table, width)), soft_wrap=True)
        return
    out.print(table)


def _paragraphs(table: Table, width: int) -> Iterator[str]:
    """Yield the rows of a table as lines: the first cell, and under it the others with the names of their columns.

    What stands in a column stands under each other in all rows, as far as it is short enough for a line with others.
    """
    if table.title:
        yield from _wrapped(str(table.title), width, "", "")
    _, *headers = (str(column.header) for column in table.columns)
    rows = [
        (first, [f"{name}: {cell}" if cell else "" for name, cell in zip(headers, others, strict=True)])
        for first, *others in zip(*(map(str, column.cells) for column in table.columns), strict=True)
    ]
    longest = [max(cell_len(named[number]) for _, named in rows) for number in range(len(headers))] if rows else []
    for first, named in rows:
        yield first or "-"
        indent = " " * (len(first) - len(first.lstrip()) + 2)
        for numbers in _lines(longest, width - len(indent)):
            line = "  ".join(named[one] + " " * (longest[one] - cell_len(named[one])) for one in numbers).rstrip()
            if line:
                yield from _wrapped(line, width, indent, indent + "  ") if len(numbers) == 1 else [indent + line]


def _lines(longest: Sequence[int], width: int) -> Iterator[list[int]]:
    """Yield the numbers of the columns of each line of a paragraph."""
    line: list[int] = []
    for number, cells in enumerate(longest):
        if line and sum(longest[one] + 2 for one in line) + cells > width:
            yield line
            line = []
        line.append(number)
    if line:
        yield line


def _wrapped(text: str, width: int, first: str, below: str) -> list[str]:
    return textwrap.wrap(
        text, width, initial_indent=first, subsequent_indent=below, break_long_words=False, break_on_hyphens=False
    )


def legible(text: str) -> str:
    """Give a text in which nothing speaks to the terminal: control characters and halves of characters by number."""
    return "".join(
        one if one in "\n\t" or (one.isprintable() and not "\ud800" <= one <= "\udfff") else f"\\x{ord(one):02x}"
        for one in text
    )
