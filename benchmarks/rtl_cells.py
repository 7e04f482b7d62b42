"""Fit what the parts of a SystemVerilog design take of a device: weights that are not negative, on runs of Yosys.

A weight that the runs say little about stays near what the sources let expect (`EXPECTED`).

Usage: python benchmarks/rtl_cells.py NETWORK... [--random SEED...] [--products N...] [--families ecp5 xc7]
           [--runs FILE] [--write FILE]

NETWORK is the folder of an integer network; a seed draws one, and how many products it takes. Each run is kept in FILE,
a line a run with the look-up tables of each block, and not repeated. Only look-up tables that are no memory and no
shift register are fitted: their error is that of designs whose network took no part in the fit. Flip-flops,
multipliers, block memories and memories in look-up tables are counted: each run shows how far they are from Yosys'.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import nnls

from siliconv.network import network_file
from siliconv.rtl.configuration import MULTIPLIER_BITS
from siliconv.rtl.plan.blocks import Block, RtlDesign
from siliconv.rtl.plan.lanes import lanes_for_products
from siliconv.rtl.plan.planning import plan
from siliconv.rtl.resources.design_parts import PARTS
from siliconv.rtl.resources.memory_choice import block_memories
from siliconv.rtl.resources.multiplier_count import multipliers
from siliconv.rtl.resources.predicted_cells import counted_of
from siliconv.rtl.synthesis.yosys import memory_look_up_tables, synthesize
from siliconv.rtl.writing.rtl_project import write_project

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "support"))

from drawn_chain import drawn_chain  # type: ignore[import-not-found]

RANDOM = "random "
"""Before a seed, where a network was drawn."""

WANTED = 0.05
"""The share by which a design may be off; how many are within is counted."""

DRAWN = 0.3
_DESIGN, _LEAST = 3.0, 30.0

EXPECTED = {
    "ecp5": {
        "adder": 1.1,
        "total": 2.1,
        "product": 1.0,
        "logic_sum": 1.0,
        "round": 1.5,
        "dropped": 0.25,
        "saturate": 1.0,
    }
    | {"pool": 2.0, "average": 2.0, "counter": 1.0, "level": 1.0, "address": 1.0, "fifo": 15.0, "fifo_address": 1.5}
    | {"logic_memory": 1.0, "bank_choice": 1.0, "memory_choice": 0.7, "move": 0.7, "block": 5.0},
    "xc7": {"adder": 1.0, "total": 2.0, "product": 1.0, "logic_sum": 1.0, "round": 1.0, "dropped": 0.2, "saturate": 0.3}
    | {"pool": 1.0, "average": 1.0, "counter": 1.0, "level": 0.6, "address": 0.5, "fifo": 15.0, "fifo_address": 0.5}
    | {"logic_memory": 1.0, "bank_choice": 1.0, "memory_choice": 0.5, "move": 0.5, "block": 2.0},
}
"""Look-up tables of one of each part: a sum on ECP5 is a cell of two for two bits, an accumulator chooses and adds."""


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


def designed(folder: str, products: int, family: str) -> RtlDesign:
    """Lay a network out for so many products a cycle."""
    drawn = folder.startswith(RANDOM)
    network = drawn_chain(int(folder[len(RANDOM) :])) if drawn else network_file.load(Path(folder))
    return plan(network, lanes_for_products(network, products), multiplier_bits=MULTIPLIER_BITS[family])


def run(folder: str, products: int, family: str) -> dict[str, Any]:
    """Synthesize a design, and keep what Yosys counts."""
    design = designed(folder, products, family)
    with tempfile.TemporaryDirectory() as scratch:
        write_project([design], Path(scratch))
        cells = synthesize(Path(scratch), design, family)
    counts = {"lut": cells.lut + cells.lut_memory, "ff": cells.ff, "dsp": cells.dsp, "bram": cells.block_memory}
    counts["lut_memory"] = memory_look_up_tables(cells.cells)
    blocks = {name: one["lut"] for name, one in cells.by_block.items() if name}
    named = {"path": folder, "network": design.network.name, "products": products, "family": family}
    return {**named, **counts, "blocks": blocks}


def fit(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Fit the weights of the parts, and compare what is counted."""
    family = runs[0]["family"]
    designs = [designed(one["path"], one["products"], family) for one in runs]
    whole = [(design.blocks, one["lut"], one["network"]) for design, one in zip(designs, runs, strict=True)]
    single = [
        ((block,), one["blocks"][block.name], one["network"])
        for design, one in zip(designs, runs, strict=True)
        for block in design.blocks
        if one["blocks"].get(block.name, 0) > 0
    ]
    rows = Rows(whole, family, _DESIGN), Rows(single, family, 1.0)
    weights = _weights(rows, "", family)
    luts = [
        rows[0].of(number, _weights(rows, owner, family)) / one["lut"] - 1
        for number, (one, owner) in enumerate(zip(runs, rows[0].owners, strict=True))
    ]
    counted = [counted_of(design.blocks, family) for design in designs]
    registers = [found[2]["ff"] / one["ff"] - 1 for found, one in zip(counted, runs, strict=True)]
    ours = [
        {
            "dsp": multipliers(design.blocks, family),
            "bram": block_memories(design.blocks, family),
            "lut_memory": found[0],
        }
        for design, found in zip(designs, counted, strict=True)
    ]
    return {
        "runs": len(runs),
        "networks": len(set(rows[0].owners)),
        "weights": {name: round(float(one), 4) for name, one in zip(PARTS, weights, strict=True)},
        "lut": _spread(luts),
        "ff": _spread(registers),
        "equal": {
            name: sum(one[name] == theirs[name] for one, theirs in zip(ours, runs, strict=True)) for name in ours[0]
        },
        "unequal": [
            {**{key: value for key, value in theirs.items() if key != "blocks"}, "counted": one}
            for one, theirs in zip(ours, runs, strict=True)
            if any(one[name] != theirs[name] for name in one)
        ],
    }


