"""A project's firmware through the vendor's tools: run, reports gathered, and put beside the estimate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Literal

from siliconv.errors import ProjectError
from siliconv.flow.artefacts import read_json
from siliconv.flow.flow import StageResult, run_flow
from siliconv.flow.synthesis_file import write_synthesis
from siliconv.hardware.board_design.board_design import OVERLAY, board_for
from siliconv.hardware.boards import boards
from siliconv.hls.configuration import HlsConfig
from siliconv.hls.conversion.manifest import read_manifest
from siliconv.hls.fifo.expected_pipelines import expected_pipelines
from siliconv.hls.fifo.sized_design import design_of
from siliconv.hls.vendor.build_script import axi_script, core_script
from siliconv.hls.vendor.synthesis_results import SynthesisResults, gather
from siliconv.hls.vendor.vendor_run import Steps, prepare, run
from siliconv.hls.vendor.vendor_tools import find_tool
from siliconv.network import network_file
from siliconv.progress import Progress
from siliconv.project.project import load_project
from siliconv.stages.stages import STAGES

SYNTHESIS_FOLDER = "synthesis"

# The C simulation with g++ is another question, and takes its time.
_STAGES = tuple(stage for stage in STAGES if stage.name != "csim")


def build_project(
    folder: Path,
    steps: Steps,
    tool: Path | None = None,
    top: Literal["axi", "core"] = "axi",
    *,
    progress: Progress,
    on_event: Callable[[StageResult], None] = lambda result: None,
) -> dict[str, Any]:
    """Run a vendor tool on a project's firmware and return what `estimate.json` then says.

    Parameters
    ----------
    folder
        Of the project; what it lacks up to the firmware is made first.
    steps
        What the tool is to do.
    top
        What is built: the AXI-Stream top level that a block design takes, or the core in it alone.
    tool
        An executable, a folder of executables or a settings script, where it is not to be looked for.
    progress
        For long work.
    on_event
        Called after each stage of the project.

    Raises
    ------
    ProjectError
        ``BITSTREAM-BOARD``, ``BITSTREAM-TOP``, ``BITSTREAM-WEIGHTS`` where no bitstream can be made of the project,
        told before any work; ``BUILD-TOP`` where it has no AXI-Stream top level.
    ToolError
        ``VENDOR-NO-TOOL`` where there is none, told before any work.
    SiliconvError
        ``VENDOR-...`` for a run that failed.
    """
    project, build = load_project(folder), folder / "build"
    if steps.bitstream:
        _check_bitstream(project.hls, top)
    found = find_tool(project.hls.backend, asked=tool)
    progress.say(f"{found.name}, {found.found}")

    def until(stage: str) -> None:
        run_flow(_STAGES, project, folder.name, build, progress, until=stage, on_result=on_event)

    until("convert")
    manifest = read_manifest(build / "firmware")
    work = build / SYNTHESIS_FOLDER
    kept = prepare(build / "firmware", work)
    if kept is not None:
        progress.say(f"what the tool made of another firmware is kept in {kept}")
    wrapped = project.hls.backend == "VivadoAccelerator"
    if top == "axi" and not (work / axi_script(manifest.top).script).is_file():
        raise ProjectError(
            "BUILD-TOP",
            "there is no AXI-Stream top level: the network has several inputs or outputs",
            where="--top axi",
            fix="build the core with --top core: it has a port for each input and each output",
        )
    script = axi_script(manifest.top) if top == "axi" else core_script(manifest.top, wrapped=wrapped)
    run(found, work, script, steps, progress)
    if steps.bitstream:
        progress.say(f"the overlay is in {work / OVERLAY}: copy it to the board and run check_board.py there")
    if steps.chosen != ("csim",):
        results = gather(work, script)
        write_synthesis(build, asdict(manifest), replace(results, loops=_beside_schedule(results, build, project.hls)))
    until("estimate")
    content: dict[str, Any] = read_json(build / "estimate.json")
    return content


def _beside_schedule(results: SynthesisResults, build: Path, config: HlsConfig) -> tuple[Mapping[str, Any], ...]:
    """Put beside each loop of the tool's log what the estimate and the FIFO sizes assumed of its layer."""
    if not results.loops:
        return ()
    expected = expected_pipelines(design_of(network_file.load(build / "network"), config))
    return tuple(
        {
            **loop,
            "expected": assumed.interval if (assumed := expected.get(loop["layer"])) else None,
            "most_stages": assumed.most_stages if assumed else None,
        }
        for loop in results.loops
    )


def _check_bitstream(config: HlsConfig, top: str) -> None:
    """Refuse what no block design is known for."""
    known = [board for board in boards() if board.processing_system]
    if board_for(config.part, config.board) is None:
        board = config.device
        why = (
            "an Alveo card needs a kernel with memory ports, which siliconv does not write yet"
            if board is not None and board.name.startswith("alveo")
            else f"there is no block design for {board.title if board else config.part}"
        )
        raise ProjectError(
            "BITSTREAM-BOARD",
            why,
            where="hls.board",
            fix="set hls.board to one of " + ", ".join(f"{board.name} ({board.part})" for board in known),
        )
    if top != "axi":
        raise ProjectError(
            "BITSTREAM-TOP",
            "a block design takes the AXI-Stream top level, not the core alone",
            where="--top core",
            fix="leave --top out",
        )
    if config.bram_factor is not None:
        raise ProjectError(
            "BITSTREAM-WEIGHTS",
            "weights outside the core need a memory in the block design, which siliconv does not write",
            where="hls.bram_factor",
            fix="take hls.bram_factor out",
        )
