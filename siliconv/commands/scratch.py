"""One folder for all temporary files of a command, also those of libraries and of the programs that it starts."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PREFIX = "siliconv-run-"


@contextmanager
def scratch_folder() -> Iterator[Path | None]:
    """Have temporary files made in a folder that goes with the block; remove those of commands that were killed.

    Gives None, and changes nothing, where no folder can be made.
    """
    base = Path(tempfile.gettempdir())
    _remove_abandoned(base)
    before = tempfile.tempdir, os.environ.get("TMPDIR")
    try:
        folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=base))
    except OSError:
        yield None
        return
    tempfile.tempdir = os.environ["TMPDIR"] = str(folder)
    try:
        yield folder
    finally:
        tempfile.tempdir = before[0]
        if before[1] is None:
            os.environ.pop("TMPDIR", None)
        else:
            os.environ["TMPDIR"] = before[1]
        shutil.rmtree(folder, ignore_errors=True)


def _remove_abandoned(base: Path) -> None:
    """Remove this user's folders whose process is gone."""
    with contextlib.suppress(OSError):
        for folder in base.glob(f"{_PREFIX}*"):
            owner = re.fullmatch(rf"{_PREFIX}(\d+)-\w+", folder.name)
            if owner and not Path("/proc", owner[1]).exists() and folder.stat().st_uid == os.getuid():
                shutil.rmtree(folder, ignore_errors=True)
