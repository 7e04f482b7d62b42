"""Arrays of one entry an example, in memory or on disk, read a few examples at a time."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from siliconv.bounded_reading import FREE_BYTES, MOST_COMPRESSION, UnreadableError, in_words, ordinary, read_header
from siliconv.errors import DAMAGE
from siliconv.models.data.hdf5 import plain_numbers

BLOCK_BYTES = 8 << 20
"""Of the values that are read at once."""
_MOST_UNPACKED = 1100
"""Times the bytes that are stored: deflate reaches 1,032; what announces more holds nothing but its fill value."""


class Column(Protocol):
    """One entry an example."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Examples first."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """As it is stored."""

    def read(self, start: int, stop: int) -> np.ndarray:
        """Read these examples, or raise `UnreadableError`."""


class InMemory:
    """An array."""

    def __init__(self, values: np.ndarray) -> None:
        self._values = values

    @property
    def shape(self) -> tuple[int, ...]:
        """Examples first."""
        return self._values.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """As it is stored."""
        return self._values.dtype

    def read(self, start: int, stop: int) -> np.ndarray:
        """Give these examples."""
        return self._values[start:stop]


class NpyFile:
    """An array in an ``.npy`` file; what is read of it at a time is all that is in memory.

    Raises
    ------
    UnreadableError
        For what is no such file, holds objects, or is shorter than it says.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            with ordinary(path).open("rb") as file:
                self.shape, fortran, self.dtype = read_header(file)
                self._start = file.tell()
            size = path.stat().st_size - self._start
        except DAMAGE as error:
            raise UnreadableError(in_words(error)) from error
        self._entry = math.prod(self.shape[1:]) * self.dtype.itemsize
        if self.shape and size < self.shape[0] * self._entry:
            raise UnreadableError(f"an array of shape {self.shape} is announced in {size:,} bytes")
        if fortran and len(self.shape) > 1:
            raise UnreadableError("it is stored column by column: save numpy.ascontiguousarray(values)")

    def read(self, start: int, stop: int) -> np.ndarray:
        """Read these examples."""
        count = (stop - start) * math.prod(self.shape[1:])
        values = np.fromfile(self._path, self.dtype, count, offset=self._start + start * self._entry)
        if len(values) != count:
            raise UnreadableError("it became shorter while it was read")
        return values.reshape(stop - start, *self.shape[1:])


class Hdf5Column:
    """A data set of numbers in an HDF5 file, in that file itself.

    Raises
    ------
    UnreadableError
        For what is no plain array of numbers of this very file, announces more than it holds, or is packed in
        pieces too large for memory.
    """

    def __init__(self, file: Any, path: str) -> None:
        self._found = plain_numbers(file, path)
        self._stored, announced = self._found.id.get_storage_size(), self._found.size * self._found.dtype.itemsize
        if announced > max(FREE_BYTES, _MOST_UNPACKED * self._stored):
            raise UnreadableError(f"'{path}' announces {announced:,} bytes and holds {self._stored:,}")
        if math.prod(self._found.chunks or ()) * self._found.dtype.itemsize > FREE_BYTES:
            raise UnreadableError(f"'{path}' is stored in chunks of {self._found.chunks}: write it with smaller ones")
        self.shape: tuple[int, ...] = tuple(self._found.shape)
        self.dtype: np.dtype[Any] = self._found.dtype

    def read(self, start: int, stop: int) -> np.ndarray:
        """Read these examples."""
        size = (stop - start) * math.prod(self.shape[1:]) * self.dtype.itemsize
        if size > max(FREE_BYTES, MOST_COMPRESSION * self._stored):
            raise UnreadableError(f"{self._stored:,} bytes would unpack to {size:,} at once: store it uncompressed")
        try:
            return np.asarray(self._found[start:stop])
        except DAMAGE as error:
            raise UnreadableError(in_words(error)) from error


class Beside:
    """Columns of the same examples beside each other, each entry flattened: rows of several inputs."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns = columns
        values = sum(math.prod(column.shape[1:]) for column in columns)
        self.shape: tuple[int, ...] = (columns[0].shape[0], values)
        self.dtype: np.dtype[Any] = np.result_type(*(column.dtype for column in columns))

    def read(self, start: int, stop: int) -> np.ndarray:
        """Read these examples."""
        parts = [column.read(start, stop) for column in self._columns]
        return np.concatenate([part.reshape(len(part), -1).astype(self.dtype, copy=False) for part in parts], axis=1)


class Rows:
    """The examples of several columns one after the other, each of one shape.

    Parameters
    ----------
    columns
        Parts of a source, such as its splits.
    shape
        Of one example; entries are brought to it where it only adds or removes axes of one.
    """

    def __init__(self, columns: Sequence[Column], shape: tuple[int, ...]) -> None:
        self._columns = columns
        self.shape = shape
        self._starts = np.concatenate([[0], np.cumsum([column.shape[0] for column in columns])]).astype(np.int64)

    def __len__(self) -> int:
        return int(self._starts[-1])

    @property
    def whole(self) -> bool:
        """Whether all of it is stored as whole numbers."""
        return all(column.dtype.kind in "biu" for column in self._columns)

    def blocks(self, chosen: np.ndarray) -> Iterator[np.ndarray]:
        """Yield the examples of these ascending numbers, some at a time, (n, *shape)."""
        size = max(1, math.prod(self.shape)) * max(column.dtype.itemsize for column in self._columns)
        most = max(1, BLOCK_BYTES // size)
        for number, column in enumerate(self._columns):
            first, last = np.searchsorted(chosen, self._starts[number : number + 2])
            inside = chosen[first:last] - self._starts[number]
            for start in range(0, column.shape[0], most):
                stop = min(start + most, column.shape[0])
                low, high = np.searchsorted(inside, (start, stop))
                if low < high:
                    values = column.read(start, stop)[inside[low:high] - start]
                    yield values.reshape(len(values), *self.shape)


def fits(stored: Sequence[int], shape: Sequence[int]) -> bool:
    """Say whether an entry of one shape is one of another but for axes of one."""
    return [size for size in stored if size != 1] == [size for size in shape if size != 1]
