"""A comparison as one self-contained HTML file: its table, and bars for every number that differs."""

from __future__ import annotations

from pathlib import Path

from siliconv.project.atomic_write import write_named
from siliconv.report.drawings import Bar, Chart, Row, Tick
from siliconv.report.report import TEMPLATES
from siliconv.runs.run_comparison import ComparedLine, RunComparison


def write_comparison(found: RunComparison, path: Path) -> None:
    """Write the page of a comparison."""
    charts = [(line.title, bar_chart(found.names, line)) for line in found.lines if line.differs and _is_numbers(line)]
    content = {"found": found, "charts_of": charts, "parts": list(dict.fromkeys(line.part for line in found.lines))}
    write_named(path, TEMPLATES.get_template("comparison.html.j2").render(content))


def bar_chart(names: tuple[str, ...], line: ComparedLine) -> Chart:
    """Draw a number of each run as a bar from zero, with how it stands to that of the first run."""
    known = [value for value in line.values if value is not None]
    top = max([abs(value) for value in known], default=1.0) or 1.0
    first = line.values[0]
    rows = []
    for name, text, value in zip(names, line.texts, line.values, strict=True):
        change = ""
        if value is not None and first and name != names[0]:
            points = f"{100 * (value - first):+.2f} points"
            change = f" ({points if 'accuracy' in line.title else f'{100 * (value / first - 1):+.1f} %'})"
        bars = (Bar(0.0, max(100 * abs(value) / top, 0.3), f"{name}: {text}", "works"),) if value is not None else ()
        rows.append(Row(name, f"{text}{change}", bars))
    return Chart(tuple(rows), (Tick(0.0, "0"), Tick(100.0, f"{top:,.8g}")), "")


def _is_numbers(line: ComparedLine) -> bool:
    return sum(value is not None for value in line.values) > 1
