"""Progress of long work: a bar with rate and time left on a terminal, plain lines on a pipe, else silence."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol, TextIO

from rich.console import Console, RenderableType
from rich.progress import Progress as RichProgress
from rich.progress import Task, TaskID
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

SECONDS_BETWEEN_LINES = 10.0

_SECONDS_OF_A_PACE, _PART_OF_A_PACE = 2.0, 0.05


class Progress(Protocol):
    """What long-running functions report to.

    `begin` starts an activity of `total` units, `done` of them by an earlier run, or, without a unit, one of unknown
    length; `update` says how many are done (and may show a note, such as the loss of the last epoch), `say` prints one
    line that stays.
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


class Pace:
    """How fast an activity goes, once that says something about the rest of it.

    The first unit holds what comes once, such as compiling the training step. So the rate is counted from the first
    report on, after some seconds; before that only where a good part of the work is done already.

    Parameters
    ----------
    total
        Units of the activity.
    first
        Units that an earlier run did.
    begun
        When it began, in seconds of a clock.
    """

    def __init__(self, total: int, first: int, begun: float) -> None:
        self._total, self._first, self._begun = total, first, begun
        self._reported: tuple[int, float] | None = None

    def report(self, done: int, now: float) -> None:
        """Note how many units are done."""
        if self._reported is None and done > self._first:
            self._reported = (done, now)

    def rate(self, done: int, now: float) -> float | None:
        """Give units a second; None while nobody can know."""
        if self._reported is None:
            return None
        reported, since = self._reported
        if done >= self._total and now > self._begun:
            return (done - self._first) / (now - self._begun)
        if done > reported and now - since >= _SECONDS_OF_A_PACE:
            return (done - reported) / (now - since)
        if done - self._first >= _PART_OF_A_PACE * (self._total - self._first) and now > self._begun:
            return (done - self._first) / (now - self._begun)
        return None


