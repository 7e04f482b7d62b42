"""One trial: a recipe, fine-tuned with the bits that it says, made an integer network, judged; its record."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import filelock
import numpy as np

from siliconv.bounded_reading import UnreadableError, read_as
from siliconv.errors import FirmwareError, ModelError, NetworkError, SiliconvError
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
from siliconv.network.simplify.simplification import simplify
from siliconv.progress import Progress
from siliconv.project.atomic_write import write_atomically
from siliconv.project.project import ProjectConfig, c_identifier
from siliconv.project.varied_project import varied_project
from siliconv.quantize.input_type import fixed_point_of
from siliconv.quantize.training.fine_tuning import dropout_of, quantize
from siliconv.quantize.training.start import start_hash, write_start
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
_TRIALS, _FINE_TUNING, _REFUSED, _LOCK = "trials", "fine_tuning", "refused.json", ".lock"


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


@dataclass(frozen=True)
class RefusedTrial:
    """A recipe that makes no network, or none that the core can be: the code of the message, and what it says."""

    id: str
    code: str
    what: str


TrialOutcome = RunRecord | RefusedTrial


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


def weights_of_trial(study: Study, name: str) -> Path:
    """Give the file in which a trial leaves its weights and types, for others to start from."""
    return study.work / _TRIALS / name / "weights.npz"


def run_trial(study: Study, candidate: Candidate, progress: Progress) -> TrialOutcome:
    """Fine-tune, lower and judge a candidate; what was done to its end before is read, not done again.

    Two processes that are given the same candidate do it once: the second waits, and reads what the first wrote.

    Raises
    ------
    SiliconvError
        As the stages of a run, for what is wrong with the project and not with this candidate.
    """
    name = trial_id(study, candidate)
    work = study.work / _TRIALS / name
    work.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(work / _LOCK):
        known = _known_outcome(study, name)
        if known is not None:
            return known
        try:
            return _new_record(study, candidate, name, work, progress)
        except (NetworkError, FirmwareError, ModelError) as error:
            if isinstance(error, ModelError) and error.code != "TRAIN-NAN":
                raise
            return _refused(error, name, work)
        finally:
            if _known_outcome(study, name) is not None:
                shutil.rmtree(work / _FINE_TUNING, ignore_errors=True)


def _known_outcome(study: Study, name: str) -> TrialOutcome | None:
    if has_record(study.folder, name) and weights_of_trial(study, name).is_file():
        return find_record(study.folder, name)
    try:
        return read_as(study.work / _TRIALS / name / _REFUSED, RefusedTrial)
    except UnreadableError:
        return None


def _refused(error: SiliconvError, name: str, work: Path) -> RefusedTrial:
    refused = RefusedTrial(name, error.code, error.what)
    write_atomically(work / _REFUSED, json.dumps(asdict(refused), indent=1) + "\n")
    return refused


def _new_record(study: Study, candidate: Candidate, name: str, work: Path, progress: Progress) -> RunRecord:
    began, started = time.monotonic(), datetime.now(UTC).isoformat(timespec="seconds")
    project = candidate_project(study.folder, candidate, work)
    dataset = data_of(study, project, progress)
    float_model = load_float_model(study.folder / "build")
    found = quantize(
        float_model,
        dataset,
        project.quantize,
        work=work / _FINE_TUNING,
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
    if project.quantize.simplify:
        network = simplify(network)
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
    write_start(weights_of_trial(study, name), found.trained, found.types)
    write_record(study.folder, record)
    return record


def candidate_project(folder: Path, candidate: Candidate, work: Path) -> ProjectConfig:
    """Give the project with a candidate's fields, by the very edit that `--apply` makes."""
    start = {START_FIELD: str(candidate.start.resolve())} if candidate.start is not None else {}
    return varied_project(folder, {**candidate.changes, **start}, work)


def data_of(study: Study, project: ProjectConfig, progress: Progress) -> Dataset:
    """Give the data as a project wants them: those of the build, or the same with another type of input."""
    data, asked = project.data, data_settings_id(study.folder, project)
    if asked == study.hashes["data settings"]:
        return open_dataset(study.folder / "build" / "data")
    place = study.work / f"data-{asked}"
    study.work.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(study.work / f".{place.name}{_LOCK}"):
        if not place.is_dir():
            partial = place.with_name(f".{place.name}")
            shutil.rmtree(partial, ignore_errors=True)
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


def data_settings_id(folder: Path, project: ProjectConfig) -> str:
    """Name what decides which data a project has; not where its folder lies, so that a study can be moved with it."""
    said = json.dumps({"data": project.data.model_dump(mode="json"), "percentile": project.percentile})
    return record_id({"said": said.replace(json.dumps(str(folder))[1:-1], "")})


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
