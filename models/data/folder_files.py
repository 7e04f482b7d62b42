"""The files below a folder, one at a time and in a fixed order."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path


def files_below(folder: Path) -> Iterator[str]:
    """Yield the regular files below a folder as relative paths with ``/``, sorted folder by folder.

    `Path.rglob` keeps every path it has yielded; for large sets of images that is most of the memory.
    """
    for place, folders, names in os.walk(folder):
        folders.sort()
        inside = os.path.relpath(place, folder).replace(os.sep, "/")
        for name in sorted(names):
            if Path(place, name).is_file():
                yield name if inside == "." else f"{inside}/{name}"
