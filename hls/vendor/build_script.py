"""What AMD's tools can build of a project: the core, or the AXI-Stream top level around it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class BuildScript:
    """A script and what it builds.

    ``function``: the top function; ``project``: the folder that the tool works in; ``script``, ``synthesis``: the files
    for HLS and for logic synthesis after it.
    """

    what: str
    function: str
    project: str
    script: str
    synthesis: str
    sources: tuple[str, ...]
    testbench: str
    flags: str = ""


def core_script(top: str, *, wrapped: bool = False) -> BuildScript:
    """Describe the script of a core; `wrapped`: with the wrapper that hls4ml's accelerator back end puts around it."""
    function = f"{top}_axi" if wrapped else top
    sources = (f"firmware/{top}.cpp", *([f"firmware/{top}_axi.cpp"] if wrapped else []))
    files = (f"{top}_prj", "build_prj.tcl", "vivado_synth.tcl")
    return BuildScript("The core", function, *files, sources, f"{top}_test.cpp")


def axi_script(top: str) -> BuildScript:
    """Describe the script of the AXI-Stream top level."""
    sources = (f"firmware/{top}.cpp", f"axi/{top}_axi.cpp")
    files = (f"{top}_axi_prj", "build_axi.tcl", "vivado_synth_axi.tcl")
    what, testbench = "The AXI-Stream top level", f"axi/{top}_axi_test.cpp"
    return BuildScript(what, f"{top}_axi", *files, sources, testbench, " -DSILICONV_AXI_TOP")
