"""Fit what the parts of a SystemVerilog design take of a device: weights that are not negative, on runs of Yosys.

A weight that the runs say little about stays near what the sources let expect (`EXPECTED`).

Usage: python benchmarks/rtl_cells.py NETWORK... [--random SEED...] [--products N...] [--families ecp5 xc7]
           [--runs FILE] [--write FILE]

NETWORK is the folder of an integer network; a seed draws one, and how many products it takes. Each run is kept in
FILE, a line a run, and not repeated. The error is that of designs whose network took no part in the fit, nine times of
ten. Multipliers and block memories are counted, not fitted: each run shows whether they are equal to Yosys'.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import nnls

from siliconv.network import network_file
from siliconv.network.fixed_point import FixedPoint
from siliconv.network.graph import Network
from siliconv.rtl.configuration import MULTIPLIER_BITS
from siliconv.rtl.plan.blocks import RtlDesign
from siliconv.rtl.plan.lanes import lanes_for_products
from siliconv.rtl.plan.planning import plan
from siliconv.rtl.resources.design_parts import PARTS, parts_of
from siliconv.rtl.resources.memory_choice import block_memories
from siliconv.rtl.resources.multiplier_count import multipliers
from siliconv.rtl.synthesis.yosys import synthesize
from siliconv.rtl.writing.rtl_project import write_project

RANDOM = "random "
"""Before a seed, where a network was drawn."""

DRAWN = 0.1

_REGISTERS = dict.fromkeys(
    ("tree_register", "total", "packed", "round", "saturate", "pool", "counter", "level", "fifo_control"), 1.0
) | {"logic_sum": 0.7, "move": 0.7, "block": 5.0}
_TABLES = {"tree": 1.0, "packed": 1.0, "logic_sum": 1.0, "average": 1.0, "block": 10.0}
EXPECTED: dict[str, dict[str, dict[str, float]]] = {
    "ecp5": {
        "lut": _TABLES
        | {"total": 2.0, "round": 2.0, "saturate": 1.0, "pool": 1.5, "counter": 1.2, "level": 2.0, "fifo": 1.5}
        | {"fifo_control": 1.2, "logic_memory": 0.06, "distributed": 6.0, "move": 1.0},
        "ff": _REGISTERS | {"operand": 1.0, "average_register": 0.8, "rom_register": 1.0},
    },
    "xc7": {
        "lut": _TABLES
        | {"total": 1.0, "round": 1.0, "saturate": 0.7, "pool": 1.0, "counter": 1.0, "level": 1.0, "fifo": 0.7}
        | {"fifo_control": 1.0, "logic_memory": 0.03, "distributed": 1.0, "move": 0.5}
        | {"operand": 0.3, "rom_register": 0.3},
        "ff": _REGISTERS | {"operand": 0.3, "average_register": 0.5, "rom_register": 0.5},
    },
}
"""Cells of a bit, or of one, of each part: a sum on ECP5 is a cell of two for two bits; on 7 series some registers are
inside multipliers, or shift registers in look-up tables."""


def main() -> None:
    """Run what is not known yet, fit, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="*", type=Path)
    parser.add_argument("--random", type=int, nargs="+", default=[], metavar="SEED")
    parser.add_argument("--products", type=int, nargs="+", default=[8, 24, 64])
    parser.add_argument("--families", nargs="+", default=["ecp5", "xc7"], choices=list(MULTIPLIER_BITS))
    parser.add_argument("--runs", type=Path, required=True)
    parser.add_argument("--write", type=Path)
    options = parser.parse_args()
    known = [json.loads(line) for line in options.runs.read_text("utf-8").splitlines()] if options.runs.exists() else []
    wanted = [(str(folder), products) for products in options.products for folder in options.networks]
    wanted += [(f"{RANDOM}{seed}", (8, 12, 24, 40, 64, 96)[seed % 6]) for seed in options.random]
    for folder, products in wanted:
        for family in options.families:
            if not any((one["path"], one["products"], one["family"]) == (folder, products, family) for one in known):
                known.append(run(folder, products, family))
                with options.runs.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(known[-1]) + "\n")
    families = {family: fit([one for one in known if one["family"] == family]) for family in options.families}
    print(json.dumps(families, indent=1))
    if options.write:
        kept = {
            family: {key: value for key, value in one.items() if key != "unequal"} for family, one in families.items()
        }
        content = {"source": "benchmarks/rtl_cells.py, Yosys 0.70 before placement", "families": kept}
        options.write.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def random_network(seed: int) -> Network:
    """Draw a network of convolutions, poolings and dense layers with random sizes and widths."""
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "support"))
    from network_builder import NetworkBuilder  # type: ignore[import-not-found]

    draw = random.Random(seed)
    size = draw.choice([8, 12, 16, 24])
    image = FixedPoint(False, draw.choice([6, 8, 8, 10]), 0)
    builder = NetworkBuilder((size, size, draw.choice([1, 2, 3, 4])), input_type=image, seed=seed)
    bits, kept = draw.randint(3, 8), draw.randint(3, 8)
    for _ in range(draw.choice([1, 2, 2, 3])):
        window = draw.choice([(3, 3), (3, 3), (1, 1), (5, 5)])
        padding = draw.choice(["same", "same", "valid"]) if builder.last.shape[0] > 5 else "same"
        builder.conv(draw.choice([4, 6, 8, 12, 16, 24]), window, padding=padding, width=bits).relu(kept)
        if builder.last.shape[0] >= 4:
            builder = draw.choice([builder.max_pool, builder.max_pool, builder.average_pool])(2, 2)
    builder = builder.global_average() if draw.random() < 0.4 else builder.flatten()
    if draw.random() < 0.5:
        builder.dense(draw.choice([16, 24, 32]), width=bits).relu(kept)
    return builder.dense(draw.choice([2, 5, 10]), width=bits).network(f"random_{seed}")


