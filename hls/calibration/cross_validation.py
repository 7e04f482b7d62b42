"""How good the estimator is on projects it has not seen: each project predicted from all the others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from math import exp, log
from statistics import median, stdev
from typing import Any

import numpy as np
from scipy.special import stdtrit

from siliconv.hls.calibration.observations import Observation, is_informative, observations_of
from siliconv.hls.calibration.record_layers import Fields
from siliconv.hls.calibration.records import SynthesisRecord
from siliconv.hls.calibration.regression import RESOURCES, fit
from siliconv.hls.design.design import MatrixLayer
from siliconv.hls.estimate.coefficients import (
    AFTER_LOGIC,
    CYCLES,
    LOGIC_GROUP,
    METRICS,
    SLACK,
    Coefficients,
    group_of,
    kind_of,
    release_of,
    wider_groups,
)
from siliconv.hls.estimate.either_way import either_way
from siliconv.hls.estimate.estimate import estimate, point_values
from siliconv.hls.estimate.schedule import schedule
from siliconv.hls.kinds import Synthesis

COVERAGE = 0.8
# Of the logarithm of logic over C synthesis, where too few designs have both.
_USUAL_SPREAD = 0.4
# What widens a band besides where no project has a kind of layer, or a release: a standard deviation of the logarithm.
# Without a kind, LUTs come out 0.23 further off than without a project (root mean square of 13 kinds); what loops miss
# that were read off no report of a kind, fits cannot tell. Multipliers and memories are the same in all kinds.
# Without a release, by 0.07 (mean of seven: most repositories are the only ones of theirs, so bands have it in them).
_UNSEEN_SPREAD = {
    "kind": dict.fromkeys(("latency_cycles", "interval_cycles", "lut", "ff"), 0.25),
    "release": {"lut": 0.07, "ff": 0.07},
}
# A group needs this many repositories for bands of its own.
_LEAST_REPOSITORIES = 4
# No band is narrower than this: what tool versions and settings that no report names may change.
_LEAST_BAND = {
    "latency_cycles": 0.05,
    "interval_cycles": 0.05,
    "lut": 0.12,
    "ff": 0.25,
    "dsp": 0.1,
    "bram18": 0.02,
}
# Locally modified templates, single test layers and recurrent networks are not what the bands are for.
_NOT_JUDGED = ("C", "M", "R")


@dataclass(frozen=True)
class Range:
    """A value with the least and the most that it can be by what is known of the tools."""

    value: float
    least: float
    most: float


Predictions = Mapping[str, Mapping[str, Range]]


@dataclass(frozen=True)
class Sample:
    """A record with what it tells about parts."""

    record: SynthesisRecord
    observations: tuple[Observation, ...]
    logic_synthesis: Mapping[str, float]


def samples_of(entries: Sequence[Fields], records: Sequence[SynthesisRecord]) -> list[Sample]:
    """Return the samples of a file of records; recurrent networks are left out."""
    return [
        Sample(
            record,
            tuple(observations_of(entry, record)) if is_informative(record) else (),
            _logic_synthesis(entry),
        )
        for entry, record in zip(entries, records, strict=True)
        if record.tier != "R"
    ]


def fit_coefficients(samples: Sequence[Sample], source: str) -> Coefficients:
    """Fit all coefficients to samples, with bands that cover everything (see `with_bands`)."""
    by_stage = {
        stage: [one for sample in samples for one in sample.observations if one.stage is stage] for stage in Synthesis
    }
    ratios: dict[str, list[float]] = defaultdict(list)
    for sample in samples:
        for metric, ratio in sample.logic_synthesis.items():
            ratios[metric].append(ratio)
    usual = {"lut": 0.45, "ff": 0.7}
    return Coefficients(
        parts={
            stage: {name: fit(found, name) if found else {} for name in RESOURCES} for stage, found in by_stage.items()
        },
        logic_synthesis={m: round(median(ratios[m]), 3) if ratios[m] else one for m, one in usual.items()},
        bands={"all": dict.fromkeys(METRICS, (0.0, 1e3))},
        coverage=COVERAGE,
        source=source,
        projects=_projects(samples),
        unseen_spread=_UNSEEN_SPREAD,
        fitted_to=frozenset(sample.record.identity for sample in samples),
        logic_spread={m: round(stdev(map(log, ratios[m])), 3) if len(ratios[m]) > 2 else _USUAL_SPREAD for m in usual},
    )


def _projects(samples: Sequence[Sample]) -> dict[str, int]:
    """Count the projects with layers of each kind, and those of each release.

    Single test layers and changed templates do not speak for a kind.
    """
    found: dict[str, set[str]] = defaultdict(set)
    for sample in samples:
        if sample.record.tier not in _NOT_JUDGED:
            design, project = sample.record.design, sample.record.project
            for layer in design.layers:
                if isinstance(layer, MatrixLayer):
                    found[kind_of(layer, design)].add(project)
            if release_of(design):
                found[release_of(design)].add(project)
    return {kind: len(projects) for kind, projects in sorted(found.items())}


def predictions(samples: Sequence[Sample], known: Coefficients) -> dict[str, dict[str, Range]]:
    """Return the values of all metrics for each record."""
    found = {}
    for sample in samples:
        design = sample.record.design
        values = point_values(design, [schedule(layer, design) for layer in design.layers], sample.record.stage, known)
        found[sample.record.identity] = {
            metric: Range(value, *either_way(metric, value, design, sample.record.stage))
            for metric, value in values.items()
        }
    return found


def without_projects(
    samples: Sequence[Sample], projects: Collection[str], predicted: Predictions
) -> dict[str, Coefficients]:
    """Return the coefficients and bands that each project is predicted with when nothing of it is known.

    Parameters
    ----------
    samples
        All that there is to fit to.
    projects
        The projects to leave out, one at a time.
    predicted
        Of all samples, as `leave_projects_out` gives them, for the bands.
    """
    found = {}
    for project in projects:
        others = [sample for sample in samples if sample.record.project != project]
        found[project] = with_bands(fit_coefficients(others, ""), others, predicted)
    return found


def leave_projects_out(samples: Sequence[Sample]) -> dict[str, dict[str, Range]]:
    """Return the values of each record from coefficients fitted to the other projects only."""
    found: dict[str, dict[str, Range]] = {}
    for project in sorted({sample.record.project for sample in samples}):
        others = [sample for sample in samples if sample.record.project != project]
        held_out = [sample for sample in samples if sample.record.project == project]
        found.update(predictions(held_out, fit_coefficients(others, "")))
    return found


def with_bands(known: Coefficients, samples: Sequence[Sample], predicted: Predictions) -> Coefficients:
    """Return the coefficients with bands from cross-validated predictions.

    Each repository counts once in the quantiles, however many records it has. A group of few repositories has the bands
    of the wider groups that it belongs to. Resources after logic synthesis are a group of their own.
    """
    groups: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        if sample.record.tier not in _NOT_JUDGED:
            for group in wider_groups(group_of(sample.record.design)):
                groups[group].append(sample)
            if sample.record.stage is Synthesis.VSYNTH and group_of(sample.record.design) == LOGIC_GROUP:
                groups[AFTER_LOGIC].append(sample)
    bands: dict[str, dict[str, tuple[float, float]]] = {"all": dict.fromkeys(METRICS, (0.0, 1000.0))}
    repositories: dict[str, dict[str, int]] = {}
    for group, found in sorted(groups.items()):
        stage = Synthesis.VSYNTH if group == AFTER_LOGIC else Synthesis.CSYNTH
        for metric in METRICS:
            telling = [one for one in found if _tells(one.record, metric, stage)]
            count = len({one.record.repository for one in telling})
            if count >= _LEAST_REPOSITORIES or (telling and group in ("all", AFTER_LOGIC)):
                bands.setdefault(group, {})[metric] = _band(telling, predicted, metric, known.coverage)
                repositories.setdefault(group, {})[metric] = count
    return replace(known, bands=bands, repositories=repositories)


def _tells(record: SynthesisRecord, metric: str, stage: Synthesis) -> bool:
    """Whether a record has a figure of a stage; cycles are always those of C synthesis."""
    of_stage = stage is Synthesis.CSYNTH if metric in CYCLES else record.stage is stage
    return of_stage and metric in record.reported


def error_table(samples: Sequence[Sample], predicted: Predictions) -> list[dict[str, Any]]:
    """Return the cross-validated errors: a row for each group of designs, tier and metric.

    Errors are |predicted - reported| / reported (over at least 1). `median` is over records,
    `median_of_projects` over the medians of the projects, `p90` the ninth decile, `covered` the share of
    records inside a band made from the other projects.
    """
    rows: dict[tuple[str, str, str], list[Sample]] = defaultdict(list)
    for sample in samples:
        rows[(group_of(sample.record.design), _sort(sample.record), str(sample.record.stage))].append(sample)
    covered = _covered(samples, predicted)
    table = []
    for (group, sort, stage), found in sorted(rows.items()):
        for metric in METRICS:
            of_metric = [one for one in found if metric in one.record.reported]
            if not of_metric:
                continue
            errors = [relative_error(one.record, predicted, metric) for one in of_metric]
            by_project: dict[str, list[float]] = defaultdict(list)
            for one, error in zip(of_metric, errors, strict=True):
                by_project[one.record.project].append(error)
            inside = [covered[one.record.identity, metric] for one in of_metric]
            table.append(
                {
                    "group": group,
                    "records": sort,
                    "stage": stage,
                    "metric": metric,
                    "n": len(errors),
                    "projects": len(by_project),
                    "median": round(median(errors), 4),
                    "median_of_projects": round(median(median(one) for one in by_project.values()), 4),
                    "p90": round(float(np.quantile(errors, 0.9)), 4),
                    "covered": round(sum(inside) / len(inside), 3),
                }
            )
    return table


def relative_error(record: SynthesisRecord, predicted: Predictions, metric: str) -> float:
    """Return |predicted - reported| over what was reported, or over 1 where that was nothing."""
    truth = record.reported[metric]
    return abs(predicted[record.identity][metric].value - truth) / max(truth, 1.0)


def _sort(record: SynthesisRecord) -> str:
    return {"C": "modified templates", "M": "single test layers"}.get(record.tier, "projects")


def _band(samples: Sequence[Sample], predicted: Predictions, metric: str, coverage: float) -> tuple[float, float]:
    by_repository: dict[str, list[float]] = defaultdict(list)
    for sample in samples:
        by_repository[sample.record.repository].append(_residual(sample.record, predicted, metric))
    residuals = sorted((one, 1.0 / len(found)) for found in by_repository.values() for one in found)
    tail = (1.0 - coverage) / 2.0
    low, high = _quantile(residuals, tail), _quantile(residuals, 1.0 - tail)
    # Few repositories say little about the tails: at least the prediction interval of a normal distribution.
    means = np.array([np.mean(one) for one in by_repository.values()])
    if len(means) > 1:
        spread = float(means.std(ddof=1)) * (1 + 1 / len(means)) ** 0.5
        reach = float(stdtrit(len(means) - 1, 1.0 - tail)) * spread
        middle = float(means.mean())
        low, high = min(low, middle - reach), max(high, middle + reach)
    least = _LEAST_BAND[metric]
    return round(exp(min(low, -least)), 4), round(exp(max(high, least)), 4)


def _residual(record: SynthesisRecord, predicted: Predictions, metric: str) -> float:
    """Return the logarithm of what was reported over the end of the range that it is beyond, 0 inside."""
    slack, found, truth = SLACK[metric], predicted[record.identity][metric], record.reported[metric]
    end = min(max(truth, found.least), found.most)
    return log((truth + slack) / (end + slack))


def _quantile(weighted: Sequence[tuple[float, float]], share: float) -> float:
    """Return the weighted quantile, interpolated between the middles of the weights."""
    values, weights = np.array([v for v, _ in weighted]), np.array([w for _, w in weighted])
    middles = (np.cumsum(weights) - 0.5 * weights) / weights.sum()
    return float(np.interp(share, middles, values))


def _covered(samples: Sequence[Sample], predicted: Predictions) -> dict[tuple[str, str], bool]:
    """Return whether each record's truths are in bands made of the other projects."""
    bands = without_projects(samples, {sample.record.project for sample in samples}, predicted)
    found = {}
    for sample in samples:
        record = sample.record
        known = estimate(record.design, stage=record.stage, coefficients=bands[record.project], by_layer=False)
        for metric, truth in record.reported.items():
            value = getattr(known, metric)
            found[record.identity, metric] = value.low <= truth <= value.high
    return found


def _logic_synthesis(entry: Fields) -> dict[str, float]:
    """Return logic synthesis over C synthesis where a record has both, of a device that was not full."""
    before, after = entry.get("results") or {}, entry.get("results_vsynth") or {}
    if after.get("saturated") or entry.get("tier") == "R":
        return {}
    return {
        metric: float(after[metric]) / float(before[metric])
        for metric in RESOURCES
        if before.get(metric) and after.get(metric)
    }
