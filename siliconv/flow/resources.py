"""Time and peak memory of a piece of work, its child processes included."""

from __future__ import annotations

import threading
import time
from types import TracebackType

import psutil

SECONDS_BETWEEN_SAMPLES = 0.2
MIB = 1 << 20


class Meter:
    """Measures the block it is the context of: `seconds`, and `peak_mib` of resident memory, children included."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.peak_mib = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Meter:
        self._started = time.monotonic()
        self._sample()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        self._sample()
        self.seconds = time.monotonic() - self._started

    def _watch(self) -> None:
        while not self._stop.wait(SECONDS_BETWEEN_SAMPLES):
            self._sample()

    def _sample(self) -> None:
        process = psutil.Process()
        total = 0
        for each in (process, *process.children(recursive=True)):
            try:
                total += each.memory_info().rss
            except psutil.Error:  # the child ended meanwhile
                continue
        self.peak_mib = max(self.peak_mib, total / MIB)