class Rows:
    """Equations, of designs or of blocks: parts, what is counted beside them, what Yosys took, whose network it was.

    A row counts by how far it is off as a share, as if it had thirty look-up tables at least.
    """

    def __init__(self, found: Sequence[tuple[tuple[Block, ...], int, str]], family: str, weight: float) -> None:
        counts = [counted_of(blocks, family) for blocks, _, _ in found]
        self.parts = np.array([[parts[name] for name in PARTS] for _, parts, _ in counts])
        self.counted = np.array([memory + registers.get("srl", 0) for memory, _, registers in counts], dtype=float)
        self.truth = np.array([lut for _, lut, _ in found], dtype=float)
        self.owners = [network for _, _, network in found]
        self.scale = weight / np.maximum(self.truth, _LEAST)

    def of(self, number: int, weights: np.ndarray) -> float:
        """Give what a row is predicted to take."""
        return float(self.parts[number] @ weights + self.counted[number])

    def without(self, owner: str) -> tuple[np.ndarray, np.ndarray]:
        """Give the equations of the other networks."""
        kept = np.array([one != owner for one in self.owners])
        scale = self.scale[kept]
        return self.parts[kept] * scale[:, None], (self.truth - self.counted)[kept] * scale


def _weights(rows: tuple[Rows, Rows], owner: str, family: str) -> np.ndarray:
    """Give the weights that are not negative and leave the smallest errors, drawn towards what is expected.

    How much a weight is drawn: `DRAWN` designs in which the part has its mean share would say as much.
    """
    (designs, wanted), (blocks, alone) = (one.without(owner) for one in rows)
    expected = np.array([EXPECTED[family][name] for name in PARTS])
    drawn = np.sqrt(DRAWN) * np.maximum(designs.mean(axis=0), 1e-6)
    system = np.vstack([designs, blocks, np.diag(drawn)])
    solution, _ = nnls(system, np.concatenate([wanted, alone, drawn * expected]))
    return np.asarray(solution)


def _spread(errors: list[float]) -> dict[str, float]:
    off = np.abs(errors)
    return {
        "median": round(float(np.median(off)), 3),
        "nine_of_ten": round(float(np.quantile(off, 0.9)), 3),
        "largest": round(float(off.max()), 3),
        "within": int((off <= WANTED).sum()),
    }


if __name__ == "__main__":
    main()
