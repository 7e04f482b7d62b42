"""Search by trial: widths are proposed, tried in generations, and stopped early by successive halving.

A generation is proposed at once, from what all generations before it gave, and kept before any of it is tried. So what
comes out depends neither on how many work at it nor on when one of them, or the search itself, was killed.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from siliconv.bounded_reading import read_as
from siliconv.flow.artefacts import load_float_model
from siliconv.models.data.image_store import Dataset
from siliconv.models.data.input_choice import InputChoice
from siliconv.progress import Progress
from siliconv.project.atomic_write import write_atomically
from siliconv.project.project import ProjectConfig
from siliconv.search.crew import Crew, run_trials
from siliconv.search.proposing import Tried, first_proposals, next_proposals, study_of_tried
from siliconv.search.ranking import ranked
from siliconv.search.recipe_of_bits import EPOCHS
from siliconv.search.run_record import RunRecord
from siliconv.search.search_space import Proposal, changes_of_proposal, narrower_by, space_of
from siliconv.search.sensitivity import Sensitivities, sensitivities
from siliconv.search.trial import Candidate, RefusedTrial, Study, weights_of_trial

GENERATION = 8
"""Candidates that are proposed at once."""

SHARES = (0.2, 0.4, 1.0)
"""Of the epochs: how long candidates are fine-tuned before the better half of them goes on."""

LEARNING_RATE = 2e-3
"""Candidates start from weights of more bits: with less, ternary weights do not leave their places in a few epochs."""

OPTUNA_FILE = "optuna.journal"
_SENSITIVITIES = "sensitivities.json"


@dataclass(frozen=True)
class TrialSettings:
    """How much is tried, and what for.

    Parameters
    ----------
    trials
        Candidates that are begun.
    epochs
        Of the longest fine-tuning; None for 20.
    seed
        Of proposals and fine-tuning.
    least
        How good an answer has to be.
    slack
        How much worse candidates may be and still be worth a place on the front.
    cost
        The number that counts beside goodness.
    """

    trials: int
    epochs: int | None
    seed: int
    least: float
    slack: float
    cost: str

    @property
    def rungs(self) -> tuple[int, ...]:
        """The epochs of each round, each more than the one before."""
        most = self.epochs or EPOCHS
        return tuple(sorted({max(1, round(share * most)) for share in SHARES}))


@dataclass(frozen=True)
class TrialsFound:
    """What a search by trial found: each candidate's furthest trial, what was refused, and whether all was done."""

    records: tuple[RunRecord, ...]
    refused: tuple[RefusedTrial, ...]
    complete: bool
    sensitivities: Sensitivities


@dataclass
class _Runner:
    """A candidate on its way."""

    proposal: Proposal
    start: Path | None
    record: RunRecord | None = None
    refused: RefusedTrial | None = None


def trial_search(
    study: Study,
    project: ProjectConfig,
    dataset: Dataset,
    settings: TrialSettings,
    crew: Crew,
    progress: Progress,
    *,
    deadline: float | None = None,
) -> TrialsFound:
    """Search by trial; a search that was stopped goes on, to the same end.

    Parameters
    ----------
    study, project, dataset
        What is searched.
    settings
        How much.
    crew
        Who does the trials.
    progress
        Told of all work.
    deadline
        Seconds of `time.time` after which no trial is begun, the first excepted.

    Raises
    ------
    SiliconvError
        As `siliconv.search.crew.run_trials` and `siliconv.search.sensitivity.sensitivities`.
    """
    model = load_float_model(study.folder / "build")
    space = space_of(model, project, dataset.summary.input)
    known = sensitivities(model, dataset, project, space, study.work / _SENSITIVITIES, progress)
    search = _TrialSearch(study, project, dataset.summary.input, settings, crew, progress, known, deadline)
    finished: list[_Runner] = []
    complete = True
    for number in range(math.ceil(settings.trials / GENERATION)):
        proposals = search.plan(number, finished)[: settings.trials - number * GENERATION]
        runners = [_Runner(one, search.start_of(one, finished)) for one in proposals]
        complete = search.run(runners, number)
        finished += runners
        search.keep_journal(finished)
        if not complete or not proposals:
            break
    return TrialsFound(
        tuple(one.record for one in finished if one.record is not None),
        tuple(one.refused for one in finished if one.record is None and one.refused is not None),
        complete,
        known,
    )


