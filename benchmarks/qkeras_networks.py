"""QKeras networks like those of hls4ml's own tests, and files of other people: exact, refused by name, wrong, crashed.

Usage: python benchmarks/qkeras_networks.py [--files FOLDER] [--inputs N] [--json FILE]

The networks are built here, in our words, with the layers, quantizers and shapes that hls4ml's test suite uses, and
random weights from a seed; its recurrent ones are among them. Each is read as its file would be read, built of what was
read, and lowered. `exact` is: QKeras' own prediction of the logits equals the integer network in every bit, in float64
where float32 rounds; `rounded` is the same behind weights that have no quantizer and were rounded to 16 bits. FOLDER
holds QKeras files (``NAME.h5``, or ``NAME.json`` with ``NAME_weights.h5``).
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from siliconv import legacy_keras
from siliconv.errors import SiliconvError
from siliconv.legacy_keras import double_precision
from siliconv.models.architectures.nested_models import flat_model
from siliconv.models.architectures.user_model import read_written_model
from siliconv.models.qkeras_files.qkeras_reading import QKerasFile, is_qkeras, qkeras_model_of
from siliconv.network import reference
from siliconv.network.fixed_point import FixedPoint, to_values
from siliconv.quantize.lowering.lowering import lower
from siliconv.quantize.recipe import Unquantized
from siliconv.quantize.taken.exact_model import exact_model
from siliconv.quantize.taken.own_prediction import own_model
from siliconv.quantize.taken.taken_model import taken_model
from siliconv.quantize.taken.unquantized import with_quantizers
from siliconv.stages.taken_stages import weights_file

keras = legacy_keras.load()

import qkeras  # noqa: E402
from qkeras.qconv2d_batchnorm import QConv2DBatchnorm  # noqa: E402

INPUT = FixedPoint(True, 16, 6)
"""What hls4ml's tests feed: 16 bits, 6 of them integer."""

layers = keras.layers
Make = Callable[[], Any]


def bits(width: int, integer: int = 0, alpha: Any = 1) -> Any:
    """Give `quantized_bits` as the tests use it."""
    return qkeras.quantized_bits(width, integer, alpha=alpha)


def row(*given: Any) -> Any:
    """Give a sequential model."""
    return keras.Sequential(list(given))


def dense(units: int, kernel: Any, bias: Any = None, **more: Any) -> Any:
    """Give a QDense layer."""
    return qkeras.QDense(units, kernel_quantizer=kernel, bias_quantizer=bias, **more)


def networks() -> Iterator[tuple[str, Make]]:
    """Yield the networks by the test that has one like it."""
    yield from _dense_networks()
    yield from _activations()
    yield from _binary_networks()
    yield from _convolutions()
    yield from _optimized()


def _dense_networks() -> Iterator[tuple[str, Make]]:
    def jets() -> Any:
        hidden = [
            one
            for units in (64, 32, 32)
            for one in (dense(units, bits(6), bits(6)), qkeras.QActivation("quantized_relu(6)"))
        ]
        return row(layers.Input((16,)), *hidden, dense(5, bits(6), bits(6)), layers.Activation("softmax"))

    yield "accuracy: jets", jets
    for alpha in (1, "auto_po2"):
        yield f"single dense, alpha {alpha}", partial(_single, alpha)
    pairs = [
        ("binary", "binary"),
        ("ternary", "ternary"),
        *(("quantized_bits(4, 0, alpha=1)", f"quantized_relu({width}, 0)") for width in (2, 4, 8)),
    ]
    for weight, activation in pairs:
        yield f"own activation {activation}", partial(_own_activation, weight, activation)
    yield (
        "no quantizers",
        lambda: row(layers.Input((10,)), dense(8, None, kernel_initializer="ones", activation="quantized_relu(8, 0)")),
    )
    yield "wide powers of two", lambda: row(layers.Input((26,)), dense(6, qkeras.quantized_po2(18, max_value=2**20)))


