"""Tables in terminals of any width: no name and no number is cut."""

from __future__ import annotations

import re
import sys
import textwrap

import pytest
from rich.table import Table

from siliconv import boards
from siliconv.commands.terminal import note, show


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


def _layers() -> Table:
    """Make a table as `siliconv summary` does: 83 columns with its frame."""
    table = Table("layer", "kind", "shape", "parameters", "multiplications", "type", title="mine")
    table.add_row("conv2d_1", "conv2d", "8 x 8 x 8", "80", "4,608", "fixed<15,4>")
    table.add_row("max_pool_1", "max_pool", "4 x 4 x 16", "0", "0", "ufixed<6,2>")
    table.add_row("total", "", "", "80", "4,608", "", style="bold")
    return table


def test_a_table_without_room_for_its_frame_loses_the_frame_first(shown):
    assert "│" in shown(_layers(), 83)
    plain = shown(_layers(), 82).splitlines()
    assert [line.split() for line in plain if line.startswith("conv2d_1")] == [
        ["conv2d_1", "conv2d", "8", "x", "8", "x", "8", "80", "4,608", "fixed<15,4>"]
    ]
    assert plain[1].split() == ["layer", "kind", "shape", "parameters", "multiplications", "type"]


def test_too_narrow_for_a_table_a_row_is_a_paragraph_whose_fields_stand_under_each_other(shown):
    assert shown(_layers(), 50).splitlines() == [
        "mine",
        "conv2d_1",
        "  kind: conv2d    shape: 8 x 8 x 8",
        "  parameters: 80  multiplications: 4,608",
        "  type: fixed<15,4>",
        "max_pool_1",
        "  kind: max_pool  shape: 4 x 4 x 16",
        "  parameters: 0   multiplications: 0",
        "  type: ufixed<6,2>",
        "total",
        "  parameters: 80  multiplications: 4,608",
    ]


def test_a_long_cell_goes_on_below_and_a_row_without_a_name_has_a_dash(shown):
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


def test_a_few_long_cells_are_broken_and_many_are_not(shown):
    table = Table("what", "found")
    table.add_row("tool", "a name of several words")
    assert "│" in shown(table, 30)
    wide = Table(*(f"column {number}" for number in range(6)))
    wide.add_row(*["some words"] * 6)
    assert "│" not in shown(wide, 50)


def test_a_pipe_has_the_columns_that_are_asked_for(capsys, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    show(_layers())
    assert "│" in capsys.readouterr().out
    monkeypatch.setenv("COLUMNS", "60")
    show(_layers())
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 60


@pytest.mark.parametrize("columns", [40, 80])
def test_notes_are_broken_between_words_below_their_own_beginning(monkeypatch, columns):
    text = "the period is what the tool is asked for; public convolutions asked for 5 ns report 5.1 to 5.8"
    monkeypatch.delenv("COLUMNS", raising=False)
    assert note(text) == f"- {text}"
    monkeypatch.setenv("COLUMNS", str(columns))
    first, *others = note(text).splitlines()
    assert first.startswith("- the period")
    assert others
    assert all(line.startswith("  ") and line[2] != " " for line in others)
    assert max(map(len, (first, *others))) <= columns
    assert textwrap.dedent("\n".join(["  " + first[2:], *others])).split() == text.split()
