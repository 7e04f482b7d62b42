"""Compile a generated project with g++ into the library that C simulation runs, once for the very same sources."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from siliconv.errors import FirmwareError, ToolError
from siliconv.hardware.processes import LONGEST_SECONDS, run_program, version_answer
from siliconv.hls.csim.compiler_messages import first_message
from siliconv.hls.csim.own_libraries import is_own, remember
from siliconv.progress import Progress, Silent, waiting

COMPILER = "g++"

_TRACED = re.compile(r'trace_outputs->insert\(std::pair<std::string, void \*>\("(?P<name>\w+)"')


@dataclass(frozen=True)
class Library:
    """A compiled project: the shared library, its top function and the layers that it traces."""

    path: Path
    top: str
    traced: tuple[str, ...]


def source_hash(project: Path) -> str:
    """Give the SHA-256 of all that the compiler reads: sources, headers, weights."""
    digest = hashlib.sha256()
    sources = [*project.glob("*.cpp"), *(path for path in (project / "firmware").rglob("*") if path.is_file())]
    for path in sorted(sources):
        digest.update(str(path.relative_to(project)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def compiler_version() -> str:
    """Give the first line of ``g++ --version``, after a look whether all that compiles is there.

    Raises
    ------
    ToolError
        ``TOOL-GXX`` if there is no g++ that works, ``TOOL-MAKE`` if there is no make, ``TOOL-STUCK``.
    """
    for tool, package in ((COMPILER, "g++"), ("make", "make")):
        if shutil.which(tool) is None:
            raise ToolError(
                "TOOL-GXX" if tool == COMPILER else "TOOL-MAKE",
                f"no {tool} on the PATH",
                where="C simulation",
                fix=f"install it, for example: apt install {package}; or stop before it: --until convert",
            )
    shown = version_answer(COMPILER)
    lines = shown.output.splitlines()
    if shown.code != 0 or not lines:
        raise ToolError(
            "TOOL-GXX",
            f"{COMPILER} --version "
            + (f"fails with code {shown.code}: {lines[-1] if lines else 'no word'}" if shown.code else "says nothing"),
            where=str(shutil.which(COMPILER)),
            fix="install it again; or stop before it: --until convert",
        )
    return lines[0]


def compile_project(project: Path, top: str, cache: Path, *, progress: Progress | None = None) -> Library:
    """Compile a project into a library, or reuse the one compiled from the very same sources.

    Parameters
    ----------
    project
        A folder that `siliconv.hls.conversion.conversion.convert` wrote.
    top
        Name of the top function.
    cache
        Folder for compiled libraries; only the newest stays.
    progress
        Told when a compilation begins, because it takes a while.

    Raises
    ------
    ToolError
        ``TOOL-GXX`` without a compiler.
    FirmwareError
        ``CSIM-COMPILE`` with the compiler's first error.
    """
    key = hashlib.sha256(
        f"{compiler_version()} {os.environ.get('CXXFLAGS')} {source_hash(project)} {project.resolve()}".encode()
    ).hexdigest()[:16]
    traced = tuple(_TRACED.findall((project / f"{top}_bridge.cpp").read_text(encoding="utf-8")))
    build = (cache / key).resolve()
    # From the project, so that make sees nothing of the folders above both: it takes a space for the end of a name.
    relative = os.path.relpath(build, project.resolve())
    library = Library(build / f"{top}.so", top, traced)
    if not is_own(library.path):
        _check_folder(relative)
        # Objects that lie there were not made here either.
        shutil.rmtree(build, ignore_errors=True)
        # Another makefile that lies there would go before this one, if it were not named.
        command = ["make", "-f", "Makefile", "-j2", "library", f"BUILD={relative}"]
        with waiting(progress or Silent(), f"Compiling the firmware with {COMPILER}"):
            done = run_program(command, cwd=project, seconds=LONGEST_SECONDS)
        if done.code != 0:
            library.path.unlink(missing_ok=True)
            raise _compile_error(done.output, project)
        remember(library.path)
        for other in cache.iterdir():
            if other.name != key and other.is_dir():
                shutil.rmtree(other, ignore_errors=True)
    return library


def _check_folder(relative: str) -> None:
    """Refuse a folder whose name make or its shell would take for something else."""
    if not re.fullmatch(r"[\w./+,@%=-]+", relative):
        raise FirmwareError(
            "CSIM-FOLDER",
            f"make can't work in the folder {relative!r}",
            where="the folder for compiled firmware",
            fix="use a folder (or TMPDIR) without blanks, quotes and other signs in its name",
        )


def _compile_error(output: str, project: Path) -> FirmwareError:
    found = first_message(output)
    return FirmwareError(
        "CSIM-COMPILE",
        f"{COMPILER} says: {found.what}\n  cause: {found.cause}",
        where=f"{project}, {found.where}",
        fix=found.fix,
    )
