"""Training throughput of `siliconv` beside plain Keras `model.fit` on tensors in memory, in one run.

    python benchmarks/training_throughput.py --result benchmarks/results/training_throughput.json

Both train the lecture's CNN (batch normalization in training, dropout 0.5) on the same generated images, one
from the store on disk, with a checkpoint an epoch and bits that can be repeated, the other from a float32
array.
Each is a process of its own, and they take turns; the first epoch of each, which builds the graphs, does not
count. What is compared is the time from the start of one step to the start of the next, so reading, shuffling and
showing are in it. On a machine that others use too, the lower quartile is steadier than the median, and CPU
seconds than the wall clock: all are written.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

EPOCHS = 3
Mark = Callable[[], None]


def main() -> None:
    """Take turns and write the rates."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=("siliconv", "plain"), help=argparse.SUPPRESS)
    parser.add_argument("--images", type=int, default=1280)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--result", type=Path)
    arguments = parser.parse_args()
    if arguments.part:
        print(json.dumps(measure(arguments.part, arguments.images, arguments.batch)))
        return
    wall: dict[str, list[float]] = {"plain": [], "siliconv": []}
    cpu: dict[str, list[float]] = {"plain": [], "siliconv": []}
    sizes = ["--images", str(arguments.images), "--batch", str(arguments.batch)]
    for number in range(arguments.rounds):
        for part in sorted(wall, reverse=bool(number % 2)):
            command = [sys.executable, __file__, "--part", part, *sizes]
            found = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            steps = json.loads(found.stdout.splitlines()[-1])
            wall[part] += [seconds for seconds, _ in steps]
            cpu[part] += [seconds for _, seconds in steps]
            print(part, f"{statistics.median(wall[part]):.3f} s a step", flush=True)
    measures = {
        "wall_lower_quartile": {part: statistics.quantiles(steps)[0] for part, steps in wall.items()},
        "wall_median": {part: statistics.median(steps) for part, steps in wall.items()},
        "cpu_median": {part: statistics.median(steps) for part, steps in cpu.items()},
        "cpu_mean": {part: statistics.fmean(steps) for part, steps in cpu.items()},
    }
    result = {
        "command": "python " + " ".join(sys.argv),
        "cores": os.cpu_count(),
        "steps_of_each": len(wall["plain"]),
        "seconds_a_step": {
            name: {part: round(seconds, 4) for part, seconds in found.items()} for name, found in measures.items()
        },
        "throughput_over_plain": {
            name: round(found["plain"] / found["siliconv"], 3) for name, found in measures.items()
        },
    }
    print(json.dumps(result))
    if arguments.result:
        arguments.result.parent.mkdir(parents=True, exist_ok=True)
        arguments.result.write_text(json.dumps(result, indent=1) + "\n")


def measure(part: str, count: int, batch: int) -> list[tuple[float, float]]:
    """Return wall and CPU seconds from step to step, without the first epoch and the steps over an epoch's end."""
    pixels = np.random.default_rng(1).integers(0, 256, (count, 64, 64, 3), np.uint8)
    labels = (np.arange(count) % 2).astype(np.int32)
    marks: list[tuple[float, float]] = []
    train = train_plain if part == "plain" else train_siliconv
    train(pixels, labels, batch, lambda: marks.append((time.monotonic(), time.process_time())))
    steps = -(-count // batch)
    pairs = enumerate(itertools.pairwise(marks))
    return [(b[0] - a[0], b[1] - a[1]) for number, (a, b) in pairs if number >= steps and (number + 1) % steps]


def train_plain(pixels: np.ndarray, labels: np.ndarray, batch: int, mark: Mark) -> None:
    """Run model.fit on arrays in memory."""
    from siliconv.legacy_keras import load

    keras = load()
    layers, stack = keras.layers, [keras.Input((64, 64, 3))]
    for number, filters in enumerate((32, 64, 128, 256)):
        stack += [layers.Conv2D(filters, 3, padding="same"), layers.BatchNormalization(), layers.ReLU()]
        stack += [layers.MaxPooling2D()] if number < 3 else []
        stack += [layers.Dropout(0.5)] if number < 2 else []
    model = keras.Sequential([*stack, layers.GlobalAveragePooling2D(), layers.Dense(1)])
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(), loss, metrics=["accuracy"])
    begin = keras.callbacks.LambdaCallback(on_batch_begin=lambda batch, logs=None: mark())
    images = pixels.astype(np.float32) / 256
    model.fit(images, labels, batch_size=batch, epochs=EPOCHS, verbose=0, callbacks=[begin])


def train_siliconv(pixels: np.ndarray, labels: np.ndarray, batch: int, mark: Mark) -> None:
    """Run siliconv's training from the store."""
    from siliconv.models.architectures.presets import preset
    from siliconv.models.data.image_store import SPLITS, DataSummary, StoreWriter, open_dataset
    from siliconv.models.training.float_model import train_float
    from siliconv.models.training.train_config import TrainConfig

    with tempfile.TemporaryDirectory() as folder:
        writer = StoreWriter(Path(folder))
        writer.append("train", pixels)
        answers = {split: labels[: len(labels) if split == "train" else 0].astype(np.int32) for split in SPLITS}
        writer.finish(DataSummary((64, 64, 3), ("a", "b"), dict.fromkeys(SPLITS, (0, 0))), answers)
        config = TrainConfig(batch_size=batch, epochs=EPOCHS, keep="last")
        train_float(
            preset("lecture"),
            open_dataset(Path(folder)),
            config,
            work=Path(folder),
            before_step=lambda step: mark(),
        )


if __name__ == "__main__":
    main()
