"""The version of a project file: older files are read as what they mean today, newer ones are refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from siliconv.errors import ProjectError

VERSION = 1
"""Of the project files that this siliconv writes. A file that says none is of version 0."""

Content = dict[str, Any]


def _said_no_version(content: Content) -> Content:
    """Version 1 only says that it is one: every field of version 0 means what it did."""
    return content


_MIGRATIONS: Mapping[int, Callable[[Content], Content]] = {0: _said_no_version}
"""From each older version to the next."""


def migrated(content: Content, path: Path) -> Content:
    """Give the content of a project file as the present version would say it.

    Parameters
    ----------
    content
        What the file says.
    path
        The file, for people.

    Raises
    ------
    ProjectError
        ``PROJECT-VERSION`` for a file of a newer siliconv, or a version that is no number.
    """
    version = content.get("version", 0)
    if type(version) is not int or not 0 <= version <= VERSION:
        newer = type(version) is int and version > VERSION
        raise ProjectError(
            "PROJECT-VERSION",
            f"version {version!r}; this siliconv reads project files up to version {VERSION}",
            where=f"{path}, field version",
            fix="update siliconv" if newer else f"write version: {VERSION}",
        )
    for older in range(version, VERSION):
        content = _MIGRATIONS[older](content)
    return {**content, "version": VERSION}
