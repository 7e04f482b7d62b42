"""The SystemVerilog as an execution beside the reference: where it parts from it, and which source is the cause."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from siliconv.network.explanation.first_difference import Cause, Execution, Place
from siliconv.network.fixed_point import Codes, to_values
from siliconv.progress import Progress
from siliconv.rtl.plan.blocks import RtlDesign
from siliconv.rtl.simulation.rtlsim import simulate
from siliconv.rtl.simulation.source_files import build_as_it_lies

RTL = "rtl"


def rtl_runner(
    design: RtlDesign, project: Path, work: Path, *, progress: Progress | None = None
) -> Callable[[Codes], Execution]:
    """Build the sources of a written project as they lie there; gives the function that runs codes through them.

    Raises
    ------
    ToolError
        As `siliconv.rtl.simulation.verilator.build`.
    """
    built = build_as_it_lies(design, project, work, progress)
    network = design.network

    def causes(place: Place) -> Iterator[Cause]:
        for line in (*built.constants_differ, *(one for one in built.edited if ".sv" in one)):
            yield Cause("RTL-EDITED", RTL, line, "write the sources again: siliconv run PROJECT --until rtl --force")

    def run(codes: Codes) -> Execution:
        (found,) = simulate(work, [design], [codes], probes=True)
        tensors = {network.input.name: codes, **found.nodes, network.output.name: found.output}
        values = {name: to_values(tensor, network.by_name[name].type) for name, tensor in tensors.items()}
        return Execution(RTL, values, causes)

    return run
