"""Every preset as firmware: bit-exact on 64 images, with its costs beside plain hls4ml's, in one run.

Usage: python benchmarks/presets_exact.py [PRESET...] [--images N] [--json FILE]

The networks are untrained, with the types that calibration gives them, and end as they are written: in a sigmoid or
softmax. Images are smooth random ones, and the corner vectors. siliconv's rates include the comparison of every layer
with the integer network; hls4ml's is `predict` alone, on one thread, of the same firmware. Memory is the peak of the
largest process: the compiler's, and the simulation's on one core.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

PRESETS = ("lecture_strided", "lecture_average", "svhn", "resnet8", "waveform_cnn")
TIMED_SECONDS = 6.0
"""How long plain hls4ml shall take for the images of which the rates are measured; siliconv takes the same images."""
MEGABYTE = 1024


def main() -> None:
    """Measure and print, and write the figures if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("presets", nargs="*", default=list(PRESETS))
    parser.add_argument("--images", type=int, default=64)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--step", choices=("make", "simulate"), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.step == "make":
        print(json.dumps(make(arguments.presets[0], arguments.images, arguments.folder)))
    elif arguments.step == "simulate":
        print(json.dumps(simulate(arguments.folder)))
    else:
        figures: dict[str, Any] = {"cores": os.cpu_count(), "load_average_before": os.getloadavg()[0], "presets": {}}
        for name in arguments.presets:
            figures["presets"][name] = measure(name, arguments.images)
            print(name, json.dumps(figures["presets"][name], indent=1), flush=True)
            if arguments.json:
                arguments.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def measure(name: str, images: int) -> dict[str, Any]:
    """Make and simulate one preset, each step in a process of its own so that its memory is its own."""
    with tempfile.TemporaryDirectory() as scratch:
        made, simulated = (_step(step, name, images, Path(scratch)) for step in ("make", "simulate"))
    return {**made, **simulated}


