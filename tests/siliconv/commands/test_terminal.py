"""Tables in terminals of any width: no name and no number is cut."""

from __future__ import annotations

import re
import sys

import pytest
from rich.table import Table

from siliconv import boards
from siliconv.commands.terminal import show


@pytest.fixture
def shown(capsys, monkeypatch):
    def in_terminal(table: Table, columns: int) -> str:
        monkeypatch.setenv("COLUMNS", str(columns))
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
        show(table)
        return re.sub(r"\x1b\[\d*m", "", capsys.readouterr().out)

    return in_terminal


def _table() -> Table:
    table = Table("board", "device", "LUT", "hls4ml back end", title="Boards")
    for one in boards():
        table.add_row(one.name, one.part, f"{one.lut:,}", one.backend or "")
    return table


@pytest.mark.parametrize("columns", [40, 57, 58, 80, 200])
def test_every_word_is_whole_and_no_line_too_long(columns, shown):
    said = shown(_table(), columns)
    assert max(map(len, said.splitlines())) <= columns
    words = said.replace(";", " ").split()
    for one in boards():
        assert {one.name, one.part, f"{one.lut:,}", *([one.backend] if one.backend else [])} <= set(words)


def test_too_narrow_for_a_table_a_row_is_a_paragraph_with_the_names_of_its_columns(shown):
    table = Table("board", "LUT", "hls4ml back end", "note", title="Boards")
    table.add_row("pynq-z2", "53,200", "VivadoAccelerator", "a long sentence that goes on in the line below")
    table.add_row("", "1", "", "")
    assert shown(table, 40).splitlines() == [
        "Boards",
        "pynq-z2",
        "  LUT: 53,200",
        "  hls4ml back end: VivadoAccelerator",
        "  note: a long sentence that goes on in",
        "    the line below",
        "-",
        "  LUT: 1",
    ]
