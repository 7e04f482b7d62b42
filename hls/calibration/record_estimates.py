"""Predicted against reported for a file of synthesis records, as values and as text."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean, median
from typing import Any

import numpy as np

from siliconv.bounded_reading import read_json
from siliconv.hls.calibration.cross_validation import leave_projects_out, samples_of, without_projects
from siliconv.hls.calibration.records import MOST_BYTES, SynthesisRecord, read_records
from siliconv.hls.estimate.coefficients import METRICS, Coefficients, shipped, wider_groups
from siliconv.hls.estimate.estimate import Estimate, estimate

PROJECTS = ("A", "B")
"""Tiers of real projects with stock templates."""
OWN_FIT = "own fit"


def estimate_records(path: Path, *, coefficients: Coefficients | None = None) -> dict[str, Any]:
    """Predict every record of a file from what was known before its synthesis.

    A record that the estimator was fitted to does not judge it: where the file has all of those, it is predicted by a
    fit to the others, with bands of the others, its whole repository left out; else it is not judged.

    Returns
    -------
    dict
        `records`: a list of id, kind, tier, repository, group, stage, `predicted_by` ("shipped", "others" or
        "own fit"), predicted (metric to value, low, high), reported (metric to value), warnings and `assumed` (what the
        record does not say); `not_predicted`: those without layers, by id; `errors`: kind to
        metric to n, the median and the ninth decile of |predicted - reported| / reported (over at least 1), and the
        share of records inside the band; `groups`: group of designs to metric to the counts and the coverage of
        projects (tiers A and B, stock templates), each repository counted once; `coverage`: the share that the bands
        claim.

    Raises
    ------
    ProjectError
        RECORDS-READ when the file is not a list of records.
    """
    everything = read_records(path)
    records = [record for record in everything if record.is_predictable]
    known = shipped() if coefficients is None else coefficients
    refitted = _refitted(path, everything, known)
    estimates, roads = [], []
    for record in records:
        seen = record.identity in known.fitted_to
        used = refitted.get(record.project, known) if seen else known
        estimates.append(estimate(record.design, stage=record.stage, coefficients=used))
        roads.append(("others" if record.project in refitted else OWN_FIT) if seen else "shipped")
    return {
        "records": [
            _compared(record, found, road) for record, found, road in zip(records, estimates, roads, strict=True)
        ],
        "not_predicted": [record.identity for record in everything if not record.is_predictable],
        "errors": _errors(records, estimates),
        "groups": _groups(
            [pair for pair, road in zip(zip(records, estimates, strict=True), roads, strict=True) if road != OWN_FIT]
        ),
        "coverage": estimates[0].coverage if estimates else None,
    }


def _refitted(path: Path, records: Sequence[SynthesisRecord], known: Coefficients) -> dict[str, Coefficients]:
    """Return the coefficients for each project of the fit without it, none where the file lacks a record of the fit."""
    if not known.fitted_to or not known.fitted_to <= {record.identity for record in records}:
        return {}
    entries = read_json(path, most=MOST_BYTES)
    samples = [one for one in samples_of(entries, records) if one.record.identity in known.fitted_to]
    projects = {sample.record.project for sample in samples}
    return without_projects(samples, projects, leave_projects_out(samples))


def as_lines(report: dict[str, Any]) -> list[str]:
    """Return the report as lines of text: a line a record, then a line for each kind and metric."""
    names = {"latency_cycles": "latency", "interval_cycles": "interval"}
    lines = [f"{'record':44} " + " ".join(f"{names.get(metric, metric):>19}" for metric in METRICS)]
    lines.append(f"{'':44} " + " ".join(f"{'predicted/reported':>19}" for _ in METRICS))
    for record in report["records"]:
        cells = [
            f"{record['predicted'][metric]['value']:.0f}/{_shown(record['reported'].get(metric))}" for metric in METRICS
        ]
        lines.append(f"{record['id'][-44:]:44} " + " ".join(f"{cell:>19}" for cell in cells))
        lines.extend(f"    {told}" for told in (*record["assumed"], *record["warnings"]))
    lines.append("")
    lines.append(f"{'kind':28} {'metric':16} {'n':>4} {'median error':>13} {'ninth decile':>13} {'in band':>8}")
    for kind, of_kind in report["errors"].items():
        lines.extend(
            f"{kind:28} {names.get(metric, metric):16} {row['n']:4} {row['median']:13.1%} "
            f"{row['p90']:13.1%} {row['covered']:8.0%}"
            for metric, row in of_kind.items()
        )
    lines += ["", f"projects inside the band (claimed {report['coverage'] or 0:.0%}), each repository counted once"]
    lines.append(
        f"{'designs':28} {'metric':16} {'records':>8} {'repositories':>13} {'covered':>8} {'median error':>13}"
    )
    for group, of_group in report["groups"].items():
        lines.extend(
            f"{group:28} {names.get(metric, metric):16} {row['records']:8} {row['repositories']:13} "
            f"{row['covered']:8.0%} {row['median']:13.1%}"
            for metric, row in of_group.items()
        )
    if report["not_predicted"]:
        lines.append(f"not predicted, for they have no layers: {', '.join(report['not_predicted'])}")
    fitted = sum(record["predicted_by"] == OWN_FIT for record in report["records"])
    if fitted:
        lines.append(f"not in it: {fitted} records of the fit itself; pass the whole file that it was made of")
    return lines


def _groups(judged: Sequence[tuple[SynthesisRecord, Estimate]]) -> dict[str, dict[str, Any]]:
    """Return what the bands of each group of designs, and of the wider groups, cover of independent projects."""
    groups: dict[str, list[tuple[SynthesisRecord, Estimate]]] = defaultdict(list)
    for record, found in judged:
        if record.tier in PROJECTS:
            for group in wider_groups(found.group):
                groups[group].append((record, found))
    return {
        group: {metric: row for metric in METRICS if (row := _coverage(of_group, metric))}
        for group, of_group in sorted(groups.items())
    }


def _coverage(judged: Sequence[tuple[SynthesisRecord, Estimate]], metric: str) -> dict[str, Any] | None:
    inside: dict[str, list[bool]] = defaultdict(list)
    errors = []
    for record, found in judged:
        if metric in record.reported:
            truth, value = record.reported[metric], getattr(found, metric)
            inside[record.repository].append(value.low <= truth <= value.high)
            errors.append(abs(value.value - truth) / max(truth, 1.0))
    if not errors:
        return None
    return {
        "records": len(errors),
        "repositories": len(inside),
        "inside": sum(map(sum, inside.values())),
        "covered": round(fmean(fmean(one) for one in inside.values()), 3),
        "median": round(median(errors), 4),
    }


def _compared(record: SynthesisRecord, found: Estimate, road: str) -> dict[str, Any]:
    return {
        "id": record.identity,
        "kind": record.kind,
        "tier": record.tier,
        "repository": record.repository,
        "group": found.group,
        "predicted_by": road,
        "stage": str(record.stage),
        "predicted": {metric: getattr(found, metric).as_json() for metric in METRICS},
        "reported": dict(record.reported),
        "warnings": list(found.warnings),
        "assumed": list(record.assumed),
    }


def _errors(records: Sequence[SynthesisRecord], estimates: Sequence[Estimate]) -> dict[str, dict[str, Any]]:
    errors: dict[tuple[str, str], list[tuple[float, bool]]] = defaultdict(list)
    for record, found in zip(records, estimates, strict=True):
        for metric, truth in record.reported.items():
            value = getattr(found, metric)
            error = abs(value.value - truth) / max(truth, 1.0)
            errors[record.kind, metric].append((error, value.low <= truth <= value.high))
    table: dict[str, dict[str, Any]] = {}
    for kind in sorted({kind for kind, _ in errors}):
        table[kind] = {}
        for metric in METRICS:
            rows = errors.get((kind, metric))
            if rows:
                table[kind][metric] = {
                    "n": len(rows),
                    "median": round(median(error for error, _ in rows), 4),
                    "p90": round(float(np.quantile([error for error, _ in rows], 0.9)), 4),
                    "covered": round(sum(inside for _, inside in rows) / len(rows), 3),
                }
    return table


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}"
