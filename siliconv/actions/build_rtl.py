"""A project's SystemVerilog core for a device: the bitstream of an ECP5, or a board's block design for Vivado."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from siliconv.actions.run_project import run_project
from siliconv.errors import ProjectError
from siliconv.flow.artefacts import read_json
from siliconv.flow.flow import StageResult
from siliconv.hardware.board_design.board_design import BLOCK_DESIGN, CHECK, OVERLAY
from siliconv.hls.vendor.vendor_run import prepare, run_script
from siliconv.hls.vendor.vendor_tools import VendorTool, find_vivado
from siliconv.progress import Progress
from siliconv.project.project import load_project
from siliconv.report.rtl_content import PLACE, SYNTH
from siliconv.rtl.configuration import BLOCK_DESIGNS, FAMILY_OF_BOARD, RtlConfig
from siliconv.stages.rtl_stages import BITSTREAM_FILE

OVERLAY_FOLDER = "rtl_overlay"
"""Where Vivado works on a copy of build/rtl."""

_ELSEWHERE = {
    "csim": "siliconv run PROJECT --until rtlsim simulates it",
    "csynth": "siliconv run PROJECT --until synth maps it to the device",
    "cosim": "siliconv run PROJECT --until rtlsim simulates it",
    "export": "a block design takes its files as they are",
    "vsynth": "siliconv run PROJECT --until synth maps it to the device; --bitstream implements a block design",
}
"""What takes the place of a step that the other core has."""


@dataclass(frozen=True)
class RtlBuild:
    """What was made of a project's SystemVerilog core.

    Parameters
    ----------
    family, board
        Of `rtl:` in the project file.
    files
        What was made: the bitstream, or the block design, its overlay where Vivado made one, and the check of a board.
    commands
        What comes next, for a shell in the project's folder.
    notes
        What a user should know of it.
    cells, placed
        As the stages synth and place measured; None where they did not run.
    """

    family: str
    board: str | None
    files: tuple[Path, ...]
    commands: tuple[str, ...]
    notes: tuple[str, ...]
    cells: dict[str, Any] | None = None
    placed: dict[str, Any] | None = None

    def as_json(self) -> dict[str, Any]:
        """Give it for machines."""
        return {
            "core": "rtl",
            "family": self.family,
            "board": self.board,
            "files": [str(path) for path in self.files],
            "commands": list(self.commands),
            "notes": list(self.notes),
            "cells": self.cells,
            "placed": self.placed,
        }


def build_rtl(
    folder: Path,
    steps: tuple[str, ...] = (),
    tool: Path | None = None,
    *,
    progress: Progress,
    on_event: Callable[[StageResult | str], None] = lambda event: None,
) -> RtlBuild:
    """Make what a device needs of a project's SystemVerilog core; what the project lacks before it is made first.

    An ECP5 gets its bitstream by Yosys, nextpnr and ecppack, a board with a block design gets that, and with the step
    ``bitstream`` Vivado implements it.

    Parameters
    ----------
    folder
        Of the project.
    steps
        ``bitstream``, or nothing.
    tool
        Vivado, its folder or its settings script, where it is not to be looked for.
    progress
        For long work.
    on_event
        Called after each stage.

    Raises
    ------
    ProjectError
        ``BUILD-STEP`` for a step that this core has not, ``BUILD-TOOL`` for a tool that nobody would run,
        ``BITSTREAM-BOARD`` where there is no way to a bitstream; all told before any work.
    ToolError
        ``RTL-NO-TOOL``, ``VENDOR-NO-TOOL``, before any work too.
    SiliconvError
        As the stages, and ``VENDOR-...`` for a run of Vivado that failed.
    """
    config = load_project(folder).rtl
    for step in steps:
        if step != "bitstream":
            raise ProjectError(
                "BUILD-STEP",
                "the SystemVerilog core is written, not synthesized from C",
                where=f"--{step} --core rtl",
                fix=f"leave it out: {_ELSEWHERE[step]}",
            )
    vivado = _vivado(config, bool(steps), tool)

    def until(stage: str) -> None:
        run_project(folder, stage, None, False, progress=progress, on_event=on_event)

    build = folder / "build"
    if config.block_design is None:
        until("bitstream")
        return _of_ecp5(config, build)
    until("rtl")
    return _of_block_design(config, build, vivado, progress)


def _vivado(config: RtlConfig, bitstream: bool, asked: Path | None) -> VendorTool | None:
    """Find Vivado where it is wanted, and refuse what leads to no bitstream."""
    if config.block_design is None and config.family != "ecp5":
        boards = ", ".join(name for name in BLOCK_DESIGNS if FAMILY_OF_BOARD[name] == config.family)
        raise ProjectError(
            "BITSTREAM-BOARD",
            f"Yosys maps to {config.family}, but nothing here places and routes it: Vivado does, for a board",
            where="rtl.board",
            fix=f"set rtl.board to {boards}, or rtl.family to ecp5",
        )
    if asked is not None and (config.block_design is None or not bitstream):
        why = (
            "nothing is run for a block design without --bitstream"
            if config.block_design
            else "an ECP5 needs no Vivado"
        )
        raise ProjectError("BUILD-TOOL", why, where=f"--tool {asked}", fix="leave --tool out")
    return find_vivado(asked=asked) if bitstream and config.block_design else None


def _of_ecp5(config: RtlConfig, build: Path) -> RtlBuild:
    bitstream = build / BITSTREAM_FILE
    board = config.board_top
    if board is None:
        files: tuple[Path, ...] = (bitstream,)
        commands: tuple[str, ...] = ()
        notes: tuple[str, ...] = (
            "nextpnr chose the pins: it shows that the core fits and how fast it is; for a board, set rtl.board: ulx3s",
        )
    else:
        check = build / "rtl" / board / CHECK
        files = (bitstream, check)
        commands = (
            f"openFPGALoader -b {board} build/{BITSTREAM_FILE}",
            f"python {check.relative_to(build.parent)} PORT",
        )
        notes = ("PORT is the board's serial line, such as /dev/ttyUSB0; no board was at hand to try it",)
    cells, placed = read_json(build / SYNTH), read_json(build / PLACE)
    return RtlBuild(config.family, config.board, files, commands, notes, cells, placed)


def _of_block_design(config: RtlConfig, build: Path, vivado: VendorTool | None, progress: Progress) -> RtlBuild:
    written = build / "rtl"
    if vivado is None:
        files = (written / BLOCK_DESIGN, written / "driver" / CHECK)
        commands = (f"cd {written.relative_to(build.parent)} && vivado -mode batch -source {BLOCK_DESIGN}",)
        notes = ("siliconv build --core rtl --bitstream runs that command where Vivado is installed",)
        return RtlBuild(config.family, config.board, files, commands, notes)
    progress.say(f"{vivado.name}, {vivado.found}")
    work = build / OVERLAY_FOLDER
    kept = prepare(written, work)
    if kept is not None:
        progress.say(f"what Vivado made of another core is kept in {kept}")
    run_script(vivado, work, BLOCK_DESIGN, progress)
    files = (work / OVERLAY, work / "driver" / CHECK)
    commands = (f"copy {OVERLAY}/ and driver/ of build/{OVERLAY_FOLDER} to the board and run driver/{CHECK} there",)
    return RtlBuild(config.family, config.board, files, commands, ())
