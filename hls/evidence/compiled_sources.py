"""Claims that the compiler finds: types, shapes and constants by its assertions, and the AXI-Stream top level run."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from siliconv.hardware.claims import Claim, Ground
from siliconv.hardware.processes import LONGEST_SECONDS, Finished, run_program
from siliconv.hls.conversion.asserts import asserts_file
from siliconv.progress import Progress, Silent, waiting

_ASSERTION = re.compile(r"static assertion failed: (?P<what>[^\n]+)")
_FAILED = re.compile(r"^(?:FAIL: .*|.*: error: .*|.*\bdiffers?\b.*|make: \*\*\* No rule .*)$", re.MULTILINE)
_PASSED = re.compile(r"^PASS: (?P<vectors>\d+) vectors", re.MULTILINE)

LINES_SHOWN = 5


def asserts_claim(project: Path, top: str, build: Path, compiler: str, *, progress: Progress | None = None) -> Claim:
    """Let the compiler check the assertions of a project.

    Parameters
    ----------
    project
        Its folder.
    top
        Name of its top function.
    build
        Where the compiler works.
    compiler
        What it calls itself.
    progress
        Told when it begins.
    """
    path = project / asserts_file(top)
    count = path.read_text(encoding="utf-8", errors="replace").count("static_assert(") if path.is_file() else 0
    with waiting(progress or Silent(), "Compiling the assertions"):
        done = _make(project, build, "asserts")
    wrong = _ASSERTION.findall(done.output) or _FAILED.findall(done.output) or ["it does not compile"]
    holds = done.code == 0 and count > 0
    return Claim(
        "types, shapes and constants that the sources state are those that were written for the network",
        f"static_assert, {compiler}",
        "firmware/defines.h and firmware/parameters.h",
        Ground.COMPARISON,
        count,
        "assertions",
        holds,
        () if holds else tuple(wrong[:LINES_SHOWN]),
    )


def axi_claim(
    project: Path,
    top: str,
    build: Path,
    compiler: str,
    *,
    vectors: int,
    seconds: float,
    progress: Progress | None = None,
) -> Claim | None:
    """Compile and run the AXI-Stream top level on vectors of the test bench; None where a project has none.

    Parameters
    ----------
    project, top, build, compiler, progress
        As for `asserts_claim`.
    vectors
        How many of them at most: each goes through twice or three times, on one core.
    seconds
        Time for the run.
    """
    if not (project / "axi").is_dir():
        return None
    with waiting(progress or Silent(), "Compiling and simulating the AXI-Stream top level"):
        done = _make(project, build, "axi", f"VECTORS={vectors}", f"TIMEOUT={max(round(seconds), 1)}")
    passed = _PASSED.search(done.output)
    wrong = _FAILED.findall(done.output) or ["it did not pass"]
    holds = done.code == 0 and passed is not None
    return Claim(
        "the AXI-Stream top level compiles, and gives the golden outputs with every TLAST right",
        f"C simulation, {compiler}",
        f"firmware/axi/{top}_axi.cpp",
        Ground.TEST,
        int(passed["vectors"]) if passed is not None else 0,
        "vectors",
        holds,
        () if holds else tuple(line.strip() for line in wrong[:LINES_SHOWN]),
    )


def _make(project: Path, build: Path, target: str, *settings: str) -> Finished:
    relative = os.path.relpath(build.resolve(), project.resolve())
    command: Sequence[str] = ["make", "-f", "Makefile", target, f"BUILD={relative}", *settings]
    environment = {**os.environ, "LC_ALL": "C"}
    return run_program(command, cwd=project, seconds=LONGEST_SECONDS, env=environment)
