"""Work on a compiled firmware in processes of its own: bounded in time and memory, and able to crash alone."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, TimeoutError
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Generic, TypeVar

import psutil
from joblib.externals.loky import get_reusable_executor
from joblib.externals.loky.process_executor import TerminatedWorkerError

from siliconv.hardware.parents import end_with_parent

Result = TypeVar("Result")

SECONDS_PER_TASK = 600.0
"""For a task that simulates some inputs, where nobody says another time."""

LOOK_AGAIN_SECONDS = 1.0

IN_FLIGHT = 2
"""Tasks a process that are sent ahead, so that none waits and memory does not grow with their number."""


@dataclass(frozen=True)
class Outcome(Generic[Result]):
    """What a task gave, what was printed meanwhile, and the most memory its process ever had (MiB)."""

    result: Result
    printed: str
    peak_mib: float


class StuckTaskError(Exception):
    """A task took longer than it may."""


class CrashedTaskError(Exception):
    """A process ended in the middle of a task; `args[0]` is the last that it printed."""


def run_tasks(
    function: Callable[..., Result], tasks: Sequence[tuple[Any, ...]], *, processes: int, seconds: float
) -> Iterator[Outcome[Result]]:
    """Call a function in processes, and yield the outcomes in the order of the tasks.

    Parameters
    ----------
    function
        A function of a module.
    tasks
        Its arguments, a tuple a task.
    processes
        How many work side by side. They are kept for the next call.
    seconds
        Time for one task.

    Raises
    ------
    StuckTaskError
        A task took longer; all processes are ended then.
    CrashedTaskError
        A process ended.
    """
    folder = Path(tempfile.mkdtemp(prefix="siliconv-"))
    executor = get_reusable_executor(max_workers=processes, initializer=end_with_parent, initargs=(os.getpid(),))
    try:
        yield from in_order(
            lambda task: executor.submit(observed, function, task, folder),
            tasks,
            IN_FLIGHT * processes,
            lambda future: _result(future, executor, seconds),
        )
    except TimeoutError as error:
        executor.shutdown(wait=True, kill_workers=True)
        raise StuckTaskError from error
    except TerminatedWorkerError as error:
        raise CrashedTaskError(_last_printed(folder)) from error
    except KeyboardInterrupt:
        # Python would wait at its end for what they are at.
        executor.shutdown(wait=True, kill_workers=True)
        raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def in_order(
    submit: Callable[[tuple[Any, ...]], Any],
    tasks: Sequence[tuple[Any, ...]],
    ahead: int,
    wait: Callable[[Any], Outcome[Result]],
) -> Iterator[Outcome[Result]]:
    """Submit tasks, no more than so many ahead, and yield what `wait` gives for each, in their order.

    What is still waiting at the end, whatever that was, is cancelled.
    """
    left = iter(tasks)
    waiting: deque[Any] = deque()
    try:
        waiting.extend(map(submit, islice(left, ahead)))
        while waiting:
            yield wait(waiting[0])
            waiting.popleft()
            waiting.extend(map(submit, islice(left, 1)))
    finally:
        for future in waiting:
            future.cancel()


def _result(future: Future[Outcome[Result]], executor: Any, seconds: float) -> Outcome[Result]:
    """Wait for a task, and have the executor look again at its processes after a moment.

    It watches those that it had when it last woke: the end of one that was started for this task (after idle ones had
    gone) would not be seen before something else wakes it. A further task does.
    """
    if seconds > LOOK_AGAIN_SECONDS:
        try:
            return future.result(timeout=LOOK_AGAIN_SECONDS)
        except TimeoutError:
            executor.submit(_look_again)
        seconds -= LOOK_AGAIN_SECONDS
    return future.result(timeout=seconds)


def _look_again() -> None:
    """Do nothing: see `_result`."""


def processes_for(jobs: int, bytes_each: int) -> int:
    """Give how many processes to use: as many as asked for (-1: one a core), but no more than memory allows."""
    wanted = jobs if jobs > 0 else os.cpu_count() or 1
    return max(1, min(wanted, int(psutil.virtual_memory().available // max(bytes_each, 1))))


def observed(function: Callable[..., Result], arguments: tuple[Any, ...], folder: Path) -> Outcome[Result]:
    """Call a function with all that C and C++ print brought into a file."""
    path = folder / f"{os.getpid()}.txt"
    kept = [os.dup(1), os.dup(2)]
    target = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    try:
        os.dup2(target, 1)
        os.dup2(target, 2)
        result = function(*arguments)
    finally:
        for number, descriptor in enumerate(kept, start=1):
            os.dup2(descriptor, number)
            os.close(descriptor)
        os.close(target)
    return Outcome(result, path.read_text(encoding="utf-8", errors="replace"), _peak_mib())


def _peak_mib() -> float:
    # getrusage would tell the memory of the parent before the new program was loaded, where that was more.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else 0.0


def _last_printed(folder: Path) -> str:
    """Give the assertion that stopped a process, or the last line that one of them printed."""
    lines = [
        line.strip() for path in sorted(folder.glob("*.txt")) for line in path.read_text(errors="replace").splitlines()
    ]
    asserted = [line for line in lines if "Assertion" in line]
    return (asserted or [line for line in lines if line] or [""])[-1]
