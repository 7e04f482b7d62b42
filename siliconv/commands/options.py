"""Arguments and options that several commands share, and how results for machines are printed."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from siliconv.commands.terminal import console, legible
from siliconv.errors import ProjectError
from siliconv.progress import Progress

if TYPE_CHECKING:
    from siliconv import Project


def known_projects(incomplete: str) -> list[str]:
    """Give the names of projects that begin so, for the shell."""
    from siliconv import projects

    return [name for name in projects() if name.startswith(incomplete)]


def known_boards(incomplete: str) -> list[str]:
    """Give the names of boards that begin so, for the shell."""
    from siliconv import boards

    return [board.name for board in boards() if board.name.startswith(incomplete)]


def known_presets(incomplete: str) -> list[str]:
    """Give the names of presets that begin so, for the shell."""
    from siliconv import presets

    return [name for name in presets() if name.startswith(incomplete)]


ProjectArgument = Annotated[
    str,
    typer.Argument(
        metavar="PROJECT", help="a folder, or a name under firmware_projects/", autocompletion=known_projects
    ),
]
DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="PATH",
        help="a folder of images (class = folder name) or a file of arrays or a table, instead of the project's data, "
        "until --data none",
    ),
]
ForceOption = Annotated[bool, typer.Option("--force", help="run every stage again, from the beginning")]
CoreOption = Annotated[str, typer.Option("--core", metavar="hls|rtl", help="hls4ml's core, or the SystemVerilog core")]
JsonOption = Annotated[bool, typer.Option("--json", help="machine-readable result on stdout")]
VerboseOption = Annotated[bool, typer.Option("--verbose", "-v", help="show the log, also what hls4ml says")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="say nothing but errors; build/logs has it all")]


def open_project(name: str, *, runs_code: bool = True, progress: Progress | None = None) -> Project:
    """Open a project to work on in this process, which loads no Keras but the one that siliconv chooses.

    Parameters
    ----------
    name
        A folder, or a name under ``firmware_projects/``.
    runs_code
        Whether the command may run functions that the project file names (a model's, a loss); told before they are run.
    progress
        Told of long work; a bar on a terminal and lines elsewhere by default.
    """
    from siliconv import Project

    project = Project(name, apart=False, progress=progress)
    if runs_code and project.code is not None:
        console.print(legible(f"runs {project.code}, Python code of this project or of an installed package"))
    return project


def refuse_empty(arguments: Sequence[str]) -> None:
    """Refuse an argument without a text, which would stand for the current folder where a path is wanted.

    Raises
    ------
    ProjectError
        ``ARGUMENT-EMPTY``.
    """
    for number, one in enumerate(arguments):
        if not one or re.fullmatch(r"--[a-z-]+=", one):
            before = arguments[number - 1] if number and not one else one.rstrip("=")
            raise ProjectError(
                "ARGUMENT-EMPTY",
                "an argument is empty",
                where=f"behind {before}" if before else "the first argument",
                fix="write a name or a path there; a variable of the shell may be empty",
            )


def print_json(content: Any) -> None:
    """Print a result for machines to stdout."""
    sys.stdout.write(json.dumps(content, indent=1) + "\n")
