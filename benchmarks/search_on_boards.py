"""What a search found, on boards: accuracy and hardware of its front beside the same bits everywhere.

Usage: python benchmarks/search_on_boards.py PROJECT [--bits 6 4 3 5] [--boards zcu104:hls ulx3s-85f:rtl pynq-z2:rtl]
           [--work FOLDER] [--json FILE]

PROJECT is a folder in which `siliconv search` has been. The same bits for all weights and activations are fine-tuned
from the same float network by the recipe of the project. Each network is judged on validation and test images, and in
each core on a board with the project's own settings (hls4ml's multipliers, the interval of the SystemVerilog core).
LUTs, other resources and images a second are estimates. A file that is there already is gone on with.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any, get_args

from uniform_bits import fine_tuned

from siliconv.hardware.boards import board
from siliconv.network import network_file
from siliconv.network.graph import Network
from siliconv.project.atomic_write import write_atomically
from siliconv.project.project import ProjectConfig, load_project
from siliconv.search.core_cost import Core, Wanted, core_cost
from siliconv.search.pareto import pareto_front
from siliconv.search.run_record import RunRecord, read_records


def main() -> None:
    """Judge, print, and write the figures after each network."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("project", type=Path, metavar="PROJECT")
    parser.add_argument("--bits", nargs="*", type=int, default=[6, 4, 3, 5])
    parser.add_argument("--boards", nargs="+", default=["zcu104:hls", "ulx3s-85f:rtl", "pynq-z2:rtl"])
    parser.add_argument("--work", type=Path, default=Path("build/benchmarks/search_on_boards"))
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    folder: Path = options.project
    project = load_project(folder)
    trials = pareto_front((one for one in read_records(folder) if one.kind == "trial"), "span_operations")
    figures: dict[str, Any] = {"search": trials[0].command, "networks": {}}
    if options.json and options.json.exists():
        figures = json.loads(options.json.read_text(encoding="utf-8"))
    rows: dict[str, Any] = figures["networks"]

    def keep(name: str, row: dict[str, Any]) -> None:
        rows[name] = row
        print(name, json.dumps(row), flush=True)
        if options.json:
            write_atomically(options.json, json.dumps(figures, indent=1) + "\n")

    for one in trials:
        if one.id not in rows:
            network = network_file.load(trial_folder(folder, one) / "network")
            assert one.validation is not None  # a trial of the front was judged
            assert one.test is not None
            shown = {"validation": round(one.validation.value, 4), "test": round(one.test.value, 4)}
            keep(
                one.id, {"bits": one.changes["quantize.layers"], **shown, **on_boards(network, project, options.boards)}
            )
    for bits in options.bits:
        if f"{bits} bits" not in rows:
            changes = {"weights": bits, "activations": bits}
            network, shown = fine_tuned(folder, changes, options.work / f"{folder.name}-{bits}")
            keep(f"{bits} bits", {**shown, **on_boards(network, project, options.boards)})


def trial_folder(folder: Path, trial: RunRecord) -> Path:
    """Give the folder of a trial's network."""
    assert trial.study is not None  # trials have one
    return folder / "runs" / trial.study / "trials" / trial.id


def on_boards(network: Network, project: ProjectConfig, boards: list[str]) -> dict[str, Any]:
    """Give the costs in each core on its board."""
    found: dict[str, Any] = {}
    for pair in boards:
        name, _, core = pair.partition(":")
        if core not in get_args(Core):
            raise SystemExit(f"{pair}: write BOARD:hls or BOARD:rtl")
        cost = core_cost(network, project, Wanted(board(name), core))  # type: ignore[arg-type]  # one of them
        found["span_operations"] = round(cost.costs["span_operations"])
        found[pair] = {
            "fits": cost.feasible,
            **{key: round(value) for key, value in cost.costs.items() if key not in ("span_operations", "uram")},
        }
    return found


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    main()
