"""What does a step of quantization-aware training cost, beside a step of the float network, in one run?

    python benchmarks/qat_step.py --result benchmarks/results/qat_step.json

Three models of the lecture's CNN take turns, a step each, on the same generated images: the float network as it is
deployed (no batch normalization), siliconv's quantized network, and the same layers with QKeras' own
`quantized_bits` and `quantized_relu`. Other load on the machine meets all three alike; what counts are the medians of
the ratios of neighbouring steps.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from siliconv import legacy_keras
from siliconv.models.architectures.keras_model import build_model
from siliconv.models.architectures.presets import preset
from siliconv.models.training.float_model import with_dropout
from siliconv.models.training.scoring import Judge
from siliconv.models.training.train_config import TrainConfig
from siliconv.models.training.training_step import optimizer_of, training_step
from siliconv.network.fixed_point import FixedPoint
from siliconv.quantize.qkeras.qkeras_model import quantized_model
from siliconv.quantize.recipe import Recipe
from siliconv.quantize.training.calibration import choose_types

WARM_UP = 3
MODELS = ("float", "siliconv", "qkeras")


def main() -> None:
    """Take turns, print and write the medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--bits", type=int, default=6)
    parser.add_argument("--dropout", type=float, default=0.5, help="rate of the dropout layers, in all three")
    parser.add_argument("--result", type=Path)
    arguments = parser.parse_args()
    record = measure(arguments.batch, arguments.steps, arguments.bits, arguments.dropout)
    print(json.dumps(record, indent=1))
    if arguments.result:
        arguments.result.parent.mkdir(parents=True, exist_ok=True)
        arguments.result.write_text(json.dumps(record, indent=1) + "\n")


def measure(batch: int, steps: int, bits: int, dropout: float) -> dict[str, Any]:
    """Give medians of the seconds a step and of the ratios to the float step."""
    tf = legacy_keras.tensorflow()
    tf.config.experimental.enable_op_determinism()
    tf.random.set_seed(1)
    architecture = preset("lecture")
    random = np.random.default_rng(1)
    images = (random.integers(0, 256, (batch, *architecture.input_shape)) / 256).astype(np.float32)
    labels = random.integers(0, 2, batch).astype(np.int32)
    float_model = build_model(with_dropout(architecture, dropout))
    types = choose_types(float_model, Recipe(weights=bits, activations=bits), images)
    plain = {name: kind for name, kind in types.items() if isinstance(kind, FixedPoint)}  # all of this recipe
    models = {
        "float": float_model,
        "siliconv": quantized_model(float_model, types),
        "qkeras": plain_qkeras(float_model, plain),
    }
    tensors = tf.constant(images), tf.constant(labels), tf.ones(batch)
    steppers = {name: _step_of(models[name], tensors) for name in MODELS}
    for step in steppers.values():
        for _ in range(WARM_UP):
            step()
    seconds: dict[str, list[float]] = {name: [] for name in MODELS}
    for number in range(steps):
        # The one that goes first finds other caches than the one behind it: rotate.
        for name in (MODELS[(number + shift) % len(MODELS)] for shift in range(len(MODELS))):
            start = time.perf_counter()
            steppers[name]()
            seconds[name].append(time.perf_counter() - start)
    return {
        "command": "python " + " ".join(sys.argv),
        "what": f"lecture CNN, batch {batch}, {bits} bits, Adam, dropout {dropout}, {steps} steps each in turns",
        "milliseconds_a_step": {name: round(1000 * statistics.median(values), 1) for name, values in seconds.items()},
        "ratio_to_float": {
            name: round(
                statistics.median(ours / theirs for ours, theirs in zip(values, seconds["float"], strict=True)), 3
            )
            for name, values in seconds.items()
            if name != "float"
        },
        "cores": os.cpu_count(),
        "load_average": round(os.getloadavg()[0], 1),
        "tensorflow": tf.__version__,
        "python": platform.python_version(),
    }


def _step_of(model: Any, tensors: tuple[Any, Any, Any]) -> Callable[[], Any]:
    config = TrainConfig(learning_rate=1e-4)
    optimizer = optimizer_of(config)
    optimizer.build(model.trainable_variables)
    judge, answers = Judge("classification", ()), tensors[1].numpy()
    step = training_step(model, optimizer, config, judge=judge, answers=answers)
    return lambda: float(step(*tensors)[0])


def plain_qkeras(model: Any, types: dict[str, FixedPoint]) -> Any:
    """Give the same network with QKeras' own quantizers, layer by layer.

    Negative integer bits, which TensorFlow refuses to QKeras, become 0: the time does not depend on them.
    """
    import qkeras

    def bits(name: str) -> Any:
        return qkeras.quantized_bits(types[name].width, max(0, types[name].integer - 1), alpha=1)

    def quantize(layer: Any) -> Any:
        kind, config = type(layer).__name__, layer.get_config()
        if kind in ("Conv2D", "Dense"):
            for name in ("kernel_constraint", "bias_constraint"):
                del config[name]
            quantizers = {f"{part}_quantizer": bits(f"{layer.name}.{part}") for part in ("kernel", "bias")}
            return getattr(qkeras, f"Q{kind}")(**config, **quantizers)
        if kind == "Activation":
            found = types[layer.name]
            return qkeras.QActivation(qkeras.quantized_relu(found.width, max(0, found.integer)), name=layer.name)
        return type(layer).from_config(config)

    clone = legacy_keras.load().models.clone_model(model, clone_function=quantize)
    clone.set_weights(model.get_weights())
    return clone


if __name__ == "__main__":
    main()