def _step(step: str, name: str, images: int, folder: Path) -> dict[str, Any]:
    command = [sys.executable, "-P", __file__, name, "--images", str(images), "--step", step, "--folder", str(folder)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def make(name: str, images: int, folder: Path) -> dict[str, Any]:
    """Quantize, lower, convert and compile a preset, and run plain hls4ml on it."""
    from siliconv.hls.configuration import HlsConfig
    from siliconv.hls.conversion.conversion import build_graph, convert
    from siliconv.hls.csim.csim import compile_project
    from siliconv.hls.fifo.sized_design import design_of, fifo_depths
    from siliconv.network import network_file, reference
    from siliconv.network.fixed_point import to_values
    from siliconv.network.vectors.corners import corner_vectors

    network, codes = quantized(name, images)
    network_file.save(network, folder / "network")
    corners = np.stack(list(corner_vectors(network).values()))
    np.save(folder / "codes.npy", np.concatenate([codes, corners]))
    config, project = HlsConfig(), folder / "firmware"
    project.mkdir()
    started = time.perf_counter()
    firmware = convert(network, config, project, fifo_depths=fifo_depths(design_of(network, config)))
    conversion = time.perf_counter() - started
    started = time.perf_counter()
    compile_project(project, network.name, folder / "cache")
    compilation = time.perf_counter() - started
    compiler_memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    graph = build_graph(network, config, folder / "hls4ml")
    started = time.perf_counter()
    graph.compile()
    their_compilation = time.perf_counter() - started

    def predict(timed: np.ndarray) -> tuple[np.ndarray, float]:
        values = np.ascontiguousarray(to_values(timed, network.input.type))
        started = time.perf_counter()
        return graph.predict(values), time.perf_counter() - started

    predict(codes[:2])
    rate = 4 / predict(codes[:4])[1]
    timed = np.resize(codes, (int(np.clip(TIMED_SECONDS * rate, 8, 2048)), *codes.shape[1:]))
    np.save(folder / "timed.npy", timed)
    predicted, their_seconds = predict(timed)
    expected = to_values(reference.run_batches(network, timed, network.output.name), network.output.type)
    return {
        "nodes": len(network.nodes),
        "weights": sum(layer.products[0] * layer.products[1] for layer in firmware.layers if layer.products),
        "convert_seconds": round(conversion, 2),
        "compile_seconds": round(compilation, 2),
        "compiler_peak_mb": compiler_memory // MEGABYTE,
        "hls4ml": {
            "compile_seconds": round(their_compilation, 2),
            "images": len(timed),
            "images_per_second": round(len(timed) / their_seconds, 3),
            "outputs_that_differ": int((predicted.reshape(expected.shape) != expected).sum()),
        },
    }


def quantized(name: str, images: int, **bits: Any) -> tuple[Any, np.ndarray]:
    """Give the integer network of an untrained preset with calibrated types, and input codes for it.

    `bits` are fields of a `Recipe`.
    """
    from siliconv.models.architectures.architecture import output_activation
    from siliconv.models.architectures.keras_model import build_model
    from siliconv.models.architectures.presets import preset
    from siliconv.network.output_sigmoid import with_sigmoid
    from siliconv.network.output_softmax import with_softmax
    from siliconv.quantize.lowering.agreement import agree
    from siliconv.quantize.lowering.lowering import lower
    from siliconv.quantize.qkeras.qkeras_model import quantized_model, snap_weights
    from siliconv.quantize.recipe import Recipe
    from siliconv.quantize.training.calibration import choose_types

    architecture = preset(name)
    codes = smooth_images(images, architecture.input_shape)
    float_model = build_model(architecture, seed=2)
    types = choose_types(float_model, Recipe(**bits), (codes / 256).astype(np.float32))
    model = quantized_model(float_model, types)
    snap_weights(model)
    network = lower(model, name=name)

    def again() -> Any:
        rebuilt = build_model(architecture)
        rebuilt.set_weights(float_model.get_weights())
        return quantized_model(rebuilt, types)

    agree(model, again, network, codes).require_equal()
    activation = output_activation(architecture)
    if activation is not None:
        network = {"sigmoid": with_sigmoid, "softmax": with_softmax}[activation](network, name=activation)
    return network, codes


def smooth_images(count: int, shape: tuple[int, ...]) -> np.ndarray:
    """Draw pictures of blocks of eight pixels (samples): the activations of untrained layers stay alive on them."""
    random = np.random.default_rng(0)
    coarse = [-(-size // 8) for size in shape[:-1]]
    codes = random.integers(0, 256, (count, *coarse, shape[-1]))
    for axis, size in enumerate(shape[:-1], start=1):
        codes = np.repeat(codes, 8, axis=axis).take(range(size), axis=axis)
    return codes.astype(np.int64)


def simulate(folder: Path) -> dict[str, Any]:
    """Simulate the compiled firmware on one core and on two, and compare every layer; nothing here needs TensorFlow."""
    from siliconv.hardware.workers import SECONDS_PER_TASK, run_tasks
    from siliconv.hls.csim.csim import compare, compile_project, simulate_values
    from siliconv.network import network_file, reference

    network = network_file.load(folder / "network")
    codes, timed = np.load(folder / "codes.npy"), np.load(folder / "timed.npy")
    library = compile_project(folder / "firmware", network.name, folder / "cache")
    seconds: dict[int, float] = {}
    layers = compare(library, network, codes, jobs=2)
    for jobs in (1, 2):
        compare(library, network, timed[:jobs], jobs=jobs)  # starts the worker processes, which then stay
        started = time.perf_counter()
        compare(library, network, timed, jobs=jobs)
        seconds[jobs] = (time.perf_counter() - started) / len(timed)
        if jobs == 1:
            # The process that simulated and compared does the next task too.
            (last,) = run_tasks(simulate_values, [(library, network, codes[:1])], processes=1, seconds=SECONDS_PER_TASK)
    logits = reference.run_batches(network, codes, network.logits.name)
    return {
        "vectors": len(codes),
        "layers_compared": len(layers),
        "values_compared": sum(layer.values for layer in layers),
        "values_that_differ": sum(layer.differing for layer in layers),
        "different_logits": len(np.unique(logits)),
        "simulation_peak_mb": round(last.peak_mib),
        "images_per_second": {f"{jobs} core(s)": round(1 / each, 3) for jobs, each in seconds.items()},
    }


if __name__ == "__main__":
    main()
