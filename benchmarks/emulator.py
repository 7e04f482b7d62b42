"""How fast is the emulator? Beside float Keras `predict` and hls4ml's C simulation, on the lecture's CNN at full size.

    python benchmarks/emulator.py [--images 512] [--rounds 5] [--output benchmarks/results/emulator.json]

Weights are random (the time does not depend on them). Rounds alternate between the executors, so other load on the
machine meets all; medians and the medians of the ratios are reported. The C simulation is hls4ml's own `compile` and
`predict`, a thread, one image a round (`--no-csim` leaves it out: compiling takes half a minute). Before anything is
timed, the emulator is compared with the reference on every image of a sample, and so is the C simulation on its first.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from siliconv.network import graph as ir
from siliconv.network import reference
from siliconv.network.emulator import emulator
from siliconv.network.fixed_point import FixedPoint, Overflow, Rounding, narrowest, to_values
from siliconv.network.intervals import Bounds, node_bounds, sum_of_products_type

SIDE, CHANNELS, FILTERS = 64, 3, (32, 64, 128, 256)
SAMPLE = 16


def lecture_network(seed: int = 0) -> ir.Network:
    """Give the lecture's CNN: 388,673 random 6-bit weights, 6-bit activations."""
    rng = np.random.default_rng(seed)
    weight, offset = FixedPoint(True, 6, 1), FixedPoint(True, 8, 1)
    activation = FixedPoint(False, 6, 2, Rounding.RND_CONV, Overflow.SAT)
    nodes: list[ir.Node] = [ir.Input("image", (), (SIDE, SIDE, CHANNELS), FixedPoint(False, 8, 0))]
    bounds = {"image": Bounds(np.zeros(CHANNELS, np.int64), np.full(CHANNELS, 255))}

    def add(node: ir.Node) -> ir.Node:
        by_name = {other.name: other for other in nodes}
        sources = tuple(by_name[name] for name in node.inputs)
        bounds[node.name] = node_bounds(node, sources, tuple(bounds[name] for name in node.inputs))
        nodes.append(node)
        return node

    def weights(*shape: int) -> tuple[ir.Weights, ir.Weights]:
        # As small as trained ones: three standard deviations are the weights' range for the first layer.
        spread = 32 / np.sqrt(np.prod(shape[:-1]) / 3)
        kernel = np.clip(np.rint(rng.normal(0, spread, shape)), -31, 31).astype(np.int64)
        bias = rng.integers(-64, 64, shape[-1], dtype=np.int64)
        return ir.Weights(kernel, weight), ir.Weights(bias, offset)

    source, side = nodes[0], SIDE
    for number, filters in enumerate(FILTERS, 1):
        kernel, bias = weights(3, 3, source.shape[-1], filters)
        kind = sum_of_products_type(kernel, bias, bounds[source.name], source.type)
        shape, same = (side, side, filters), ((1, 1), (1, 1))
        conv = add(ir.Conv(f"conv_{number}", (source.name,), shape, kind, kernel, bias, (1, 1), same))
        source = add(ir.Requantize(f"relu_{number}", (conv.name,), shape, activation, True))
        if number < len(FILTERS):
            side //= 2
            pooled, none = (side, side, filters), ((0, 0), (0, 0))
            source = add(
                ir.MaxPool(f"pool_{number}", (source.name,), pooled, FixedPoint(False, 6, 2), (2, 2), (2, 2), none)
            )
    fraction = source.type.fraction + 6
    mean = narrowest(type(bounds[source.name].interval)(0, 63 << 6), fraction)
    gap = add(ir.AveragePool("gap", (source.name,), (FILTERS[-1],), mean, (side, side), (side, side), ((0, 0), (0, 0))))
    kernel, bias = weights(FILTERS[-1], 1)
    kind = sum_of_products_type(kernel, bias, bounds[gap.name], gap.type)
    add(ir.Dense("logit", (gap.name,), (1,), kind, kernel, bias))
    return ir.Network("lecture", tuple(nodes))


def float_model() -> Any:
    """Give the same architecture in float Keras."""
    import tf_keras as keras

    layers: list[Any] = [keras.layers.Input((SIDE, SIDE, CHANNELS))]
    for number, filters in enumerate(FILTERS, 1):
        layers.append(keras.layers.Conv2D(filters, 3, padding="same", activation="relu"))
        if number < len(FILTERS):
            layers.append(keras.layers.MaxPooling2D())
    return keras.Sequential([*layers, keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(1)])


