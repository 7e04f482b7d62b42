"""What `simplify` takes out of integer networks: bits, products and LUTs, and whether a code of an output changes.

Usage: python benchmarks/simplify.py [PRESET...] [--network FOLDER...] [--images N] [--json FILE]

Presets are untrained, with the types that calibration gives them; FOLDER is ``build/network`` of a project or
``runs/search-.../trials/ID/network`` of a search. Outputs are compared on smooth and on random inputs and on the corner
vectors, by the emulator. LUTs are estimated: of hls4ml's streams by the estimator, with 64 multipliers a layer; of the
SystemVerilog core by its count for Xilinx's 7 series, each layer with a single product at once.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from presets_exact import quantized

from siliconv.errors import SiliconvError
from siliconv.hls.configuration import HlsConfig
from siliconv.hls.estimate.estimate import estimate
from siliconv.hls.fifo.sized_design import design_of
from siliconv.network import network_file
from siliconv.network.emulator import emulator
from siliconv.network.graph import Network
from siliconv.network.simplify.simplification import simplify, size
from siliconv.network.span import span_operations
from siliconv.network.vectors.corners import corner_vectors
from siliconv.rtl.plan.lanes import lanes_for_interval
from siliconv.rtl.plan.planning import plan
from siliconv.rtl.resources.predicted_cells import predicted

PRESETS = (
    "digits",
    "jets",
    "autoencoder",
    "calorimeter",
    "waveforms",
    "waveform_cnn",
    "dnn_baseline",
    "svhn",
    "resnet8",
)
MULTIPLIERS = 64
SLOWEST = 10**12
"""An interval that a single product at once keeps."""


def main() -> None:
    """Measure and print, and write the figures if asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("presets", nargs="*", metavar="PRESET", help=", ".join(PRESETS))
    parser.add_argument("--network", nargs="*", type=Path, default=[], metavar="FOLDER")
    parser.add_argument("--images", type=int, default=64)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    names = arguments.presets or ([] if arguments.network else list(PRESETS))
    figures: dict[str, Any] = {}
    for name in names:
        network, codes = quantized(name, arguments.images)
        figures[name] = measure(network, codes)
        print(name, json.dumps(figures[name]), flush=True)
    for folder in arguments.network:
        network = network_file.load(folder)
        figures[str(folder)] = measure(network, np.empty((0, *network.input.shape), np.int64), arguments.images)
        print(folder, json.dumps(figures[str(folder)]), flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def measure(network: Network, codes: np.ndarray, random_inputs: int = 64) -> dict[str, Any]:
    """Simplify a network, compare outputs, and count both."""
    smaller = simplify(network)
    low, high = network.input.type.codes
    drawn = np.random.default_rng(0).integers(low, high + 1, (random_inputs, *network.input.shape))
    corners = list(corner_vectors(network).values())
    vectors = np.concatenate([codes, drawn, *(corner[np.newaxis] for corner in corners)])
    outputs = [one.outputs for one in (network, smaller)]
    before, after = (
        emulator.compile(one).run(vectors, keep=[node.name for node in ends])
        for one, ends in zip((network, smaller), outputs, strict=True)
    )
    changed = sum(int((before[one.name] != after[other.name]).sum()) for one, other in zip(*outputs, strict=True))
    return {
        "inputs": len(vectors),
        "output_codes_changed": changed,
        "before": counted(network),
        "after": counted(smaller),
    }


def counted(network: Network) -> dict[str, Any]:
    """Count what a network holds and what it takes."""
    return {
        **asdict(size(network)),
        "span_operations": sum(span_operations(network).values()),
        "lut": {"hls4ml streams": _lut_of_hls(network), "rtl, xc7": _lut_of_rtl(network)},
    }


def _lut_of_hls(network: Network) -> int | str:
    try:
        return round(estimate(design_of(network, HlsConfig(max_multipliers=MULTIPLIERS))).lut.value)
    except SiliconvError as error:
        return error.code


def _lut_of_rtl(network: Network) -> int | str:
    try:
        design = plan(network, lanes_for_interval(network, SLOWEST))
        return round(predicted(design, "xc7").by_resource()["lut"])
    except SiliconvError as error:
        return error.code


if __name__ == "__main__":
    main()
