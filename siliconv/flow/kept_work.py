"""The user's own work in the build folder: what was added or edited there is moved aside before a stage writes anew."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from itertools import count
from pathlib import Path

from siliconv.flow.output_state import content_hash

KEPT = "kept"


def keep_work(
    build: Path, output: str, new: Path, recorded: Mapping[str, str], regrown: Sequence[str] = ()
) -> tuple[Path, tuple[str, ...]] | None:
    """Move what is not the stage's own from an old output to a folder of its own, ``build/kept-1`` and so on.

    Parameters
    ----------
    build
        The build folder.
    output
        The file or folder in it that will be replaced.
    new
        What it will be replaced by: what is the same there needs no keeping.
    recorded
        SHA-256 of what the stage itself left, by path in the build folder.
    regrown
        Patterns of what grows there again by itself, below the output: compiled files, caches.

    Returns
    -------
    The folder and the paths in it, or None where there was nothing to keep.
    """
    old = build / output
    if old.is_symlink() or old.is_file():
        found = [old]
    else:
        found = sorted(path for path in old.rglob("*") if path.is_symlink() or path.is_file())
    own = [path for path in found if _is_own_work(path, build, old, new, recorded, regrown)]
    if not own:
        return None
    folder = next(path for number in count(1) if not (path := build / f"{KEPT}-{number}").exists())
    names = tuple(path.relative_to(build).as_posix() for path in own)
    for path, name in zip(own, names, strict=True):
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(path, place)
    return folder, names


def _is_own_work(
    path: Path, build: Path, old: Path, new: Path, recorded: Mapping[str, str], regrown: Sequence[str]
) -> bool:
    if path.is_symlink():
        return True
    below = path.relative_to(old).as_posix()
    if any(fnmatchcase(below, pattern) for pattern in regrown):
        return False
    digest = content_hash(path)
    if recorded.get(path.relative_to(build).as_posix()) == digest:
        return False
    again = new / below if path != old else new
    return not (again.is_file() and content_hash(again) == digest)
