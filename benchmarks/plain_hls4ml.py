"""What plain hls4ml with its own defaults makes of the lecture's CNN, beside QKeras and siliconv's firmware.

Usage: python benchmarks/plain_hls4ml.py [--images N] [--seed S] [--json FILE]

The CNN is the 6-bit QKeras model of the preset `lecture` with random weights of a fixed seed, and the images are random
bytes: nothing of it depends on a data set. All three get the same weights and the same images. hls4ml gets its own
defaults (`ap_fixed<16,6>` for what the model does not say) with `io_stream`, C simulation by g++.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from siliconv import convert, legacy_keras

FILTERS = (32, 64, 128, 256)
SIDE = 64


def main() -> None:
    """Compute, print, and write the figures if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    figures = measure(arguments.images, arguments.seed)
    print(json.dumps(figures, indent=1))
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def measure(count: int, seed: int, filters: tuple[int, ...] = FILTERS, side: int = SIDE) -> dict[str, Any]:
    """Run the three on the same images.

    Parameters
    ----------
    count, seed
        How many images, and the seed of weights and images.
    filters, side
        Of the network: those of the lecture by default.
    """
    random = np.random.default_rng(seed)
    model = lecture_model(random, filters, side)
    codes = random.integers(0, 256, (count, side, side, 3))
    values = (codes / 256).astype(np.float32)
    expected = model.predict(values, verbose=0).reshape(-1)
    with tempfile.TemporaryDirectory() as scratch:
        plain, pooled = plain_hls4ml(model, values, Path(scratch) / "plain")
    ends = [model.get_layer(name).output for name in ("pool", "dense")]
    features, logits = legacy_keras.load().Model(model.input, ends).predict(values, verbose=0)
    firmware = convert(model)
    certificate = firmware.simulate(codes)
    ours = np.asarray(firmware.predict(codes)).reshape(-1)
    return {
        "command": f"python benchmarks/plain_hls4ml.py --images {count} --seed {seed}",
        "hls4ml": version("hls4ml"),
        "qkeras": [round(float(one), 4) for one in expected],
        "plain_hls4ml": [round(float(one), 4) for one in plain],
        "siliconv": [round(float(one), 4) for one in ours],
        "largest_difference": {
            "plain_hls4ml": round(float(np.abs(plain - expected).max()), 4),
            "siliconv": round(float(np.abs(ours - expected).max()), 4),
        },
        "averages_that_differ": {"plain_hls4ml": int((pooled != features).sum()), "of": int(features.size)},
        "siliconv_logits_that_differ": int((np.asarray(firmware.trace(codes)["dense"]) != logits).sum()),
        "siliconv_exact": certificate.exact,
    }


def lecture_model(random: np.random.Generator, filters: tuple[int, ...], side: int) -> Any:
    """Build the lecture's CNN as a 6-bit QKeras model with random weights, whose activations use their range."""
    keras = legacy_keras.load()
    import qkeras

    bits = "quantized_bits(6,0,alpha=1)"
    image = keras.Input((side, side, 3), name="image")
    tensor = image
    for number, count in enumerate(filters, start=1):
        tensor = qkeras.QConv2D(
            count, 3, padding="same", kernel_quantizer=bits, bias_quantizer=bits, name=f"conv_{number}"
        )(tensor)
        tensor = qkeras.QActivation("quantized_relu(6,2)", name=f"relu_{number}")(tensor)
        if number < len(filters):
            tensor = keras.layers.MaxPooling2D(2, name=f"max_{number}")(tensor)
    tensor = keras.layers.GlobalAveragePooling2D(name="pool")(tensor)
    tensor = qkeras.QDense(1, kernel_quantizer=bits, bias_quantizer=bits, name="dense")(tensor)
    model = keras.Model(image, keras.layers.Activation("sigmoid", name="probability")(tensor), name="lecture")
    for layer in model.layers:
        if layer.get_weights():
            kernel, bias = layer.get_weights()
            spread = (2.0 / np.prod(kernel.shape[:-1])) ** 0.5
            layer.set_weights([random.normal(0, spread, kernel.shape), random.uniform(0, 0.3, bias.shape)])
    return model


def plain_hls4ml(model: Any, values: np.ndarray, folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Give the outputs and the averages of the firmware that hls4ml makes of a model with its own defaults."""
    import hls4ml
    from hls4ml.converters import keras_v2_to_hls

    # hls4ml chooses its reader by the version of `keras`, which is 3; this is its reader for tf_keras.
    config = hls4ml.utils.config.create_config(output_dir=str(folder), project_name="lecture", backend="Vitis")
    config["KerasModel"], config["IOType"] = model, "io_stream"
    config["HLSConfig"] = {
        "Model": {"Precision": "ap_fixed<16,6>", "ReuseFactor": 64, "Strategy": "Resource"},
        "LayerName": {layer.name: {"Trace": True} for layer in model.layers},
    }
    graph = keras_v2_to_hls(config)
    graph.compile()
    predicted, traced = graph.trace(np.ascontiguousarray(values))
    pooled = traced["pool"].reshape(len(values), -1)
    return np.asarray(predicted).reshape(-1), pooled


if __name__ == "__main__":
    main()
