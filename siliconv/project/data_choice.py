"""The folder given with ``--data``: it takes the place of the project's data until another one is given."""

from __future__ import annotations

import json
from pathlib import Path

from siliconv.bounded_reading import UnreadableError, read_as
from siliconv.errors import DataError
from siliconv.project.atomic_write import write_atomically
from siliconv.project.project import ProjectConfig, with_data_folder

CHOICE_FILE = ".data_choice.json"


def apply_data_choice(project: ProjectConfig, build: Path, folder: Path | None) -> tuple[ProjectConfig, str | None]:
    """Give the project with the data folder of this or an earlier ``--data``, and a line that says so.

    Raises
    ------
    DataError
        ``DATA-MISSING`` if the folder given does not exist.
    """
    path = build / CHOICE_FILE
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
    try:
        remembered = Path(read_as(path, dict[str, str])["folder"])
    except (UnreadableError, KeyError):
        return project, f"data: what was given with --data before can't be read any more; {path} is passed over"
    return with_data_folder(
        project, remembered
    ), f"data: {remembered}, as given with --data before (forget it: rm {path})"


def remember_data_choice(build: Path, folder: Path) -> None:
    """Keep a folder that was prepared without error for the next commands."""
    write_atomically(build / CHOICE_FILE, json.dumps({"folder": str(folder.resolve())}))
