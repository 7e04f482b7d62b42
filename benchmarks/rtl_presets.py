"""Every preset as SystemVerilog in Verilator: every bit, every word's cycle, with and without pauses, on 64 images.

Usage: python benchmarks/rtl_presets.py [PRESET...] [--images N] [--products N] [--json FILE]

The networks are those of presets_exact.py: untrained, with the types that calibration gives them, ending as they are
written. Images are smooth random ones, and the corner vectors. A preset that the core refuses is kept with the reason.
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
from presets_exact import quantized

from siliconv.errors import FirmwareError
from siliconv.models.architectures.presets import preset_names
from siliconv.network.vectors.corners import corner_vectors
from siliconv.rtl.configuration import RtlConfig
from siliconv.rtl.cycles.cycle_model import cycles
from siliconv.rtl.design.rtl_design import design_of
from siliconv.rtl.simulation.evidence import simulated_evidence
from siliconv.rtl.writing.rtl_project import write_project

TOO_LARGE = ("lecture_flatten",)
"""67 million weights: no device holds them."""


def main() -> None:
    """Measure and print, and write the figures if asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("presets", nargs="*", default=[name for name in preset_names() if name not in TOO_LARGE])
    parser.add_argument("--images", type=int, default=64)
    parser.add_argument("--products", type=int, default=64)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.alone:
        print(json.dumps(measured(options.presets[0], options.images, options.products)))
        return
    figures: dict[str, Any] = {"load_average_before": round(os.getloadavg()[0], 1), "presets": {}}
    if options.json and options.json.exists():
        figures = json.loads(options.json.read_text(encoding="utf-8"))
    for name in options.presets:
        # A process each, so that its memory is its own.
        sizes = ["--images", str(options.images), "--products", str(options.products), "--alone"]
        command = [sys.executable, "-P", __file__, name, *sizes]
        environment = {**os.environ, "PYTHONPATH": f"{Path(__file__).parent}:{os.environ.get('PYTHONPATH', '')}"}
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment)
        figures["presets"][name] = json.loads(done.stdout.splitlines()[-1])
        print(name, json.dumps(figures["presets"][name]), flush=True)
        if options.json:
            options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def measured(name: str, images: int, products: int) -> dict[str, Any]:
    """Lay a preset out, write it, simulate it, and compare every node and every word's cycle."""
    network, codes = quantized(name, images)
    codes = np.concatenate([codes, np.stack(list(corner_vectors(network).values()))])
    try:
        design = design_of(network, RtlConfig(products=products))
    except FirmwareError as error:
        return {"refused": error.code, "what": error.what}
    model = cycles(design, len(codes))
    with tempfile.TemporaryDirectory() as scratch:
        project = Path(scratch) / "rtl"
        project.mkdir()
        write_project([design], project)
        found = simulated_evidence(design, project, codes, Path(scratch) / "work")
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "exact": found.exact,
        "vectors": len(codes),
        "runs": found.runs,
        "nodes": len(found.nodes),
        "values": sum(node.values for node in found.nodes),
        "values_that_differ": sum(node.differing for node in found.nodes),
        "words": found.words,
        "cycles_that_differ": found.cycles_differ,
        "latency": {"model": model.latency, "verilator": found.latency_cycles},
        "interval": {"model": round(model.interval, 3), "verilator": round(found.interval_cycles, 3)},
        "products": design.products,
        "verilator_cpu_seconds": round(spent.ru_utime + spent.ru_stime, 1),
        "cpu_seconds": round(time.process_time(), 1),
    }


if __name__ == "__main__":
    main()
