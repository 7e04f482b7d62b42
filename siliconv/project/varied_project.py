"""A project with some of its fields changed, beside its file, which stays as it is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from siliconv.project.bounded_yaml import read_project_text
from siliconv.project.folded_project import folded
from siliconv.project.placing import placed
from siliconv.project.project import PROJECT_FILE, ProjectConfig, fields_of, parse_project
from siliconv.project.project_edit import set_fields


def varied_project(folder: Path, changes: Mapping[str, Any], place: Path) -> ProjectConfig:
    """Give a project with fields changed by dotted name, by the very edit that would be made in its file.

    Parameters
    ----------
    folder
        Of the project: relative paths are seen from there.
    changes
        As for `siliconv.project.project_edit.set_fields`.
    place
        Where the changed copy of the project file is written.

    Raises
    ------
    ProjectError
        As `siliconv.project.project_edit.set_fields`.
    """
    place.mkdir(parents=True, exist_ok=True)
    copy = place / PROJECT_FILE
    copy.write_text(read_project_text(folder / PROJECT_FILE), encoding="utf-8")
    set_fields(copy, changes)
    project = placed(parse_project(read_project_text(copy), copy), folder)
    return project if project.model.fold is None else folded(project)


def flat_fields(content: Mapping[str, Any], before: tuple[str, ...] = ()) -> dict[str, Any]:
    """Give what a project file says, as fields by dotted name; what holds free names stays whole."""
    found: dict[str, Any] = {}
    for name, value in content.items():
        keys = (*before, str(name))
        if isinstance(value, dict) and value and fields_of(keys):
            found |= flat_fields(value, keys)
        else:
            found[".".join(keys)] = value
    return found


def told_changes(changes: Mapping[str, Any]) -> str:
    """Write fields and their values in a line, as ``--set`` reads each."""
    return ", ".join(f"{name}={_short(value)}" for name, value in changes.items())


def _short(value: Any) -> str:
    if isinstance(value, str) and "," in value:
        return json.dumps(value, ensure_ascii=False)  # without quotes it would be several values
    return str(yaml.safe_dump(value, default_flow_style=True, width=float("inf")).removesuffix("...\n").strip())
