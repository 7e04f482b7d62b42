"""`siliconv compare` and `siliconv history`: runs beside each other, and all runs of a project."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from siliconv.commands.options import JsonOption, ProjectArgument, known_projects, open_project, print_json
from siliconv.commands.terminal import console, note, show

if TYPE_CHECKING:
    from siliconv.runs.run_comparison import RunComparison
    from siliconv.search.run_record import RunRecord

RunsArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="RUN RUN...",
        help="a project (its last run), PROJECT:ID or ID of a run (siliconv history), or a record's file",
        autocompletion=known_projects,
    ),
]
DropOption = Annotated[
    float | None,
    typer.Option(
        "--max-accuracy-drop",
        min=0.0,
        metavar="POINTS",
        help="exit 1 if a run is so many percent points below the first",
    ),
]
GrowthOption = Annotated[
    float | None,
    typer.Option("--max-lut-growth", min=0.0, metavar="PERCENT", help="exit 1 if a run takes so many more LUTs"),
]
HtmlOption = Annotated[
    Path | None, typer.Option("--html", metavar="FILE", help="write the table with pictures, one HTML file")
]
AllOption = Annotated[bool, typer.Option("--all", help="show what is the same too")]


def compare(
    runs: RunsArgument,
    max_accuracy_drop: DropOption = None,
    max_lut_growth: GrowthOption = None,
    html: HtmlOption = None,
    all_lines: AllOption = False,
    json_output: JsonOption = False,
) -> int:
    """Show what differs between runs: configuration, accuracy, exactness, resources, latency.

    With --max-accuracy-drop or --max-lut-growth it is a gate for CI. Each run is compared with the first, and the exit
    code is 1 where one is worse or not exact any more.
    """
    from siliconv import compare as compare_by_name

    found = compare_by_name(*runs, html=html)
    if json_output:
        print_json(found.as_json())
    elif all_lines or any(line.differs for line in found.lines):
        show(table(found, all_lines=all_lines))
    else:
        sys.stdout.write(note(_nothing(found), first="", stream=sys.stdout) + "\n")
    if html is not None:
        console.print(f"Wrote {html}", markup=False, soft_wrap=True)
    found.check(accuracy_drop=max_accuracy_drop, lut_growth=max_lut_growth)
    return 0


def history(project: ProjectArgument, json_output: JsonOption = False) -> int:
    """Show the runs of a project that are remembered in its runs/ folder, the oldest first."""
    opened = open_project(project, runs_code=False)
    records = opened.history()
    if json_output:
        print_json([asdict(one) for one in records])
        return 0
    if not records:
        console.print(f"No run of '{opened.name}' is remembered yet: siliconv run {project}", markup=False)
        return 0
    show(history_table(opened.name, records))
    return 0


def table(found: RunComparison, *, all_lines: bool = False) -> Table:
    """Make the table of a comparison, of what differs or of all."""
    shown = Table("", *found.names)
    part = ""
    for line in found.lines:
        if not line.differs and not all_lines:
            continue
        if line.part != part:
            part = line.part
            shown.add_row(part, style="bold")
        shown.add_row(f"  {line.title}", *line.texts)
    return shown


def _nothing(found: RunComparison) -> str:
    names = ", ".join(found.names[:-1]) + f" and {found.names[-1]}"
    if len({(one.project, one.id) for one in found.records}) == 1:
        return f"Nothing differs: {names} are one and the same run, {found.records[0].id}."
    return f"Nothing differs between {names}: all {len(found.lines)} values are equal; --all shows them."


def history_table(name: str, records: tuple[RunRecord, ...]) -> Table:
    """Make the table of a project's runs."""
    metric = records[-1].test.metric
    shown = Table(
        "run", "started (UTC)", "kind", f"test {metric}", "exact", "verdict", "LUT", "images/s", "what", title=name
    )
    said = {True: "yes", False: "NO", None: ""}
    for one in records:
        verdict = str(one.details.get("fit", "fits" if one.feasible else "does not fit"))
        numbers = (f"{one.costs[key]:,.0f}" if key in one.costs else "" for key in ("lut", "images_per_second"))
        started = one.started[:16].replace("T", " ")
        shown.add_row(
            one.id, started, one.kind, f"{one.test.value:.4f}", said[one.exact], verdict, *numbers, one.origin
        )
    return shown


def write_schema(
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="where to write; else to stdout")] = None,
) -> int:
    """Write the JSON schema of the project file, by which editors complete and check it."""
    from siliconv import schema

    text = schema(file)
    if file is None:
        sys.stdout.write(text)
    else:
        console.print(f"Wrote {file}", markup=False, soft_wrap=True)
    return 0
