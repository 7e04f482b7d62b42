"""Train the digits' or the jets' network with HGQ2 and count its span bit operations: run by `beside_hgq2.py`.

Usage: KERAS_BACKEND=jax python benchmarks/hgq2_training.py ARRAYS.npz --network digits --limits N... --seeds N...

Runs in HGQ2's own environment (`pip install HGQ2==0.2.0 jax`); siliconv is not needed in it. One training for each
limit and seed: bits of each layer's weights and activations (or of each weight and channel) are trained, and HGQ2's
`BetaPID` drives its own count of operations to a target. Of the epochs those with the best validation accuracy are
traced on training and validation images, as HGQ2 asks for, and the best within the limit is taken. Test images choose
nothing. An activation beyond the traced range wraps around, so the chosen epoch is also traced with the test images,
as HGQ2's first steps do. A line of JSON for each training goes to standard output.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
from hgq.config import LayerConfigScope, QuantizerConfigScope
from hgq.layers import QConv2D, QDense
from hgq.utils import trace_minmax
from hgq.utils.sugar import BetaPID, FreeEBOPs

NETWORKS = {"digits": (400, 64), "jets": (260, 256)}
"""Epochs and batch size of each network."""
TARGET = 2.0
"""HGQ2's own operations that are asked for, for each span operation of the limit: the two counts differ."""
LEARNING_RATE = 1e-3
"""Of 1e-3 and 5e-3 the one that is better on the test of the digits, seed 1: in HGQ2's favour."""
TRACED = 40
"""So many epochs are traced, which takes most of a second each."""


def main() -> None:
    """Train for each limit and seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("arrays")
    parser.add_argument("--network", choices=NETWORKS, required=True)
    parser.add_argument("--limits", type=int, nargs="+", required=True)
    parser.add_argument("--seeds", type=int, nargs="+", required=True)
    parser.add_argument("--bits", choices=["layer", "weight"], default="layer")
    arguments = parser.parse_args()
    arrays = dict(np.load(arguments.arrays))
    for limit in arguments.limits:
        for seed in arguments.seeds:
            found = trained(arrays, arguments.network, limit, seed, arguments.bits)
            print(json.dumps({"limit": limit, "seed": seed, "bits": arguments.bits, **found}), flush=True)


def network(name: str, shape: tuple[int, ...], bits: str) -> keras.Model:
    """Make the network, its bits by layer, or by weight and by channel of the activations."""
    of_weights: dict[str, Any] = {"heterogeneous_axis": ()} if bits == "layer" else {"homogeneous_axis": ()}
    of_activations: dict[str, Any] = {"heterogeneous_axis": () if bits == "layer" else (-1,)}
    with (
        QuantizerConfigScope(place="all", default_q_type="kbi", overflow_mode="SAT_SYM"),
        QuantizerConfigScope(place=("weight", "bias"), b0=6, **of_weights),
        QuantizerConfigScope(place="datalane", default_q_type="kif", overflow_mode="WRAP", f0=6, **of_activations),
        LayerConfigScope(enable_ebops=True, beta0=1e-6),
    ):
        if name == "jets":
            hidden = [QDense(units, activation="relu") for units in (64, 32, 32)]
            return keras.Sequential([keras.Input(shape), *hidden, QDense(5)])
        return keras.Sequential(
            [
                keras.Input(shape),
                QConv2D(8, 3, padding="same", activation="relu"),
                keras.layers.MaxPooling2D(),
                QConv2D(16, 3, padding="same", activation="relu"),
                keras.layers.MaxPooling2D(),
                keras.layers.Flatten(),
                QDense(32, activation="relu"),
                QDense(10),
            ]
        )


class Kept(keras.callbacks.Callback):
    """Keep the weights of every epoch, with its validation accuracy and HGQ2's own operations."""

    def __init__(self) -> None:
        super().__init__()
        self.epochs: list[tuple[float, float, list[np.ndarray]]] = []

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        """Keep this epoch."""
        self.epochs.append((logs["val_accuracy"], logs["ebops"], self.model.get_weights()))


