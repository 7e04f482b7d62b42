"""The log of a run: a file of its own in ``build/logs``, with the lines of the screen and what libraries say."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from siliconv import __version__
from siliconv.progress import PlainLines

MOST_LOGS = 50
"""Older ones go."""


class RunLog:
    """An open log file, or none where the folder can't be written: a log is no reason to stop."""

    def __init__(self, file: TextIO | None) -> None:
        self._file = file
        self.progress = PlainLines(file) if file is not None else None

    def write(self, line: str) -> None:
        """Append a line."""
        if self._file is not None:
            self._file.write(f"{line}\n")
            self._file.flush()


@contextmanager
def run_log(build: Path, command: str) -> Iterator[RunLog]:
    """Keep a log while a block runs; an exception's message is its last line.

    Parameters
    ----------
    build
        The project's build folder.
    command
        The command line, for the first line.
    """
    file: TextIO | None = None
    with suppress(OSError):
        folder = build / "logs"
        folder.mkdir(parents=True, exist_ok=True)
        for old in sorted(folder.glob("*.log"))[: -MOST_LOGS + 1]:
            old.unlink()
        file = (folder / f"{time.strftime('%Y%m%d-%H%M%S')}.log").open("a", encoding="utf-8")
    if file is None:
        yield RunLog(None)
        return
    handler = logging.StreamHandler(file)
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
    logging.getLogger().addHandler(handler)
    log = RunLog(file)
    log.write(f"siliconv {__version__}: {command}")
    try:
        yield log
    except BaseException as error:
        log.write(f"ended by {type(error).__name__}: {error}")
        raise
    finally:
        logging.getLogger().removeHandler(handler)
        file.close()
