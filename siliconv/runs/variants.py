"""A variant of a project: other values in a few fields, built beside the others, the project file unchanged."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from siliconv.errors import ProjectError, SiliconvError
from siliconv.flow.altered import LOGS, RECORDS
from siliconv.flow.flow import fresh_stages
from siliconv.project.calibration_file import CALIBRATION_FILE
from siliconv.project.project import ProjectConfig, load_project
from siliconv.project.remembered_front import RUNS
from siliconv.project.varied_project import varied_project
from siliconv.search.run_record import record_id
from siliconv.stages.stages import STAGES

_NOT_TAKEN = (".work", ".partial", ".lock", LOGS, "pictures", "report.html", ".data_choice.json", ".written.json")
_LOOKED_AT = 8
"""Variants, the last ones, of whose build another may take what it can keep."""

_LINKED = "data"
"""Of the build: large, and never edited."""


def variant_folder(folder: Path, changes: Mapping[str, Any]) -> Path:
    """Give the folder of a variant: its name follows from what is changed."""
    return folder / RUNS / f"variant-{record_id(dict(changes))}"


def build_folder(folder: Path, changes: Mapping[str, Any]) -> Path:
    """Give the build folder of a project, or that of a variant of it."""
    return (variant_folder(folder, changes) if changes else folder) / "build"


def check_variant(folder: Path, changes: Mapping[str, Any]) -> None:
    """Raise what `open_variant` raises for a field or a value that is wrong; nothing is built or kept."""
    load_project(folder)
    with tempfile.TemporaryDirectory() as place:
        _varied(folder, changes, Path(place))


def open_variant(folder: Path, changes: Mapping[str, Any]) -> tuple[ProjectConfig, Path]:
    """Give a variant of a project, and its build folder, which begins with what was built already: by the project, or
    by another variant where more of that can be kept.

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
    project = _varied(folder, changes, place)
    build = place / "build"
    if not (build / RECORDS).is_dir() and (source := _built(folder, project)) is not None:
        _take(source, build)
    for old in (place / CALIBRATION_FILE,):
        old.unlink(missing_ok=True)
    if (folder / CALIBRATION_FILE).is_file():
        shutil.copyfile(folder / CALIBRATION_FILE, place / CALIBRATION_FILE)
    return project, build


def _varied(folder: Path, changes: Mapping[str, Any], place: Path) -> ProjectConfig:
    try:
        return varied_project(folder, changes, place)
    except ProjectError as error:
        said = ", ".join(f"{name}={value}" for name, value in changes.items())
        raise ProjectError(error.code, error.what, where=f"--set {said}", fix=error.fix) from error


def _built(folder: Path, project: ProjectConfig) -> Path | None:
    """Give the build folder of which a variant can keep the most; the project's own where others are no better."""
    others = sorted((folder / RUNS).glob(f"variant-*/build/{RECORDS}"), key=lambda one: -one.stat().st_mtime)
    records = [folder / "build" / RECORDS, *others[:_LOOKED_AT]]
    builds = [one.parent for one in records if one.is_dir()]
    return max(builds, key=lambda build: _kept(folder, project, build), default=None)


def _kept(folder: Path, project: ProjectConfig, build: Path) -> int:
    try:
        return fresh_stages(STAGES, project, folder.name, build)
    except SiliconvError:
        return 0  # what is wrong is said by the run


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