def _single(alpha: Any) -> Any:
    quantized = qkeras.QActivation(bits(4))
    return row(
        layers.Input((16,)), quantized, dense(16, bits(4, 0, alpha), bits(4)), qkeras.QActivation("quantized_relu(4)")
    )


def _own_activation(weight: str, activation: str) -> Any:
    return row(layers.Input((10,)), dense(10, weight, weight, activation=activation))


def _alone(quantizer: str) -> Any:
    return row(layers.Input((1,)), qkeras.QActivation(quantizer))


def _activations() -> Iterator[tuple[str, Make]]:
    pairs = [(8, 0), (8, 4), (4, 2), (4, 0), (10, 0)]
    yield from ((f"quantized_bits({a}, {b})", partial(_alone, f"quantized_bits({a},{b})")) for a, b in pairs)
    pairs = [(4, 0), (4, 2), (8, 0), (8, 4), (10, 0), (10, 5)]
    yield from ((f"quantized_relu({a}, {b})", partial(_alone, f"quantized_relu({a},{b})")) for a, b in pairs)
    for text in (
        "quantized_relu(4,negative_slope=0.5)",
        "quantized_relu(8,4,negative_slope=1.0)",
        "quantized_relu(10,2,negative_slope=0.25)",
        "quantized_tanh(8)",
        "quantized_sigmoid(5)",
        "quantized_sigmoid(7,use_real_sigmoid=True)",
    ):
        yield text, partial(_alone, text)


def _signs(kernel: str, activation: str, normalized: bool) -> Any:
    between = [layers.BatchNormalization()] if normalized else []
    first = dense(10, kernel, qkeras.quantized_bits(5, 2))
    return row(layers.Input((10,)), first, *between, qkeras.QActivation(activation))


def _binary_networks() -> Iterator[tuple[str, Make]]:
    cases = [
        ("ternary(alpha=1)", "binary_tanh", False),
        ("binary", "binary_tanh", False),
        ("ternary(alpha='auto')", "binary", True),
        ("ternary(alpha='auto')", "ternary", True),
        ("ternary(alpha='auto')", "ternary(threshold=0.2)", True),
        ("ternary(alpha='auto')", "ternary(threshold=0.8)", True),
        ("binary", "binary", False),
    ]
    for number, case in enumerate(cases, start=1):
        yield f"binary or ternary {number}", partial(_signs, *case)

    def binary_cnn() -> Any:
        def block(filters: int, **more: Any) -> list[Any]:
            conv = qkeras.QConv2D(filters, 3, kernel_quantizer="binary", **more)
            return [conv, qkeras.QBatchNormalization(), qkeras.QActivation("binary")]

        return row(
            layers.Input((28, 28, 1)),
            *block(4, bias_quantizer="quantized_bits(5,2)"),
            *block(8, use_bias=False),
            layers.MaxPooling2D(2),
            *block(8, use_bias=False),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            dense(10, "binary", use_bias=False),
            qkeras.QBatchNormalization(),
            qkeras.QActivation("binary_tanh"),
            dense(10, "binary", use_bias=False),
        )

    yield "binary CNN", binary_cnn


