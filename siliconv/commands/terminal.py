"""How commands show what they found: tables on stdout, words for people on stderr."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

PIPE_WIDTH = 160

console = Console(stderr=True, highlight=False, soft_wrap=True, markup=False, emoji=False)
"""For people: stdout belongs to --json."""


def show(table: Table) -> None:
    """Print a table to stdout; on a pipe, as wide as it is. What stands in its cells is shown as it is.

    No word is cut. In a terminal that is too narrow for the longest words of all columns, each row is a paragraph.
    """
    width = None if sys.stdout.isatty() else PIPE_WIDTH
    out = Console(highlight=False, width=width, markup=False, emoji=False)
    for column in table.columns:
        texts = (str(column.header), *map(str, column.cells))
        column.min_width = max((cell_len(word) for text in texts for word in text.split()), default=1)
    if out.measure(table, options=out.options.update(width=PIPE_WIDTH)).minimum <= out.width:
        out.print(table)
    else:
        out.print("\n".join(_paragraphs(table, out.width)), soft_wrap=True)


def _paragraphs(table: Table, width: int) -> Iterator[str]:
    """Yield the rows of a table as lines: the first cell, and under it the others with the names of their columns."""
    if table.title:
        yield from textwrap.wrap(str(table.title), width)
    _, *headers = (str(column.header) for column in table.columns)
    for first, *others in zip(*(map(str, column.cells) for column in table.columns), strict=True):
        yield first or "-"
        line = ""
        for named in (f"{name}: {cell}" for name, cell in zip(headers, others, strict=True) if cell):
            if line and cell_len(f"  {line}; {named}") > width:
                yield from textwrap.wrap(line, width, initial_indent="  ", subsequent_indent="    ")
                line = ""
            line = f"{line}; {named}" if line else named
        yield from textwrap.wrap(line, width, initial_indent="  ", subsequent_indent="    ")


def legible(text: str) -> str:
    """Give a text in which nothing speaks to the terminal: control characters and halves of characters by number."""
    return "".join(
        one if one in "\n\t" or (one.isprintable() and not "\ud800" <= one <= "\udfff") else f"\\x{ord(one):02x}"
        for one in text
    )
