"""C simulation, images a second: siliconv over all cores beside plain hls4ml `predict` on one thread, in one run.

Usage: python benchmarks/csim_speed.py PROJECT [--images N] [--json FILE]

PROJECT is a project that was run (`siliconv run PROJECT`). Both run the same generated firmware on the same images, and
both outputs are compared bit by bit. siliconv's time includes the comparison of every layer with the integer network;
hls4ml's is `predict` alone.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path

import numpy as np

from siliconv.hls.configuration import HlsConfig
from siliconv.hls.conversion.conversion import build_graph, convert
from siliconv.hls.csim.csim import compare, compile_project
from siliconv.models.data.image_store import open_dataset
from siliconv.network import network_file, reference
from siliconv.network.fixed_point import to_values
from siliconv.network.graph import Network
from siliconv.project.finding import find_project
from siliconv.project.project import load_project


def main() -> None:
    """Measure and print, and write the figures if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("project")
    parser.add_argument("--images", type=int, default=16)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    folder = find_project(arguments.project)
    network = network_file.load(folder / "build" / "network")
    images = open_dataset(folder / "build" / "data").test
    codes = images.read(np.linspace(0, len(images) - 1, arguments.images).astype(int)).astype(np.int64)
    with tempfile.TemporaryDirectory() as scratch:
        figures = measure(network, load_project(folder).hls, codes, Path(scratch))
    print(json.dumps(figures, indent=1))
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def measure(network: Network, config: HlsConfig, codes: np.ndarray, scratch: Path) -> dict[str, object]:
    """Compile and run both, and check both against the reference."""
    ours, theirs = scratch / "siliconv", scratch / "hls4ml"
    ours.mkdir()
    convert(network, config, ours)
    started = time.perf_counter()
    library = compile_project(ours, network.name, scratch / "cache")
    our_compilation = time.perf_counter() - started
    graph = build_graph(network, config, theirs)
    started = time.perf_counter()
    graph.compile()
    their_compilation = time.perf_counter() - started

    values = to_values(codes, network.input.type)
    compare(library, network, codes[:2])  # starts the worker processes, which then stay
    started = time.perf_counter()
    layers = compare(library, network, codes)
    our_seconds = time.perf_counter() - started
    started = time.perf_counter()
    predicted = graph.predict(np.ascontiguousarray(values))
    their_seconds = time.perf_counter() - started

    expected = to_values(reference.run(network, codes)[network.output.name], network.output.type)
    return {
        "network": network.name,
        "images": len(codes),
        "cores": os.cpu_count(),
        "load_average": os.getloadavg()[0],
        "siliconv": {
            "compile_seconds": round(our_compilation, 2),
            "images_per_second": round(len(codes) / our_seconds, 3),
            "layers_compared": len(layers),
            "values_that_differ": sum(layer.differing for layer in layers),
        },
        "hls4ml_predict": {
            "compile_seconds": round(their_compilation, 2),
            "images_per_second": round(len(codes) / their_seconds, 3),
            "outputs_that_differ": int((predicted.reshape(expected.shape) != expected).sum()),
        },
        "ratio": round(their_seconds / our_seconds, 2),
    }


if __name__ == "__main__":
    main()
