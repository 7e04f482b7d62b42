"""`siliconv build`: the vendor's tools on a project's firmware, or what a device needs of the SystemVerilog core."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from siliconv.commands.options import CoreOption, JsonOption, ProjectArgument, open_project, print_json
from siliconv.commands.terminal import console, note, show
from siliconv.errors import ProjectError, WorkSaysNoError

if TYPE_CHECKING:
    from siliconv.api.projects import Project
    from siliconv.flow.flow import StageResult

METRICS = {
    "latency_cycles": "latency (cycles)",
    "interval_cycles": "interval (cycles)",
    "lut": "LUT",
    "ff": "FF",
    "dsp": "DSP",
    "bram18": "BRAM18",
    "uram": "URAM",
}
_STAGES = {"csynth": "C synthesis", "cosim": "co-simulation", "vsynth": "logic synthesis"}


class Top(StrEnum):
    """What is built."""

    AXI = "axi"
    CORE = "core"


def build(
    project: ProjectArgument,
    csim: Annotated[bool, typer.Option("--csim", help="C simulation by the tool itself")] = False,
    csynth: Annotated[bool, typer.Option("--csynth", help="C synthesis; the default")] = False,
    cosim: Annotated[bool, typer.Option("--cosim", help="co-simulation of the synthesized hardware")] = False,
    export: Annotated[bool, typer.Option("--export", help="write the IP core")] = False,
    vsynth: Annotated[bool, typer.Option("--vsynth", help="logic synthesis by Vivado, with its timing")] = False,
    bitstream: Annotated[
        bool, typer.Option("--bitstream", help="block design, implementation and overlay for the board of hls.part")
    ] = False,
    top: Annotated[
        Top, typer.Option("--top", help="the AXI-Stream top level, which a block design takes, or the core alone")
    ] = Top.AXI,
    tool: Annotated[
        Path | None,
        typer.Option("--tool", metavar="PATH", help="the tool, its folder or its settings script; else looked for"),
    ] = None,
    core: CoreOption = "hls",
    json_output: JsonOption = False,
) -> int:
    """Run Vitis HLS, Vivado HLS or Vivado on a project's firmware, and show their reports beside the estimate.

    The tool is looked for in --tool, SILICONV_VENDOR_TOOL, the PATH, XILINX_VITIS, XILINX_HLS, XILINX_VIVADO and usual
    installations. It works on a copy in build/synthesis; its log is build/synthesis/siliconv_build.log.

    With --core rtl: the bitstream of an ECP5 by Yosys and nextpnr, or the block design of the board of rtl.board.
    With --bitstream Vivado implements that block design.
    """
    asked = {"csim": csim, "csynth": csynth, "cosim": cosim, "export": export, "vsynth": vsynth, "bitstream": bitstream}
    steps = [name for name, wanted in asked.items() if wanted]
    if core == "rtl":
        return _build_rtl(open_project(project), steps, tool, top, json_output)
    if core != "hls":
        raise ProjectError("BUILD-CORE", f"there is no core '{core}'", where="--core", fix="use hls or rtl")
    content = open_project(project).synthesize(*steps, tool=tool, top=top.value, on_event=_say)
    if json_output:
        print_json(content)
    else:
        _show(content)
    measured = content.get("measured") or {}
    if measured.get("cosimulation_passed") is False:
        raise WorkSaysNoError(
            "VENDOR-COSIM",
            "the co-simulation did not pass",
            where="build/synthesis",
            fix="read its log; the C simulation itself is checked by siliconv csim",
        )
    return 0


def _build_rtl(project: Project, steps: Sequence[str], tool: Path | None, top: Top, json_output: bool) -> int:
    if top is not Top.AXI:
        raise ProjectError(
            "BITSTREAM-TOP",
            "a block design takes the AXI-Stream top level, not the core alone",
            where="--top core --core rtl",
            fix="leave --top out; build/rtl has the core alone",
        )
    found = project.build_rtl(*steps, tool=tool, on_event=_say)
    if json_output:
        print_json(found.as_json())
        return 0
    for path in found.files:
        console.print(f"made      {path}", markup=False)
    for command in found.commands:
        console.print(f"next      {command}", markup=False)
    for one in found.notes:
        console.print(note(one), markup=False)
    return 0


def _say(result: StageResult | str) -> None:
    if isinstance(result, str):
        console.print(result, markup=False)
    elif result.ran:
        console.print(f"{result.name:<9} {result.record.summary}", markup=False)


def _show(content: Mapping[str, Any]) -> None:
    measured = content.get("measured")
    if measured is None:
        console.print("No synthesis was run: estimate.json holds the estimate alone.", markup=False)
        return
    stages = measured["stages"]
    title = f"{measured['function']}, {measured['tool']}"
    table = Table("", "estimate", "band", *(_STAGES[name] for name in stages), title=title)
    for metric, title in METRICS.items():
        one = content["estimate"][metric]
        reported = (stages[name].get(metric) for name in stages)
        cells = ("" if value is None else f"{value:,.0f}" for value in reported)
        table.add_row(title, f"{one['value']:,}", f"{one['low']:,} to {one['high']:,}", *cells)
    show(table)
    console.print("The estimate is for C synthesis; logic synthesis usually leaves less.", markup=False)
    ends = content.get("axi", {})
    if measured["function"].endswith("_axi") and "lut" in ends:
        console.print(
            f"It is the core's: the ends of the AXI-Stream top level take about {ends['lut']:,} LUTs and"
            f" {ends['ff']:,} flip-flops more.",
            markup=False,
        )
    if measured["loops"]:
        _show_loops(measured["loops"])
    for warning in measured["warnings"]:
        times = f" ({warning['count']} times)" if warning["count"] > 1 else ""
        console.print(f"{warning['code']}: {warning['what']}{times}: {warning['first']}", markup=False)
    timing = {name: value for name, value in measured["timing"].items() if value is not None}
    if timing:
        console.print("Timing: " + ", ".join(f"{name} {value}" for name, value in timing.items()), markup=False)
    console.print(
        "Estimates of other designs follow these results with: siliconv calibrate --reports PROJECT", markup=False
    )


def _show_loops(loops: Sequence[Mapping[str, Any]]) -> None:
    """Show the pipelines that the tool made beside what the estimate and the FIFO sizes assumed."""
    table = Table("layer", "loop", "interval", "estimate", "depth", "at most", title="Pipelines")
    for loop in loops:
        expected, most = loop["expected"], loop["most_stages"]
        table.add_row(
            loop["layer"] or loop["module"],
            loop["name"],
            str(loop["achieved"]),
            "" if expected is None else str(expected),
            str(loop["depth"]),
            "" if most is None else str(most + 1),
        )
    show(table)
    deep = [
        loop["layer"] for loop in loops if loop["most_stages"] is not None and loop["depth"] > loop["most_stages"] + 1
    ]
    if deep:
        console.print(
            f"Deeper than FIFOs of joins have room for: {', '.join(deep)}; set hls.fifo_depths: hls4ml if co-simulation"
            " does not end.",
            markup=False,
        )
