"""The search of a project: candidates by gradient or by trial, and the front of what came out."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from siliconv.errors import ProjectError
from siliconv.flow.artefacts import judge_of, load_float_model
from siliconv.flow.code_version import code_hash
from siliconv.flow.flow import exclusive
from siliconv.flow.output_state import content_hash
from siliconv.models.architectures.architecture import output_activation
from siliconv.models.data.image_store import Dataset, open_dataset
from siliconv.models.training.prediction import predict_logits
from siliconv.progress import Progress
from siliconv.project.atomic_write import write_atomically
from siliconv.project.project import ProjectConfig, load_project
from siliconv.project.remembered_front import remember_front
from siliconv.project.taken_project import taken
from siliconv.quantize.training.calibration import WEIGHT_LAYERS
from siliconv.quantize.training.fine_tuning import dropout_of
from siliconv.search.core_cost import Wanted
from siliconv.search.crew import Crew, run_trials
from siliconv.search.gradient_search import FrontPoint, GradientSettings, best_within, gradient_search, weights_of
from siliconv.search.pareto import chosen_of_front, pareto_front
from siliconv.search.recipe_of_bits import changes_of
from siliconv.search.run_record import Measured, RunRecord, record_id
from siliconv.search.sensitivity import Sensitivity
from siliconv.search.trial import Candidate, RefusedTrial, Study, data_settings_id, measured_score
from siliconv.search.trial_search import TrialSettings, trial_search

PARETO_FILE = "pareto.json"

SLACK = 4.0
"""So many times the allowed drop a candidate by trial may lose beside it, and still be worth a place on the front."""

Way = Literal["gradient", "trial"]
WAYS: tuple[Way, ...] = ("gradient", "trial")
TRIALS: dict[Way, int] = {"gradient": 6, "trial": 24}
"""How many candidates are begun where nothing is said."""

COST = "lut"
"""What candidates are compared by: the resource that bits move most. Records hold the others beside it."""


@dataclass(frozen=True)
class SearchSettings:
    """What is asked of a search.

    Parameters
    ----------
    wanted
        Board, core, rate, latency.
    accuracy_drop
        In percent points (of the metric's own unit in other tasks, a hundredth): how much worse than the float network
        the chosen one may be on the validation images.
    target
        Span bit operations to be driven to; None for a ramp.
    epochs
        Of the gradient search, or of the longest fine-tuning by trial; None for the default.
    trials
        How many candidates are begun; None for the default of the way.
    hours
        After which no further trial begins; None for all.
    seed
        Of everything random.
    by
        Whether candidates come from one training that learns the bits, or are tried.
    """

    wanted: Wanted
    accuracy_drop: float = 0.5
    target: int | None = None
    epochs: int | None = None
    trials: int | None = None
    hours: float | None = None
    seed: int = 1
    by: Way = "gradient"

    @property
    def most_trials(self) -> int:
        """How many candidates are begun."""
        return self.trials if self.trials is not None else TRIALS[self.by]


@dataclass(frozen=True)
class SearchOutcome:
    """What a search found.

    ``reference``: the float network on the validation images. ``records``: all trials, of each candidate the one that
    came furthest. ``complete``: whether all were made. ``refused``: what became no network. ``sensitivities``: by
    trial, what each tensor loses alone. ``cost``: the number that counts.
    """

    study: str
    settings: SearchSettings
    reference: Measured
    records: tuple[RunRecord, ...]
    complete: bool
    cost: str = COST
    refused: tuple[RefusedTrial, ...] = ()
    sensitivities: tuple[Sensitivity, ...] = ()

    @cached_property
    def front(self) -> tuple[RunRecord, ...]:
        """Those that none beats."""
        return pareto_front(self.records, self.cost)

    @property
    def chosen(self) -> RunRecord | None:
        """The cheapest within the drop; None where nothing fits."""
        return chosen_of_front(self.front, self.least)

    @property
    def least(self) -> float:
        """How good the chosen one has to be."""
        return self.reference.goodness - self.settings.accuracy_drop / 100

    def as_json(self) -> dict[str, Any]:
        """Return it for machines and for pictures."""
        wanted = self.settings.wanted
        return {
            "study": self.study,
            "by": self.settings.by,
            "board": wanted.board.name,
            "core": wanted.core,
            "cost": self.cost,
            "accuracy_drop": self.settings.accuracy_drop,
            "reference": asdict(self.reference),
            "complete": self.complete,
            "chosen": self.chosen.id if self.chosen is not None else None,
            "front": [one.id for one in self.front],
            "trials": [asdict(one) for one in self.records],
            "refused": [asdict(one) for one in self.refused],
            "sensitivities": [asdict(one) for one in self.sensitivities],
        }


def search(
    folder: Path,
    settings: SearchSettings,
    progress: Progress,
    *,
    command: str,
    began: float | None = None,
    crew: Crew | None = None,
) -> SearchOutcome:
    """Search the bits of a project whose stages ran up to ``train``; a search that was stopped goes on.

    Parameters
    ----------
    folder
        Of the project.
    settings
        What is asked.
    progress
        Told of all work.
    command
        What makes the search again, for the records.
    began
        When the hours began, by `time.time`; now by default.
    crew
        Who does the trials; this process by default.

    Raises
    ------
    ProjectError
        ``SEARCH-PROJECT`` for a project whose bits cannot be searched, ``SEARCH-REFUSED`` where no candidate becomes a
        network.
    SiliconvError
        As `siliconv.search.crew.run_trials`.
    """
    folder = folder.resolve()
    began = time.time() if began is None else began
    project = load_project(folder)
    _check(project)
    study = study_of(folder, project, settings, command)
    deadline = None if settings.hours is None else began + settings.hours * 3600
    with exclusive(study.work, "this search is running already"):
        found = _search(study, project, settings, crew or Crew(), progress, deadline)
    if not found.complete:
        progress.say(f"{settings.hours:g} hours are over: {len(found.records)} candidates tried")
    if not found.records:
        raise _nothing_tried(found)
    return found


def _search(
    study: Study,
    project: ProjectConfig,
    settings: SearchSettings,
    crew: Crew,
    progress: Progress,
    deadline: float | None,
) -> SearchOutcome:
    folder = study.folder
    dataset = open_dataset(folder / "build" / "data")
    reference = reference_of(folder, project, dataset)
    if settings.by == "trial":
        wanted = TrialSettings(
            settings.most_trials,
            settings.epochs,
            settings.seed,
            reference.goodness - settings.accuracy_drop / 100,
            SLACK * settings.accuracy_drop / 100,
            COST,
        )
        tried = trial_search(study, project, dataset, wanted, crew, progress, deadline=deadline)
        found = SearchOutcome(
            study.name,
            settings,
            reference,
            tried.records,
            tried.complete,
            refused=tried.refused,
            sensitivities=tried.sensitivities.found,
        )
    else:
        candidates = candidates_by_gradient(study, project, dataset, settings, progress)
        outcomes = run_trials(study, candidates, crew, progress, deadline=deadline, one_at_least=True)
        records = {one.id: one for one in outcomes if isinstance(one, RunRecord)}
        found = SearchOutcome(
            study.name,
            settings,
            reference,
            tuple(records.values()),
            all(one is not None for one in outcomes),
            refused=tuple(one for one in outcomes if isinstance(one, RefusedTrial)),
        )
    write_atomically(study.work / PARETO_FILE, json.dumps(found.as_json(), indent=1) + "\n")
    remember_front(folder, "search", found.as_json())
    return found


def _nothing_tried(found: SearchOutcome) -> ProjectError:
    first = found.refused[0]
    return ProjectError(
        "SEARCH-REFUSED",
        f"none of {len(found.refused)} candidates becomes a network that can be judged; [{first.code}] {first.what}",
        where=f"runs/{found.study}",
        fix="run the project as it is, and change what stops it: siliconv run PROJECT --until estimate",
    )


def study_of(folder: Path, project: ProjectConfig, settings: SearchSettings, command: str) -> Study:
    """Give the study that a search belongs to; its name follows from what it depends on."""
    build = folder / "build"
    hashes = {
        "float": content_hash(build / "float" / "weights.npz"),
        "data": record_id({path.name: content_hash(path) for path in sorted((build / "data").iterdir())}),
        "data settings": data_settings_id(folder, project),
        "recipe": record_id(project.quantize.model_dump(mode="json")),
        "code": code_hash("siliconv.search.trial", f"siliconv.search.{settings.by}_search"),
    }
    asked: dict[str, Any] = {"target": settings.target, "epochs": settings.epochs, "seed": settings.seed}
    if settings.by == "trial":
        # What is proposed follows from what came before, judged on this board.
        wanted = settings.wanted
        asked |= {
            "by": "trial",
            "drop": settings.accuracy_drop,
            "board": wanted.board.name,
            "wanted": [wanted.core, wanted.images_per_second, wanted.latency_us],
        }
    name = f"search-{record_id({**hashes, **asked})}"
    return Study(folder, name, command, settings.seed, settings.wanted, hashes)


def reference_of(folder: Path, project: ProjectConfig, dataset: Dataset) -> Measured:
    """Say how good the float network is on the validation images; on the training images where there are none."""
    images = dataset.val if len(dataset.val) else dataset.train
    judge = judge_of(project, dataset)
    logits = predict_logits(load_float_model(folder / "build"), images)
    return measured_score(judge.score(judge.outputs(logits), images), len(images))


def candidates_by_gradient(
    study: Study, project: ProjectConfig, dataset: Dataset, settings: SearchSettings, progress: Progress
) -> tuple[Candidate, ...]:
    """Train the bits once, and give the recipes of the front's points that are worth trying, the best first."""
    model = load_float_model(study.folder / "build")
    train = project.quantize.train or project.train
    work = study.work / "gradient"
    points = gradient_search(
        model,
        dataset,
        project.quantize,
        GradientSettings(settings.target, settings.epochs, settings.seed),
        work=work,
        train=train,
        progress=progress,
        dropout=dropout_of(project.quantize, project.train),
        function=output_activation(project.model.architecture),
    )
    layers = [layer for layer in model.layers if type(layer).__name__ in WEIGHT_LAYERS]
    found = []
    for point in spread_over(points, settings.most_trials, settings.target):
        changes = changes_of(point, layers, project, dataset.summary.input)
        origin = f"gradient, epoch {point.epoch + 1}, {point.span_operations} span bit operations"
        found.append(Candidate(changes, weights_of(work / "front", point), origin))
    return tuple(found)


def spread_over(points: Sequence[FrontPoint], most: int, target: int | None) -> tuple[FrontPoint, ...]:
    """Choose points of a front at costs in equal ratios, from the largest (or the target) down, each once."""
    if not points:
        return ()
    costs = [one.span_operations for one in points]
    high = max(costs) if target is None else max(target, min(costs))
    low = min(costs)
    ratio = (high / max(low, 1)) ** (1 / most)
    found: dict[int, FrontPoint] = {}
    for number in range(most):
        point = best_within(points, round(high / ratio**number))
        if point is not None:
            found.setdefault(point.epoch, point)
    return tuple(found.values())


def _check(project: ProjectConfig) -> None:
    why = None
    if taken(project) is not None:
        why = ("a QKeras model is taken with the bits that it has", "search a project of its float model")
    elif project.model.fold is not None:
        why = ("the bits are those of the QKeras model's quantizers", "search a project of its float model")
    elif project.quantize.pruning is not None:
        why = ("pruning and learned bits would both choose the zeros", "take quantize.pruning out")
    elif project.model.ports.are_several:
        why = ("a network of several inputs or outputs has no single cost and score", "search one of its parts")
    elif project.task == "none":
        why = ("nothing says which answers are right", "give labels, or targets")
    if why is not None:
        raise ProjectError("SEARCH-PROJECT", f"no bits to search: {why[0]}", where="project.yml", fix=why[1])
