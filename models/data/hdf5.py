"""Arrays in an HDF5 file, read from the file itself alone.

HDF5 can name other files: a data set may keep its bytes in any file of the disk (external storage), be put together
from others (virtual), or be reached by a link into another file. Read as they are, such files deliver whatever their
author wished to see, so all three are refused, and whatever else is no plain array of numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from siliconv.bounded_reading import UnreadableError

MOST_BYTES = 256 << 20
"""Of all weights of a model: ten times what the largest FPGA holds."""


class Arrays:
    """The arrays below a group, counted against `MOST_BYTES`."""

    def __init__(self, group: Any) -> None:
        self._group = group
        self._left = MOST_BYTES

    def read(self, path: str) -> np.ndarray:
        """Read the array of a path below the group.

        Raises
        ------
        UnreadableError
            For what is no array of finite numbers in this very file, or too much of it.
        """
        found = plain_numbers(self._group, path)
        self._left -= found.size * found.dtype.itemsize
        if self._left < 0:
            raise UnreadableError(f"its weights are more than {MOST_BYTES >> 20} MiB")
        values = np.asarray(found)
        if not np.all(np.isfinite(values)):
            raise UnreadableError(f"the array '{path}' holds numbers that are not finite (NaN or infinity)")
        return values


def plain_numbers(group: Any, path: str) -> Any:
    """Give the data set of numbers that a path below a group leads to, or raise `UnreadableError`."""
    import h5py

    found = member(group, path)
    if not isinstance(found, h5py.Dataset):
        raise UnreadableError(f"'{path}' is no array")
    if found.external or found.is_virtual:
        raise UnreadableError(f"the array '{path}' keeps its numbers in another file, which is not read")
    if found.dtype.kind not in "fiu":
        raise UnreadableError(f"the array '{path}' holds {found.dtype}, no numbers")
    return found


_MOST_TEXTS = 10_000_000
_LONGEST_TEXT = 200


def plain_texts(group: Any, path: str) -> np.ndarray | None:
    """Give the texts of a path below a group, (n,), such as names of classes; None where it leads to no texts.

    Raises
    ------
    UnreadableError
        For texts in another file, or too many or too long ones.
    """
    import h5py

    found = member(group, path)
    if not isinstance(found, h5py.Dataset) or h5py.check_string_dtype(found.dtype) is None or found.ndim != 1:
        return None
    if found.external or found.is_virtual:
        raise UnreadableError(f"the array '{path}' keeps its texts in another file, which is not read")
    if found.size > _MOST_TEXTS or found.dtype.itemsize > _LONGEST_TEXT:
        raise UnreadableError(f"the array '{path}' holds more than {_MOST_TEXTS:,} texts, or long ones")
    return np.array([str(text)[:_LONGEST_TEXT] for text in found.asstr("utf-8", "replace")[:]])


def arrays_below(group: Any, prefix: str = "") -> list[str]:
    """Give the paths of all arrays in this very file below a group, in their order; links are passed over."""
    import h5py

    found = []
    for name in group:
        if isinstance(group.get(name, getlink=True), h5py.HardLink):
            inner = group[name]
            if isinstance(inner, h5py.Group):
                found += arrays_below(inner, f"{prefix}{name}/")
            elif isinstance(inner, h5py.Dataset):
                found.append(f"{prefix}{name}")
    return found


def member(group: Any, path: str) -> Any:
    """Give what a path below a group leads to in this file, or raise `UnreadableError` or KeyError."""
    import h5py

    for part in filter(None, path.split("/")):
        link = group.get(part, getlink=True) if isinstance(group, h5py.Group) else None
        if link is None:
            raise UnreadableError(f"there is no '{path}' in it")
        if not isinstance(link, h5py.HardLink):
            raise UnreadableError(f"'{path}' is a link to another place, which is not followed")
        group = group[part]
    return group
