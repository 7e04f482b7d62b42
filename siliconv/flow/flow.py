"""The flow: runs stages in order, skips those whose inputs did not change, and never leaves half an artefact.

A stage writes into a folder of its own; only when it is done are its outputs moved into place and its record written.
A run that is killed at any moment therefore leaves whole artefacts of earlier runs, and the next run goes on.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import filelock

from siliconv.errors import ProjectError, SiliconvError
from siliconv.flow.code_version import code_hash, library_version
from siliconv.flow.resources import Meter
from siliconv.progress import Progress
from siliconv.project.atomic_write import write_atomically
from siliconv.project.project import ProjectConfig

RECORDS, PARTIAL, WORK, LOCK = ".stages", ".partial", ".work", ".lock"


@dataclass(frozen=True)
class Context:
    """What a stage gets: the project, where earlier artefacts lie, and where to write its own.

    ``build``: finished artefacts; ``out``: empty folder for this stage's outputs, named as in ``build``;
    ``work``: folder that survives a killed run, for checkpoints and compiled libraries.
    """

    name: str
    project: ProjectConfig
    build: Path
    out: Path
    work: Path
    progress: Progress


@dataclass(frozen=True)
class Stage:
    """One step of the road from images to firmware.

    Parameters
    ----------
    name
        As on the command line.
    run
        Does the work; returns one line about its result.
    outputs
        Files or folders that it leaves in the build folder.
    needs
        Stages whose outputs it reads.
    settings
        The part of the project that it depends on, as JSON-able data.
    modules
        Modules whose code, imports included, decides its result.
    libraries
        Libraries whose version decides its result.
    beside
        Files of the build folder that it reads where they are there, and that no stage writes.
    """

    name: str
    run: Callable[[Context], str]
    outputs: tuple[str, ...]
    needs: tuple[str, ...]
    settings: Callable[[ProjectConfig], Any]
    modules: tuple[str, ...]
    libraries: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()


@dataclass(frozen=True)
class Record:
    """What is known about a stage that was run: enough to tell whether its outputs are still those of its inputs."""

    fingerprint: str
    summary: str
    seconds: float
    peak_mib: float
    outputs: dict[str, str] = field(default_factory=dict)
    """SHA-256 of each output file by its path in the build folder."""
    stats: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Size and modification time in nanoseconds of each, so that unchanged files are not read again."""


@dataclass(frozen=True)
class StageResult:
    """One stage of one run: whether it ran now, its record, and which of its outputs were edited since."""

    name: str
    ran: bool
    record: Record
    edited: tuple[str, ...] = ()


def run_flow(
    stages: Sequence[Stage],
    project: ProjectConfig,
    name: str,
    build: Path,
    progress: Progress,
    *,
    until: str,
    force: bool = False,
    on_result: Callable[[StageResult], None] = lambda result: None,
) -> tuple[StageResult, ...]:
    """Bring all stages up to `until` up to date.

    Parameters
    ----------
    stages
        In the order of the data.
    project, name
        The project and its name.
    build
        The build folder.
    progress
        For long work inside a stage.
    until
        The last stage.
    force
        Run every stage again, from the beginning.
    on_result
        Called after each stage.

    Raises
    ------
    ProjectError
        ``BUILD-BUSY`` if another run uses the folder, ``BUILD-WRITE`` if it can't be written.
    """
    with _exclusive(build):
        results: list[StageResult] = []
        digests: dict[str, str] = {}
        for stage in stages:
            fingerprint = _fingerprint(stage, project, name, digests, build)
            record = None if force else fresh_record(build, stage, fingerprint)
            ran = record is None
            if record is None:
                if force:
                    shutil.rmtree(build / WORK / stage.name, ignore_errors=True)
                record = _run_stage(
                    stage,
                    Context(name, project, build, build / PARTIAL / stage.name, build / WORK / stage.name, progress),
                    fingerprint,
                )
            actual = record.outputs if ran else _actual_hashes(build, record)
            edited = tuple(name for name, found in actual.items() if found != record.outputs[name])
            digests[stage.name] = _digest(actual)
            results.append(StageResult(stage.name, ran, record, edited))
            on_result(results[-1])
            if stage.name == until:
                break
        return tuple(results)


