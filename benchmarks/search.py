"""What the search by gradient finds: accuracy within a number of span bit operations, and how long it takes.

Usage: python benchmarks/search.py PROJECT --limits N... [--seeds 1 2 3] [--trials N] [--unrolled] [--json FILE]

PROJECT is a folder with a project file, where builds and runs stay. Its float network is trained once, and quantized
once by its own recipe, whose fine-tuning is what times are compared with. For each limit and seed `siliconv search
--target` is run with 0.96 of the limit as its target. Of the trials within the limit the one is taken that is best on
the validation images (of equals the one with fewer operations); the test images choose nothing. `--unrolled` counts its
LUTs by da4ml as well.

Run again, the script goes on where it was. A search that was interrupted has no time. Seconds of the processor say
what a search takes on an idle machine, seconds what it took with other work on it.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from unrolled_luts import unrolled_luts

from siliconv.actions.run_project import run_project
from siliconv.hardware.boards import board
from siliconv.hls.configuration import HlsConfig
from siliconv.hls.estimate.estimate import estimate
from siliconv.hls.fifo.sized_design import design_of
from siliconv.hls.kinds import Synthesis
from siliconv.network import network_file
from siliconv.network.span import span_operations
from siliconv.progress import for_terminal
from siliconv.project.atomic_write import write_atomically
from siliconv.project.project import load_project
from siliconv.search.core_cost import Wanted
from siliconv.search.run_record import RunRecord
from siliconv.search.search_study import SearchSettings, search

BOARD = "pynq-z2"
SHARE = 0.96
"""Of a limit, what the training is driven to: its cost swings by some percent."""


def main() -> None:
    """Search, and write the figures after each search."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("project", type=Path)
    parser.add_argument("--limits", type=int, nargs="+", required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--trials", type=int, default=3)
    parser.add_argument("--unrolled", action="store_true")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    folder: Path = arguments.project
    figures: dict[str, Any] = {
        "command": "python benchmarks/search.py " + " ".join(sys.argv[1:]),
        "cores": os.cpu_count(),
        "load_average": os.getloadavg()[1],
        "recipe_of_the_project": of_project(folder),
        "limits": {},
    }
    for limit in arguments.limits:
        seeds: dict[str, Any] = {}
        for seed in arguments.seeds:
            seeds[str(seed)] = searched(folder, limit, seed, arguments.trials, arguments.unrolled)
            print(limit, seed, json.dumps({**seeds[str(seed)], "trials": None}), flush=True)
            figures["limits"][str(limit)] = {**summary(seeds, figures["recipe_of_the_project"]), "seeds": seeds}
            if arguments.json:
                write_atomically(arguments.json, json.dumps(figures, indent=1) + "\n")
        print(limit, json.dumps({**figures["limits"][str(limit)], "seeds": None}), flush=True)


def of_project(folder: Path) -> dict[str, Any]:
    """Train and quantize as the project file says, and give what comes out and the seconds of fine-tuning."""
    kept = folder / "runs" / "benchmark-of_project.json"
    if kept.is_file():
        found: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8"))
        return found
    run_project(folder, "train", None, False, progress=for_terminal())
    began, worked = time.perf_counter(), time.process_time()
    run_project(folder, "quantize", None, False, progress=for_terminal())
    seconds, processor = (round(now, 1) for now in (time.perf_counter() - began, time.process_time() - worked))
    run_project(folder, "lower", None, False, progress=for_terminal())
    build = folder / "build"
    network = network_file.load(build / "network")
    found = {
        "test": {
            name: json.loads((build / name / "metrics.json").read_text(encoding="utf-8"))["value"]
            for name in ("float", "network")
        },
        "span_operations": sum(span_operations(network).values()),
        "seconds": seconds,
        "processor_seconds": processor,
    }
    write_atomically(kept, json.dumps(found) + "\n")
    return found


def searched(folder: Path, limit: int, seed: int, trials: int, unrolled: bool) -> dict[str, Any]:
    """Search with one seed; done before, it is read."""
    kept = folder / "runs" / f"benchmark-{limit}-{trials}-{seed}{'-unrolled' if unrolled else ''}.json"
    if kept.is_file():
        found: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8"))
        return found
    target = round(SHARE * limit)
    settings = SearchSettings(Wanted(board(BOARD), "hls"), target=target, trials=trials, seed=seed)
    command = f"siliconv search PROJECT --board {BOARD} --target {target} --trials {trials} --seed {seed}"
    begun = kept.with_suffix(".begun")
    resumed = begun.exists()
    begun.touch()
    began, worked = time.perf_counter(), time.process_time()
    outcome = search(folder, settings, for_terminal(), command=command)
    seconds = None if resumed else round(time.perf_counter() - began, 1)
    processor = None if resumed else round(time.process_time() - worked, 1)
    within = [one for one in outcome.records if one.costs["span_operations"] <= limit]
    best = max(within, key=lambda one: (one.judged.goodness, -one.costs["span_operations"]), default=None)
    found = {
        "command": command,
        "seconds": seconds,
        "processor_seconds": processor,
        "chosen": None if best is None else {**row(best), **details(folder, outcome.study, best, unrolled)},
        "trials": [row(one) for one in outcome.records],
    }
    write_atomically(kept, json.dumps(found) + "\n")
    return found


def row(record: RunRecord) -> dict[str, Any]:
    """Give what a trial is, in short."""
    return {
        "id": record.id,
        "origin": record.origin,
        "validation": round(record.judged.value, 4),
        "test": round(record.test.value, 4),
        "span_operations": int(record.costs["span_operations"]),
        "bits": {name: value for name, value in record.changes.items() if name != "quantize.train"},
    }


def details(folder: Path, study: str, record: RunRecord, unrolled: bool) -> dict[str, Any]:
    """Give what the chosen one takes: hls4ml's streams at C synthesis, and every product a circuit of its own."""
    network = network_file.load(folder / "runs" / study / "trials" / record.id / "network")
    config: HlsConfig = load_project(folder).hls
    found = estimate(design_of(network, config), stage=Synthesis.CSYNTH)
    taken = {"hls_lut_c_synthesis": found.lut.value, "span_by_layer": span_operations(network)}
    return {**taken, "da4ml_lut": unrolled_luts(network)} if unrolled else taken


def summary(seeds: dict[str, Any], beside: dict[str, Any]) -> dict[str, Any]:
    """Give mean and spread over the seeds, and the processor's time as a multiple of the project's own fine-tuning."""
    chosen = [one["chosen"] for one in seeds.values() if one["chosen"] is not None]
    seconds = [one["seconds"] for one in seeds.values() if one["seconds"] is not None]
    processor = [one["processor_seconds"] for one in seeds.values() if one["processor_seconds"] is not None]
    tests = [one["test"] for one in chosen]
    return {
        "found": len(chosen),
        "test_mean": round(statistics.mean(tests), 4) if tests else None,
        "test_standard_deviation": round(statistics.stdev(tests), 4) if len(tests) > 1 else None,
        "span_operations_mean": round(statistics.mean(one["span_operations"] for one in chosen)) if chosen else None,
        "seconds_mean": round(statistics.mean(seconds), 1) if seconds else None,
        "processor_seconds_mean": round(statistics.mean(processor), 1) if processor else None,
        "times_the_fine_tuning": round(statistics.mean(processor) / beside["processor_seconds"], 1)
        if processor
        else None,
    }


if __name__ == "__main__":
    main()