def _convolutions() -> Iterator[tuple[str, Make]]:
    def mnist() -> Any:
        def block(filters: int, width: int) -> list[Any]:
            conv = qkeras.QConv2D(
                filters, 3, kernel_quantizer=bits(width), bias_quantizer=bits(width), activation="relu"
            )
            return [conv, qkeras.QActivation(f"quantized_relu({width})"), layers.MaxPooling2D(2)]

        head = dense(10, bits(4), bits(4))
        return row(layers.Input((28, 28, 1)), *block(4, 4), *block(8, 4), layers.Flatten(), head, layers.Softmax())

    def serialized() -> Any:
        first = qkeras.QConv2D(4, 3, kernel_quantizer="quantized_bits(8,4)", bias_quantizer=qkeras.ternary())
        second = qkeras.QConv2D(5, 3, kernel_quantizer=qkeras.quantized_bits(8, 4), bias_quantizer=qkeras.binary())
        return row(
            layers.Input((8, 8, 3)),
            first,
            qkeras.QActivation("quantized_relu(6)"),
            second,
            qkeras.QActivation(qkeras.quantized_relu(2)),
            layers.Flatten(),
            dense(5, "quantized_po2(8,4)", activation="softmax"),
        )

    yield "MNIST CNN", mnist
    yield "saved and loaded", serialized
    yield (
        "folded convolution",
        lambda: row(
            layers.Input((8, 8, 1)),
            QConv2DBatchnorm(4, 3, kernel_quantizer=bits(8), bias_quantizer=bits(8), activation="quantized_relu(8, 0)"),
        ),
    )
    yield (
        "depthwise convolution",
        lambda: row(
            layers.Input((32, 32, 3)),
            qkeras.QDepthwiseConv2D(
                3, depthwise_quantizer=bits(6), bias_quantizer=bits(4), activation="quantized_relu(3, 0)"
            ),
        ),
    )
    wide = {"depthwise_quantizer": bits(8, 3), "pointwise_quantizer": bits(8, 3), "bias_quantizer": bits(8, 3)}
    yield "separable sequence", lambda: row(layers.Input((13, 20)), qkeras.QSeparableConv1D(5, 3, **wide))
    yield "separable map", lambda: row(layers.Input((13, 21, 20)), qkeras.QSeparableConv2D(5, 3, **wide))


def _optimized() -> Iterator[tuple[str, Make]]:
    """Yield those of the tests that prune, regularize and share weights; most have no quantizer."""

    def reduced() -> Any:
        def block(filters: int, window: int, pool: Any) -> list[Any]:
            conv = qkeras.QConv2D(filters, window, padding="same", kernel_quantizer=bits(8, 0, None))
            return [conv, pool, layers.BatchNormalization(), qkeras.QActivation("quantized_relu(4)")]

        def hidden(units: int) -> list[Any]:
            relu = qkeras.QActivation("quantized_relu(4)")
            return [dense(units, bits(8, 0, None)), relu, layers.BatchNormalization()]

        return row(
            layers.Input((64, 64, 1)),
            *block(8, 3, layers.MaxPooling2D()),
            *block(32, 5, layers.AveragePooling2D()),
            layers.Flatten(),
            *hidden(32),
            *hidden(14),
            dense(5, bits(8, 0, None)),
            layers.Softmax(),
        )

    plain = partial(dense, kernel=None)
    yield "pruned dense", lambda: row(layers.Input((3,)), plain(6), layers.Dense(1))
    yield "regularized dense", lambda: row(layers.Input((32,)), plain(16))
    yield (
        "pruned convolution",
        lambda: row(layers.Input((8, 8, 4)), qkeras.QConv2D(6, 3), layers.Flatten(), layers.Dense(1)),
    )
    yield "reduced CNN", reduced


def recurrent(kind: str) -> QKerasFile:
    """Read the configuration of a recurrent network; the installed QKeras builds only some of them."""
    first = {
        "class_name": "InputLayer",
        "config": {"name": "input", "batch_input_shape": [None, 5, 2], "dtype": "float32"},
    }
    second = {"class_name": kind, "config": {"name": "recurrent", "units": 4}}
    return qkeras_model_of({"class_name": "Sequential", "config": {"layers": [first, second]}}, {}, where="model")


def with_random_weights(model: Any, seed: int = 1) -> Any:
    """Give every weight a value from a seed, none of them special; variances positive."""
    random, values = np.random.default_rng(seed), []
    for variable in model.weights:
        if "iteration" in variable.name:
            values.append(variable.numpy())
        elif "variance" in variable.name:
            values.append(random.uniform(0.2, 2.0, variable.shape))
        else:
            values.append(random.uniform(-1.0, 1.0, variable.shape))
    model.set_weights(values)
    return model


def read_live(model: Any) -> QKerasFile:
    """Read a model as its file would be read."""
    named = {
        layer.name: [(one.name, value) for one, value in zip(layer.weights, layer.get_weights(), strict=True)]
        for layer in model.layers
    }
    config, weights = flat_model(json.loads(model.to_json()), named, where="model")
    return qkeras_model_of(config, weights, where="model")


