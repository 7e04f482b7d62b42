"""What in a build folder is not what the stages left there, and whose fault a failure is then."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from siliconv.bounded_reading import UnreadableError, in_words, read_as
from siliconv.errors import ProjectError, SiliconvError
from siliconv.flow.output_state import content_hash

RECORDS = ".stages"
"""Folder of the stages' records in a build folder."""

LOGS = "logs"
"""Folder of what runs said, which speaks for no stage."""

_SHOWN = 4
_OF_THE_FILES = {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP}


@dataclass(frozen=True)
class _Outputs:
    """The part of a record that says what a stage left: SHA-256 by path in the build folder."""

    outputs: dict[str, str]


def altered_files(build: Path) -> tuple[str, ...]:
    """Give the outputs of finished stages that are missing or hold other bytes, and records that can't be read.

    A build without records was not made here, or not to an end.
    """
    made = build.is_dir() and any(path.name != LOGS for path in build.iterdir())
    found = [RECORDS] if made and not (build / RECORDS).is_dir() else []
    for record in sorted((build / RECORDS).glob("*.json")):
        try:
            outputs = read_as(record, _Outputs).outputs
        except UnreadableError:
            found.append(record.relative_to(build).as_posix())
            continue
        for relative, digest in outputs.items():
            try:
                same = content_hash(build / relative) == digest
            except OSError:
                same = False
            if not same:
                found.append(relative)
    return tuple(found)


@contextmanager
def build_as_written(build: Path) -> Iterator[None]:
    """Say of a failure in the block that the build folder was altered, where it was.

    Raises
    ------
    ProjectError
        ``BUILD-DAMAGED`` with the files that are not what the stages left.
    """
    try:
        yield
    except SiliconvError:
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None and error.errno not in _OF_THE_FILES:
            raise
        altered = altered_files(build)
        if not altered:
            raise
        raise damaged(build, altered, error) from error


def damaged(build: Path, files: tuple[str, ...], error: Exception) -> ProjectError:
    """Give the error about files of a build that can't be worked with."""
    more = f" and {len(files) - _SHOWN} more" if len(files) > _SHOWN else ""
    return ProjectError(
        "BUILD-DAMAGED",
        f"files of the build are not what siliconv wrote, and can't be worked with: {in_words(error)}",
        where=f"{build}: {', '.join(files[:_SHOWN])}{more}",
        fix="put them back, or have everything written again: siliconv run PROJECT --force",
    )