def fresh_record(build: Path, stage: Stage, fingerprint: str) -> Record | None:
    """Give the record of a stage if its inputs are what they were and its outputs are there, else None.

    An output that was edited by hand is kept: the user's work is not overwritten, and the stages after it see it.
    """
    record = read_record(build, stage.name)
    if record is None or record.fingerprint != fingerprint or not record.outputs:
        return None
    return record if all((build / relative).is_file() for relative in record.outputs) else None


def read_record(build: Path, stage: str) -> Record | None:
    """Read the record of a stage's last completed run, or None where there is none."""
    try:
        return Record(**json.loads((build / RECORDS / f"{stage}.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _run_stage(stage: Stage, context: Context, fingerprint: str) -> Record:
    build = context.build
    try:
        shutil.rmtree(context.out, ignore_errors=True)
        context.out.mkdir(parents=True)
        context.work.mkdir(parents=True, exist_ok=True)
        with Meter() as meter:
            summary = stage.run(context)
        # From here to the new record the old one must not vouch for a mixture of old and new files.
        (build / RECORDS / f"{stage.name}.json").unlink(missing_ok=True)
        for output in stage.outputs:
            _move_into_place(context.out / output, build / output)
        shutil.rmtree(context.out)
    except OSError as error:
        raise _cannot_write(error, build) from error
    files = _output_files(build, stage)
    record = Record(
        fingerprint,
        summary,
        round(meter.seconds, 3),
        round(meter.peak_mib, 1),
        {str(path.relative_to(build)): _file_hash(path) for path in files},
        {str(path.relative_to(build)): _stat(path) for path in files},
    )
    write_atomically(build / RECORDS / f"{stage.name}.json", json.dumps(asdict(record), indent=1))
    return record


def _move_into_place(new: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    if place.is_dir():
        old = place.with_name(f".{place.name}.old")
        shutil.rmtree(old, ignore_errors=True)
        place.replace(old)
        new.replace(place)
        shutil.rmtree(old)
    else:
        new.replace(place)


def _output_files(build: Path, stage: Stage) -> list[Path]:
    files: list[Path] = []
    for output in stage.outputs:
        path = build / output
        files += sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path] * path.is_file()
    return files


def _fingerprint(stage: Stage, project: ProjectConfig, name: str, upstream: Mapping[str, str], build: Path) -> str:
    content = {
        "name": name,
        "settings": stage.settings(project),
        "code": [code_hash(*stage.modules), hashlib.sha256(inspect.getsource(stage.run).encode()).hexdigest()],
        "libraries": {library: library_version(library) for library in stage.libraries},
        "inputs": {need: upstream[need] for need in stage.needs},
    }
    beside = {file: _file_hash(build / file) for file in stage.beside if (build / file).is_file()}
    if beside:
        content["beside"] = beside
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _actual_hashes(build: Path, record: Record) -> dict[str, str]:
    """Hash the outputs of a record as they lie; what has its old size and time is not read."""
    return {
        relative: expected
        if _stat(build / relative) == tuple(record.stats.get(relative, ()))
        else _file_hash(build / relative)
        for relative, expected in record.outputs.items()
    }


def _digest(outputs: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(outputs, sort_keys=True).encode()).hexdigest()


def _stat(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_size, found.st_mtime_ns


def _file_hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _exclusive(build: Path) -> Any:
    """Hold the build folder for one run at a time."""
    lock = filelock.FileLock(build / LOCK, timeout=0)
    try:
        build.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except filelock.Timeout as error:
        raise ProjectError(
            "BUILD-BUSY",
            "another siliconv run is working in this build folder",
            where=str(build),
            fix="wait for it, or stop it",
        ) from error
    except OSError as error:
        raise _cannot_write(error, build) from error
    try:
        yield
    finally:
        lock.release()


def _cannot_write(error: OSError, build: Path) -> SiliconvError:
    return ProjectError(
        "BUILD-WRITE",
        f"cannot write: {error.strerror or error}",
        where=str(error.filename or build),
        fix="make the folder writable, or free disk space; everything built before is still there",
    )
