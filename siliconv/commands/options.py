"""Arguments and options that several commands share, and how results for machines are printed."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from siliconv.commands.terminal import console, legible

if TYPE_CHECKING:
    from siliconv import Project

ProjectArgument = Annotated[str, typer.Argument(metavar="PROJECT", help="a folder, or a name under firmware_projects/")]
DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="FOLDER",
        help="a folder of images (class = folder name) instead of the project's data; remembered",
    ),
]
ForceOption = Annotated[bool, typer.Option("--force", help="run every stage again, from the beginning")]
JsonOption = Annotated[bool, typer.Option("--json", help="machine-readable result on stdout")]
VerboseOption = Annotated[bool, typer.Option("--verbose", help="show the log, also what hls4ml says")]


def open_project(name: str, *, runs_code: bool = True) -> Project:
    """Open a project to work on in this process, which loads no Keras but the one that siliconv chooses.

    Parameters
    ----------
    name
        A folder, or a name under ``firmware_projects/``.
    runs_code
        Whether the command may run functions that the project file names (a model's, a loss); told before they are run.
    """
    from siliconv import Project

    project = Project(name, apart=False)
    if runs_code and project.code is not None:
        console.print(legible(f"runs {project.code}, Python code of this project or of an installed package"))
    return project


def print_json(content: Any) -> None:
    """Print a result for machines to stdout."""
    sys.stdout.write(json.dumps(content, indent=1) + "\n")
