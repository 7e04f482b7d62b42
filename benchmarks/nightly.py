"""The campaigns of tests/campaigns, seed by seed: hundreds of random networks, and mutations that tests have to see.

Usage: python benchmarks/nightly.py [CAMPAIGN...] [--seeds N] [--first N] [--jobs N] [--json FILE]

Every seed's result is kept in build/nightly/COMMIT, so that a run that was stopped goes on. In FILE each campaign has
the commit that it ran on; those that are not run now stay. Exits 1 where a seed failed. A mutation that no test saw is
no failure but a gap, and is listed.
"""

from __future__ import annotations

import argparse
import importlib
import json
import multiprocessing
import subprocess
import sys
import time
import traceback
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
_FRESH = 20
"""Seeds that a process runs before another takes its place."""
CAMPAIGNS = tuple(sorted(path.stem for path in (ROOT / "tests" / "campaigns").glob("*.py")))


def main() -> None:
    """Run what is missing and summarize everything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("campaigns", nargs="*", default=list(CAMPAIGNS), metavar="CAMPAIGN", help=", ".join(CAMPAIGNS))
    parser.add_argument("--seeds", type=int, help="how many; each campaign's own number by default")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--json", type=Path, help="where the summary is kept")
    options = parser.parse_args()
    commit = _commit()
    folder = ROOT / "build" / "nightly" / commit
    command, ran = " ".join(["python", *sys.argv]), {}
    for name in options.campaigns:
        seeds = range(options.first, options.first + (options.seeds or _campaign(name).SEEDS))
        results = _results(name, seeds, folder / name, options.jobs)
        ran[name] = {"commit": commit, "command": command, **_summarized(results)}
        print(json.dumps({name: ran[name]}, indent=1), flush=True)
        if options.json:
            known = json.loads(options.json.read_text(encoding="utf-8")) if options.json.is_file() else {}
            options.json.write_text(json.dumps(known | {name: ran[name]}, indent=1) + "\n", encoding="utf-8")
    sys.exit(any(campaign["failed"] for campaign in ran.values()))


def _results(name: str, seeds: range, folder: Path, jobs: int) -> dict[int, dict[str, Any]]:
    """Run the seeds that were not run yet, and read the others."""
    folder.mkdir(parents=True, exist_ok=True)
    missing = [seed for seed in seeds if not (folder / f"{seed}.json").is_file()]
    started, finished = time.monotonic(), 0
    spawned = multiprocessing.get_context("spawn")
    for first in range(0, len(missing), _FRESH * jobs):
        # Processes of their own for each part: memory comes back (CPython's max_tasks_per_child may wait forever).
        with ProcessPoolExecutor(jobs, mp_context=spawned) as pool:
            running = {pool.submit(_run, name, seed): seed for seed in missing[first : first + _FRESH * jobs]}
            for done in as_completed(running):
                finished += 1
                (folder / f"{running[done]}.json").write_text(json.dumps(done.result()), encoding="utf-8")
                rate = (time.monotonic() - started) / finished
                left = rate * (len(missing) - finished)
                print(f"{name} {finished}/{len(missing)}, {left:.0f} s left", file=sys.stderr)
    return {seed: json.loads((folder / f"{seed}.json").read_text(encoding="utf-8")) for seed in seeds}


def _run(name: str, seed: int) -> dict[str, Any]:
    try:
        return {"passed": True, **_campaign(name).run(seed)}
    except Exception:  # noqa: BLE001  (whatever a seed finds is its result)
        return {"passed": False, "traceback": traceback.format_exc()[-4000:].replace(f"{ROOT}/", "")}


def _campaign(name: str) -> Any:
    for path in (ROOT / "tests" / "support", ROOT / "tests" / "campaigns", ROOT / "docs_site"):
        if str(path) not in sys.path:
            sys.path.insert(0, str(path))
    return importlib.import_module(name)


def _summarized(results: dict[int, dict[str, Any]]) -> dict[str, Any]:
    """Add up the numbers, count the words, and name what failed or survived."""
    totals: Counter[str] = Counter()
    counts: dict[str, Counter[str]] = {}
    for found in results.values():
        for key, value in found.items():
            if isinstance(value, int):
                totals[key] += value
            elif key in ("road", "refused"):
                counts.setdefault(key, Counter())[value] += 1
    return {
        "seeds": [min(results), max(results)],
        "failed": {str(seed): found["traceback"] for seed, found in results.items() if not found["passed"]},
        **{key: totals[key] for key in sorted(totals)},
        **{key: dict(sorted(words.items())) for key, words in counts.items()},
        "survived": [
            f"{found['file']} {found['mutation']}" for found in results.values() if found.get("killed") is False
        ],
    }


def _commit() -> str:
    """Give the commit, marked where the tree is not it."""
    said = [
        subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
        for words in (
            ["rev-parse", "--short=12", "HEAD"],
            ["status", "--porcelain", "--untracked-files=no", "--", ".", ":!benchmarks/results/nightly.json"],
        )
    ]
    return said[0] + ("-changed" if said[1] else "")


if __name__ == "__main__":
    main()