@dataclass(frozen=True)
class _TrialSearch:
    """What does not change from generation to generation."""

    study: Study
    project: ProjectConfig
    given: InputChoice
    settings: TrialSettings
    crew: Crew
    progress: Progress
    known: Sensitivities
    deadline: float | None

    def plan(self, number: int, finished: Sequence[_Runner]) -> list[Proposal]:
        """Give the proposals of a generation: those that were kept, or new ones, kept before any is tried."""
        path = self.study.work / f"generation-{number:03d}.json"
        if path.is_file():
            return read_as(path, list[Proposal])
        proposals = first_proposals(self.known, GENERATION) if number == 0 else []
        tried = [*self.tried(finished), *(Tried(one, None) for one in proposals)]
        seed = self.settings.seed * 10_007 + number
        proposals += next_proposals(self.known, tried, GENERATION - len(proposals), seed)
        write_atomically(path, json.dumps(proposals, indent=1) + "\n")
        return proposals

    def run(self, runners: Sequence[_Runner], number: int) -> bool:
        """Fine-tune the candidates of a generation, the better half of them longer; whether there was time for all."""
        alive = list(runners)
        for rung, epochs in enumerate(self.settings.rungs):
            candidates = [self._candidate(one, number * GENERATION + runners.index(one), epochs) for one in alive]
            self.progress.say(
                f"generation {number + 1}: {len(alive)} of {len(runners)} candidates, {epochs} epochs of fine-tuning"
            )
            first = number == rung == 0
            found = run_trials(
                self.study, candidates, self.crew, self.progress, deadline=self.deadline, one_at_least=first
            )
            for one, outcome in zip(alive, found, strict=True):
                if isinstance(outcome, RunRecord):
                    one.record, one.start = outcome, weights_of_trial(self.study, outcome.id)
                elif outcome is not None:
                    one.refused = outcome
            if any(outcome is None for outcome in found):
                return False
            alive = self._better_half([one for one in alive if one.refused is None])
        return True

    def start_of(self, proposal: Proposal, finished: Sequence[_Runner]) -> Path | None:
        """Give the weights of the nearest finished candidate that has at least as many bits everywhere, if any."""
        space, mine = self.known.space, narrower_by(self.known.space, proposal)
        wider = [
            (mine - narrower_by(space, one.proposal), number, one)
            for number, one in enumerate(finished)
            if one.record is not None
            and all(
                tensor.widths.index(one.proposal[tensor.name]) >= tensor.widths.index(proposal[tensor.name])
                for tensor in space
            )
        ]
        return min(wider, key=lambda one: one[:2])[2].start if wider else None

    def tried(self, finished: Sequence[_Runner]) -> list[Tried]:
        """Give what came of candidates in the terms of a sampler."""
        return [
            Tried(one.proposal, (one.record.judged.goodness, one.record.costs[self.settings.cost]), self._short(one))
            if one.record is not None
            else Tried(one.proposal, None)
            for one in finished
        ]

    def keep_journal(self, finished: Sequence[_Runner]) -> None:
        """Write the study anew as Optuna's own tools read it: whole, or as it was before."""
        partial = self.study.work / f".{OPTUNA_FILE}"
        partial.unlink(missing_ok=True)
        study_of_tried(self.known, self.tried(finished), file=partial)
        partial.replace(self.study.work / OPTUNA_FILE)

    def _candidate(self, one: _Runner, number: int, epochs: int) -> Candidate:
        training: dict[str, Any] = {
            "epochs": epochs,
            "learning_rate": LEARNING_RATE,
            "seed": self.settings.seed,
        }
        changes = changes_of_proposal(self.known.space, one.proposal, self.project, self.given, training)
        return Candidate(changes, one.start, f"trial {number + 1}, {epochs} epochs")

    def _better_half(self, runners: Sequence[_Runner]) -> list[_Runner]:
        values = [one.values or (0.0, math.inf) for one in self.tried(runners)]
        order = ranked([(-goodness, cost) for goodness, cost in values], [self._short(one) for one in runners])
        better = sorted(order[: math.ceil(len(runners) / 2)])
        return [runners[number] for number in better]

    def _short(self, one: _Runner) -> float:
        """How far a candidate is from being worth a place; a design that does not fit is farther than any other."""
        if one.record is None:
            return math.inf
        short = max(0.0, self.settings.least - self.settings.slack - one.record.judged.goodness)
        return short + (0.0 if one.record.feasible else 1.0)
