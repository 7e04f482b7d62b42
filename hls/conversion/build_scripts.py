"""The Tcl scripts for AMD's tools: one text for the core and for its AXI-Stream top level."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path

from siliconv.hardware.board_design.board_design import BLOCK_DESIGN, board_for
from siliconv.hls.backends import BACKENDS
from siliconv.hls.configuration import LARGEST_ARRAY, HlsConfig
from siliconv.hls.kinds import Backend
from siliconv.hls.rendering import render
from siliconv.hls.vendor.build_script import axi_script, core_script


def write_build_scripts(folder: Path, top: str, config: HlsConfig, *, axi: bool = True) -> None:
    """Write the scripts of a project in place of hls4ml's, and let the core leave its ports to a top level around it.

    Parameters
    ----------
    folder
        The project that hls4ml wrote.
    top
        Its top function.
    config
        What it was made from.
    axi
        Whether the project has an AXI-Stream top level.
    """
    facts = BACKENDS[config.backend]
    uncertainty = re.search(r"set clock_uncertainty (\S+)", (folder / "project.tcl").read_text(encoding="utf-8"))
    assert uncertainty is not None  # hls4ml's own file
    values = {
        "top": top,
        "tool": "Vitis HLS" if facts.family is Backend.VITIS else "Vivado HLS",
        "vitis": facts.family is Backend.VITIS,
        "part": config.part,
        "clock_ns": config.clock_ns,
        "uncertainty": uncertainty[1],
        "largest_array": LARGEST_ARRAY,
    }
    wrapped = config.backend == "VivadoAccelerator"
    has_design = board_for(config.part, config.board) is not None
    scripts = [(core_script(top, wrapped=wrapped), "")]
    scripts += [(axi_script(top), BLOCK_DESIGN if has_design else "")] if axi else []
    for one, block_design in scripts:
        for name, template in ((one.script, "build.tcl.j2"), (one.synthesis, "logic_synthesis.tcl.j2")):
            text = render(template, block_design=block_design, **values, **asdict(one))
            (folder / name).write_text(text, encoding="utf-8")
    later = ("cosim", "export", "vsynth", "bitstream")
    steps = dict.fromkeys(("reset", "csim", "synth"), True) | dict.fromkeys(later, False)
    (folder / "build_opt.tcl").write_text(render("build_opt.tcl.j2", **steps), encoding="utf-8")
    _guard_ports(folder / "firmware" / f"{top}.cpp")


def _guard_ports(source: Path) -> None:
    """Leave the pragmas of the core's ports out where it is called by another top function."""
    text = source.read_text(encoding="utf-8")
    guarded = re.sub(
        r"((?:^[ \t]*#pragma HLS INTERFACE .*\n)+)", r"#ifndef SILICONV_AXI_TOP\n\1#endif\n", text, flags=re.MULTILINE
    )
    source.write_text(guarded, encoding="utf-8")
