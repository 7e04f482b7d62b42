"""A variant of a project: other values in a few fields, built beside the others, the project file unchanged."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from siliconv.errors import ProjectError
from siliconv.flow.altered import LOGS, RECORDS
from siliconv.project.calibration_file import CALIBRATION_FILE
from siliconv.project.project import ProjectConfig, load_project
from siliconv.project.remembered_front import RUNS
from siliconv.project.varied_project import varied_project
from siliconv.search.run_record import record_id

_NOT_TAKEN = (".work", ".partial", ".lock", LOGS, "pictures", "report.html", ".data_choice.json", ".written.json")
_LINKED = "data"
"""Of the build: large, and never edited."""


def variant_folder(folder: Path, changes: Mapping[str, Any]) -> Path:
    """Give the folder of a variant: its name follows from what is changed."""
    return folder / RUNS / f"variant-{record_id(dict(changes))}"


def build_folder(folder: Path, changes: Mapping[str, Any]) -> Path:
    """Give the build folder of a project, or that of a variant of it."""
    return (variant_folder(folder, changes) if changes else folder) / "build"


def open_variant(folder: Path, changes: Mapping[str, Any]) -> tuple[ProjectConfig, Path]:
    """Give a variant of a project, and its build folder, which begins with what the project has built already.

    Parameters
    ----------
    folder
        Of the project.
    changes
        Fields by dotted name with their values.

    Raises
    ------
    ProjectError
        For a project file that is wrong; ``PROJECT-...`` for a field or a value that is, where ``--set``.
    """
    load_project(folder)
    place = variant_folder(folder, changes)
    try:
        project = varied_project(folder, changes, place)
    except ProjectError as error:
        said = ", ".join(f"{name}={value}" for name, value in changes.items())
        raise ProjectError(error.code, error.what, where=f"--set {said}", fix=error.fix) from error
    build = place / "build"
    if not (build / RECORDS).is_dir() and (folder / "build" / RECORDS).is_dir():
        _take(folder / "build", build)
    for old in (place / CALIBRATION_FILE,):
        old.unlink(missing_ok=True)
    if (folder / CALIBRATION_FILE).is_file():
        shutil.copyfile(folder / CALIBRATION_FILE, place / CALIBRATION_FILE)
    return project, build


def _take(build: Path, place: Path) -> None:
    """Copy what the stages of a project left; the prepared data are shared on the disk where that can be."""
    partial = place.with_name(f".{place.name}")
    shutil.rmtree(partial, ignore_errors=True)

    def left_out(at: str, names: list[str]) -> list[str]:
        return [name for name in names if name in _NOT_TAKEN or name.startswith("kept-")] if Path(at) == build else []

    def copy(source: str, target: str) -> str:
        if Path(source).relative_to(build).parts[0] == _LINKED:
            try:
                os.link(source, target)
            except OSError:
                return str(shutil.copy2(source, target))
            return target
        return str(shutil.copy2(source, target))

    shutil.copytree(build, partial, ignore=left_out, copy_function=copy)
    partial.replace(place)
