"""The flow: runs stages in order, skips those whose inputs did not change, and never leaves half an artefact.

A stage writes into a folder of its own; only when it is done are its outputs moved into place and its record written.
A run that is killed at any moment therefore leaves whole artefacts of earlier runs, and the next run goes on.
"""

from __future__ import annotations

import errno
import hashlib
import inspect
import json
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import filelock

from siliconv.bounded_reading import UnreadableError, read_as
from siliconv.errors import DENIED_WRITES, ProjectError, SiliconvError, of_system
from siliconv.flow.altered import RECORDS, build_as_written
from siliconv.flow.code_version import code_hash, library_version
from siliconv.flow.kept_work import keep_work
from siliconv.flow.output_state import actual_hashes, content_hash, file_state
from siliconv.flow.reasons import why_again
from siliconv.flow.resources import Meter
from siliconv.legacy_keras import load, threads
from siliconv.models.training.instruction_set import instruction_set
from siliconv.progress import Progress, waiting
from siliconv.project.atomic_write import write_atomically
from siliconv.project.project import ProjectConfig

PARTIAL, WORK, LOCK = ".partial", ".work", ".lock"


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
    regrown
        Patterns of what others leave in its outputs and can make again, such as compiled files.
    instructions
        Whether its last bits depend on the instruction set: floating-point sums do.
    """

    name: str
    run: Callable[[Context], str]
    outputs: tuple[str, ...]
    needs: tuple[str, ...]
    settings: Callable[[ProjectConfig], Any]
    modules: tuple[str, ...]
    libraries: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    regrown: tuple[str, ...] = ()
    instructions: bool = False


@dataclass(frozen=True)
class Record:
    """What is known about a stage that was run: enough to tell whether its outputs are still those of its inputs."""

    fingerprint: str
    summary: str
    seconds: float
    peak_mib: float
    outputs: dict[str, str] = field(default_factory=dict)
    """SHA-256 of each output file by its path in the build folder."""
    stats: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """`file_state` of each, so that large files that did not change are not read again."""
    instructions: str = ""
    """The instruction set that it ran with, where its bits depend on it."""
    content: dict[str, Any] = field(default_factory=dict)
    """What the fingerprint is made of; empty in records of older versions."""


@dataclass(frozen=True)
class StageResult:
    """One stage of one run: whether it ran now, its record, and which of its outputs were edited since.

    ``kept``: what of the user's was moved aside, by its path in the build folder, and the folder in front of it.
    """

    name: str
    ran: bool
    record: Record
    edited: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()


def run_flow(
    stages: Sequence[Stage],
    project: ProjectConfig,
    name: str,
    build: Path,
    progress: Progress,
    *,
    until: str,
    force: bool = False,
    paranoid: bool = False,
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
    paranoid
        Read all outputs, also large ones that nothing seems to have touched.
    on_result
        Called after each stage.

    Raises
    ------
    ProjectError
        ``BUILD-BUSY`` if another run uses the folder, ``BUILD-WRITE`` if it can't be written.
    """
    with exclusive(build, "another siliconv run is working in this build folder"):
        results: list[StageResult] = []
        digests: dict[str, str] = {}
        for stage in stages:
            content = _content(stage, project, name, digests, build)
            fingerprint = _fingerprint(content)
            record = None if force else fresh_record(build, stage, fingerprint)
            ran, kept = record is None, list[str]()
            if record is None:
                if force:
                    shutil.rmtree(build / WORK / stage.name, ignore_errors=True)
                else:
                    _tell_why(stage, build, content, project, progress)
                    if stage.instructions:
                        _tell_other_machine(stage, build, progress)
                context = Context(
                    name, project, build, build / PARTIAL / stage.name, build / WORK / stage.name, progress
                )
                _start_tensorflow(stage, progress)
                record = _run_stage(stage, context, content, kept)
            actual = record.outputs if ran else actual_hashes(build, record.outputs, record.stats, paranoid=paranoid)
            edited = tuple(name for name, found in actual.items() if found != record.outputs[name])
            digests[stage.name] = _digest(actual)
            results.append(StageResult(stage.name, ran, record, edited, tuple(kept)))
            on_result(results[-1])
            if stage.name == until:
                break
        return tuple(results)


def fresh_stages(stages: Sequence[Stage], project: ProjectConfig, name: str, build: Path) -> int:
    """Count the stages, from the first on, that would not run again in a build folder, as its records say."""
    digests: dict[str, str] = {}
    for count, stage in enumerate(stages):
        record = fresh_record(build, stage, _fingerprint(_content(stage, project, name, digests, build)))
        if record is None:
            return count
        digests[stage.name] = _digest(record.outputs)
    return len(stages)


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
        return read_as(build / RECORDS / f"{stage}.json", Record)
    except UnreadableError:
        return None


