"""Write a new project file in which every field stands with its default and its meaning, commented out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from siliconv.errors import ProjectError
from siliconv.hardware.boards import Board
from siliconv.hardware.boards import board as find_board
from siliconv.models.answers.task import TaskChoice
from siliconv.models.architectures.keras_file import read_keras_file
from siliconv.models.architectures.model_source import is_function
from siliconv.models.architectures.presets import preset as find_preset
from siliconv.project.array_template import array_project_text, look_at_arrays
from siliconv.project.atomic_write import why_unwritable, write_atomically
from siliconv.project.data_choice import source_at
from siliconv.project.path_characters import BAD_IN_PATHS
from siliconv.project.photo_template import hardware_lines, look_at_photos, photo_project_text, written_path
from siliconv.project.project import PROJECT_FILE, PROJECTS_FOLDER, ProjectConfig
from siliconv.project.project_schema import SCHEMA_FILE, SCHEMA_LINE, choices_of, write_schema_file
from siliconv.project.versions import VERSION


def write_project(
    name: str,
    preset: str | None = None,
    *,
    model: Path | None = None,
    data: Path | None = None,
    board: str | None = None,
    task: str = "auto",
    base: Path | None = None,
) -> Path:
    """Write ``firmware_projects/NAME/project.yml`` (or ``NAME/project.yml`` for a path) and return its path.

    The schema of project files is written beside it, for editors.

    Parameters
    ----------
    name
        Of the project, or a path.
    preset, model
        The network by name, or a Keras or QKeras file; with neither, one that fits `data`, else the digits.
    data
        A folder of photos, a folder a class; or a file of arrays or a table.
    board
        A board by name, whose device and clock the firmware is written for.
    task
        What the network is asked, where data and network do not say it, or say another one.
    base
        Folder that relative paths start from; the current one by default.

    Raises
    ------
    ProjectError
        ``PROJECT-EXISTS`` rather than overwrite anything, ``PROJECT-WRITE`` if the folder can't be written,
        ``PROJECT-MODEL`` for a preset and a model, ``PROJECT-TASK`` for no task, ``BOARD-...`` for an unknown board.
    ModelError
        For an unknown preset; ``MODEL-FILE`` for a file that is no Keras model.
    DataError
        For photos, arrays or tables that cannot be read.
    """
    if preset is not None and model is not None:
        raise ProjectError(
            "PROJECT-MODEL", "a preset and a model file", where="siliconv new", fix="give one of --preset and --from"
        )
    asked = next((one for one in get_args(TaskChoice) if one == task), None)
    if asked is None:
        raise ProjectError(
            "PROJECT-TASK",
            f"there is no task '{task}'",
            where="--task",
            fix="use " + ", ".join(get_args(TaskChoice)),
        )
    if model is not None and not is_function(str(model)):
        _check_model(model, (base or Path.cwd()) / model)
    chosen = find_board(board) if board is not None else None
    if preset is not None:
        find_preset(preset)
    base = base or Path.cwd()
    folder = base / name if "/" in name else base / PROJECTS_FOLDER / name
    path = folder / PROJECT_FILE
    if name in ("", ".") or folder.name in ("", "..") or not name.isprintable() or set(name) & set(BAD_IN_PATHS):
        raise ProjectError(
            "PROJECT-NAME",
            f"{name!r} is no name for a project",
            where="siliconv new",
            fix="use any name without quotation marks and backslashes, or a path that ends with one",
        )
    if path.exists():
        raise ProjectError(
            "PROJECT-EXISTS", "there is a project already", where=str(path), fix="choose another name, or edit it"
        )
    try:
        write_atomically(path, f"{SCHEMA_LINE}\n{_text(folder, preset, model, data, chosen, asked)}")
        write_schema_file(folder / SCHEMA_FILE)
    except OSError as error:
        what, fix = why_unwritable(path, error)
        raise ProjectError("PROJECT-WRITE", what, where=str(path), fix=fix) from error
    return path


def _check_model(model: Path, path: Path) -> None:
    """Refuse what no project could take as its model, before a project names it."""
    if not path.exists():
        raise ProjectError(
            "PROJECT-MODEL",
            "there is no such model file",
            where=f"--from {model}",
            fix="give a file of Keras (.keras, .h5, .json), or MODULE:FUNCTION",
        )
    read_keras_file(path)


def _text(
    folder: Path, preset: str | None, model: Path | None, data: Path | None, board: Board | None, task: TaskChoice
) -> str:
    source = source_at(data) if data is not None else None
    if data is not None and source == "folder":
        photos = look_at_photos(data)
        if preset is None:
            return photo_project_text(folder.name, folder, photos, data, board, model=model, task=task)
        if preset in _DATA_OF:
            raise ProjectError(
                "PROJECT-MODEL",
                f"the preset '{preset}' takes no photos",
                where="siliconv new",
                fix="leave --preset out: a network is made for the photos",
            )
    if data is not None and source is not None and preset is None and model is None:
        return array_project_text(folder.name, folder, look_at_arrays(data, source, task), data, source, board, task)
    lines = ("data:", f"  source: {source}", f"  path: {written_path(data, folder)}", "") if data is not None else None
    text = project_text(
        folder.name, preset or "digits", model=written_path(model, folder) if model else None, data=lines, task=task
    )
    return text + "\n".join(hardware_lines(board) if board is not None else _HARDWARE_OF.get(preset or "", ()))


_GENERATED = "# Generated; replace it by your own: source, path, x, y (docs/data.md)."
_DATA_OF = {
    "jets": (_GENERATED, "data:", "  source: generated", "  name: jets", ""),
    "calorimeter": (
        _GENERATED,
        "data:",
        "  source: generated",
        "  name: calorimeter",
        "  scale: 0.000244140625  # 12-bit samples as 0 to 1",
        "",
    ),
    "waveforms": (_GENERATED, "data:", "  source: generated", "  name: waveforms", ""),
    "autoencoder": (_GENERATED, "data:", "  source: generated", "  name: sounds", ""),
}
"""Lines of data for presets whose inputs are no images."""

_HARDWARE_OF = {
    "autoencoder": (
        "",
        "# 264,192 weights: so many products at once fit the board of the settings above.",
        "hls:",
        "  max_multipliers: 128",
        "",
    ),
}
"""Lines of hardware for presets that are too large for the defaults."""


def project_text(
    name: str,
    preset: str,
    *,
    model: str | None = None,
    data: Sequence[str] | None = None,
    task: TaskChoice = "auto",
) -> str:
    """Give the text of a project file with only the preset, or a model's file as it is written there, and the task set.

    `data` are the lines of its data, in place of those that the preset comes with.
    """
    given = _DATA_OF.get(preset, ()) if data is None else data
    lines = [f"# siliconv project '{name}'. Everything commented out shows its default.", ""]
    lines += [f"version: {VERSION}", "", "model:", f"  preset: {preset}" if model is None else f"  file: {model}", ""]
    lines += given
    for section, field in ProjectConfig.model_fields.items():
        if section in ("version", "model") or (section == "data" and given):
            continue
        stated = section == "task" and task != "auto"
        lines += [f"# {field.description}", f"task: {task}" if stated else f"# {section}:"]
        default = field.get_default(call_default_factory=True)
        if isinstance(default, BaseModel):
            lines += [f"#   {line}" for line in _field_lines(default)]
        lines.append("")
    return "\n".join(lines)


def _field_lines(section: BaseModel) -> Iterator[str]:
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        said = _with_choices(field.description or "", choices_of(type(section), name))
        comment = f"  # {said}" if said else ""
        if isinstance(value, BaseModel):
            yield f"{name}:{comment}"
            yield from (f"  {line}" for line in _field_lines(value))
        else:
            yield f"{name}: {_as_yaml(value)}{comment}"


def _with_choices(description: str, choices: Sequence[str]) -> str:
    """Give what a field means, and what it may be where that is not said already."""
    if all(re.search(rf"(?<![\w.-]){re.escape(one)}(?![\w-])", description) for one in choices):
        return description
    return "; ".join(filter(None, (description, f"choices: {', '.join(choices)}")))


def _as_yaml(value: Any) -> str:
    if value is PydanticUndefined or value is None:
        return "null"
    text = yaml.safe_dump(
        value if isinstance(value, int | float | bool | dict | list) else str(value), default_flow_style=True
    )
    return text.removesuffix("...\n").strip()