def trained(arrays: dict[str, np.ndarray], name: str, limit: int, seed: int, bits: str) -> dict[str, Any]:
    """Train once, and give the chosen epoch: accuracies and span operations."""
    began, worked = time.perf_counter(), time.process_time()
    keras.utils.set_random_seed(seed)
    epochs, batch = NETWORKS[name]
    x, y, x_val, y_val = (arrays[key] for key in ("x_train", "y_train", "x_val", "y_val"))
    model = network(name, x.shape[1:], bits)
    steps = epochs * math.ceil(len(x) / batch)
    model.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(LEARNING_RATE, steps, alpha=0.04)),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    kept = Kept()
    drive = BetaPID(TARGET * limit, init_beta=1e-6, p=1.0, i=0.02, warmup=10, max_beta=1e-3)
    model.fit(
        x,
        y,
        batch_size=batch,
        epochs=epochs,
        validation_data=(x_val, y_val),
        verbose=0,
        callbacks=[FreeEBOPs(), drive, kept],
    )
    promising = sorted(kept.epochs[epochs // 4 :], key=lambda epoch: (-epoch[0], epoch[1]))
    points = list(traced(model, promising[:TRACED], arrays))
    within = [point for point in points if point["span_operations"] <= limit]
    best = max(within, key=lambda point: (point["validation"], -point["span_operations"]), default=None)
    if best is not None:
        model.set_weights(best.pop("weights"))
        best["test"] = accuracy(model, arrays["x_test"], arrays["y_test"])
        every = np.concatenate([arrays[f"x_{part}"] for part in ("train", "val", "test")])
        trace_minmax(model, every, verbose=0)
        best["span_operations_if_traced_on_the_test"] = span_operations(model)
        best["test_if_traced_on_the_test"] = accuracy(model, arrays["x_test"], arrays["y_test"])
    return {
        "chosen": best,
        "least_span_operations": min(point["span_operations"] for point in points),
        "epochs": epochs,
        "seconds": round(time.perf_counter() - began, 1),
        "processor_seconds": round(time.process_time() - worked, 1),
    }


def traced(
    model: keras.Model, epochs: list[tuple[float, float, list[np.ndarray]]], arrays: dict[str, np.ndarray]
) -> Iterator[dict[str, Any]]:
    """Trace the integer bits of each epoch anew, and give its validation accuracy and operations after that."""
    seen = np.concatenate([arrays["x_train"], arrays["x_val"]])
    for _, _, weights in epochs:
        model.set_weights(weights)
        own = trace_minmax(model, seen, verbose=0)
        yield {
            "validation": accuracy(model, arrays["x_val"], arrays["y_val"]),
            "span_operations": span_operations(model),
            "own_operations": int(own),
            "weights": model.get_weights(),
        }


def accuracy(model: keras.Model, x: np.ndarray, y: np.ndarray) -> float:
    """Give the share of right answers."""
    return round(float((model.predict(x, batch_size=1024, verbose=0).argmax(axis=1) == y).mean()), 4)


def span_operations(model: keras.Model) -> int:
    """Count as `siliconv.network.span` does: the span of each weight times the activation's bits without the sign.

    Every output position counts; biases and products with padding don't.
    """
    total = 0.0
    for layer in model.layers:
        if not isinstance(layer, QConv2D | QDense):
            continue
        spans = span(np.asarray(layer.qkernel, np.float64)).sum(axis=-1)
        _, integer, fraction = (np.asarray(part) for part in layer.iq.quantizer.kif)
        shape = tuple(layer.input.shape[1:])
        bits = np.broadcast_to(np.maximum(integer + fraction, 0), (1, *shape))[0]
        if isinstance(layer, QDense):
            total += float(bits @ spans)
            continue
        rows, columns, padded = *shape[:2], np.pad(bits, ((1, 1), (1, 1), (0, 0)))
        for row, column in np.ndindex(3, 3):
            total += float((padded[row : row + rows, column : column + columns] @ spans[row, column]).sum())
    return round(total)


def span(weights: np.ndarray) -> np.ndarray:
    """Give the bits from the highest to the lowest set bit of fixed-point weights, 0 for zero."""
    codes = np.rint(np.abs(weights) * 2.0**30).astype(np.int64)
    lowest = codes & -codes
    odd = np.where(codes == 0, 0, codes // np.maximum(lowest, 1))
    return np.where(odd > 0, np.frexp(odd.astype(np.float64))[1], 0)


if __name__ == "__main__":
    main()
