"""HGQ2 and `siliconv search` on the same split in the same run: accuracy within a number of span bit operations.

Usage: python benchmarks/beside_hgq2.py PROJECT --network digits --hgq2 PYTHON --limits N... [--seeds 1 2 3]
           [--bits layer weight] [--json FILE]

PYTHON is that of an environment of its own: `python -m venv hgq2 && hgq2/bin/pip install HGQ2==0.2.0 jax`. Neither
HGQ2 nor JAX is a dependency of siliconv. PROJECT is a folder with a project file whose network is the digits' or the
jets' (`benchmarks/jets_like.py` writes such a folder). For each limit and seed siliconv searches as
`benchmarks/search.py` does, then HGQ2 trains (`benchmarks/hgq2_training.py`) on the very same arrays. Both choose by
the validation images, both count operations alike (`siliconv.network.span`), and both are timed. Run again, the script
goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
from search import of_project, searched, summary

from siliconv.models.data.image_store import open_dataset
from siliconv.project.atomic_write import write_atomically

TRAINING = Path(__file__).with_name("hgq2_training.py")


def main() -> None:
    """Search with both, and write the figures after each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("project", type=Path)
    parser.add_argument("--network", choices=["digits", "jets"], required=True)
    parser.add_argument("--hgq2", type=Path, required=True, metavar="PYTHON")
    parser.add_argument("--limits", type=int, nargs="+", required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--bits", nargs="+", choices=["layer", "weight"], default=["layer", "weight"])
    parser.add_argument("--trials", type=int, default=3)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    seeds = " ".join(map(str, options.seeds))
    limits = " ".join(map(str, options.limits))
    figures: dict[str, Any] = {
        "command": f"python benchmarks/beside_hgq2.py PROJECT --network {options.network} --hgq2 PYTHON "
        f"--limits {limits} --seeds {seeds} --bits {' '.join(options.bits)}",
        "cores": os.cpu_count(),
        "load_average": os.getloadavg()[1],
        "recipe_of_the_project": of_project(options.project),
        "limits": {},
    }
    arrays = _arrays(options.project)
    for limit in options.limits:
        ours: dict[str, Any] = {}
        theirs: dict[str, dict[str, Any]] = {bits: {} for bits in options.bits}
        for seed in options.seeds:
            ours[str(seed)] = searched(options.project, limit, seed, options.trials, unrolled=True)
            for bits, found in theirs.items():
                found[str(seed)] = _of_hgq2(options, arrays, limit, seed, bits)
                print(limit, seed, bits, json.dumps(found[str(seed)]), flush=True)
            figures["limits"][str(limit)] = {
                "siliconv": {**summary(ours, figures["recipe_of_the_project"]), "seeds": _short(ours)},
                **{f"HGQ2 by {bits}": {**_means(found), "seeds": found} for bits, found in theirs.items()},
            }
            if options.json:
                write_atomically(options.json, json.dumps(figures, indent=1) + "\n")
    for limit, found in figures["limits"].items():
        for tool, means in found.items():
            print(limit, tool, json.dumps({**means, "seeds": None}))


def _arrays(project: Path) -> Path:
    """Write what the project's stages train on, as the network sees it, for the other tool."""
    path = project / "runs" / "benchmark-arrays.npz"
    data = open_dataset(project / "build" / "data")
    arrays: dict[str, Any] = {}
    for name, images in (("train", data.train), ("val", data.val), ("test", data.test)):
        arrays |= {f"x_{name}": images.values(slice(None)), f"y_{name}": images.labels}
    np.savez(path, **arrays)
    return path


def _of_hgq2(options: argparse.Namespace, arrays: Path, limit: int, seed: int, bits: str) -> dict[str, Any]:
    """Train with HGQ2 in its environment; done before, it is read."""
    kept = options.project / "runs" / f"benchmark-hgq2-{limit}-{bits}-{seed}.json"
    if not kept.is_file():
        asked = ["--network", options.network, "--limits", str(limit), "--seeds", str(seed), "--bits", bits]
        done = subprocess.run(
            [str(options.hgq2), str(TRAINING), str(arrays), *asked],
            env={**os.environ, "KERAS_BACKEND": "jax"},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        write_atomically(kept, done.stdout.splitlines()[-1] + "\n")
    found: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8"))
    return found


def _short(searches: dict[str, Any]) -> dict[str, Any]:
    """Leave out the trials that were not chosen."""
    return {seed: {key: value for key, value in one.items() if key != "trials"} for seed, one in searches.items()}


def _means(trainings: dict[str, Any]) -> dict[str, Any]:
    """Give mean and spread over the seeds that found something within the limit."""
    chosen = [one["chosen"] for one in trainings.values() if one["chosen"] is not None]
    tests = [one["test"] for one in chosen]
    traced = [one["test_if_traced_on_the_test"] for one in chosen]
    return {
        "found": len(chosen),
        "test_mean": round(statistics.mean(tests), 4) if tests else None,
        "test_mean_if_traced_on_the_test": round(statistics.mean(traced), 4) if tests else None,
        "test_standard_deviation": round(statistics.stdev(tests), 4) if len(tests) > 1 else None,
        "span_operations_mean": round(statistics.mean(one["span_operations"] for one in chosen)) if chosen else None,
        "seconds_mean": round(statistics.mean(one["seconds"] for one in trainings.values()), 1),
        "processor_seconds_mean": round(statistics.mean(one["processor_seconds"] for one in trainings.values()), 1),
    }


if __name__ == "__main__":
    main()
