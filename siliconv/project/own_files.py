"""Which files outside the stages a project has written itself: no other is overwritten unless the user says so."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

from siliconv.bounded_reading import UnreadableError, read_as
from siliconv.errors import ProjectError, of_system
from siliconv.project.atomic_write import write_atomically

WRITTEN_FILE = ".written.json"
"""In the build folder: SHA-256 of each file that was written for the user, by its whole path."""


def refuse_overwriting(path: Path, build: Path, *, overwrite: bool) -> None:
    """Raise `ProjectError` ``WRITE-EXISTS`` where a file lies at `path` that is not, byte for byte, our own."""
    if path.is_dir():
        raise ProjectError(
            "WRITE-EXISTS",
            "it is a folder, and a file is to be written",
            where=str(path),
            fix=f"name a file in it, such as {path / 'NAME'}",
        )
    try:
        if overwrite or not os.path.lexists(path):
            return
        own = path.is_file() and _known(build).get(str(path.resolve())) == _hash(path)
    except OSError as error:
        raise of_system(error, where=str(path)) from error
    if not own:
        raise ProjectError(
            "WRITE-EXISTS",
            "there is something already that siliconv did not write, or that was changed since",
            where=str(path),
            fix="choose another name, or add --overwrite",
        )


def remember_written(path: Path, build: Path) -> None:
    """Keep that a file was written here, so that it may be written again."""
    known = {name: digest for name, digest in _known(build).items() if Path(name).is_file()}
    known[str(path.resolve())] = _hash(path)
    write_atomically(build / WRITTEN_FILE, json.dumps(known, indent=1) + "\n")


def _known(build: Path) -> dict[str, str]:
    try:
        return read_as(build / WRITTEN_FILE, dict[str, str])
    except UnreadableError:
        return {}


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
