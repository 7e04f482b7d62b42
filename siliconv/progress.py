"""Progress of long work: a bar with rate and time left on a terminal, plain lines on a pipe, else silence."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, TextIO

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as RichProgress
from rich.text import Text

SECONDS_BETWEEN_LINES = 10.0


class Progress(Protocol):
    """What long-running functions report to.

    `begin` starts an activity of `total` units, `done` of them by an earlier run; `update` says how many are done
    (and may show a note, such as the loss of the last epoch), `say` prints one line that stays.
    """

    def begin(self, activity: str, total: int, unit: str, done: int = 0) -> None: ...

    def update(self, done: int, note: str = "") -> None: ...

    def end(self) -> None: ...

    def say(self, line: str) -> None: ...


class Silent:
    """The default of every function: reports nothing."""

    def begin(self, activity: str, total: int, unit: str, done: int = 0) -> None:
        """Report nothing."""

    def update(self, done: int, note: str = "") -> None:
        """Report nothing."""

    def end(self) -> None:
        """Report nothing."""

    def say(self, line: str) -> None:
        """Report nothing."""


class PlainLines:
    """For pipes and logs: a line when an activity begins, one every ten seconds, and one at its end."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream if stream is not None else sys.stderr
        self._activity, self._unit, self._note = "", "", ""
        self._total = self._done = self._first = 0
        self._started = self._last_line = 0.0

    def begin(self, activity: str, total: int, unit: str, done: int = 0) -> None:
        """Start an activity of `total` units."""
        self._activity, self._total, self._unit, self._note = activity, total, unit, ""
        self._done = self._first = done
        self._started = self._last_line = time.monotonic()
        self.say(f"{activity} ({total} {unit})")

    def update(self, done: int, note: str = "") -> None:
        """Say how many units are done."""
        self._done, self._note = done, note or self._note
        now = time.monotonic()
        if now - self._last_line >= SECONDS_BETWEEN_LINES and done < self._total:
            self._last_line = now
            rate = (done - self._first) / max(now - self._started, 1e-9)
            left = (self._total - done) / rate if rate > 0 else 0.0
            self.say(self._line(f"{_rate(rate, self._unit)}, {_duration(left)} left"))

    def end(self) -> None:
        """Close the activity with its total time."""
        self.say(self._line(_duration(time.monotonic() - self._started)))

    def say(self, line: str) -> None:
        """Print one line."""
        print(f"  {line}", file=self._stream, flush=True)

    def _line(self, timing: str) -> str:
        note = f", {self._note}" if self._note else ""
        return f"{self._activity}: {self._done}/{self._total} {self._unit}, {timing}{note}"


class _RateColumn(ProgressColumn):
    """Units a second, or seconds a unit where that is easier to read."""

    def render(self, task: Task) -> Text:
        """Return the rate, or nothing before there is one."""
        done = task.completed - task.fields["first"]
        elapsed = task.finished_time or task.elapsed
        return Text(_rate(done / elapsed, task.fields["unit"]) if done > 0 and elapsed else "", style="cyan")


class Bars:
    """For terminals: one live bar an activity, with count, rate and time left."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console if console is not None else Console(stderr=True)
        self._bar: RichProgress | None = None
        self._task: TaskID | None = None

    def begin(self, activity: str, total: int, unit: str, done: int = 0) -> None:
        """Start an activity of `total` units."""
        self.end()
        self._bar = RichProgress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[unit]}"),
            _RateColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("[dim]{task.fields[note]}"),
            console=self._console,
        )
        self._bar.start()
        self._task = self._bar.add_task(activity, total=total, unit=unit, completed=done, note="", first=done)

    def update(self, done: int, note: str = "") -> None:
        """Say how many units are done."""
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=done)
            if note:
                self._bar.update(self._task, note=note)

    def end(self) -> None:
        """Close the activity; its bar stays on the screen."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = self._task = None

    def say(self, line: str) -> None:
        """Print one line above the bar."""
        self._console.print(f"  {line}", highlight=False)


@contextmanager
def activity(progress: Progress, name: str, total: int, unit: str, done: int = 0) -> Iterator[Progress]:
    """Run a block as one activity that is closed also when the block fails."""
    progress.begin(name, total, unit, done)
    try:
        yield progress
    finally:
        progress.end()


def for_terminal() -> Progress:
    """Choose bars on a terminal and plain lines on a pipe."""
    return Bars() if sys.stderr.isatty() else PlainLines()


def _rate(rate: float, unit: str) -> str:
    singular = unit[:-1] if unit.endswith("s") else unit
    return f"{rate:.1f} {unit}/s" if rate >= 1 else f"{1 / max(rate, 1e-9):.1f} s/{singular}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{seconds:.1f} s"
