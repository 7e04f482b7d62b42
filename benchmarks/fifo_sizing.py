"""FIFO depths of a network: seconds to find them, and their block memory beside hls4ml's default depths.

Usage: python benchmarks/fifo_sizing.py NETWORK [--multipliers N ...] [--json FILE]

NETWORK is the folder of an integer network (`build/network` of a project that was run). For each limit of multipliers a
layer, hls4ml's default (a whole feature map behind each layer) and ours are run through the simulation of single
events, which the search does not use: the cycles of two images have to be the same.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

from siliconv.hardware.stream.fifo_depths import smallest_depths
from siliconv.hardware.stream.stream_simulation import simulate
from siliconv.hls.configuration import HlsConfig
from siliconv.hls.fifo.sized_design import design_of
from siliconv.hls.fifo.stream_actors import fifo_memory, stream_graph
from siliconv.network import network_file
from siliconv.network.graph import Network

IMAGES, REPEATS = 2, 5


def main() -> None:
    """Measure and print, and write the figures if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("network", type=Path)
    parser.add_argument("--multipliers", type=int, nargs="+", default=[64, 512, 4096])
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    network = network_file.load(arguments.network)
    figures = {
        "network": network.name,
        "images": IMAGES,
        "load_average": round(os.getloadavg()[0], 2),
        "configurations": [measure(network, most) for most in arguments.multipliers],
    }
    print(json.dumps(figures, indent=1))
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def measure(network: Network, most: int) -> dict[str, Any]:
    """Size the FIFOs of one configuration several times, and check the cycles."""
    design = design_of(network, HlsConfig(max_multipliers=most, fifo_depths="hls4ml"))
    whole = stream_graph(design)
    seconds = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        found = smallest_depths(whole, images=IMAGES)
        seconds.append(time.perf_counter() - started)
    ours = whole.with_depths(found.depths)
    cycles = [simulate(graph, images=IMAGES).length for graph in (whole, ours)]
    return {
        "max_multipliers": most,
        "seconds": round(min(seconds), 3),
        "bram18": {"hls4ml": fifo_memory(whole, design), "siliconv": fifo_memory(ours, design)},
        "cycles": {"hls4ml": cycles[0], "siliconv": cycles[1]},
        "deeper_than_two_words": {name: depth for name, depth in found.depths.items() if depth > 2},
    }


if __name__ == "__main__":
    main()
