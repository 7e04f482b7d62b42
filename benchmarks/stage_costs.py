"""Wall time and peak memory of every stage of projects that were run: what the flow recorded, as one JSON.

Usage: python benchmarks/stage_costs.py PROJECT... [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

from siliconv.flow.flow import read_record
from siliconv.project.finding import find_project
from siliconv.stages.stages import STAGE_NAMES


def main() -> None:
    """Collect the records, print them, and write them if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("projects", nargs="+", metavar="PROJECT")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    figures = {"cores": os.cpu_count(), "projects": {name: costs(name) for name in arguments.projects}}
    print(json.dumps(figures, indent=1))
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def costs(project: str) -> dict[str, dict[str, float | str]]:
    """Give seconds, peak MiB and result of each stage that has run."""
    build = find_project(project) / "build"
    records = {name: read_record(build, name) for name in STAGE_NAMES if name != "report"}
    return {
        name: {"seconds": record.seconds, "peak_mib": record.peak_mib, "result": record.summary}
        for name, record in records.items()
        if record is not None
    }


if __name__ == "__main__":
    main()
