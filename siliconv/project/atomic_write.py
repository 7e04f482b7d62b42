"""Files that are there whole or not at all, whenever a run is killed, and why a file can't be written."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from siliconv.errors import ProjectError, of_system

_OF_A_PLACE = frozenset(
    {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENOTEMPTY}
)
"""Numbers of the errors that say no more than that nothing can be written at this place."""


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write a file whole or not at all; a failure leaves nothing behind."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.parent / f".{path.name}.{os.getpid()}"
    try:
        temporary.write_bytes(content.encode() if isinstance(content, str) else content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_named(path: Path, content: str | bytes) -> None:
    """Write a file where the user asked for it, or raise `ProjectError` ``WRITE-PLACE``."""
    try:
        write_atomically(path, content)
    except OSError as error:
        what, fix = why_unwritable(path, error)
        raise ProjectError("WRITE-PLACE", what, where=str(path), fix=fix) from error


def why_unwritable(path: Path, error: OSError) -> tuple[str, str]:
    """Give why a file can't be written at a path, and what to do, in the terms of that path.

    Parameters
    ----------
    path
        The file that was to be written.
    error
        What the system said; it may name a temporary file, and its words alone seldom help.
    """
    if path.is_dir():
        return "it is a folder, and a file is to be written", f"name a file in it, such as {path / 'NAME'}"
    if error.errno not in _OF_A_PLACE:
        refused = of_system(error, where=str(path))
        return f"cannot write: {refused.what}", refused.fix
    there = next(one for one in (path, *path.parents, Path.cwd()) if os.path.lexists(one))
    if there == path:
        return (
            f"cannot write: {error.strerror}",
            "make the file and its folder writable for you, or choose another name",
        )
    if not there.is_dir():
        return f"{there} is no folder, so nothing can lie below it", "choose a place in a folder"
    return f"nothing can be written in {there.absolute()}", "choose a place in a folder where you may write"