def _run_stage(stage: Stage, context: Context, content: dict[str, Any], kept: list[str]) -> Record:
    """Run a stage and put its outputs into place; what of the user's had to go aside is added to `kept`."""
    build = context.build
    try:
        shutil.rmtree(context.out, ignore_errors=True)
        context.out.mkdir(parents=True)
        context.work.mkdir(parents=True, exist_ok=True)
        with Meter() as meter, build_as_written(build):
            summary = stage.run(context)
        before = read_record(build, stage.name)
        # From here to the new record the old one must not vouch for a mixture of old and new files.
        (build / RECORDS / f"{stage.name}.json").unlink(missing_ok=True)
        for output in stage.outputs:
            own = keep_work(build, output, context.out / output, before.outputs if before else {}, stage.regrown)
            if own is not None:
                kept.extend(f"{own[0].name}/{name}" for name in own[1])
            _move_into_place(context.out / output, build / output)
        shutil.rmtree(context.out)
        files = _output_files(build, stage)
        record = Record(
            _fingerprint(content),
            summary,
            round(meter.seconds, 3),
            round(meter.peak_mib, 1),
            {str(path.relative_to(build)): content_hash(path) for path in files},
            {str(path.relative_to(build)): file_state(path) for path in files},
            instruction_set() if stage.instructions else "",
            content,
        )
        write_atomically(build / RECORDS / f"{stage.name}.json", json.dumps(asdict(record), indent=1))
    except OSError as error:
        raise _refused(error, build, f"stage {stage.name}") from error
    return record


def _start_tensorflow(stage: Stage, progress: Progress) -> None:
    """Load TensorFlow before a stage that works with it, and show that: it takes seconds with nothing else to see."""
    if "tensorflow" in stage.libraries and "tensorflow" not in sys.modules:
        with waiting(progress, "Starting TensorFlow"):
            load()


def _tell_why(
    stage: Stage, build: Path, content: Mapping[str, Any], project: ProjectConfig, progress: Progress
) -> None:
    """Say why a stage that ran before runs again."""
    before = read_record(build, stage.name)
    if before is None:
        return
    gone = [name for name in before.outputs if not (build / name).is_file()]
    why = why_again(before.content, content, project.model_dump(mode="json"))
    if before.fingerprint == _fingerprint(content) and gone:
        why = f"{gone[0]} is not there any more"
    if why:
        progress.say(f"{stage.name} runs again: {why}")


def _tell_other_machine(stage: Stage, build: Path, progress: Progress) -> None:
    """Say where earlier results were made with other instructions: the same sums may differ in their last bits."""
    before, here = read_record(build, stage.name), instruction_set()
    if before is not None and before.instructions and before.instructions != here:
        progress.say(
            f"{stage.name}: made on a machine with {before.instructions}, this one has {here}; it is made again, and "
            "may end with other bits"
        )


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


def _content(
    stage: Stage, project: ProjectConfig, name: str, upstream: Mapping[str, str], build: Path
) -> dict[str, Any]:
    """Give all that decides a stage's result, as JSON-able data."""
    content: dict[str, Any] = {
        "name": name,
        "settings": stage.settings(project),
        "code": [code_hash(*stage.modules), hashlib.sha256(inspect.getsource(stage.run).encode()).hexdigest()],
        "libraries": {library: library_version(library) for library in stage.libraries},
        "inputs": {need: upstream[need] for need in stage.needs},
    }
    if stage.instructions:
        content |= {"instructions": instruction_set(), "threads": threads()}
    beside = {file: content_hash(build / file) for file in stage.beside if (build / file).is_file()}
    if beside:
        content["beside"] = beside
    return content


def _fingerprint(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _digest(outputs: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(outputs, sort_keys=True).encode()).hexdigest()


@contextmanager
def exclusive(build: Path, busy: str) -> Iterator[None]:
    """Hold a build folder, or another that one process works in at a time; `busy` says that one does already."""
    lock = filelock.FileLock(build / LOCK, timeout=0)
    try:
        build.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except filelock.Timeout as error:
        raise ProjectError(
            "BUILD-BUSY",
            busy,
            where=str(build),
            fix="wait for it, or stop it",
        ) from error
    except OSError as error:
        raise _refused(error, build, "the build folder") from error
    try:
        yield
    finally:
        lock.release()


def _refused(error: OSError, build: Path, doing: str) -> SiliconvError:
    """Say what the system refused: to write into the build folder, or something else."""
    if error.errno in (errno.ENOTDIR, errno.EEXIST) and not build.is_dir():
        return ProjectError(
            "BUILD-WRITE",
            "it is a file, and the build folder of the project has to be there",
            where=str(build),
            fix="move the file away, and run the command again",
        )
    if error.errno not in DENIED_WRITES | {errno.ENOTDIR, errno.EEXIST}:
        return of_system(error, where=doing)
    return ProjectError(
        "BUILD-WRITE",
        f"cannot write: {error.strerror or error}",
        where=str(error.filename or build),
        fix="free disk space; what was built before is still there"
        if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS)
        else "make the folder writable; what was built before is still there",
    )
