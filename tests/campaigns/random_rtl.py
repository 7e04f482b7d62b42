"""Random networks as SystemVerilog in Verilator: bits of every node, cycle of every word, with and without pauses."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from rtl_designs import PAUSES, built, drawn, random_design
from strategies import networks

SEEDS = 10
NETWORKS = 20
"""In one build: a build takes longer than the networks."""


def run(seed: int) -> dict[str, Any]:
    """Draw networks, build them into one test bench, and compare them with the reference and the cycle model."""
    found = drawn(networks(most=8, widest=40), NETWORKS, seed=seed)
    designs = [random_design(network, number) for number, network in enumerate(found)]
    with tempfile.TemporaryDirectory() as scratch:
        bench = built(designs, Path(scratch), images=8)
        different = [line for pauses in PAUSES for line in bench.differences(pauses, seed=seed + 1)]
    assert not different, "\n".join(different)
    return {"networks": len(designs), "nodes": sum(len(network.nodes) for network in found), "runs": len(PAUSES)}
