"""Predicted against reported for a file of synthesis records, as values and as text."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from siliconv.hls.calibration.records import SynthesisRecord, read_records
from siliconv.hls.estimate.coefficients import METRICS, Coefficients
from siliconv.hls.estimate.estimate import Estimate, estimate


def estimate_records(path: Path, *, coefficients: Coefficients | None = None) -> dict[str, Any]:
    """Predict every record of a file from what was known before its synthesis.

    Returns
    -------
    dict
        `records`: a list of id, kind, tier, stage, predicted (metric to value, low, high), reported (metric
        to value) and warnings; `errors`: kind to metric to n, the median and the ninth decile of
        |predicted - reported| / reported (over at least 1), and the share of records inside the band;
        `coverage`: the share that the bands claim.

    Raises
    ------
    ProjectError
        RECORDS-READ when the file is not a list of records.
    """
    records = read_records(path)
    estimates = [estimate(record.design, stage=record.stage, coefficients=coefficients) for record in records]
    return {
        "records": [_compared(record, found) for record, found in zip(records, estimates, strict=True)],
        "errors": _errors(records, estimates),
        "coverage": estimates[0].coverage if estimates else None,
    }


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
        lines.extend(f"    {warning}" for warning in record["warnings"])
    lines.append("")
    lines.append(f"{'kind':28} {'metric':16} {'n':>4} {'median error':>13} {'ninth decile':>13} {'in band':>8}")
    for kind, of_kind in report["errors"].items():
        lines.extend(
            f"{kind:28} {names.get(metric, metric):16} {row['n']:4} {row['median']:13.1%} "
            f"{row['p90']:13.1%} {row['covered']:8.0%}"
            for metric, row in of_kind.items()
        )
    return lines


def _compared(record: SynthesisRecord, found: Estimate) -> dict[str, Any]:
    return {
        "id": record.identity,
        "kind": record.kind,
        "tier": record.tier,
        "stage": str(record.stage),
        "predicted": {metric: getattr(found, metric).as_json() for metric in METRICS},
        "reported": dict(record.reported),
        "warnings": list(found.warnings),
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
