"""Show that memory does not grow with the data set: prepare and train on few and on many generated images.

    python benchmarks/data_memory.py --images 10000 100000 --work build/benchmarks/memory \
        --result benchmarks/results/data_memory.json

Each measurement is a process of its own; the numbers are peaks of its resident memory, in MiB.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image

SHAPE = (64, 64, 3)


def generate(folder: Path, count: int) -> None:
    """Write `count` JPEG files of two classes, of a few hundred different pictures."""
    random = np.random.default_rng(1)
    pictures = []
    for _ in range(200):
        file = io.BytesIO()
        coarse = random.integers(0, 256, (8, 8, 3), np.uint8)
        Image.fromarray(coarse).resize((96, 80), Image.Resampling.BICUBIC).save(file, "JPEG")
        pictures.append(file.getvalue())
    for name in ("one", "other"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for number in range(count):
        name = "one" if number % 2 else "other"
        (folder / name / f"{number:06d}.jpg").write_bytes(pictures[number % len(pictures)])


def prepare_images(images: Path, store: Path) -> None:
    """Decode and store all images."""
    from siliconv.models.data.data_config import DataConfig
    from siliconv.models.data.datasets import prepare

    prepare(DataConfig(source="folder", path=images), SHAPE, store)


def train(store: Path, work: Path) -> None:
    """Train one epoch of a small network."""
    from siliconv.models.architectures.architecture import Architecture
    from siliconv.models.architectures.layers import Conv2D, Dense, GlobalAveragePool
    from siliconv.models.data.image_store import open_dataset
    from siliconv.models.training.float_model import train_float
    from siliconv.models.training.train_config import TrainConfig

    layers = (Conv2D(filters=4, stride=4, activation="relu"), GlobalAveragePool(), Dense(units=1))
    network = Architecture(input_shape=SHAPE, layers=layers)
    train_float(network, open_dataset(store), TrainConfig(epochs=1, batch_size=64), work=work)


def measured(*arguments: str) -> dict[str, float]:
    """Run one part in a process of its own and return its seconds and peak memory."""
    started = time.monotonic()
    found = subprocess.run([sys.executable, __file__, "--part", *arguments], check=True, capture_output=True, text=True)
    return {"seconds": round(time.monotonic() - started, 1), "peak_mib": float(found.stdout.split()[-1])}


def main() -> None:
    """Measure every size and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--work", type=Path)
    parser.add_argument("--result", type=Path)
    parser.add_argument("--part", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.part:
        part, one, other = arguments.part
        (prepare_images if part == "prepare" else train)(Path(one), Path(other))
        print(round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1))
        return
    rows = []
    for count in arguments.images:
        folder = arguments.work / str(count)
        shutil.rmtree(folder, ignore_errors=True)
        generate(folder / "images", count)
        row = {
            "images": count,
            "prepare": measured("prepare", str(folder / "images"), str(folder / "store")),
            "train_one_epoch": measured("train", str(folder / "store"), str(folder / "work")),
        }
        print(json.dumps(row), flush=True)
        rows.append(row)
        shutil.rmtree(folder)
    result = {
        "command": "python " + " ".join(sys.argv),
        "cores": os.cpu_count(),
        "shape": SHAPE,
        "rows": rows,
    }
    if arguments.result:
        arguments.result.parent.mkdir(parents=True, exist_ok=True)
        arguments.result.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
