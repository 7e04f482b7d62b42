"""Latency and resources of a project's firmware before any training, with the shares of its board.

Usage: python benchmarks/planned_estimate.py PROJECT [--json FILE]

The design is that of the project file, with usual weights: none is zero. No data are read.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from siliconv.hardware.boards import RESOURCES, board_of_part
from siliconv.hls.estimate.estimate import estimate
from siliconv.hls.kinds import Synthesis
from siliconv.plan.design_of_plan import planned_design
from siliconv.plan.plan_of_project import plan_of
from siliconv.project.project import load_project


def main() -> None:
    """Estimate, print, and keep the figures where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("project", type=Path)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    project = load_project(options.project)
    found = estimate(planned_design(plan_of(options.project.name, project)), stage=Synthesis.VSYNTH)
    board = board_of_part(project.hls.part)
    content = {
        "command": f"python benchmarks/planned_estimate.py {options.project} --json {options.json}",
        "board": board.title if board else None,
        "clock_ns": project.hls.clock_ns,
        "coverage": found.coverage,
        "latency_us": round(found.latency_cycles.value * project.hls.clock_ns / 1e3, 1),
        **{name: getattr(found, name).as_json() for name in ("latency_cycles", "interval_cycles", *RESOURCES)},
    }
    if board is not None:
        ends = ("value", "low", "high")
        content["shares"] = {
            name: {end: round(board.shares({name: getattr(getattr(found, name), end)})[name], 3) for end in ends}
            for name in RESOURCES
        }
    print(json.dumps(content, indent=1))
    if options.json:
        options.json.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
