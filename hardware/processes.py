"""Programs of others, run within bounds: of time, of what they may print, and never outliving this process."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from siliconv.errors import ToolError

LINE_BYTES = 64 << 10
"""Of a line that a program prints; what is beyond is left out."""

OUTPUT_BYTES = 4 << 20
"""Of all that is kept of what a program printed: its beginning and its end."""

VERSION_SECONDS, VERSION_BYTES = 3.0, 1 << 20
"""Within which a program has to say its version."""

LONGEST_SECONDS = 4 * 3600.0
"""Within which the compilation or simulation of the largest project ends."""

_STOP_SECONDS = 10.0
_SUPERVISOR = Path(__file__).with_name("supervisor.py")


@dataclass(frozen=True)
class Finished:
    """The exit code of a program, and what it printed on both streams, shortened where it was much."""

    code: int
    output: str


@contextmanager
def supervised(
    command: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    output: IO[bytes] | int = subprocess.PIPE,
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a program with both its streams in one pipe or file; it and all that it started end with the block.

    That holds also where this process is killed: see `siliconv.hardware.supervisor`.
    """
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", str(_SUPERVISOR), str(os.getpid()), *map(str, command)],
        cwd=cwd,
        env=None if env is None else dict(env),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
        if process.stdout is not None:
            process.stdout.close()
        process.wait()


def lines_of(process: subprocess.Popen[bytes]) -> Iterator[str]:
    """Yield the lines that a program prints, each ending with a newline and of at most `LINE_BYTES`."""
    assert process.stdout is not None  # a pipe was asked for
    skipping = False
    while part := process.stdout.readline(LINE_BYTES):
        whole = part.endswith(b"\n")
        if not skipping:
            text = part.rstrip(b"\r\n").decode(errors="replace")
            yield text + ("\n" if whole else " [...]\n" if len(part) == LINE_BYTES else "\n")
        skipping = not whole


def run_program(
    command: Sequence[str | Path],
    *,
    seconds: float,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    most_bytes: int | None = None,
) -> Finished:
    """Run a program to its end.

    Parameters
    ----------
    command
        The program and its arguments.
    seconds
        How long it may take.
    cwd, env
        As for `subprocess.Popen`.
    most_bytes
        How much it may print; as much as it likes by default.

    Raises
    ------
    ToolError
        ``TOOL-STUCK`` where it took longer or printed more; it is ended then, with all that it started.
    """
    name, printed = Path(str(command[0])).name, 0
    head, tail, kept = bytearray(), bytearray(), OUTPUT_BYTES // 2
    with supervised(command, cwd=cwd, env=env) as process:
        assert process.stdout is not None
        late = threading.Event()

        def stop() -> None:
            late.set()
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)

        timer = threading.Timer(seconds, stop)
        timer.daemon = True
        timer.start()
        try:
            while part := os.read(process.stdout.fileno(), 1 << 16):
                room = kept - len(head)
                head += part[:room] if room > 0 else b""
                tail += part[max(room, 0) :]
                del tail[:-kept]
                printed += len(part)
                if most_bytes is not None and printed > most_bytes:
                    raise _stuck(command, f"{name} printed more than {most_bytes:,} bytes, and was stopped")
            code = process.wait()
        finally:
            timer.cancel()
    if late.is_set():
        raise _stuck(command, f"{name} did not end within {seconds:g} seconds, and was stopped")
    return Finished(code, (bytes(head) + bytes(tail)).decode(errors="replace"))


def version_answer(program: str | Path, *, env: Mapping[str, str] | None = None) -> Finished:
    """Ask a program for its version; raises as `run_program`."""
    return run_program([program, "--version"], seconds=VERSION_SECONDS, env=env, most_bytes=VERSION_BYTES)


def _stuck(command: Sequence[str | Path], what: str) -> ToolError:
    return ToolError(
        "TOOL-STUCK",
        what,
        where=" ".join(map(str, command)),
        fix="try it by hand; what hangs at its start is often a broken installation or a lost licence server",
    )
