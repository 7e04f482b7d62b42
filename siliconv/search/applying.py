"""A trial's recipe, written into the project file: the ordinary run after it makes that network again."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from siliconv.errors import ProjectError
from siliconv.project.project import PROJECT_FILE
from siliconv.project.project_edit import set_fields
from siliconv.project.remembered_front import RUNS
from siliconv.quantize.training.start import start_hash
from siliconv.search.run_record import RunRecord, find_record
from siliconv.search.trial import START_FIELD


@dataclass(frozen=True)
class Applied:
    """What was written: the record's recipe, and the file of weights beside the project file, if any."""

    record: RunRecord
    path: Path
    fields: tuple[str, ...]
    weights: Path | None


def apply_record(folder: Path, name: str) -> Applied:
    """Write the recipe of a record into the project file, comments kept, and its weights beside it.

    Raises
    ------
    ProjectError
        ``RUN-UNKNOWN``, ``RUN-RECORD``; ``RUN-WEIGHTS`` where its weights are gone or others.
    """
    record = find_record(folder, name)
    changes, weights = dict(record.changes), None
    if record.weights is not None:
        source = folder / RUNS / record.weights
        if not source.is_file() or start_hash(source) != record.hashes.get("start"):
            raise ProjectError(
                "RUN-WEIGHTS",
                "the weights that this run started from are not there any more",
                where=str(source),
                fix="search again: siliconv search PROJECT --board BOARD",
            )
        weights = folder / f"searched-{record.id}.npz"
        shutil.copyfile(source, weights)
        changes[START_FIELD] = weights.name
    path = folder / PROJECT_FILE
    set_fields(path, changes)
    return Applied(record, path, tuple(changes), weights)