class PlainLines:
    """For pipes and logs: a line when an activity begins, one every ten seconds, and one at its end."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream if stream is not None else sys.stderr
        self._activity, self._unit, self._note = "", "", ""
        self._total = self._done = 0
        self._started = self._last_line = 0.0
        self._pace = Pace(0, 0, 0.0)

    def begin(self, activity: str, total: int, unit: str, done: int = 0) -> None:
        """Start an activity of `total` units."""
        self._activity, self._total, self._unit, self._note = activity, total, unit, ""
        self._done = done
        self._started = self._last_line = time.monotonic()
        self._pace = Pace(total, done, self._started)
        self.say(f"{activity} ({total:,} {unit})" if unit else f"{activity} ...")

    def update(self, done: int, note: str = "") -> None:
        """Say how many units are done."""
        self._done, self._note = done, note or self._note
        now = time.monotonic()
        self._pace.report(done, now)
        if now - self._last_line >= SECONDS_BETWEEN_LINES and done < self._total:
            self._last_line = now
            rate = self._pace.rate(done, now)
            if rate is None:
                self.say(self._line(f"{_duration(now - self._started)} so far"))
            else:
                self.say(self._line(f"{_rate(rate, self._unit)}, {_duration((self._total - done) / rate)} left"))

    def end(self) -> None:
        """Close the activity with its total time."""
        self.say(self._line(_duration(time.monotonic() - self._started)))

    def say(self, line: str) -> None:
        """Print one line."""
        print(f"  {line}", file=self._stream, flush=True)

    def _line(self, timing: str) -> str:
        if not self._unit:
            return f"{self._activity}: {timing}"
        note = f", {self._note}" if self._note else ""
        return f"{self._activity}: {self._done:,}/{self._total:,} {self._unit}, {timing}{note}"


class _TwoLines(RichProgress):
    """Activity, bar, count, rate and time left in a line as wide as the terminal, and the note in a line below.

    Where the terminal is narrow, the rate goes first, then the unit; count and time left always stay.
    """

    def get_renderables(self) -> Iterator[RenderableType]:
        """Yield what is drawn of each activity."""
        for task in self.tasks:
            yield from lines_of(task, self.console.width)


def lines_of(task: Task, width: int) -> Iterator[RenderableType]:
    """Yield the one or two lines of an activity on a terminal of `width` columns.

    Parameters
    ----------
    task
        Its field ``unit`` is the name of its units, ``pace`` its `Pace`, ``note`` may be empty. A total of None stands
        for work whose end is not known: it has its seconds and no count.
    width
        Columns, 40 or more.
    """
    elapsed = task.finished_time or task.elapsed or 0.0
    if task.total is None:
        room = width - _columns([_duration(elapsed)], "")
        yield _line(task, width, [_duration(elapsed)], task.description[: max(room - 2, 1)])
        return
    done, total, unit = int(task.completed), int(task.total), task.fields["unit"]
    rate = task.fields["pace"].rate(done, (task.start_time or 0.0) + elapsed)
    left = _duration((total - done) / rate) + " left" if rate and done < total else ""
    time, count = left or _duration(elapsed) + (" so far" if done < total else ""), f"{done:,}/{total:,}"
    speed = _rate(rate, unit) if rate else ""
    choices = ([f"{count} {unit}", speed, time], [f"{count} {unit}", time], [count, speed, time], [count, time])
    layouts = [(name, parts) for name in (task.description, "") for parts in choices]
    name, parts = next((one for one in layouts if _columns(one[1], one[0]) <= width), layouts[-1])
    if not name:
        yield Text(f"  {task.description[: width - 2]}", no_wrap=True)
    yield _line(task, width, parts, name)
    if note := task.fields["note"]:
        cut = note if len(note) + 4 <= width else note[: max(width - 5, 1)] + "…"
        yield Text(f"    {cut}", style="dim", no_wrap=True)


_SHORTEST_BAR, _LONGEST_BAR = 5, 40


def _columns(parts: Sequence[str], name: str) -> int:
    """Give the columns of a line with the shortest bar."""
    return 2 + sum(len(part) + 2 for part in (name, *parts) if part) + _SHORTEST_BAR


def _line(task: Task, width: int, parts: Sequence[str], name: str) -> RenderableType:
    spare = max(width - _columns(parts, name), 0)
    bar = ProgressBar(
        task.total,
        task.completed,
        width=min(_SHORTEST_BAR + spare, _LONGEST_BAR),
        pulse=task.total is None,
        animation_time=task.get_time(),
    )
    grid = Table.grid(padding=(0, 2, 0, 0), pad_edge=False)
    cells = [Text(f"  {name}", no_wrap=True), bar] if name else [bar]
    grid.add_row(*([] if name else [""]), *cells, *(Text(part, no_wrap=True) for part in parts if part))
    return grid


class Bars:
    """For terminals: one live bar an activity, with count, rate and time left."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console if console is not None else Console(stderr=True)
        self._bar: RichProgress | None = None
        self._task: TaskID | None = None

    def begin(self, activity: str, total: int, unit: str, done: int = 0) -> None:
        """Start an activity of `total` units."""
        self.end()
        self._bar = _TwoLines(console=self._console)
        self._bar.start()
        known = total if unit else None
        pace = Pace(total, done, self._bar.get_time())
        self._task = self._bar.add_task(activity, total=known, unit=unit, completed=done, note="", pace=pace)

    def update(self, done: int, note: str = "") -> None:
        """Say how many units are done."""
        if self._bar is not None and self._task is not None:
            self._bar.tasks[0].fields["pace"].report(done, self._bar.get_time())
            self._bar.update(self._task, completed=done)
            if note:
                self._bar.update(self._task, note=note)

    def end(self) -> None:
        """Close the activity; its bar stays on the screen."""
        if self._bar is not None and self._task is not None:
            if self._bar.tasks[0].total is None:
                self._bar.stop_task(self._task)
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


@contextmanager
def waiting(progress: Progress, name: str) -> Iterator[None]:
    """Show that a block works, and for how long, where nobody knows how much of it is left."""
    progress.begin(name, 0, "")
    try:
        yield
    finally:
        progress.end()


class Several:
    """Reports to each of several."""

    def __init__(self, *parts: Progress) -> None:
        self._parts = parts

    def begin(self, activity: str, total: int, unit: str, done: int = 0) -> None:
        """Start an activity of `total` units."""
        for part in self._parts:
            part.begin(activity, total, unit, done)

    def update(self, done: int, note: str = "") -> None:
        """Say how many units are done."""
        for part in self._parts:
            part.update(done, note)

    def end(self) -> None:
        """Close the activity."""
        for part in self._parts:
            part.end()

    def say(self, line: str) -> None:
        """Print one line."""
        for part in self._parts:
            part.say(line)


def for_terminal() -> Progress:
    """Choose bars on a terminal and plain lines on a pipe."""
    return Bars() if sys.stderr.isatty() else PlainLines()


def _rate(rate: float, unit: str) -> str:
    singular = unit[:-1] if unit.endswith("s") else unit
    return f"{rate:.1f} {unit}/s" if rate >= 1 else f"{1 / max(rate, 1e-9):.1f} s/{singular}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{seconds:.1f} s"
