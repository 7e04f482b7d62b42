"""Line coverage of the tests by wing, from the JSON report of coverage.

Usage: python benchmarks/coverage_by_wing.py build/coverage.json
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Print a line for each wing, and one for the package."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("report", type=Path)
    files = json.loads(parser.parse_args().report.read_text(encoding="utf-8"))["files"]
    covered: Counter[str] = Counter()
    lines: Counter[str] = Counter()
    for name, found in files.items():
        path = Path(name)
        wing = (path.relative_to(ROOT) if path.is_absolute() else path).parts[0]
        for counted in (wing, "all"):
            covered[counted] += found["summary"]["covered_lines"]
            lines[counted] += found["summary"]["num_statements"]
    for wing in [*sorted(set(lines) - {"all"}), "all"]:
        print(f"{wing:<10} {covered[wing]:>6} of {lines[wing]:>6} lines  {covered[wing] / lines[wing]:.0%}")


if __name__ == "__main__":
    main()
