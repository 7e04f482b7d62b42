"""Processes that end when the one that started them does, whatever it died of."""

from __future__ import annotations

import ctypes
import os
import signal
import threading
import time

_PR_SET_PDEATHSIG = 1
_SECONDS_BETWEEN_LOOKS = 0.25


def end_with_parent(parent: int) -> None:
    """Watch for the end of the parent, and end then; to be called at the start of a process.

    It looks from a thread: the kernel's own signal comes when the thread ends that started this process, and pools
    start processes from threads of their own.
    """
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def end_by_signal(parent: int) -> None:
    """Have the kernel send SIGTERM at the parent's end; for a process that the parent's main thread waits for."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:  # it ended before
        os._exit(128 + signal.SIGTERM)


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_SECONDS_BETWEEN_LOOKS)
    os._exit(128 + signal.SIGTERM)