def _read(name: str, make: Make) -> QKerasFile:
    return read_live(make() if name == "no quantizers" else with_random_weights(make()))


def judged(
    read: Callable[[], QKerasFile], inputs: int, source: Path | None = None, kind: FixedPoint = INPUT
) -> dict[str, Any]:
    """Say what becomes of a network: its outcome, and how far QKeras and the integer network are apart."""
    try:
        file = read()
        model, weights, rounded = with_quantizers(file.model, file.weights, Unquantized())
        built = taken_model(model, weights)
        network = lower(built, name="net", input_type=kind)
    except SiliconvError as error:
        return {"outcome": "refused", "code": error.code, "why": error.what}
    except Exception as error:  # noqa: BLE001  # what is neither exact nor refused by name is counted against us
        return {"outcome": "crashed", "why": f"{type(error).__name__}: {error}"[:200]}
    low, high = network.input.type.codes
    codes = np.random.default_rng(0).integers(low, high + 1, (inputs, *network.input.shape))
    values = to_values(codes, network.input.type).astype(np.float32)
    own = own_model(file.config, file.written, weights_file(file, source))
    float32 = own.predict(values, verbose=0).reshape(inputs, -1)
    found = to_values(reference.run_batches(network, codes, network.output.name), network.output.type).reshape(
        inputs, -1
    )
    with double_precision():
        exact = exact_model(model, weights).predict(values.astype(np.float64), verbose=0).reshape(inputs, -1)
    return {
        "outcome": "wrong" if not np.array_equal(exact, found) else "rounded" if rounded else "exact",
        **({"rounded": [one.name for one in rounded]} if rounded else {}),
        "inputs": inputs,
        "outputs": int(found.size),
        "float32_differs": int((float32 != found).sum()),
        "largest_float32_difference": float(np.abs(float32 - found).max()),
        "float64_differs": int((exact != found).sum()),
    }


def files_of(folder: Path) -> Iterator[tuple[str, Callable[[], QKerasFile], Path | None]]:
    """Yield the QKeras files of a folder."""
    for path in sorted([*folder.glob("*.h5"), *folder.glob("*.json"), *folder.glob("*.keras")]):
        beside = path.with_name(f"{path.stem}_weights.h5")
        if path.stem.endswith("_weights"):
            continue
        written = read_written_model(path.name, folder=folder, weights=beside.name if path.suffix == ".json" else None)
        if is_qkeras(written.config):
            read = partial(qkeras_model_of, written.config, written.weights, where=str(path))
            yield path.name, read, beside if path.suffix == ".json" else path


def main() -> None:
    """Judge all networks and print a table; write the figures if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=Path)
    parser.add_argument("--inputs", type=int, default=1000)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    figures: dict[str, Any] = {"networks": {}, "files": {}}
    for name, make in networks():
        keras.backend.clear_session()
        small = min(arguments.inputs, 200) if "map" in name or "CNN" in name else arguments.inputs
        figures["networks"][name] = judged(partial(_read, name, make), small)
        _print(name, figures["networks"][name])
    for kind in ("QSimpleRNN", "QLSTM", "QGRU"):
        figures["networks"][kind] = judged(partial(recurrent, kind), 1)
        _print(kind, figures["networks"][kind])
    for name, read, h5 in files_of(arguments.files) if arguments.files else ():
        figures["files"][name] = judged(read, max(arguments.inputs, 10_000), h5)
        _print(name, figures["files"][name])
    counted: Mapping[str, int] = Counter(one["outcome"] for one in figures["networks"].values())
    print(dict(counted))
    figures["counted"] = dict(counted)
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def _print(name: str, found: Mapping[str, Any]) -> None:
    rest = {key: value for key, value in found.items() if key != "outcome"}
    print(f"{found['outcome']:<8} {name:<36} {json.dumps(rest)}", flush=True)


if __name__ == "__main__":
    main()
