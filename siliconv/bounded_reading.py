"""Files that somebody else may have written, read within bounds: of size, of depth, of numbers; all that is wrong with
one is said in one kind of error.
"""

from __future__ import annotations

import json
import math
import os
import zipfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import IO, Annotated, Any, TypeVar

import numpy as np
from pydantic import AfterValidator, ConfigDict, PydanticUserError, TypeAdapter, ValidationError

from siliconv.errors import DAMAGE

Kind = TypeVar("Kind")

TEXT_BYTES = 16 << 20
"""Of a JSON file or another text that is read as a whole."""

FREE_BYTES, MOST_COMPRESSION = 256 << 20, 100
"""An archive may unpack to so many bytes, and to more where it is no more than so much larger than its file."""

SECTION = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, str_max_length=4096)
"""How a section of a project file is read: no field that is not known, no number that is none, no text without end."""


def _path_in_bounds(path: Path) -> Path:
    text = str(path)
    if "\0" in text or len(os.fsencode(text)) > 4095 or any(len(os.fsencode(part)) > 255 for part in path.parts):
        raise ValueError("a path has names of at most 255 bytes, 4095 in all, and no NUL")
    return path


BoundedPath = Annotated[Path, AfterValidator(_path_in_bounds)]
"""A path that the system can look for."""


class UnreadableError(ValueError):
    """A file that can't be read as what it should be; the text says what is wrong with it."""


def in_words(error: BaseException) -> str:
    """Give what went wrong in a line, without addresses of other people's pages."""
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        return f"{place}: {first['msg']}" if place else str(first["msg"])
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, MemoryError):
        return "it takes more memory than there is"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, KeyError):
        return f"it has no {error}"
    return " ".join(str(error).split())[:300] or type(error).__name__


def ordinary(path: Path) -> Path:
    """Give a path back, or raise `UnreadableError` where a device or a pipe is there: those may never end."""
    if path.exists() and not path.is_file():
        raise UnreadableError("it is a folder" if path.is_dir() else "it is no ordinary file")
    return path


def read_text(path: Path, *, most: int = TEXT_BYTES) -> str:
    """Read a text file of at most `most` bytes, or raise `UnreadableError`."""
    try:
        with ordinary(path).open("rb") as file:
            content = file.read(most + 1)
        if len(content) > most:
            raise UnreadableError(f"it has more than {most >> 20} MiB")
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UnreadableError("it is no UTF-8 text") from error
    except UnreadableError:
        raise
    except (OSError, ValueError) as error:
        raise UnreadableError(in_words(error)) from error


def parse_json(text: str | bytes, *, finite: bool = True) -> Any:
    """Parse JSON, or raise `UnreadableError`; NaN and infinity are no numbers where they are to be finite."""
    try:
        return json.loads(text, parse_constant=_refused if finite else None, parse_float=_finite if finite else None)
    except UnreadableError:
        raise
    except DAMAGE as error:
        raise UnreadableError(f"it is no JSON: {in_words(error)}") from error


def read_json(path: Path, *, most: int = TEXT_BYTES, finite: bool = True) -> Any:
    """Read a JSON file, or raise `UnreadableError`."""
    return parse_json(read_text(path, most=most), finite=finite)


def read_as(path: Path, kind: type[Kind], *, most: int = TEXT_BYTES, finite: bool = True) -> Kind:
    """Read a JSON file as a type (a dataclass, a TypedDict, a model), or raise `UnreadableError`."""
    return as_kind(read_json(path, most=most, finite=finite), kind)


def as_kind(content: Any, kind: type[Kind]) -> Kind:
    """Give parsed JSON as a type, or raise `UnreadableError` with the first field that is wrong."""
    try:
        adapter: Any = kind
        found: Kind = _adapter(adapter).validate_python(content)
    except DAMAGE as error:
        raise UnreadableError(in_words(error)) from error
    return found


def read_arrays(path: Path, *, names: Iterable[str] | None = None) -> dict[str, np.ndarray]:
    """Read the arrays of an npz, or raise `UnreadableError`.

    Nothing in it is executed, and nothing is unpacked that is out of all proportion to the file, or that a header
    announces and the file does not hold.
    """
    try:
        with zipfile.ZipFile(ordinary(path)) as archive:
            check_archive(archive, path.stat().st_size)
            arrays = {}
            for member in archive.infolist():
                name = member.filename.removesuffix(".npy")
                if member.filename.endswith(".npy") and (names is None or name in names):
                    with archive.open(member) as file:
                        arrays[name] = read_array(file, member.file_size)
            return arrays
    except UnreadableError:
        raise
    except DAMAGE as error:
        raise UnreadableError(in_words(error)) from error


def check_archive(archive: zipfile.ZipFile, size: int) -> None:
    """Refuse an archive that would unpack to more than memory should be asked for."""
    unpacked = sum(member.file_size for member in archive.infolist())
    if unpacked > max(FREE_BYTES, MOST_COMPRESSION * size):
        raise UnreadableError(f"{size:,} bytes would unpack to {unpacked:,}: store it uncompressed")


def read_array(file: IO[bytes], size: int) -> np.ndarray:
    """Read an npy of `size` bytes, or raise what is in `DAMAGE`; no objects, and no more than its bytes hold."""
    shape, fortran, dtype = read_header(file)
    count = math.prod(shape)
    if dtype.itemsize == 0 or min(shape, default=0) < 0 or count * dtype.itemsize > size:
        raise UnreadableError(f"an array of shape {shape} is announced in {size:,} bytes")
    content = file.read(count * dtype.itemsize)
    values = np.frombuffer(content, dtype, count) if content else np.empty(0, dtype)
    shaped = values.reshape(shape[::-1]).T if fortran else values.reshape(shape)
    return shaped.copy()


def read_header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Read shape, order (whether columns come first) and type of an npy, or raise what is in `DAMAGE`; no objects."""
    version = np.lib.format.read_magic(file)
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    if version not in readers:
        raise UnreadableError(f"its arrays are of version {version}")
    shape, fortran, dtype = readers[version](file, max_header_size=10_000)
    if dtype.hasobject:
        raise UnreadableError("it holds Python objects, which are not read")
    return shape, fortran, dtype


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    try:
        return TypeAdapter(kind, config=ConfigDict(strict=False, arbitrary_types_allowed=True))
    except PydanticUserError:  # a model brings a configuration of its own
        return TypeAdapter(kind)


def _refused(name: str) -> Any:
    raise UnreadableError(f"{name} is no number that means anything here")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise UnreadableError(f"{text[:40]} is no finite number")
    return value