def timed(work: Any) -> float:
    """Give the seconds that a call takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def processor() -> str:
    """Give the name of the processor."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor()


def c_simulation(network: ir.Network, folder: Path) -> tuple[Any, float]:
    """Compile hls4ml's C simulation of a network: (its graph, seconds)."""
    from siliconv.hls.configuration import HlsConfig
    from siliconv.hls.conversion.conversion import build_graph

    graph = build_graph(network, HlsConfig(max_multipliers=512), folder)
    return graph, timed(graph.compile)


def measure(images: int, rounds: int, csim: Any, csim_compile_seconds: float | None) -> dict[str, Any]:
    """Measure and give the record; `csim` is hls4ml's compiled graph of the same network."""
    import onnxruntime

    network = lecture_network()
    pixels = np.random.default_rng(1).integers(0, 256, (images, SIDE, SIDE, CHANNELS), dtype=np.uint8)
    compile_seconds = timed(lambda: emulator.compile(network))
    compiled = emulator.compile(network)
    expected = reference.run(network, pixels[:SAMPLE])
    traced = compiled.run(pixels[:SAMPLE], keep=list(network.by_name))
    exact = all(np.array_equal(traced[name], tensor) for name, tensor in expected.items())
    exact = exact and np.array_equal(compiled.run(pixels[:SAMPLE])["logit"], expected["logit"])
    on_floats = emulator.compile(network, int8=False)
    keras_model = float_model()
    values = pixels.astype(np.float32) / 256
    works = {
        "emulator": lambda: compiled.run(pixels),
        "emulator_without_int8": lambda: on_floats.run(pixels),
        "emulator_all_layers_traced": lambda: compiled.run(pixels[: images // 4], keep=list(network.by_name)),
        "keras_float_predict": lambda: keras_model.predict(values, batch_size=64, verbose=0),
    }
    counts = dict.fromkeys(works, images) | {"emulator_all_layers_traced": images // 4}
    if csim is not None:
        one = np.ascontiguousarray(values[:1])
        simulated = csim.predict(one).ravel()
        assert np.array_equal(simulated, to_values(expected["logit"][0], network.by_name["logit"].type))
        works["hls4ml_csim_one_thread"] = lambda: csim.predict(one)
        counts["hls4ml_csim_one_thread"] = 1
    for work in works.values():
        work()
    rates: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            rates[name].append(counts[name] / timed(work))
    ratios = [ours / theirs for ours, theirs in zip(rates["emulator"], rates["keras_float_predict"], strict=True)]
    record: dict[str, Any] = {
        "what": "lecture CNN, 64x64x3, 388,673 parameters, 6-bit weights and activations, random weights",
        "exact": exact,
        "compile_seconds": round(compile_seconds, 3),
        "images_per_second": {
            name: {"median": round(statistics.median(found), 3), "best": round(max(found), 3)}
            for name, found in rates.items()
        },
        "emulator_over_keras": {"median": round(statistics.median(ratios), 2), "lowest": round(min(ratios), 2)},
        "images": images,
        "rounds": rounds,
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "int8_kernels": all(plan.int8 for plan in list(compiled._plans.values())[:1]),
        "processor": processor(),
        "cores": os.cpu_count(),
        "load_average": round(os.getloadavg()[0], 1),
        "versions": {
            "onnxruntime": onnxruntime.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
    }
    if csim is not None:
        ratios = [
            ours / theirs for ours, theirs in zip(rates["emulator"], rates["hls4ml_csim_one_thread"], strict=True)
        ]
        record["emulator_over_csim"] = {"median": round(statistics.median(ratios)), "lowest": round(min(ratios))}
        record["csim_compile_seconds"] = round(csim_compile_seconds or 0.0, 1)
    return record


def main() -> None:
    """Run the benchmark and write its record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--no-csim", action="store_true", help="leave hls4ml's C simulation out")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results" / "emulator.json")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        csim = (None, None) if arguments.no_csim else c_simulation(lecture_network(), Path(folder) / "hls4ml")
        record = measure(arguments.images, arguments.rounds, *csim)
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(record, indent=1))


if __name__ == "__main__":
    main()
