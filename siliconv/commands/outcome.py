"""What a command ends with: an exit code and one message, whatever happened, and nothing left behind."""

from __future__ import annotations

import contextlib
import errno
import os
import shlex
import signal
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

import typer

from siliconv.commands.scratch import scratch_folder
from siliconv.commands.terminal import console, legible
from siliconv.errors import SiliconvError, of_system

INTERRUPTED, INTERNAL, CLOSED_PIPE = 130, 70, 141
"""Exit codes as shells know them: 128 + a signal's number; 70 is EX_SOFTWARE."""


class StoppedError(BaseException):
    """Work was stopped by the user or the system; the text says what is kept and how to go on."""


def outcome_of(work: Callable[[], Any], arguments: Sequence[str]) -> int:
    """Do a command's work and return its exit code: 0 done, 1 the work says no, 2 wrong input, 3 a tool is missing."""
    signals: list[int] = []
    outside = tempfile.gettempdir()
    try:
        with _signals_as_interrupts(signals), scratch_folder():
            code = work()
            sys.stdout.flush()
    except typer.TyperException as error:
        _say(f"Error: {error.format_message()}\n  fix:   see {_asked(error, arguments)} --help")
        return error.exit_code
    except StoppedError as stopped:
        _say(str(stopped))
        return 128 + signals[0] if signals else INTERRUPTED
    except (KeyboardInterrupt, typer.Abort):
        return _stopped(signals, arguments)
    except typer.Exit as error:
        # Typer makes one of a KeyboardInterrupt.
        return _stopped(signals, arguments) if error.exit_code == INTERRUPTED else error.exit_code
    except SiliconvError as error:
        _say(f"Error {error}")
        return error.exit_code
    except (OSError, MemoryError) as error:
        if isinstance(error, OSError) and error.errno == errno.EPIPE:
            _close_stdout()
            return CLOSED_PIPE
        refused = of_system(error, where="siliconv " + shlex.join(arguments))
        _say(f"Error {refused}")
        _close_stdout()
        return refused.exit_code
    except Exception as error:  # noqa: BLE001  (the last resort: whatever it is, the user gets one message)
        return _internal(error, outside)
    return code if isinstance(code, int) else 0


def _asked(error: typer.TyperException, arguments: Sequence[str]) -> str:
    """Give the command whose options were misused, as its help is asked for."""
    context = getattr(error, "ctx", None)
    if context is not None:
        return str(context.command_path)
    # Of an option without its value nothing is said; an unknown command has been refused before its options.
    return shlex.join(["siliconv", *(one for one in arguments[:1] if not one.startswith("-"))])


def _internal(error: Exception, folder: str) -> int:
    kept = ""
    with (
        contextlib.suppress(OSError),
        tempfile.NamedTemporaryFile("w", prefix="siliconv-crash-", suffix=".txt", dir=folder, delete=False) as file,
    ):
        traceback.print_exc(file=file)
        kept = f" with {file.name}"
    _say(f"Internal error: {type(error).__name__}: {error}\n  This is a defect of siliconv. Please report it{kept}")
    return INTERNAL


def _stopped(signals: Sequence[int], arguments: Sequence[str]) -> int:
    _say(f"Stopped. What was finished is kept; to go on: siliconv {shlex.join(arguments)}")
    return 128 + signals[0] if signals else INTERRUPTED


def _say(text: str) -> None:
    with contextlib.suppress(OSError):
        console.print(legible(text), markup=False, soft_wrap=True)


def _close_stdout() -> None:
    """Let Python not try again, at its end, to write what could not be written."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


@contextmanager
def _signals_as_interrupts(received: list[int]) -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the work as Ctrl-C does: through every `finally`, children and files with it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        received.append(number)
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
