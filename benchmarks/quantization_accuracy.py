"""What few bits cost in accuracy: recipes applied to one trained float network, judged on its whole test set.

    python benchmarks/quantization_accuracy.py --build firmware_projects/lecture/build --work build/benchmarks/bits \
        --recipe benchmarks/recipes/{6_bits,4_bits,6_bits_half_pruned}.json --result benchmarks/results/bits.json

BUILD holds `float/` and `data/`, as `siliconv train` leaves them. A recipe is the `quantize` section of a project, as
JSON. Each is fine-tuned with a checkpoint an epoch and judged once; run again, the script goes on where it was, and
does nothing where all is done. The table (JSON, and Markdown beside it) is written anew after each recipe.

Exactness is counted on every test image: logits of QKeras, of the integer network (the reference, in integers) and of
the emulator. Where QKeras differs, its float32 sums have rounded.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from siliconv.flow.artefacts import load_float_model
from siliconv.models.answers.evaluation import evaluate
from siliconv.models.data.image_store import Dataset, open_dataset
from siliconv.models.training.history import History
from siliconv.models.training.prediction import predict_logits
from siliconv.network import reference
from siliconv.network.emulator import emulator
from siliconv.network.fixed_point import Codes, to_values
from siliconv.network.graph import Network
from siliconv.progress import Progress, activity, for_terminal
from siliconv.quantize.lowering.agreement import compare_logits
from siliconv.quantize.lowering.lowering import lower
from siliconv.quantize.recipe import Recipe
from siliconv.quantize.training.calibration import as_text
from siliconv.quantize.training.fine_tuning import quantize

IMAGES_PER_READ = 256


def main() -> None:
    """Apply each recipe and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, required=True, help="folder with float/ and data/")
    parser.add_argument("--recipe", type=Path, nargs="+", required=True, help="JSON: the `quantize` section")
    parser.add_argument("--work", type=Path, required=True, help="checkpoints and finished recipes")
    parser.add_argument("--result", type=Path, required=True)
    arguments = parser.parse_args()
    progress = for_terminal()
    dataset, model = open_dataset(arguments.build / "data"), load_float_model(arguments.build)
    logits = predict_logits(model, dataset.test, progress)
    record: dict[str, Any] = {
        "command": "python " + " ".join(sys.argv),
        "images": dataset.summary.counts,
        "parameters": model.count_params(),
        "float_accuracy": accuracy(logits, dataset),
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
        "recipes": {},
    }
    started_from = hashlib.sha256(b"".join(value.tobytes() for value in model.get_weights()))
    for path in arguments.recipe:
        recipe = Recipe.model_validate_json(path.read_text(encoding="utf-8"))
        key = hashlib.sha256(started_from.digest() + recipe.model_dump_json().encode()).hexdigest()
        folder = arguments.work / path.stem
        found = finished(folder, key)
        if found is None:
            progress.say(f"{path.stem}:")
            found = {"key": key, **judge(model, dataset, recipe, folder, progress)}
            write(folder / "result.json", json.dumps(found, indent=1) + "\n")
        record["recipes"][path.stem] = {name: value for name, value in found.items() if name != "key"}
        write(arguments.result, json.dumps(record, indent=1) + "\n")
        write(arguments.result.with_suffix(".md"), table(record))
    print(table(record))


def finished(folder: Path, key: str) -> dict[str, Any] | None:
    """Give the result of a recipe that is done already, for this float network."""
    path = folder / "result.json"
    if not path.exists():
        return None
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found if found["key"] == key else None


def judge(model: Any, dataset: Dataset, recipe: Recipe, folder: Path, progress: Progress) -> dict[str, Any]:
    """Quantize by a recipe and measure on the whole test set."""
    dropout = recipe.train.dropout if recipe.train is not None else None
    started = time.monotonic()
    found = quantize(model, dataset, recipe, work=folder, progress=progress, dropout=dropout)
    history = found.history or History()
    network = lower(found.model, name="net")
    qkeras = predict_logits(found.model, dataset.test, progress)
    by_reference, by_emulator = network_logits(network, dataset, progress)
    agreement = compare_logits(qkeras, by_reference, network.decisions)
    values = to_values(by_reference, network.logits.type)
    return {
        "recipe": recipe.model_dump(mode="json", exclude_defaults=True),
        "types": as_text(found.types),
        "accuracy_rounded_only": accuracy(found.rounded_logits, dataset),
        "accuracy": accuracy(values, dataset),
        "fine_tuning_kept": found.helped if found.history is not None else None,
        "sparsity": round(found.sparsity, 4),
        "zeros": {name: {"zeros": zeros, "weights": weights} for name, (zeros, weights) in found.zeros.items()},
        "logits": {
            "compared": agreement.values,
            "qkeras_differs_from_network": agreement.differing,
            "largest_difference": agreement.max_abs_difference,
            "decisions_that_differ": int((decisions(qkeras) != decisions(values)).sum()),
            "emulator_differs_from_network": int((by_emulator != by_reference).sum()),
        },
        "epochs": len(history),
        "seconds_of_fine_tuning": round(sum(epoch.seconds for epoch in history.epochs), 1),
        "seconds_this_run": round(time.monotonic() - started, 1),
        "history": history.as_json(),
    }


def network_logits(network: Network, dataset: Dataset, progress: Progress) -> tuple[Codes, Codes]:
    """Give the logits' codes of all test images by the reference and by the emulator."""
    name, emulated = network.logits.name, emulator.compile(network)
    exact, fast = [], []
    with activity(progress, "Integer network", len(dataset.test), "images") as shown:
        for start in range(0, len(dataset.test), IMAGES_PER_READ):
            codes = dataset.test.read(slice(start, start + IMAGES_PER_READ))
            exact.append(reference.run_batches(network, codes, name))
            fast.append(emulated.run(codes, keep=[name])[name])
            shown.update(start + len(codes))
    return np.concatenate(exact), np.concatenate(fast)


def accuracy(logits: np.ndarray, dataset: Dataset) -> float:
    """Give the share of right answers on the test images."""
    return evaluate(logits, dataset.test.labels, dataset.class_names).accuracy


def decisions(logits: np.ndarray) -> np.ndarray:
    """Give the class that each row decides for."""
    return logits[:, 0] > 0 if logits.shape[-1] == 1 else logits.argmax(axis=-1)


def table(record: dict[str, Any]) -> str:
    """Give the results as Markdown."""
    reached = record["float_accuracy"]
    lines = [
        f"Float: {reached:.2%} on {sum(record['images']['test']):,} test images.",
        "",
        "| recipe | rounded only | fine-tuned | points from float | zero weights | epochs | logits QKeras = network"
        " | emulator = network |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, found in record["recipes"].items():
        logits = found["logits"]
        equal = logits["compared"] - logits["qkeras_differs_from_network"]
        emulated = logits["compared"] - logits["emulator_differs_from_network"]
        lines.append(
            f"| {name.replace('_', ' ')} | {found['accuracy_rounded_only']:.2%} | {found['accuracy']:.2%}"
            f" | {100 * (found['accuracy'] - reached):+.2f} | {found['sparsity']:.1%} | {found['epochs']}"
            f" | {equal:,} of {logits['compared']:,} | {emulated:,} of {logits['compared']:,} |"
        )
    return "\n".join([*lines, "", f"`{record['command']}`", ""])


def write(path: Path, text: str) -> None:
    """Write a file that is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


if __name__ == "__main__":
    main()
