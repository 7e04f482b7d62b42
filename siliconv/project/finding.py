"""Finding a project: a folder, or a name under ``firmware_projects/``; and why there is none."""

from __future__ import annotations

import difflib
import shlex
from pathlib import Path

from siliconv.errors import ProjectError
from siliconv.project.project import PROJECT_FILE, PROJECTS_FOLDER


def find_project(name: str, *, base: Path | None = None) -> Path:
    """Give the folder of a project: a path, or a name under ``firmware_projects/``.

    Raises
    ------
    ProjectError
        ``PROJECT-NOT-FOUND`` with the names that exist.
    """
    base = base or Path.cwd()
    candidates = [base / name, base / PROJECTS_FOLDER / name]
    for folder in candidates:
        if folder.name == PROJECT_FILE and folder.is_file():
            return folder.parent.resolve()
        if (folder / PROJECT_FILE).is_file():
            return folder.resolve()
    known = sorted(path.parent.name for path in (base / PROJECTS_FOLDER).glob(f"*/{PROJECT_FILE}"))
    others = f"use one of {', '.join(known)}, or " if known else ""
    place = next((folder for folder in candidates if folder.exists()), None)
    if place is not None and (place / PROJECT_FILE).is_dir():
        raise ProjectError(
            "PROJECT-NOT-FOUND",
            f"{PROJECT_FILE} is a folder, and a project file is wanted",
            where=str(place / PROJECT_FILE),
            fix=f"move it away, and make a project there: siliconv new {shlex.quote(_as_path(name))}",
        )
    if place is not None and not place.is_dir():
        raise ProjectError(
            "PROJECT-NOT-FOUND",
            "it is a file, and a project is a folder",
            where=str(place),
            fix=f"{others}name the folder that holds a {PROJECT_FILE}",
        )
    if place is not None:
        raise ProjectError(
            "PROJECT-NOT-FOUND",
            f"the folder holds no {PROJECT_FILE}",
            where=str(place),
            fix=f"{others}make a project there: siliconv new {shlex.quote(_as_path(name))}",
        )
    near = difflib.get_close_matches(name, known, n=1)
    raise ProjectError(
        "PROJECT-NOT-FOUND",
        f"no project '{name}'" + (f"; did you mean '{near[0]}'?" if near else ""),
        where=" or ".join(str(folder / PROJECT_FILE) for folder in candidates),
        fix=f"{others}make it: siliconv new {shlex.quote(name)}",
    )


def as_argument(folder: Path) -> str:
    """Write a project's folder as a command finds it from the current one: by its name where that is enough."""
    here, place = Path.cwd(), folder.resolve()
    if any((base / place.name).resolve() == place for base in (here, here / PROJECTS_FOLDER)):
        return shlex.quote(place.name)
    return shlex.quote(str(place.relative_to(here) if place.is_relative_to(here) else place))


def _as_path(name: str) -> str:
    """Write the name of a folder so that `siliconv new` makes the project in that folder."""
    return name if "/" in name else f"./{name}"
