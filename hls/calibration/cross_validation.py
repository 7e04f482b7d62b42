"""How good the estimator is on projects it has not seen: each project predicted from all the others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
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
from siliconv.hls.estimate.coefficients import METRICS, SLACK, Coefficients, group_of, kind_of
from siliconv.hls.estimate.estimate import point_values
from siliconv.hls.estimate.schedule import schedule
from siliconv.hls.kinds import Synthesis

COVERAGE = 0.8
# Of the logarithm of logic over C synthesis, where too few designs have both.
_USUAL_SPREAD = 0.4
# A group needs this many projects for bands of its own.
_LEAST_PROJECTS = 3
# No band is narrower than this: what tool versions and settings that no report names may change.
_LEAST_BAND = {
    "latency_cycles": 0.05,
    "interval_cycles": 0.05,
    "lut": 0.2,
    "ff": 0.2,
    "dsp": 0.1,
    "bram18": 0.1,
}
# Locally modified templates, single test layers and recurrent networks are not what the bands are for.
_NOT_JUDGED = ("C", "M", "R")

Predictions = Mapping[str, Mapping[str, float]]


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
        logic_spread={m: round(stdev(map(log, ratios[m])), 3) if len(ratios[m]) > 2 else _USUAL_SPREAD for m in usual},
    )


def _projects(samples: Sequence[Sample]) -> dict[str, int]:
    """Count the projects with layers of each kind; single test layers and changed templates do not speak for a kind."""
    found: dict[str, set[str]] = defaultdict(set)
    for sample in samples:
        if sample.record.tier not in _NOT_JUDGED:
            for layer in sample.record.design.layers:
                if isinstance(layer, MatrixLayer):
                    found[kind_of(layer, sample.record.design)].add(sample.record.project)
    return {kind: len(projects) for kind, projects in sorted(found.items())}


def predictions(samples: Sequence[Sample], known: Coefficients) -> dict[str, dict[str, float]]:
    """Return the values of all metrics for each record."""
    return {
        sample.record.identity: point_values(
            sample.record.design,
            [schedule(layer, sample.record.design) for layer in sample.record.design.layers],
            sample.record.stage,
            known,
        )
        for sample in samples
    }


def leave_projects_out(samples: Sequence[Sample]) -> dict[str, dict[str, float]]:
    """Return the values of each record from coefficients fitted to the other projects only."""
    found: dict[str, dict[str, float]] = {}
    for project in sorted({sample.record.project for sample in samples}):
        others = [sample for sample in samples if sample.record.project != project]
        held_out = [sample for sample in samples if sample.record.project == project]
        found.update(predictions(held_out, fit_coefficients(others, "")))
    return found


def with_bands(known: Coefficients, samples: Sequence[Sample], predicted: Predictions) -> Coefficients:
    """Return the coefficients with bands from cross-validated predictions.

    Each project counts once in the quantiles, however many records it has.
    """
    judged = [sample for sample in samples if sample.record.tier not in _NOT_JUDGED]
    groups: dict[str, list[Sample]] = defaultdict(list)
    for sample in judged:
        groups[group_of(sample.record.design)].append(sample)
    groups = {
        group: found
        for group, found in groups.items()
        if len({sample.record.project for sample in found}) >= _LEAST_PROJECTS
    }
    bands = {
        group: {metric: _band(found, predicted, metric, known.coverage) for metric in METRICS}
        for group, found in sorted(groups.items())
    }
    # A group without bands of its own may be as bad as the worst.
    known_bands = list(bands.values()) or [dict.fromkeys(METRICS, (0.0, 1000.0))]
    bands["all"] = {
        metric: (min(one[metric][0] for one in known_bands), max(one[metric][1] for one in known_bands))
        for metric in METRICS
    }
    return replace(known, bands=bands)


def error_table(samples: Sequence[Sample], predicted: Predictions, known: Coefficients) -> list[dict[str, Any]]:
    """Return the cross-validated errors: a row for each group of designs, tier and metric.

    Errors are |predicted - reported| / reported (over at least 1). `median` is over records,
    `median_of_projects` over the medians of the projects, `p90` the ninth decile, `covered` the share of
    records inside a band made from the other projects.
    """
    rows: dict[tuple[str, str, str], list[Sample]] = defaultdict(list)
    for sample in samples:
        rows[(group_of(sample.record.design), _sort(sample.record), str(sample.record.stage))].append(sample)
    covered = _covered(samples, predicted, known)
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
    return abs(predicted[record.identity][metric] - truth) / max(truth, 1.0)


def _sort(record: SynthesisRecord) -> str:
    return {"C": "modified templates", "M": "single test layers"}.get(record.tier, "projects")


def _band(samples: Sequence[Sample], predicted: Predictions, metric: str, coverage: float) -> tuple[float, float]:
    siblings: dict[str, int] = defaultdict(int)
    for sample in samples:
        siblings[sample.record.project] += 1
    residuals = sorted(
        (_residual(sample.record, predicted, metric), 1.0 / siblings[sample.record.project])
        for sample in samples
        if metric in sample.record.reported
    )
    tail = (1.0 - coverage) / 2.0
    low, high = _quantile(residuals, tail), _quantile(residuals, 1.0 - tail)
    # Few projects say little about the tails: at least the prediction interval of a normal distribution.
    by_project: dict[str, list[float]] = defaultdict(list)
    for sample in samples:
        if metric in sample.record.reported:
            by_project[sample.record.project].append(_residual(sample.record, predicted, metric))
    means = np.array([np.mean(one) for one in by_project.values()])
    if len(means) > 1:
        spread = float(means.std(ddof=1)) * (1 + 1 / len(means)) ** 0.5
        reach = float(stdtrit(len(means) - 1, 1.0 - tail)) * spread
        middle = float(means.mean())
        low, high = min(low, middle - reach), max(high, middle + reach)
    least = _LEAST_BAND[metric]
    return round(exp(min(low, -least)), 4), round(exp(max(high, least)), 4)


def _residual(record: SynthesisRecord, predicted: Predictions, metric: str) -> float:
    slack = SLACK[metric]
    return log((record.reported[metric] + slack) / (predicted[record.identity][metric] + slack))


def _quantile(weighted: Sequence[tuple[float, float]], share: float) -> float:
    """Return the weighted quantile, interpolated between the middles of the weights."""
    values, weights = np.array([v for v, _ in weighted]), np.array([w for _, w in weighted])
    middles = (np.cumsum(weights) - 0.5 * weights) / weights.sum()
    return float(np.interp(share, middles, values))


def _covered(samples: Sequence[Sample], predicted: Predictions, known: Coefficients) -> dict[tuple[str, str], bool]:
    found = {}
    for project in {sample.record.project for sample in samples}:
        others = [sample for sample in samples if sample.record.project != project]
        bands = with_bands(known, others, predicted)
        for sample in samples:
            if sample.record.project != project:
                continue
            group = group_of(sample.record.design)
            for metric in sample.record.reported:
                low, high = bands.band(group, metric, sample.record.stage)
                ratio = exp(_residual(sample.record, predicted, metric))
                found[sample.record.identity, metric] = low - 1e-9 <= ratio <= high + 1e-9
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
