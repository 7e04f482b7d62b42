"""What a failed compilation means: the compiler's first real message, and its cause in the user's words."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ERROR = re.compile(r"^(?P<where>[^\s:][^:\n]*:\d+(?::\d+)?): (?:fatal )?error: (?P<what>.*)$", re.MULTILINE)
_OTHER = re.compile(r"^.*(?:error:|\*\*\*|undefined reference|No such file|cannot find).*$", re.MULTILINE)


@dataclass(frozen=True)
class CompilerMessage:
    """The first message that matters: where it points, what it says, why, and what to do."""

    where: str
    what: str
    cause: str
    fix: str


_CAUSES: tuple[tuple[str, str, str], ...] = (
    (
        r"Killed|out of memory|virtual memory exhausted|cannot allocate memory",
        "the compiler ran out of memory",
        "free memory, or make the largest layer smaller",
    ),
    (r"No space left", "the disk is full", "free disk space and run again; nothing that was finished is lost"),
    (r"Permission denied|Read-only file system", "the build folder can't be written", "make it writable"),
    (
        r"static assertion failed",
        "hls4ml's template refuses this setting",
        "siliconv check PROJECT names what templates refuse",
    ),
    (
        r"No such file or directory|No rule to make target",
        "a source or header is missing: the project is not whole",
        "write it again: siliconv run --force",
    ),
    (
        r"unrecognized (?:command[- ]line )?option|unrecognized argument",
        "the compiler does not know an option",
        "see CXXFLAGS in the environment",
    ),
    (
        r"undefined reference|cannot find -l",
        "sources do not belong together",
        "write the project again: siliconv run --force",
    ),
    (
        r"was not declared|has not been declared|does not name a type|no member named|expected ",
        "the sources were edited, or were written by another hls4ml",
        "take the edit back, or write the project again: siliconv run --force",
    ),
)


def first_message(output: str) -> CompilerMessage:
    """Find the first real message in what make and the compiler printed.

    Lines such as "In file included from" only lead to it; what follows it are consequences.
    """
    error = _ERROR.search(output)
    if error is not None:
        where, what = error["where"], error["what"]
    else:
        other = _OTHER.search(output)
        lines = [line for line in output.splitlines() if line.strip()]
        where, what = "make", other[0].strip() if other else lines[-1].strip() if lines else "no output"
    # A killed compiler is the cause of whatever else was printed.
    for text in (output if _was_stopped(output) else what,):
        for pattern, cause, fix in _CAUSES:
            if re.search(pattern, text):
                return CompilerMessage(where, what, cause, fix)
    return CompilerMessage(where, what, "no known cause", "see what the compiler says: make -C build/firmware library")


def _was_stopped(output: str) -> bool:
    return re.search(_CAUSES[0][0], output) is not None
