"""Fit the estimator to a file of synthesis records and write its coefficients and cross-validated errors.

    python benchmarks/calibrate_estimator.py RECORDS.json [--write]

Without --write it only prints the error table.
"""

import argparse
import json
from pathlib import Path

from siliconv.hls.cross_validation import (
    error_table,
    fit_coefficients,
    leave_projects_out,
    samples_of,
    with_bands,
)
from siliconv.hls.records import read_records

DATA = Path(__file__).resolve().parent.parent / "hls" / "data"
SOURCE = (
    "fitted by benchmarks/calibrate_estimator.py to C and logic synthesis results that third parties "
    "published with their hls4ml projects, {n} records of {projects} projects; bands from predicting each "
    "project from the others"
)


def main() -> None:
    """Fit, cross-validate, print, and write on request."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("records", type=Path)
    parser.add_argument("--write", action="store_true", help="write hls/data/estimator*.json")
    options = parser.parse_args()
    records = read_records(options.records)
    samples = samples_of(json.loads(options.records.read_text("utf-8")), records)
    projects = len({sample.record.project for sample in samples})
    fitted = fit_coefficients(samples, SOURCE.format(n=len(samples), projects=projects))
    predicted = leave_projects_out(samples)
    known = with_bands(fitted, samples, predicted)
    table = error_table(samples, predicted, known)
    for row in table:
        print(
            f"{row['group']:28} {row['records']:20} {row['stage']:7} {row['metric']:16} n {row['n']:3} "
            f"projects {row['projects']:3}  median {row['median']:7.1%}  of projects "
            f"{row['median_of_projects']:7.1%}  p90 {row['p90']:8.1%}  covered {row['covered']:5.0%}"
        )
    if options.write:
        _write(DATA / "estimator.json", known.as_json())
        _write(DATA / "estimator_errors.json", {"source": known.source, "rows": table})


def _write(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
