"""The two ways to search bits beside each other: what each finds within a number of operations, and what it takes.

Usage: python benchmarks/search_ways.py PROJECT --limit N [--ways trial gradient] [--seeds 1 2 3] [--trials N]
           [--board B] [--workers N] [--json FILE]

PROJECT is a folder with a project file, where builds and runs stay; its float network is trained before the clock runs.
Each way is run as `siliconv search --by WAY --seed SEED` with that way's own number of candidates; by gradient along a
ramp, a front as by trial. Of the trials within N span bit operations the one is taken that is best on the validation
images (of equals the one with fewer operations); the test images choose nothing. Seconds of the processor, of all
processes, say what a search takes on an idle core; seconds what it took with other work on the machine. Run again, the
script goes on where it was; a search that was interrupted has no time.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from siliconv.project.atomic_write import write_atomically


def main() -> None:
    """Search, and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("project", type=Path, metavar="PROJECT")
    parser.add_argument("--limit", type=int, required=True, help="span bit operations")
    parser.add_argument("--ways", nargs="+", default=["trial", "gradient"], choices=["trial", "gradient"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--trials", type=int, help="candidates that are begun; each way's own number by default")
    parser.add_argument("--board", default="pynq-z2")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    command = [sys.executable, "-m", "siliconv"]
    subprocess.run([*command, "run", str(options.project), "--until", "train"], check=True)
    kept = options.project / "build" / "search_ways"
    found: dict[str, Any] = {"command": " ".join(["python", *sys.argv]), "limit": options.limit, "searches": []}
    for seed in options.seeds:
        for way in options.ways:
            asked = ["--board", options.board, "--by", way, "--seed", str(seed), "--workers", str(options.workers)]
            asked += ["--trials", str(options.trials)] if options.trials is not None else []
            file = kept / f"{way}-{seed}-{options.trials or 'own'}.json"
            searched = (
                json.loads(file.read_text(encoding="utf-8"))
                if file.is_file()
                else _searched([*command, "search", str(options.project), *asked, "--json"], file)
            )
            found["searches"].append({"way": way, "seed": seed, **_chosen(searched, options.limit)})
            print(json.dumps(found["searches"][-1]), flush=True)
    found["means"] = {way: _means(found["searches"], way) for way in options.ways}
    print(json.dumps(found["means"], indent=1))
    if options.json:
        known = json.loads(options.json.read_text(encoding="utf-8")) if options.json.is_file() else {}
        name = options.project.name
        options.json.write_text(json.dumps(known | {name: found}, indent=1) + "\n", encoding="utf-8")


def _searched(command: list[str], file: Path) -> dict[str, Any]:
    """Search once, and keep the outcome with what it took."""
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    said = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{' '.join(command)} ended with {os.waitstatus_to_exitcode(status)}")
    outcome = {
        **json.loads(said),
        "seconds": round(time.monotonic() - began, 1),
        "processor_seconds": round(used.ru_utime + used.ru_stime, 1),
    }
    write_atomically(file, json.dumps(outcome))
    return outcome


def _chosen(outcome: dict[str, Any], limit: int) -> dict[str, Any]:
    """Give the figures of the best on the validation images within the limit."""
    within = [one for one in outcome["trials"] if one["costs"]["span_operations"] <= limit]
    figures: dict[str, Any] = {
        "trials": len(outcome["trials"]),
        "within": len(within),
        "seconds": outcome["seconds"],
        "processor_seconds": outcome["processor_seconds"],
    }
    if within:
        best = max(within, key=lambda one: (one["validation"]["goodness"], -one["costs"]["span_operations"]))
        figures |= {
            "validation": round(best["validation"]["value"], 4),
            "test": round(best["test"]["value"], 4),
            "span_operations": int(best["costs"]["span_operations"]),
            "lut": round(best["costs"]["lut"]),
        }
    return figures


def _means(searches: list[dict[str, Any]], way: str) -> dict[str, Any]:
    own = [one for one in searches if one["way"] == way]
    names = ("validation", "test", "span_operations", "lut", "processor_seconds")
    known = {name: [one[name] for one in own if name in one] for name in names}
    return {
        "seeds": len(own),
        **{name: round(statistics.mean(values), 4) for name, values in known.items() if values},
        "test_deviation": round(statistics.pstdev(known["test"]), 4) if known["test"] else None,
    }


if __name__ == "__main__":
    main()
