"""Train a network by a recipe, choose on validation, and say what it reaches on the test images.

    python benchmarks/float_accuracy.py --data ../shared/data/faces --recipe benchmarks/recipes/faces.json \
        --work build/benchmarks/faces --result benchmarks/results/faces.json

A run that is interrupted goes on where it was. Without --result the test images are not looked at. WORK then holds
`data/` and `float/` as a project's build does: `quantization_accuracy.py` goes on from there.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from pathlib import Path

from siliconv.flow.artefacts import ARCHITECTURE_FILE
from siliconv.models.answers.evaluation import evaluate
from siliconv.models.architectures.architecture import without_output_activation
from siliconv.models.architectures.presets import preset
from siliconv.models.architectures.weights import save_weights
from siliconv.models.data.data_config import DataConfig
from siliconv.models.data.datasets import prepare
from siliconv.models.data.image_store import open_dataset
from siliconv.models.pictures import learning_curves
from siliconv.models.training.float_model import train_float
from siliconv.models.training.prediction import predict_logits
from siliconv.models.training.train_config import TrainConfig
from siliconv.progress import for_terminal


def main() -> None:
    """Prepare, train, evaluate, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--recipe", type=Path, required=True, help="JSON: the `train` section of a project")
    parser.add_argument("--preset", default="lecture")
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--result", type=Path)
    arguments = parser.parse_args()
    architecture, progress = preset(arguments.preset), for_terminal()
    config = TrainConfig.model_validate_json(arguments.recipe.read_text())
    store = arguments.work / "data"
    if not (store / "dataset.json").exists():
        prepare(DataConfig(source="folder", path=arguments.data), architecture.input_shape, store, progress)
    dataset = open_dataset(store)
    started = time.monotonic()
    model, history = train_float(architecture, dataset, config, work=arguments.work, progress=progress)
    found = evaluate(predict_logits(model, dataset.val), dataset.val.labels, dataset.class_names)
    progress.say(f"validation accuracy {found.accuracy:.4f}")
    folder = arguments.work / "float"
    save_weights(model, folder / "weights.npz")
    deployed = without_output_activation(architecture)
    (folder / ARCHITECTURE_FILE).write_text(deployed.model_dump_json(indent=1) + "\n", encoding="utf-8")
    if arguments.result is None:
        return
    test = evaluate(predict_logits(model, dataset.test), dataset.test.labels, dataset.class_names)
    progress.say(f"test accuracy {test.accuracy:.4f}")
    best = history.best_epoch(config)
    result = {
        "command": "python " + " ".join(sys.argv),
        "preset": arguments.preset,
        "parameters": model.count_params(),
        "images": dataset.summary.counts,
        "config": config.model_dump(mode="json"),
        "epochs": len(history),
        "best_epoch": None if best is None else best + 1,
        "validation_accuracy": found.accuracy,
        "test_accuracy": test.accuracy,
        "test_auc": test.binary.auc if test.binary else None,
        "seconds_training": round(sum(record.seconds for record in history.epochs), 1),
        "seconds_this_run": round(time.monotonic() - started, 1),
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
        "history": history.as_json(),
    }
    arguments.result.parent.mkdir(parents=True, exist_ok=True)
    arguments.result.write_text(json.dumps(result, indent=1) + "\n")
    learning_curves(history, arguments.result.with_suffix(".png"))


if __name__ == "__main__":
    main()
