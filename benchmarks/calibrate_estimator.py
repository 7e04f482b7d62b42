"""Fit the estimator to a file of synthesis records and write its coefficients and cross-validated errors.

    python benchmarks/calibrate_estimator.py RECORDS.json [--write] [--markdown]

Without --write it only prints the error table, with --markdown as in docs/estimator.md.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from siliconv.hls.calibration.cross_validation import (
    error_table,
    fit_coefficients,
    leave_projects_out,
    samples_of,
    with_bands,
)
from siliconv.hls.calibration.records import read_records

METRICS = {
    "latency_cycles": "latency",
    "interval_cycles": "interval",
    "lut": "LUT",
    "ff": "FF",
    "dsp": "DSP",
    "bram18": "BRAM18",
}
DATA = Path(__file__).resolve().parent.parent / "hls" / "estimate" / "constants"
SOURCE = (
    "fitted by benchmarks/calibrate_estimator.py to C and logic synthesis results that third parties "
    "published with their hls4ml projects, {n} records of {projects} projects; bands from predicting each "
    "project from the others"
)


def main() -> None:
    """Fit, cross-validate, print, and write on request."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("records", type=Path)
    parser.add_argument("--write", action="store_true", help="write hls/estimate/constants/estimator*.json")
    parser.add_argument("--markdown", action="store_true", help="print the table of docs/estimator.md")
    options = parser.parse_args()
    records = read_records(options.records)
    samples = samples_of(json.loads(options.records.read_text("utf-8")), records)
    projects = len({sample.record.project for sample in samples})
    fitted = fit_coefficients(samples, SOURCE.format(n=len(samples), projects=projects))
    predicted = leave_projects_out(samples)
    known = with_bands(fitted, samples, predicted)
    table = error_table(samples, predicted)
    print(_markdown(table) if options.markdown else _text(table))
    if options.write:
        _write(DATA / "estimator.json", known.as_json())
        _write(DATA / "estimator_errors.json", {"source": known.source, "rows": table})


def _text(table: list[dict[str, Any]]) -> str:
    return "\n".join(
        f"{row['group']:28} {row['records']:20} {row['stage']:7} {row['metric']:16} n {row['n']:3} "
        f"projects {row['projects']:3}  median {row['median']:7.1%}  of projects "
        f"{row['median_of_projects']:7.1%}  p90 {row['p90']:8.1%}  covered {row['covered']:5.0%}"
        for row in table
    )


def _markdown(table: list[dict[str, Any]]) -> str:
    """Return a row for each group of designs: median error and share inside the band of each metric."""
    lines = [
        "| designs | resources of | records (projects) | " + " | ".join(METRICS.values()) + " |",
        "|---|---|---|" + "---|" * len(METRICS),
    ]
    groups = dict.fromkeys((row["group"], row["records"], row["stage"]) for row in table)
    for group in groups:
        rows = {row["metric"]: row for row in table if (row["group"], row["records"], row["stage"]) == group}
        cells = [f"{rows[one]['median']:.1%} ({rows[one]['covered']:.0%})" for one in METRICS if one in rows]
        any_row = next(iter(rows.values()))
        stage = {"csynth": "C synthesis", "vsynth": "logic synthesis"}[group[2]]
        counted = f"{any_row['n']} ({any_row['projects']})"
        lines.append(f"| {group[0]}, {group[1]} | {stage} | {counted} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _write(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
