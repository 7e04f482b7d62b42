"""The sources of a written project: taken over into a simulation as they lie there, and what was edited in them."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from siliconv.progress import Progress
from siliconv.rtl.plan.blocks import RtlDesign
from siliconv.rtl.simulation.verilator import build
from siliconv.rtl.writing.memory_words import memories
from siliconv.rtl.writing.rtl_project import write_project


@dataclass(frozen=True)
class BuiltBench:
    """A test bench of a project as it lies on the disk.

    ``program``: what runs it. ``edited``: sources that are not as they were written. ``constants``: words of the
    memories' files, ``constants_differ``: those that are not the network's.
    """

    program: Path
    edited: tuple[str, ...]
    constants: int
    constants_differ: tuple[str, ...]


def build_as_it_lies(design: RtlDesign, project: Path, work: Path, progress: Progress | None) -> BuiltBench:
    """Build a test bench with probes, in an empty folder, of the sources of a written project as they lie there.

    Raises
    ------
    ToolError
        As `siliconv.rtl.simulation.verilator.build`.
    """
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    write_project([design], work, probes=True)
    edited = take_sources(project, work)
    constants, wrong = compare_constants(design, project)
    return BuiltBench(build(work, progress=progress), edited, constants, wrong)


def is_source(path: Path) -> bool:
    """Tell whether synthesis reads a file: modules, and the words of memories."""
    return path.suffix in (".sv", ".hex") or ".hex." in path.name


def sources_of(project: Path) -> dict[str, Path]:
    """Give the sources of a project by their path in it, without a test bench."""
    found = {path.relative_to(project).as_posix(): path for path in sorted(project.rglob("*")) if is_source(path)}
    return {name: path for name, path in found.items() if not name.startswith("obj/") and name != "bench.sv"}


def take_sources(project: Path, work: Path) -> tuple[str, ...]:
    """Put the sources of a project in the place of those that were written anew; say which ones are not the same.

    Parameters
    ----------
    project
        As it lies on the disk.
    work
        The same design, written just now; what the project lacks is taken away there too.
    """
    there, anew = sources_of(project), sources_of(work)
    edited = []
    for name, path in anew.items():
        if name not in there:
            path.unlink()
            edited.append(f"{name}: missing")
        elif there[name].read_bytes() != path.read_bytes():
            edited.append(f"{name}: changed")
    for name, path in there.items():
        if name not in anew:
            edited.append(f"{name}: added")
        target = work / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    return tuple(edited)


def compare_constants(design: RtlDesign, project: Path) -> tuple[int, tuple[str, ...]]:
    """Compare the words of all memories' files with the network's; gives how many there are, and what differs."""
    count, wrong = 0, []
    for block in design.blocks:
        for name, expected in memories(block).items():
            count += len(expected)
            try:
                found = [int(word, 16) for word in (project / name).read_text(encoding="ascii").split()]
            except (OSError, ValueError):
                wrong.append(f"{name}: missing or damaged")
                continue
            differing = sum(one != int(other, 16) for one, other in zip(found, expected, strict=False))
            if len(found) != len(expected):
                wrong.append(f"{name}: {len(found)} words in place of {len(expected)}")
            elif differing:
                wrong.append(f"{name}: {differing} of {len(expected)} words differ")
    return count, tuple(wrong)
