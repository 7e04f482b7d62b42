"""How commands show what they found: tables on stdout, words for people on stderr."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.table import Table

PIPE_WIDTH = 160

console = Console(stderr=True, highlight=False, soft_wrap=True)
"""For people: stdout belongs to --json."""


def show(table: Table) -> None:
    """Print a table to stdout; on a pipe, as wide as it is."""
    width = None if sys.stdout.isatty() else PIPE_WIDTH
    Console(highlight=False, width=width).print(table)
