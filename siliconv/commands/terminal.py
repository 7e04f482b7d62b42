"""How commands show what they found: tables on stdout, words for people on stderr."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.table import Table

PIPE_WIDTH = 160

console = Console(stderr=True, highlight=False, soft_wrap=True, markup=False, emoji=False)
"""For people: stdout belongs to --json."""


def show(table: Table) -> None:
    """Print a table to stdout; on a pipe, as wide as it is. What stands in its cells is shown as it is."""
    width = None if sys.stdout.isatty() else PIPE_WIDTH
    Console(highlight=False, width=width, markup=False, emoji=False).print(table)


def legible(text: str) -> str:
    """Give a text in which nothing speaks to the terminal: control characters and halves of characters by number."""
    return "".join(
        one if one in "\n\t" or (one.isprintable() and not "\ud800" <= one <= "\udfff") else f"\\x{ord(one):02x}"
        for one in text
    )
