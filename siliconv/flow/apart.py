"""Run a function in a process of its own, in which Keras 2 can be loaded whatever this one holds.

A notebook has Keras 3 in its process, and the first Keras that a process loads stays. The new process starts with
nothing but this module; what it reports comes back through a pipe, and what libraries print goes into a file.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import pickle
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, TypeVar

from siliconv.errors import SiliconvError, ToolError
from siliconv.hardware.parents import end_by_signal
from siliconv.progress import Progress

Result = TypeVar("Result")

_CHILD = "from siliconv.flow.apart import serve; serve()"
_SHOWN_CHARACTERS = 2000


def call_apart(
    function: Callable[..., Result],
    /,
    *arguments: Any,
    progress: Progress,
    on_event: Callable[[Any], None] | None = None,
) -> Result:
    """Call a function of a module in a new process.

    Parameters
    ----------
    function
        Called with the arguments, and with ``progress``; with ``on_event`` too where that is given.
    arguments
        Picklable, as the result has to be.
    progress
        Told here what the function reports there.
    on_event
        Called here with what the function calls it with there.

    Raises
    ------
    SiliconvError
        As the function.
    ToolError
        ``APART-CRASHED`` if the process ended in the middle, or with an error that is no `SiliconvError`.
    """
    reading, writing = os.pipe()
    request = (list(sys.path), function.__module__, function.__qualname__, arguments, on_event is not None)
    with tempfile.TemporaryFile() as printed:
        process = subprocess.Popen(
            [sys.executable, "-c", _CHILD, str(writing), str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=printed,
            stderr=printed,
            pass_fds=(writing,),
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        )
        os.close(writing)
        try:
            assert process.stdin is not None  # a pipe was asked for
            with contextlib.suppress(BrokenPipeError), process.stdin as requests:
                pickle.dump(request, requests)
            with os.fdopen(reading, "rb") as answers:
                for kind, content in _messages(answers):
                    if kind == "result":
                        process.wait()
                        result: Result = content
                        return result
                    if kind == "error":
                        raise content
                    if kind == "event":
                        assert on_event is not None  # the process was told to report events
                        on_event(content)
                    else:
                        name, values = content
                        getattr(progress, name)(*values)
        finally:
            process.kill()
            process.wait()
        printed.seek(0)
        shown = printed.read().decode(errors="replace").strip()[-_SHOWN_CHARACTERS:]
    raise _crashed(f"it ended with code {process.returncode}", shown)


def serve() -> None:
    """Do what stands on the standard input, and answer through the pipe that the command line names."""
    end_by_signal(int(sys.argv[2]))
    path, module, qualified_name, arguments, with_events = pickle.load(sys.stdin.buffer)
    sys.path[:] = path
    with os.fdopen(int(sys.argv[1]), "wb") as answers:
        keywords: dict[str, Any] = {"progress": _Relay(answers)}
        if with_events:
            keywords["on_event"] = lambda event: _send(answers, "event", event)
        try:
            function: Any = importlib.import_module(module)
            for name in qualified_name.split("."):
                function = getattr(function, name)
            _send(answers, "result", function(*arguments, **keywords))
        except SiliconvError as error:
            _send(answers, "error", error)
        except KeyboardInterrupt:
            _send(answers, "error", KeyboardInterrupt())
        except Exception as error:  # noqa: BLE001  (the caller is told of whatever it is)
            _send(answers, "error", _crashed(f"{type(error).__name__}: {error}", traceback.format_exc()))


class _Relay:
    """A `Progress` at the other end of the pipe."""

    def __init__(self, answers: BinaryIO) -> None:
        self._answers = answers

    def begin(self, activity: str, total: int, unit: str, done: int = 0) -> None:
        """Start an activity there."""
        _send(self._answers, "progress", ("begin", (activity, total, unit, done)))

    def update(self, done: int, note: str = "") -> None:
        """Say there how many units are done."""
        _send(self._answers, "progress", ("update", (done, note)))

    def end(self) -> None:
        """Close the activity there."""
        _send(self._answers, "progress", ("end", ()))

    def say(self, line: str) -> None:
        """Say a line there."""
        _send(self._answers, "progress", ("say", (line,)))


def _send(answers: BinaryIO, kind: str, content: Any) -> None:
    answers.write(pickle.dumps((kind, content)))
    answers.flush()


def _messages(answers: BinaryIO) -> Iterator[tuple[str, Any]]:
    with contextlib.suppress(EOFError):
        while True:
            yield pickle.load(answers)


def _crashed(what: str, printed: str) -> ToolError:
    return ToolError(
        "APART-CRASHED",
        f"the process that Keras and hls4ml work in failed: {what}",
        where="a process of its own" + (f"; it said:\n{printed}" if printed else ""),
        fix="free memory if it was killed (code -9); else this is a defect of siliconv: please report it",
    )
