"""Prepare many rows of features from a file and train an epoch on them, and measure time and peak memory.

    python benchmarks/data_rows.py --rows 100000 10000000 --work build/benchmarks/rows --format npy hdf5 \
        --result benchmarks/results/data_rows.json

Each measurement is a process of its own; memory is the peak of its resident memory, in MiB. The rows are random, so
training learns nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

FEATURES, CLASSES, BLOCK = 16, 5, 100_000


def write_rows(folder: Path, rows: int, kind: str) -> dict[str, Any]:
    """Write rows of float32 features and their classes, a block at a time, and give the settings that read them."""
    random = np.random.default_rng(1)
    folder.mkdir(parents=True, exist_ok=True)
    blocks = (min(BLOCK, rows - start) for start in range(0, rows, BLOCK))
    if kind == "hdf5":
        import h5py

        with h5py.File(folder / "rows.h5", "w") as file:
            x = file.create_dataset("x", (rows, FEATURES), "f4")
            y = file.create_dataset("y", (rows,), "i4")
            done = 0
            for count in blocks:
                x[done : done + count] = random.normal(0, 3, (count, FEATURES))
                y[done : done + count] = random.integers(0, CLASSES, count)
                done += count
        return {"source": "hdf5", "path": folder / "rows.h5"}
    if kind == "csv":
        with (folder / "rows.csv").open("w", encoding="utf-8") as table:
            table.write(",".join(f"f{number}" for number in range(FEATURES)) + ",label\n")
            for count in blocks:
                values = random.normal(0, 3, (count, FEATURES + 1))
                values[:, -1] = random.integers(0, CLASSES, count)
                np.savetxt(table, values, fmt="%.5g", delimiter=",")
        return {"source": "csv", "path": folder / "rows.csv"}
    x = np.lib.format.open_memmap(folder / "x.npy", "w+", np.float32, (rows, FEATURES))
    y = np.lib.format.open_memmap(folder / "y.npy", "w+", np.int32, (rows,))
    done = 0
    for count in blocks:
        x[done : done + count] = random.normal(0, 3, (count, FEATURES))
        y[done : done + count] = random.integers(0, CLASSES, count)
        done += count
    x.flush()
    y.flush()
    return {"source": "npy", "path": folder / "x.npy", "y": "y.npy"}


def prepare_rows(settings: dict[str, Any], store: Path) -> None:
    """Choose the type, round and store all rows."""
    from siliconv.models.answers.task import Question
    from siliconv.models.data.data_config import DataConfig
    from siliconv.models.data.datasets import prepare

    question = Question("auto", "dense_4", (FEATURES,), (CLASSES,), "softmax", trains=True)
    summary = prepare(DataConfig(**settings), (FEATURES,), store, question=question)
    print(summary.input.in_words)


def train_rows(store: Path, work: Path) -> None:
    """Train one epoch of the preset jets."""
    from siliconv.models.architectures.presets import preset
    from siliconv.models.data.image_store import open_dataset
    from siliconv.models.training.float_model import train_float
    from siliconv.models.training.train_config import TrainConfig

    train_float(preset("jets"), open_dataset(store), TrainConfig(epochs=1, batch_size=4096), work=work)


def measure(step: str, folder: Path, settings: dict[str, Any]) -> dict[str, float]:
    """Run a step in a process of its own and give its seconds and its peak memory."""
    started = time.monotonic()
    text = json.dumps(settings, default=str)
    command = [sys.executable, str(Path(__file__).resolve()), "--step", step, "--work", str(folder), "--settings", text]
    process = subprocess.Popen(command)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{step} failed with {status}")
    return {"seconds": round(time.monotonic() - started, 1), "peak_mib": round(usage.ru_maxrss / 1024, 1)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 10_000_000])
    parser.add_argument("--format", nargs="+", default=["npy"], choices=["npy", "hdf5", "csv"])
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--result", type=Path)
    parser.add_argument("--no-training", action="store_true")
    parser.add_argument("--step", choices=["prepare", "train"], help=argparse.SUPPRESS)
    parser.add_argument("--settings", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.step is not None:
        settings = json.loads(arguments.settings)
        if arguments.step == "prepare":
            prepare_rows(settings, arguments.work / "store")
        else:
            train_rows(arguments.work / "store", arguments.work / "training")
        return
    found = []
    for rows in arguments.rows:
        for kind in arguments.format:
            folder = arguments.work / f"{kind}_{rows}"
            settings = write_rows(folder, rows, kind)
            one = {"rows": rows, "features": FEATURES, "format": kind, "prepare": measure("prepare", folder, settings)}
            if not arguments.no_training:
                one["train"] = measure("train", folder, settings)
            found.append(one)
            print(json.dumps(one))
            shutil.rmtree(folder)
    content = {"command": "python " + " ".join(sys.argv), "cores": os.cpu_count(), "runs": found}
    if arguments.result is not None:
        arguments.result.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