def designed(folder: str, products: int, family: str) -> RtlDesign:
    """Lay a network out for so many products a cycle."""
    drawn = folder.startswith(RANDOM)
    network = random_network(int(folder[len(RANDOM) :])) if drawn else network_file.load(Path(folder))
    return plan(network, lanes_for_products(network, products), multiplier_bits=MULTIPLIER_BITS[family])


def run(folder: str, products: int, family: str) -> dict[str, Any]:
    """Synthesize a design, and keep what Yosys counts."""
    design = designed(folder, products, family)
    with tempfile.TemporaryDirectory() as scratch:
        write_project([design], Path(scratch))
        cells = synthesize(Path(scratch), design, family)
    counts = {"lut": cells.lut + cells.lut_memory, "ff": cells.ff, "dsp": cells.dsp, "bram": cells.block_memory}
    return {"path": folder, "network": design.network.name, "products": products, "family": family, **counts}


def fit(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Fit the weights of the parts, and compare what is counted."""
    designs = [designed(one["path"], one["products"], one["family"]) for one in runs]
    parts = np.array(
        [
            [parts_of(design.blocks, one["family"])[name] for name in PARTS]
            for design, one in zip(designs, runs, strict=True)
        ]
    )
    owners = np.array([one["network"] for one in runs])
    found: dict[str, Any] = {"runs": len(runs), "networks": len(set(owners)), "weights": {}, "error": {}}
    found |= {"median": {}, "largest": {}}
    for kind in ("lut", "ff"):
        truth = np.array([float(one[kind]) for one in runs])
        expected = np.array([EXPECTED[runs[0]["family"]][kind].get(name, 0.0) for name in PARTS])
        weights = _weights(parts, truth, expected)
        found["weights"][kind] = {name: round(float(one), 4) for name, one in zip(PARTS, weights, strict=True)}
        off = [
            abs(
                float(parts[number] @ _weights(parts[owners != owner], truth[owners != owner], expected))
                / truth[number]
                - 1
            )
            for number, owner in enumerate(owners)
        ]
        found["error"][kind] = round(float(np.quantile(off, 0.9)), 3)
        found["median"][kind] = round(float(np.median(off)), 3)
        found["largest"][kind] = round(max(off), 3)
    counted = [
        (
            multipliers(design.blocks, one["family"]) == one["dsp"],
            block_memories(design.blocks, one["family"]) == one["bram"],
        )
        for design, one in zip(designs, runs, strict=True)
    ]
    found["dsp_equal"], found["block_memory_equal"] = (sum(column) for column in zip(*counted, strict=True))
    found["unequal"] = [
        {**one, "dsp_counted": multipliers(design.blocks, one["family"])}
        | {"bram_counted": block_memories(design.blocks, one["family"])}
        for design, one, equal in zip(designs, runs, counted, strict=True)
        if not all(equal)
    ]
    return found


def _weights(parts: np.ndarray, truth: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Give the weights that are not negative and leave the smallest relative errors, drawn towards what is expected.

    How much a weight is drawn: `DRAWN` runs in which the part has its mean share would say as much.
    """
    shares = parts / truth[:, None]
    drawn = np.sqrt(DRAWN) * np.maximum(shares.mean(axis=0), 1e-6)
    solution, _ = nnls(np.vstack([shares, np.diag(drawn)]), np.concatenate([np.ones(len(truth)), drawn * expected]))
    return np.asarray(solution)


if __name__ == "__main__":
    main()
