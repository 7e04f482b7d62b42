"""The folder given with ``--data``: it takes the place of the project's data until ``--data none`` ends it."""

from __future__ import annotations

import json
from pathlib import Path

from siliconv.bounded_reading import UnreadableError, read_as
from siliconv.errors import DataError
from siliconv.project.atomic_write import write_atomically
from siliconv.project.project import ProjectConfig

CHOICE_FILE = ".data_choice.json"
NONE = "none"
"""What ends it, unless there is a folder of that name."""


def apply_data_choice(project: ProjectConfig, build: Path, folder: Path | None) -> tuple[ProjectConfig, str | None]:
    """Give the project with the data folder of this or an earlier ``--data``, and a line that says so.

    The folder ``none`` forgets what was given before.

    Raises
    ------
    DataError
        ``DATA-MISSING`` if the folder given does not exist.
    """
    path = build / CHOICE_FILE
    if ends_choice(folder):
        path.unlink(missing_ok=True)
        return project, "data: those of the project file again"
    if folder is not None:
        if not folder.is_dir():
            raise DataError(
                "DATA-MISSING",
                "no such folder of images",
                where=str(folder),
                fix="give a folder with one folder a class",
            )
        return with_data_folder(project, folder), None
    if not path.exists():
        return project, None
    remembered = chosen_data(build)
    if remembered is None:
        return project, f"data: what was given with --data before can't be read any more; {path} is passed over"
    line = f"data: {remembered}, as given with --data, in place of the project file's; --data none ends that"
    return with_data_folder(project, remembered), line


def chosen_data(build: Path) -> Path | None:
    """Give the folder that was given with ``--data`` and not ended since."""
    try:
        return Path(read_as(build / CHOICE_FILE, dict[str, str])["folder"])
    except (UnreadableError, KeyError):
        return None


def ends_choice(folder: Path | None) -> bool:
    """Whether ``--data none`` was given."""
    return folder is not None and str(folder) == NONE and not folder.is_dir()


def remember_data_choice(build: Path, folder: Path) -> None:
    """Keep a folder that was prepared without error for the next commands."""
    write_atomically(build / CHOICE_FILE, json.dumps({"folder": str(folder.resolve())}))


def with_data_folder(project: ProjectConfig, folder: Path) -> ProjectConfig:
    """Give the project with any folder of images in place of its data."""
    data = project.data.model_copy(
        update={"source": "folder", "path": folder.resolve(), "name": None, "label": None, "x": None, "y": None}
    )
    return project.model_copy(update={"data": data, "model": project.model.with_data(data)})
