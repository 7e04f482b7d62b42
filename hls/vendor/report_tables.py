"""The tables of vendor reports: text drawn with bars and plus signs, as AMD tools print it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from siliconv.errors import ToolError


@dataclass(frozen=True)
class ReportTable:
    """One table: the heading lines before it, the cells of its header rows, and its rows of cells."""

    above: str
    header: tuple[tuple[str, ...], ...]
    rows: tuple[tuple[str, ...], ...]

    def row(self, name: str) -> tuple[str, ...] | None:
        """Return the first row whose first cell is this name, None when there is none."""
        return next((row for row in self.rows if row[0] == name), None)

    def column(self, *names: str) -> int | None:
        """Return the index of the first header cell with one of these names."""
        for cells in reversed(self.header):
            for index, cell in enumerate(cells):
                if cell in names:
                    return index
        return None


def tables(text: str) -> Iterator[ReportTable]:
    """Return the tables of a report in order.

    The header is what stands between the first two rules; a table without a second rule has no header.
    """
    above: list[str] = []
    block: list[str] = []
    for line in [*text.splitlines(), ""]:
        stripped = line.strip()
        if stripped.startswith("+-") or (stripped.startswith("|") and block):
            block.append(stripped)
            continue
        if block:
            yield _table(" ".join(above[-3:]), block)
            block, above = [], []
        if stripped and not set(stripped) <= {"=", "-"}:
            above.append(stripped)


def number(cell: str) -> float | None:
    """Return the number at the start of a cell such as "15409", "5.00 ns" or "17966 (1%)", else None."""
    match = re.match(r"[-~<]?\s*(\d+(?:\.\d+)?(?:e[+-]?\d+)?)", cell.strip())
    return float(match.group(1)) if match and not cell.strip().startswith("-") else None


def after(text: str, pattern: str) -> str:
    """Return what a pattern's group holds, empty where the pattern is nowhere in the text."""
    match = re.search(pattern, text, re.MULTILINE)
    return match.group(1) if match else ""


def read_report(path: Path) -> str:
    """Return the text of a report; raises `ToolError` REPORT-READ where it can't be read."""
    try:
        return path.read_text("utf-8", errors="replace")
    except OSError as error:
        raise ToolError(
            "REPORT-READ",
            f"the report cannot be read: {error}",
            where=str(path),
            fix="run the synthesis again, or pass the folder that holds its reports",
        ) from error


def not_a_report(path: Path, kind: str) -> ToolError:
    """Return the error REPORT-FORMAT for a file that is something else."""
    return ToolError(
        "REPORT-FORMAT",
        f"this is not a {kind} of Vivado HLS, Vitis HLS or Vivado 2019 to 2025",
        where=str(path),
        fix="pass the report as the tool wrote it",
    )


def _table(above: str, block: Sequence[str]) -> ReportTable:
    sections: list[list[tuple[str, ...]]] = [[]]
    for line in block:
        if line.startswith("+"):
            sections.append([])
        else:
            sections[-1].append(tuple(cell.strip() for cell in line.strip("|").split("|")))
    filled = [section for section in sections if section]
    if len(filled) < 2:
        return ReportTable(above, (), tuple(row for section in filled for row in section))
    return ReportTable(above, tuple(filled[0]), tuple(row for section in filled[1:] for row in section))
