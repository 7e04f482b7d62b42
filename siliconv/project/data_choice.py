"""The data given with ``--data``: they take the place of the project's data until ``--data none`` ends it."""

from __future__ import annotations

import json
from pathlib import Path

from siliconv.bounded_reading import UnreadableError, read_as
from siliconv.errors import DataError
from siliconv.models.data.data_config import FILES_OF_DATA, SourceKind, source_of
from siliconv.project.atomic_write import write_atomically
from siliconv.project.project import ProjectConfig

CHOICE_FILE = ".data_choice.json"
NONE = "none"
"""What ends it, unless there is a folder of that name."""


def apply_data_choice(project: ProjectConfig, build: Path, folder: Path | None) -> tuple[ProjectConfig, str | None]:
    """Give the project with the folder or file of this or an earlier ``--data``, and a line that says so.

    The folder ``none`` forgets what was given before.

    Raises
    ------
    DataError
        ``DATA-MISSING`` for no folder, and no file of a known kind.
    """
    path = build / CHOICE_FILE
    if ends_choice(folder):
        path.unlink(missing_ok=True)
        return project, "data: those of the project file again"
    if folder is not None:
        source_at(folder)
        return with_chosen_data(project, folder), None
    if not path.exists():
        return project, None
    remembered = chosen_data(build)
    if remembered is None:
        return project, f"data: what was given with --data before can't be read any more; {path} is passed over"
    line = f"data: {remembered}, as given with --data, in place of the project file's; --data none ends that"
    return with_chosen_data(project, remembered), line


def source_at(path: Path) -> SourceKind:
    """Give what lies at a path that a command was given with ``--data``.

    Raises
    ------
    DataError
        ``DATA-MISSING`` for nothing, and for a file of no known kind.
    """
    found = source_of(path)
    if found is None:
        raise DataError(
            "DATA-MISSING",
            f"a file of this kind ({path.suffix or 'no ending'}) is not read as data"
            if path.exists()
            else "no such folder of images, and no file of arrays",
            where=f"--data {path}",
            fix=f"give a folder with one folder a class, or a file ({FILES_OF_DATA})",
        )
    return found


def chosen_data(build: Path) -> Path | None:
    """Give the folder or file that was given with ``--data`` and not ended since."""
    try:
        return Path(read_as(build / CHOICE_FILE, dict[str, str])["folder"])
    except (UnreadableError, KeyError):
        return None


def ends_choice(folder: Path | None) -> bool:
    """Whether ``--data none`` was given."""
    return folder is not None and str(folder) == NONE and not folder.is_dir()


def remember_data_choice(build: Path, folder: Path) -> None:
    """Keep what was prepared without error for the next commands."""
    write_atomically(build / CHOICE_FILE, json.dumps({"folder": str(folder.resolve())}))


def with_chosen_data(project: ProjectConfig, path: Path) -> ProjectConfig:
    """Give the project with a folder of images or a file of arrays in place of its data.

    What the project says of the arrays in its own file holds for another of the same kind.
    """
    source = source_of(path) or "folder"
    named = {} if source == project.data.source else {"x": None, "y": None}
    data = project.data.model_copy(
        update={"source": source, "path": path.resolve(), "name": None, "label": None, **named}
    )
    return project.model_copy(update={"data": data, "model": project.model.with_data(data)})
