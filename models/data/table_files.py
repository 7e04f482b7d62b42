"""Tables as text (CSV): one line an example, columns by name, read without more memory than a block of lines."""

from __future__ import annotations

import csv
import io
import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from siliconv.bounded_reading import UnreadableError, ordinary
from siliconv.models.data.columns import Column, InMemory

_LONGEST_LINE = 1 << 20
INDEX = "Unnamed: 0"
"""What pandas calls a column without a name: the index that it wrote."""

_LOOKED_AT = 1000
"""Lines that say which columns are texts."""


class _Numbers:
    """Some columns of numbers of a table, in a scratch file of all columns."""

    def __init__(self, file: Any, rows: int, columns: int, chosen: Sequence[int]) -> None:
        self._file, self._columns, self._chosen = file, columns, list(chosen)
        self.shape = (rows,) if len(chosen) == 1 else (rows, len(chosen))
        self.dtype = np.dtype(np.float64)

    def read(self, start: int, stop: int) -> np.ndarray:
        """Read these examples."""
        self._file.seek(start * self._columns * 8)
        values = np.frombuffer(self._file.read((stop - start) * self._columns * 8), np.float64)
        return values.reshape(-1, self._columns)[:, self._chosen].reshape(-1, *self.shape[1:])


class TextTable:
    """The columns of a table by name; those of texts are in memory, those of numbers in a scratch file on disk."""

    def __init__(self, names: Sequence[str], texts: Mapping[int, list[str]], rows: int, scratch: Any) -> None:
        self.names = tuple(names)
        self._texts, self._rows, self._scratch = texts, rows, scratch

    def column(self, names: Sequence[str]) -> Column:
        """Give columns of numbers side by side, (n, columns), or a single one, (n,), which may be of texts.

        Raises
        ------
        UnreadableError
            For texts among several columns.
        """
        chosen = [self.names.index(name) for name in names]
        texts = [self.names[number] for number in chosen if number in self._texts]
        if texts and len(chosen) > 1:
            entries = self._texts[self.names.index(texts[0])]
            raise UnreadableError(
                f"the column '{texts[0]}' holds texts, and numbers are read of it{_decimal_comma(entries)}"
            )
        if texts:
            return InMemory(np.array(self._texts[chosen[0]]))
        return _Numbers(self._scratch, self._rows, len(self.names), chosen)


def read_table(path: Path) -> TextTable:
    """Read a table whose first line gives the names of its columns.

    Lines in front of it that begin with ``#`` are passed over, unless the last of them is the line of names, as
    `numpy.savetxt` writes it. A first column without a name is the index that pandas writes, and is no column here.

    Raises
    ------
    UnreadableError
        For what is no such table, with the line that is wrong.
    """
    try:
        with ordinary(path).open(encoding="utf-8-sig", newline="") as file:
            return _read(file)
    except UnicodeDecodeError as error:
        raise UnreadableError("it is no UTF-8 text") from error
    except (OSError, csv.Error) as error:
        raise UnreadableError(str(error)) from error


def _read(file: Any) -> TextTable:
    first, rest, above = _first_lines(file)
    delimiter = max(",;\t", key=first.count)
    names = [name.strip() for name in next(csv.reader([first], delimiter=delimiter), [])]
    indexed = len(names) > 1 and not names[0] and all(names[1:])
    if indexed:
        names[0] = INDEX
    if len(set(names)) != len(names) or not all(names) or all(_number(name) is not None for name in names):
        raise UnreadableError(f"its first line gives no names of columns, one each, but {first.strip()[:80]!r}")
    if len(names) == 1 and len(names[0].split()) > 1:
        raise UnreadableError(f"nothing separates the columns of {first.strip()[:80]!r}: commas, semicolons or tabs do")
    scratch = tempfile.TemporaryFile(prefix="siliconv-")  # noqa: SIM115  (lives as long as its columns)
    texts: dict[int, list[str]] = {}
    rows = 0
    while text := rest + file.read(_LONGEST_LINE):
        rest = ""
        lines = io.StringIO(text + _line(file), newline="").readlines()
        rows += _block(lines, names, delimiter, (rows, above), texts, scratch)
    if not rows:
        raise UnreadableError("it has no line but its names")
    scratch.flush()
    return TextTable(names, texts, rows, scratch)


def _first_lines(file: Any) -> tuple[str, str, int]:
    """Give the line of names, the line behind it where that was read too, and how many lines go before the examples."""
    comment, line, count = "", _line(file), 1
    while line.startswith("#"):
        comment, line, count = line.lstrip("#"), _line(file), count + 1
    delimiter = max(",;\t", key=line.count)
    entries = next(csv.reader([line], delimiter=delimiter), [])
    named = comment.count(delimiter) == line.count(delimiter) and bool(comment.strip())
    if named and entries and all(_number(entry) is not None for entry in entries):
        return comment, line, count - 1
    return line, "", count


def _line(file: Any) -> str:
    """Read the rest of a line, or raise `UnreadableError` where it does not end."""
    line: str = file.readline(_LONGEST_LINE)
    if len(line) == _LONGEST_LINE:
        raise UnreadableError(f"a line of it is longer than {_LONGEST_LINE:,} characters")
    return line


def _block(
    lines: list[str],
    names: list[str],
    delimiter: str,
    before: tuple[int, int],
    texts: dict[int, list[str]],
    scratch: Any,
) -> int:
    """Append a block of lines to the scratch file and to the columns of texts, and give how many they were.

    ``before``: examples of the blocks before, and lines above the first example.
    """
    above = sum(before) + 1
    if not texts:
        try:
            values = np.loadtxt(lines, delimiter=delimiter, ndmin=2, comments=None)
        except ValueError:
            values = None
        if values is not None and values.shape[1] == len(names):
            scratch.write(np.ascontiguousarray(values, np.float64).tobytes())
            return len(values)
    table = [row for row in csv.reader(lines, delimiter=delimiter) if row]
    values = np.full((len(table), len(names)), np.nan)
    if before[0] == 0:
        looked_at = [row for row in table[:_LOOKED_AT] if len(row) == len(names)]
        texts.update(
            {number: [] for number in range(len(names)) if any(_number(row[number]) is None for row in looked_at)}
        )
    for line, row in enumerate(table):
        if len(row) != len(names):
            raise UnreadableError(f"line {above + line} has {len(row)} entries for {len(names)} columns")
        for number, entry in enumerate(row):
            if number in texts:
                texts[number].append(entry.strip())
                continue
            value = _number(entry)
            if value is None:
                place = f"line {above + line}, column '{names[number]}'"
                raise UnreadableError(f"{place}: {entry[:40]!r} is no number{_decimal_comma([entry])}")
            values[line, number] = value
    scratch.write(values.tobytes())
    return len(table)


def _decimal_comma(entries: Sequence[str]) -> str:
    """Say where texts are numbers with a comma for the point."""
    found = next((entry for entry in entries[:1] if re.fullmatch(r"[+-]?\d*,\d+", entry.strip())), None)
    return f": {found!r} has a comma for the point" if found is not None else ""


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
