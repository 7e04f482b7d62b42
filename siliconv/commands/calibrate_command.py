"""`siliconv calibrate`: the user's own synthesis results made part of later estimates."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from siliconv.commands.options import JsonOption, print_json
from siliconv.commands.terminal import console, show


def calibrate(
    reports: Annotated[
        list[Path],
        typer.Option(
            "--reports",
            metavar="DIR",
            help="a project that siliconv build has run on, or a folder of such projects; may be given several times",
        ),
    ],
    project: Annotated[
        str | None,
        typer.Option("--project", metavar="PROJECT", help="keep the results beside this project, for it alone"),
    ] = None,
    json_output: JsonOption = False,
) -> int:
    """Add your own synthesis results to what estimates are made from.

    They are kept in the siliconv folder of your configuration (or beside a project), never in the package. Every
    estimate made with them says so. Adding the results of a design again replaces them; delete the file to forget them.
    """
    import siliconv

    done = siliconv.calibrate(reports, project=project)
    if json_output:
        print_json({"file": str(done.file), "results": [asdict(one) for one in done.changes]})
        return 0
    table = Table("design", "stage", "reported", "before", "after", title="LUT and FF, estimated before and after")
    for one in done.changes:
        table.add_row(
            one.name,
            f"{one.stage} {one.resource.upper()}",
            f"{one.reported:,.0f}",
            f"{one.before:,.0f} ({one.before / one.reported - 1:+.0%})",
            f"{one.after:,.0f} ({one.after / one.reported - 1:+.0%})",
        )
    show(table)
    console.print(f"Kept in {done.file}: later estimates use it, and say so.", markup=False)
    return 0
