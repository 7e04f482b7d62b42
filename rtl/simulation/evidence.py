"""What a simulation of the SystemVerilog shows: every node equal, with and without pauses, in the cycles predicted."""

from __future__ import annotations

import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from siliconv.network import reference
from siliconv.network.fixed_point import Codes
from siliconv.rtl.cycles.cycle_model import cycles
from siliconv.rtl.plan.blocks import RtlDesign
from siliconv.rtl.simulation.rtlsim import simulate
from siliconv.rtl.simulation.verilator import build
from siliconv.rtl.writing.rtl_project import write_project

PAUSES = ((0, 0), (50, 50))
"""Per cent of cycles in which source and sink pause, a run each."""


@dataclass(frozen=True)
class NodeEvidence:
    """How many values of a node were compared in all runs, and how many differ from the integer network."""

    name: str
    values: int
    differing: int


@dataclass(frozen=True)
class RtlEvidence:
    """The result of `simulated_evidence`, for a certificate.

    Parameters
    ----------
    images
        In each run.
    latency_cycles, interval_cycles
        Measured without pauses.
    cycles_differ
        Words that moved in another cycle than the model says, in all runs.
    """

    executor: str
    images: int
    runs: int
    nodes: tuple[NodeEvidence, ...]
    latency_cycles: int
    interval_cycles: float
    cycles_differ: int

    @property
    def exact(self) -> bool:
        """Whether every value is equal."""
        return not any(node.differing for node in self.nodes)

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {"exact": self.exact, **asdict(self)}


def simulated_evidence(design: RtlDesign, project: Path, codes: Codes, work: Path) -> RtlEvidence:
    """Build the sources of a written project with Verilator, run them on images, and compare every node.

    Parameters
    ----------
    design
        What the project was written from.
    project
        Its folder: the sources there are what is simulated.
    codes
        (images, *input shape).
    work
        A folder for the build; it may hold an earlier one.

    Raises
    ------
    ToolError
        As `siliconv.rtl.simulation.verilator.build`.
    WorkSaysNoError
        ``RTL-STALL`` if the stream stops.
    """
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    write_project([design], work, probes=True)
    for path in project.rglob("*"):
        if path.suffix in (".sv", ".hex") or ".hex." in path.name:
            shutil.copyfile(path, work / path.relative_to(project))
    build(work)
    expected = reference.run(design.network, codes)
    counts: dict[str, list[int]] = {}
    late, latency, interval = 0, 0, 0.0
    for pauses in PAUSES:
        (found,) = simulate(work, [design], [codes], pauses=pauses, probes=True)
        for name, tensor in {**found.nodes, design.network.output.name: found.output}.items():
            count = counts.setdefault(name, [0, 0])
            count[0] += tensor.size
            count[1] += int((tensor != expected[name]).sum())
        model = cycles(design, len(codes), pauses=pauses)
        late += int((np.asarray(model.taken) != found.taken).sum() + (np.asarray(model.given) != found.given).sum())
        if pauses == (0, 0):
            last = found.given[design.sink.words - 1 :: design.sink.words]
            latency = int(last[0] - found.taken[0])
            interval = float((last[-1] - last[0]) / (len(last) - 1)) if len(last) > 1 else float(latency)
    nodes = tuple(NodeEvidence(name, *counts[name]) for name in design.network.by_name if name in counts)
    return RtlEvidence("RTL (Verilator)", len(codes), len(PAUSES), nodes, latency, interval, late)
