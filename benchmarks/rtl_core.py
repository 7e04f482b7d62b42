"""The SystemVerilog core of a network: bits and cycles in Verilator, resources by Yosys, clock by nextpnr.

Usage: python benchmarks/rtl_core.py NETWORK --interval CYCLES [--families ecp5 xc7 xcup] [--place MHZ] [--seeds N]
           [--parts PART] [--multipliers N] [--images N] [--data FOLDER] [--rings FILE] [--json FILE]

NETWORK is the folder of an integer network (`build/network` of a project that was run). Images are random codes, or
test images, and the corner vectors; every node is compared with the reference and every word's cycle with the
model, with and without pauses. Beside it stands this product's estimate of hls4ml's firmware of the same network: the
slowest that its reuse factors allow and the usual one (logic synthesis by Vivado, with its band). LUTs are Yosys'
counts before placement. JSON is written after every step.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from siliconv.hls.configuration import HlsConfig
from siliconv.hls.estimate.coefficients import shipped
from siliconv.models.data.image_store import open_dataset
from siliconv.network import network_file
from siliconv.network.fixed_point import Codes
from siliconv.network.graph import Network
from siliconv.network.vectors.corners import corner_vectors
from siliconv.rtl.configuration import RtlConfig
from siliconv.rtl.cycles.cycle_model import cycles
from siliconv.rtl.cycles.ring_depths import rings_of
from siliconv.rtl.design.rtl_design import design_of
from siliconv.rtl.plan.blocks import Mvu, Pool, RtlDesign
from siliconv.rtl.simulation.evidence import simulated_evidence
from siliconv.rtl.simulation.rtlsim import simulate
from siliconv.rtl.simulation.verilator import build
from siliconv.rtl.synthesis.nextpnr import PARTS, pack, place
from siliconv.rtl.synthesis.yosys import synthesize
from siliconv.rtl.writing.rtl_project import write_project
from siliconv.stages.hardware_estimate import estimate_network


def main() -> None:
    """Measure and print, and write the figures if asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("network", type=Path)
    parser.add_argument("--interval", type=int, required=True)
    parser.add_argument("--families", nargs="*", default=["ecp5", "xc7"])
    parser.add_argument("--place", type=float, metavar="MHZ")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--parts", nargs="+", default=list(PARTS)[:1], choices=list(PARTS))
    parser.add_argument("--multipliers", type=int, help="further products are made of look-up tables")
    parser.add_argument("--images", type=int, default=16)
    parser.add_argument("--data", type=Path, help="build/data of the project: its first test images, no random ones")
    parser.add_argument("--rings", type=Path, help="an earlier result of this script, whose rings are taken")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    network = network_file.load(options.network)
    figures: dict[str, Any] = {"network": network.name, "load_average_before": round(os.getloadavg()[0], 1)}

    def keep(name: str, found: Any) -> None:
        figures[name] = found
        print(name, json.dumps(found, indent=1), flush=True)
        if options.json:
            options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")

    with tempfile.TemporaryDirectory() as scratch:
        keep("hls4ml_estimate", estimated(network))
        rings = json.loads(options.rings.read_text(encoding="utf-8"))["log_rings"] if options.rings else None
        for family in options.families:
            started = time.process_time()
            config = RtlConfig(interval=options.interval, family=family, multipliers=options.multipliers)
            design = design_of(network, config, rings)
            rings = rings_of(design)
            keep("log_rings", rings)
            folder = Path(scratch) / family
            folder.mkdir()
            write_project([design], folder)
            keep(f"plan_{family}", planned(design) | {"cpu_seconds": round(time.process_time() - started, 1)})
            if family == options.families[0] and options.images:
                images = images_of(network, options.images, options.data)
                keep("verilator", simulated(design, folder, images))
                keep("verilator_speed", speed(design, folder, images))
            keep(f"yosys_{family}", asdict(synthesize(folder, design, family)))
            tries = [(part, seed) for part in options.parts for seed in options.seeds]
            for part, seed in tries if family == "ecp5" and options.place else ():
                placed = place(folder, design, part, mhz=options.place, seed=seed)
                bitstream, _ = pack(folder, design)
                rate = placed.mhz * 1e6 / figures[f"plan_{family}"]["interval"]
                found = {"images_per_second": round(rate, 1), "bitstream_bytes": bitstream.stat().st_size}
                keep(f"nextpnr_{part}_seed_{seed}", asdict(placed) | found)


def planned(design: RtlDesign) -> dict[str, Any]:
    """Say what was planned, and what the model says of its cycles."""
    found = cycles(design, 4)
    return {
        "products": design.products,
        "multipliers": sum(b.pixels * (b.multipliers - b.logic) for b in design.blocks if isinstance(b, Mvu)),
        "latency": found.latency,
        "interval": found.interval,
        "blocks": {
            block.name: {"pin": getattr(block, "pin", block.inputs[0].lanes), "lanes_out": block.outputs[0].lanes}
            | {"pixels": block.window.pixels}
            | {"ring_words": 1 << block.window.log_ring, "busy": block.window.busy}
            for block in design.blocks
            if isinstance(block, Mvu | Pool)
        },
    }


def images_of(network: Network, images: int, data: Path | None) -> Codes:
    """Give the first test images of a project, or random codes; and the corner vectors."""
    if data is None:
        ends = network.input.type.codes
        chosen = np.random.default_rng(0).integers(*ends, (images, *network.input.shape), endpoint=True)
    else:
        test = open_dataset(data).test
        chosen = test.read(slice(0, min(images, len(test)))).astype(np.int64)
    return np.concatenate([chosen, np.stack(list(corner_vectors(network).values()))])


def simulated(design: RtlDesign, folder: Path, codes: Codes) -> dict[str, Any]:
    """Build with a probe at every stream, run with and without pauses, and compare."""
    started = time.perf_counter()
    work = folder.parent / "simulation"
    found = simulated_evidence(design, folder, codes, work)
    shutil.rmtree(work)
    values = sum(node.values for node in found.nodes)
    return {"seconds_with_build": round(time.perf_counter() - started, 1), "values": values, **found.as_json()}


def speed(design: RtlDesign, folder: Path, codes: Codes) -> dict[str, Any]:
    """Build without probes, as a whole test set is run, and give the processor's seconds an image."""
    build(folder)
    started = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    simulate(folder, [design], [codes])
    spent = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - started
    return {"images": len(codes), "cpu_seconds_an_image": round(spent / len(codes), 3)}


def estimated(network: Network) -> list[dict[str, Any]]:
    """Give this product's estimate of hls4ml's firmware: the slowest that exists, and with the usual multipliers."""
    found = []
    for most in (1, 4096):
        config = HlsConfig(max_multipliers=most, part="xc7z020clg400-1", clock_ns=10.0)
        content = estimate_network(network, config, shipped())
        cycles_and = {name: content[name] for name in ("latency_cycles", "interval_cycles")}
        found.append({"max_multipliers": most, **cycles_and, **content["logic_synthesis"]})
    return found


if __name__ == "__main__":
    main()
