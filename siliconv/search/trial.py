"""One trial: a recipe, fine-tuned with the bits that it says, made an integer network, judged; its record."""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from siliconv.flow.artefacts import judge_of, load_float_model, network_outputs
from siliconv.flow.code_version import library_version
from siliconv.models.answers.scores import Score
from siliconv.models.architectures.architecture import output_activation
from siliconv.models.architectures.weights import named_weights
from siliconv.models.data.datasets import prepare
from siliconv.models.data.image_store import Dataset, Images, open_dataset
from siliconv.network import network_file
from siliconv.network.emulator import emulator
from siliconv.network.fixed_point import to_values
from siliconv.network.graph import Network
from siliconv.progress import Progress
from siliconv.project.project import ProjectConfig, c_identifier
from siliconv.project.varied_project import varied_project
from siliconv.quantize.input_type import fixed_point_of
from siliconv.quantize.training.fine_tuning import dropout_of, quantize
from siliconv.quantize.training.start import start_hash
from siliconv.search.core_cost import Wanted, core_cost
from siliconv.search.run_record import (
    Measured,
    RunRecord,
    find_record,
    has_record,
    record_id,
    write_record,
)
from siliconv.stages.lowered_network import lowered_network

_LIBRARIES = ("siliconv", "tensorflow", "tf-keras", "qkeras", "optuna")
START_FIELD = "quantize.start"


@dataclass(frozen=True)
class Study:
    """What all trials of a search share.

    Parameters
    ----------
    folder
        Of the project, whose stages ran up to ``train``.
    name
        Of the search: its folder among the runs.
    command
        What makes it again.
    seed
        Of everything random.
    wanted
        Board, core, rate, latency.
    hashes
        Of what the search starts from.
    """

    folder: Path
    name: str
    command: str
    seed: int
    wanted: Wanted
    hashes: Mapping[str, str]

    @property
    def work(self) -> Path:
        """Where the search keeps what it needs to go on."""
        return self.folder / "runs" / self.name


@dataclass(frozen=True)
class Candidate:
    """A recipe to try: fields of the project file by dotted name, the weights to start from, and where it is from."""

    changes: Mapping[str, Any]
    start: Path | None
    origin: str


def trial_id(study: Study, candidate: Candidate) -> str:
    """Give the name of a trial, which follows from everything that its result depends on."""
    return record_id(
        {
            "changes": dict(candidate.changes),
            "start": start_hash(candidate.start),
            "from": dict(study.hashes),
            "board": study.wanted.board.name,
            "wanted": [study.wanted.core, study.wanted.images_per_second, study.wanted.latency_us],
        }
    )


def run_trial(study: Study, candidate: Candidate, progress: Progress) -> RunRecord:
    """Fine-tune, lower and judge a candidate; what was done to its end before is read, not done again.

    Raises
    ------
    SiliconvError
        As the stages of a run.
    """
    name = trial_id(study, candidate)
    if has_record(study.folder, name):
        return find_record(study.folder, name)
    began, started = time.monotonic(), datetime.now(UTC).isoformat(timespec="seconds")
    work = study.work / "trials" / name
    project = candidate_project(study.folder, candidate, work)
    dataset = data_of(study, project, progress)
    float_model = load_float_model(study.folder / "build")
    found = quantize(
        float_model,
        dataset,
        project.quantize,
        work=work / "fine_tuning",
        progress=progress,
        dropout=dropout_of(project.quantize, project.train),
        function=output_activation(project.model.architecture),
    )
    judge = judge_of(project, dataset)
    network = lowered_network(
        found.model,
        name=c_identifier(study.folder.name),
        ports=project.model.ports,
        class_names=dataset.class_names if judge.takes_logits else (),
        input_type=fixed_point_of(dataset.input),
    )
    cost = core_cost(network, project, study.wanted)
    validation = dataset.val if len(dataset.val) else dataset.train
    network_file.save(network, work / "network")
    record = RunRecord(
        name,
        "trial",
        study.folder.name,
        study.name,
        candidate.origin,
        study.command,
        started,
        round(time.monotonic() - began, 3),
        study.seed,
        dict(candidate.changes),
        candidate.start.relative_to(study.folder / "runs").as_posix() if candidate.start is not None else None,
        measured(network, validation, project, dataset, progress),
        measured(network, dataset.test, project, dataset, progress),
        cost.costs,
        cost.details,
        cost.feasible,
        {
            **study.hashes,
            "quantized": _hash_of(named_weights(found.model)),
            **({"start": str(start_hash(candidate.start))} if candidate.start is not None else {}),
        },
        {name: library_version(name) for name in _LIBRARIES},
    )
    write_record(study.folder, record)
    shutil.rmtree(work / "fine_tuning", ignore_errors=True)
    return record


def candidate_project(folder: Path, candidate: Candidate, work: Path) -> ProjectConfig:
    """Give the project with a candidate's fields, by the very edit that `--apply` makes."""
    start = {START_FIELD: str(candidate.start.resolve())} if candidate.start is not None else {}
    return varied_project(folder, {**candidate.changes, **start}, work)


def data_of(study: Study, project: ProjectConfig, progress: Progress) -> Dataset:
    """Give the data as a project wants them: those of the build, or the same with another type of input."""
    data = project.data
    asked = record_id({"data": data.model_dump(mode="json"), "percentile": project.percentile})
    if asked == study.hashes["data settings"]:
        return open_dataset(study.folder / "build" / "data")
    place = study.work / f"data-{asked}"
    if not place.is_dir():
        partial = place.with_name(f".{place.name}")
        shutil.rmtree(partial, ignore_errors=True)
        partial.parent.mkdir(parents=True, exist_ok=True)
        prepare(
            data,
            project.model.network_shape,
            partial,
            progress,
            question=project.question,
            percentile=project.percentile,
            unit=project.model.unit,
        )
        partial.replace(place)
    return open_dataset(place)


def measured(
    network: Network, images: Images, project: ProjectConfig, dataset: Dataset, progress: Progress
) -> Measured:
    """Say how good the answers of an integer network are."""
    judge = judge_of(project, dataset)
    node = network.logits if judge.takes_logits else network.output
    codes = network_outputs(emulator.compile(network), images, [node.name], progress)[node.name]
    return measured_score(judge.score(to_values(codes, node.type), images), len(images))


def measured_score(score: Score, images: int) -> Measured:
    """Give a score with its interval, where it has one."""
    low, high = score.interval or (None, None)
    return Measured(score.metric, score.value, score.goodness, low, high, images)


def _hash_of(arrays: Mapping[str, np.ndarray]) -> str:
    digest = hashlib.sha256()
    for name, values in sorted(arrays.items()):
        digest.update(f"{name}{values.shape}{values.dtype}".encode() + np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()
