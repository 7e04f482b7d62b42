"""A program of its own: runs a command, and ends all that the command started when it, or whoever asked, ends.

    python -I -S supervisor.py PARENT_PID COMMAND...

A compiler's driver starts others, and a vendor's tool whole trees in sessions of their own; the kernel tells a process
of its parent's death, but not its grandchildren. This one is told (`PR_SET_PDEATHSIG`), inherits every orphan below it
(`PR_SET_CHILD_SUBREAPER`), and ends them. It imports the standard library alone: it starts in some 20 milliseconds.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_GRACE_SECONDS = 1.0
_STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def main() -> int:
    """Run the command and return its exit code, 128 + n for a signal."""
    parent, command = int(sys.argv[1]), sys.argv[2:]
    libc = ctypes.CDLL(None)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

    def stop(number: int, frame: FrameType | None) -> None:
        for one in _STOPPING:
            signal.signal(one, signal.SIG_IGN)
        end_all()
        os._exit(128 + number)

    for one in _STOPPING:
        signal.signal(one, stop)
    if os.getppid() != parent:  # it ended before this process could ask to be told
        return 128 + signal.SIGTERM
    try:
        process = subprocess.Popen(command, start_new_session=True)
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        return 127
    code = process.wait()
    end_all()
    return code if code >= 0 else 128 - code


def end_all() -> None:
    """Ask everything below this process to end, and after a grace make it."""
    deadline = time.monotonic() + _GRACE_SECONDS
    number = signal.SIGTERM
    while below := descendants(os.getpid()):
        if time.monotonic() > deadline:
            number = signal.SIGKILL
        for pid in below:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue
        _reap()
        time.sleep(0.02)


def descendants(root: int) -> list[int]:
    """Give the processes below one, those that ended already left out."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                # "pid (name) state parent ...": the name may hold blanks and brackets.
                state, parent = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()[:2]
            except (OSError, ValueError):
                continue
            if state != "Z":
                children.setdefault(int(parent), []).append(int(entry.name))
    found, waiting = [], [root]
    while waiting:
        below = children.get(waiting.pop(), [])
        found += below
        waiting += below
    return found


def _reap() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


if __name__ == "__main__":
    sys.exit(main())
