"""Side by side with rule4ml on the same published synthesis records.

    KERAS_BACKEND=torch python benchmarks/compare_rule4ml.py RECORDS.json

Needs an environment of its own with `rule4ml==0.2.0` (GPL-3.0, no dependency of siliconv) and siliconv. Our
values are the cross-validated ones: each project predicted from the others. rule4ml knows one precision, one
reuse factor, four boards and two strategies; it is given the nearest, and records with layers that it does
not know are left out. Its models are of torch, which crashes where Keras brings TensorFlow along.
"""

import argparse
import json
from collections import defaultdict
from pathlib import Path
from statistics import median

import keras
from rule4ml.models.wrappers import MultiModelWrapper

from siliconv.hardware.devices import family_of
from siliconv.hls.calibration.cross_validation import leave_projects_out, samples_of
from siliconv.hls.calibration.records import read_records
from siliconv.hls.design.design import (
    Design,
    ElementwiseLayer,
    GlobalPoolLayer,
    Layer,
    MatrixLayer,
    PaddingLayer,
    PoolLayer,
    SoftmaxLayer,
)
from siliconv.hls.estimate.coefficients import METRICS, group_of
from siliconv.hls.kinds import LayerKind, Strategy

COLUMNS = {
    "latency_cycles": "CYCLES",
    "interval_cycles": "INTERVAL",
    "lut": "LUT",
    "ff": "FF",
    "dsp": "DSP",
    "bram18": "BRAM",
}


def main() -> None:
    """Predict every record that rule4ml can take with both, and print the median errors."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("records", type=Path)
    path = parser.parse_args().records
    records = read_records(path)
    samples = samples_of(json.loads(path.read_text("utf-8")), records)
    ours = leave_projects_out(samples)
    rule4ml = MultiModelWrapper()
    rule4ml.load_default_models()
    errors: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    for sample in samples:
        record = sample.record
        if record.tier in ("C", "M"):
            continue
        model = keras_model(record.design)
        if model is None:
            continue
        try:
            found = rule4ml.predict(
                model,
                hls_configs=[settings(record.design)],
                hls4ml_versions=["0.8.1"],
                vivado_versions=["2019.2"],
            )
            row = found.mean(numeric_only=True)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            print(f"{record.identity[-44:]:44} rule4ml does not run: {type(error).__name__}")
            continue
        print(f"{record.identity[-44:]:44}", end="", flush=True)
        for metric in METRICS:
            truth = record.reported.get(metric)
            if truth is None or COLUMNS[metric] not in row:
                continue
            theirs, mine = float(row[COLUMNS[metric]]), ours[record.identity][metric].value
            scale = max(truth, 1.0)
            errors[group_of(record.design), metric].append((abs(mine - truth) / scale, abs(theirs - truth) / scale))
            print(f" {metric} {truth:.0f}: {mine:.0f} / {theirs:.0f}", end=";")
        print()
    print("\nmedian error, siliconv (cross-validated) / rule4ml 0.2.0")
    for (group, metric), pairs in sorted(errors.items()):
        mine, theirs = (median(pair[side] for pair in pairs) for side in (0, 1))
        print(f"{group:28} {metric:16} n {len(pairs):3}  {mine:9.1%} / {theirs:9.1%}")


def settings(design: Design) -> dict[str, object]:
    """Return rule4ml's configuration that is nearest to a design's."""
    matrices = [layer for layer in design.layers if isinstance(layer, MatrixLayer)]
    widest = max((layer.weight.width for layer in matrices), default=16)
    boards = {"series7": "pynq-z2", "ultrascale+": "alveo-u250"}
    latency = all(layer.strategy is Strategy.LATENCY for layer in matrices)
    return {
        "board": boards.get(family_of(design.part).name, "zcu102"),
        "model": {
            "precision": f"ap_fixed<{widest}, {max(widest // 2, 1)}>",
            "reuse_factor": max((layer.reuse_factor for layer in matrices), default=1),
            "strategy": "Latency" if latency else "Resource",
        },
    }


def keras_model(design: Design) -> keras.Model | None:
    """Return a Keras model with the layers of a design, None where rule4ml does not know one."""
    first = design.layers[0] if design.layers else None
    if first is None:
        return None
    shape = first.output.shape if isinstance(first, PaddingLayer) else first.input.shape
    inputs = tensor = keras.Input(shape)
    for layer in design.layers:
        added = keras_layers(layer)
        if added is None:
            return None
        for one in added:
            # rule4ml reads the shape that Keras 2 kept on a layer and Keras 3 does not.
            one.input_shape = tuple(tensor.shape)
            try:
                tensor = one(tensor)
            except ValueError:  # layers that do not follow each other in one row
                return None
    model = keras.Model(inputs, tensor, name="record")
    model.build((None, *shape))
    return model


def keras_layers(layer: Layer) -> list[keras.Layer] | None:
    """Return the Keras layers of one layer, None for an unknown one."""
    if isinstance(layer, MatrixLayer):
        if layer.kind is LayerKind.DENSE:
            flat = [keras.layers.Flatten()] if layer.input.pixels > 1 else []
            return [*flat, keras.layers.Dense(layer.n_out)]
        kind = {LayerKind.CONV1D: keras.layers.Conv1D, LayerKind.CONV2D: keras.layers.Conv2D}.get(layer.kind)
        return None if kind is None else [kind(layer.n_out, layer.kernel, strides=layer.stride)]
    if isinstance(layer, PoolLayer):
        return [
            (keras.layers.MaxPooling2D if len(layer.kernel) == 2 else keras.layers.MaxPooling1D)(
                layer.kernel, strides=layer.stride
            )
        ]
    if isinstance(layer, GlobalPoolLayer):
        image = len(layer.input.shape) == 3
        return [keras.layers.GlobalMaxPooling2D() if image else keras.layers.GlobalMaxPooling1D()]
    if isinstance(layer, SoftmaxLayer):
        return [keras.layers.Softmax()]
    if isinstance(layer, ElementwiseLayer):
        known = {"normalize": keras.layers.BatchNormalization, "linear": None}
        if layer.function in known:
            kind = known[layer.function]
            return [kind()] if kind is not None else []
        if layer.function in ("relu", "sigmoid", "tanh"):
            return [keras.layers.Activation(layer.function)]
        return None
    return [] if isinstance(layer, PaddingLayer) else None


if __name__ == "__main__":
    main()
