"""The record of a run: what was tried, what came of it, and what makes it again; one file each, whole or not there.

Trials of a search are the first to leave records; whoever remembers ordinary runs leaves the same.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict
from typing_extensions import TypedDict

from siliconv.bounded_reading import UnreadableError, as_kind, read_as
from siliconv.errors import ProjectError
from siliconv.project.atomic_write import write_atomically
from siliconv.project.remembered_front import RUNS

FORMAT = 1
_RECORDS = "records"


@dataclass(frozen=True)
class Measured:
    """How good answers are on some images.

    Parameters
    ----------
    metric
        What `value` is.
    value
        Of all images.
    goodness
        The same so that more is better.
    low, high
        The 95 % interval for that many images (of an accuracy Wilson's); None of too few.
    images
        How many there are.
    """

    metric: str
    value: float
    goodness: float
    low: float | None
    high: float | None
    images: int


class _Details(TypedDict, total=False):
    """Of the details of a run, those that are read again."""

    __pydantic_config__ = ConfigDict(extra="allow")  # type: ignore[misc]  # as pydantic wants it
    set: dict[str, Any]
    exact: dict[str, bool]
    scores: dict[str, float]
    fit: str
    board: str
    finished: str


@dataclass(frozen=True)
class RunRecord:
    """What was run and what came of it.

    Parameters
    ----------
    id
        A name that follows from what was run: `record_id`.
    kind
        ``trial`` of a search; ``run`` of a project's stages.
    project, study
        The project, and the search that it belongs to; None for a run.
    origin
        Where a trial's recipe comes from, for people.
    command
        What makes it again.
    started
        Date and time, ISO 8601, UTC.
    seconds
        Of work.
    seed
        Of everything random in it.
    changes
        Fields of the project file by dotted name, with the values of this run.
    weights
        The file in `RUNS` that its fine-tuning starts from, if any.
    validation, test
        How good the integer network's answers are. Choices are made by the former alone; a run of a project without
        validation images has none.
    costs
        Numbers by name: span bit operations, LUTs, cycles, images a second.
    details
        Whatever else is known: operations by layer, shares of the board.
    feasible
        Whether the design fits the board and reaches what was asked for.
    hashes
        SHA-256 of what it was made from and of the network that came out.
    versions
        Of the libraries.
    """

    id: str
    kind: Literal["trial", "run"]
    project: str
    study: str | None
    origin: str
    command: str
    started: str
    seconds: float
    seed: int
    changes: dict[str, Any]
    weights: str | None
    validation: Measured | None
    test: Measured
    costs: dict[str, float]
    details: dict[str, Any]
    feasible: bool
    hashes: dict[str, str]
    versions: dict[str, str]
    format: int = field(default=FORMAT)

    @property
    def judged(self) -> Measured:
        """What choices are made by: the validation images. Every trial has it."""
        if self.validation is None:
            raise ProjectError(
                "RUN-RECORD",
                "nothing is known of validation images, by which choices are made",
                where=f"run {self.id}",
                fix="keep a share of the images for validation: data.validation",
            )
        return self.validation

    @property
    def exact(self) -> bool | None:
        """Whether every core of a run is exact; None of a trial, which made no firmware."""
        found = self.details.get("exact", {})
        return all(found.values()) if found else None

    def same_as(self, other: RunRecord) -> bool:
        """Whether both say the same of the same, whenever they were run and however long it took."""
        when = {"started", "seconds", "command"}
        mine, others = asdict(self), asdict(other)
        return {k: v for k, v in mine.items() if k not in when} == {k: v for k, v in others.items() if k not in when}


def record_id(content: Mapping[str, Any]) -> str:
    """Give the name of a run: ten digits that follow from what it is made from."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:10]


def write_record(folder: Path, record: RunRecord) -> None:
    """Keep a record among the runs of a project's folder."""
    write_atomically(folder / RUNS / _RECORDS / f"{record.id}.json", json.dumps(asdict(record), indent=1) + "\n")


def find_record(folder: Path, name: str) -> RunRecord:
    """Read one record.

    Raises
    ------
    ProjectError
        ``RUN-UNKNOWN`` with those that there are, ``RUN-RECORD`` for one that is damaged or of another format.
    """
    path = folder / RUNS / _RECORDS / f"{name}.json"
    if not name.isalnum() or not path.is_file():
        known = sorted(one.stem for one in path.parent.glob("*.json"))
        raise ProjectError(
            "RUN-UNKNOWN",
            f"there is no run '{name}'",
            where=str(path.parent),
            fix=f"use one of {', '.join(known)}" if known else "run the project first: siliconv run PROJECT",
        )
    try:
        found = read_record_file(path)
        if found.format != FORMAT or found.id != name:
            raise UnreadableError(f"it is of format {found.format}, run {found.id}")
    except UnreadableError as error:
        raise ProjectError(
            "RUN-RECORD",
            f"the record cannot be read: {error}",
            where=str(path),
            fix="delete the file, and run or search again: what is missing is made again",
        ) from error
    return found


def read_record_file(path: Path) -> RunRecord:
    """Read the file of a record wherever it lies, or raise `UnreadableError`."""
    found = read_as(path, RunRecord)
    as_kind(found.details, _Details)
    return found


def read_records(folder: Path) -> tuple[RunRecord, ...]:
    """Read all records of a project, the oldest first, or raise as `find_record`."""
    names = sorted(path.stem for path in (folder / RUNS / _RECORDS).glob("*.json"))
    return tuple(sorted((find_record(folder, name) for name in names), key=lambda one: (one.started, one.id)))


def has_record(folder: Path, name: str) -> bool:
    """Whether a run has been done to its end."""
    return (folder / RUNS / _RECORDS / f"{name}.json").is_file()
