"""Trials side by side: one after the other in this process, in processes of this machine, or on a Dask cluster.

What comes out does not depend on who does it: a trial follows from its candidate, and leaves its record itself. A
worker that dies loses what it was at since the last epoch, and another goes on from there.
"""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from siliconv.errors import ToolError
from siliconv.flow.code_version import code_hash
from siliconv.hardware.cluster import check_worker, connected, digest
from siliconv.hardware.workers import CrashedTaskError, processes_for, run_tasks
from siliconv.progress import Progress, Silent, activity
from siliconv.search.run_record import RunRecord
from siliconv.search.trial import Candidate, Study, TrialOutcome, run_trial, trial_id

BYTES_OF_WORKER = 1 << 30
"""Of a process with TensorFlow in it; no more are started than memory allows."""

_DEATHS = 3
"""So often a process may end in the middle of a trial before no further one is tried."""

_MONTH = 30 * 86400.0


@dataclass(frozen=True)
class Crew:
    """Who does the trials.

    Parameters
    ----------
    workers
        Processes of this machine, -1 for one a core; one does them in this process.
    dask
        Address of the scheduler of a Dask cluster in place of them, such as ``tcp://10.0.0.1:8786``.
    """

    workers: int = 1
    dask: str | None = None


@dataclass(frozen=True)
class _Job:
    """A candidate, and the time (of the clock) after which it is not begun any more."""

    study: Study
    candidate: Candidate
    deadline: float | None


def run_trials(
    study: Study,
    candidates: Sequence[Candidate],
    crew: Crew,
    progress: Progress,
    *,
    deadline: float | None = None,
    one_at_least: bool = False,
) -> list[TrialOutcome | None]:
    """Try candidates, and give what came of each, in their order; None of one that there was no time for.

    Parameters
    ----------
    study
        What they share.
    candidates
        What is tried.
    crew
        Who does it.
    progress
        Told of every trial.
    deadline
        Seconds of `time.time` after which none is begun.
    one_at_least
        Whether the first is done whatever the time.

    Raises
    ------
    ProjectError
        ``CLUSTER-WORKER`` for workers of a cluster that do not see what this process sees.
    ToolError
        ``CLUSTER-DASK`` without Dask or its scheduler, ``SEARCH-WORKER`` where workers die again and again.
    SiliconvError
        As `siliconv.search.trial.run_trial`.
    """
    jobs = [
        _Job(study, one, None if one_at_least and number == 0 else deadline) for number, one in enumerate(candidates)
    ]
    if crew.dask is not None:
        return _on_cluster(jobs, crew.dask, progress)
    processes = min(processes_for(crew.workers, BYTES_OF_WORKER), len(jobs)) if crew.workers != 1 else 1
    if processes > 1:
        return _in_processes(jobs, processes, progress)
    outcomes = []
    for number, job in enumerate(jobs):
        outcomes.append(trial_in_time(job, progress))
        tell(outcomes[-1], number + 1, len(jobs), progress)
    return outcomes


def trial_in_time(job: _Job, progress: Progress | None = None) -> TrialOutcome | None:
    """Do a trial unless its time is over."""
    if job.deadline is not None and time.time() > job.deadline:
        return None
    logging.getLogger("tensorflow").addFilter(_is_no_retracing)  # a filter is added once only
    return run_trial(job.study, job.candidate, progress or Silent())


def _is_no_retracing(record: logging.LogRecord) -> bool:
    """Let through what is no advice to build fewer networks: each trial is one."""
    return "retracing" not in record.getMessage()


def tell(outcome: TrialOutcome | None, number: int, count: int, progress: Progress) -> None:
    """Say in a line what came of a trial."""
    if isinstance(outcome, RunRecord):
        found, cost = outcome.judged, outcome.costs["lut"]
        said = f"{found.metric} {found.value:.4f} on validation, {cost:,.0f} LUT"
    else:
        said = "no time" if outcome is None else f"[{outcome.code}] {outcome.what}"
    name = f"{outcome.id}, {outcome.origin}: " if isinstance(outcome, RunRecord) else ""
    progress.say(f"{number}/{count} {name}{said}")


def _in_processes(jobs: Sequence[_Job], processes: int, progress: Progress) -> list[TrialOutcome | None]:
    # A process whose memory grew is ended between two trials, and another takes its place.
    warnings.filterwarnings("ignore", message="A worker stopped while some jobs were given", category=UserWarning)
    outcomes: list[TrialOutcome | None] = []
    deaths = 0
    with activity(progress, f"Trials in {processes} processes", len(jobs), "trials") as shown:
        while len(outcomes) < len(jobs):
            left = [(job,) for job in jobs[len(outcomes) :]]
            try:
                for done in run_tasks(trial_in_time, left, processes=processes, seconds=_MONTH):
                    outcomes.append(done.result)
                    tell(outcomes[-1], len(outcomes), len(jobs), progress)
                    shown.update(len(outcomes))
            except CrashedTaskError as error:
                deaths += 1
                if deaths > _DEATHS:
                    raise _died(f"the last said: {error.args[0]}" if error.args[0] else "nothing was said") from error
                progress.say("a worker died in the middle of a trial: another goes on from its last epoch")
    return outcomes


def _on_cluster(jobs: Sequence[_Job], address: str, progress: Progress) -> list[TrialOutcome | None]:
    outcomes: dict[int, TrialOutcome | None] = {}
    code, data = _code(), digest(jobs[0].study.folder / "build" / "float" / "weights.npz")
    with (
        connected(address) as client,
        activity(progress, f"Trials on {address}", len(jobs), "trials") as shown,
    ):
        from distributed import KilledWorker, as_completed

        # A name for each, so that a search that goes on while the cluster is still at it does not ask twice.
        numbers = {
            client.submit(_at_worker, job, code, data, key=f"{_name(job)}-{job.deadline}"): number
            for number, job in enumerate(jobs)
        }
        try:
            for future in as_completed(numbers):
                outcomes[numbers[future]] = future.result()
                tell(outcomes[numbers[future]], len(outcomes), len(jobs), progress)
                shown.update(len(outcomes))
        except KilledWorker as error:
            raise _died(str(error)) from error
    return [outcomes[number] for number in range(len(jobs))]


def _at_worker(job: _Job, code: str, data: str) -> TrialOutcome | None:
    """Do a trial on a worker of a cluster, where that has the same code, the same files, and nothing beside it."""
    weights = job.study.folder / "build" / "float" / "weights.npz"
    check_worker(_code() == code, None if digest(weights) == data else str(job.study.folder))
    return trial_in_time(job)


def _name(job: _Job) -> str:
    return f"siliconv-{job.study.name}-{trial_id(job.study, job.candidate)}"


@cache
def _code() -> str:
    return code_hash("siliconv.search.crew")


def _died(what: str) -> ToolError:
    return ToolError(
        "SEARCH-WORKER",
        f"workers died in the middle of trials again and again; {what}",
        where="siliconv search",
        fix="use fewer workers, for memory is the usual reason; the search goes on where it was",
    )
