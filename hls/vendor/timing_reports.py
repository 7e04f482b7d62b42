"""Reading timing: Vivado's timing summary, and what Vitis HLS reports of an exported core after place and route."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from siliconv.hls.vendor.report_tables import after, not_a_report, read_report

_PERIODS = {"required": "CP required", "synthesis": "CP achieved post-synthesis",
            "implementation": "CP achieved post-implementation"}  # fmt: skip


@dataclass(frozen=True)
class TimingSummary:
    """Vivado's `report_timing_summary`.

    ``setup_slack_ns``, ``hold_slack_ns``: the worst; ``failing``, ``endpoints``: of setup; ``met``: whether all
    constraints are, None where the report states none.
    """

    version: str
    part: str
    setup_slack_ns: float | None
    hold_slack_ns: float | None
    failing: int
    endpoints: int
    met: bool | None


@dataclass(frozen=True)
class Implementation:
    """What `export_design -flow impl` reports: clock periods in nanoseconds, resources, and whether timing is met."""

    part: str
    required_ns: float
    synthesis_ns: float | None
    implementation_ns: float | None
    met: bool
    resources: Mapping[str, int]


def read_timing_summary(path: Path) -> TimingSummary:
    """Read a timing summary; raises `ToolError` REPORT-FORMAT when it is not one."""
    text = read_report(path)
    table = re.search(r"WNS\(ns\).*\n[\s-]+\n\s*(?P<cells>\S.*)\n", text)
    if table is None:
        raise not_a_report(path, "timing summary")
    cells = table["cells"].split()
    slacks = [float(cell) if re.fullmatch(r"-?\d+(\.\d+)?", cell) else None for cell in cells]
    met = None
    if "All user specified timing constraints are met" in text:
        met = True
    elif "Timing constraints are not met" in text:
        met = False
    return TimingSummary(
        version=after(text, r"Tool Version\s*:\s*Vivado v\.(\S+)"),
        part=after(text, r"\| Device\s*:\s*(\S+)"),
        setup_slack_ns=slacks[0],
        hold_slack_ns=slacks[4] if len(slacks) > 4 else None,
        failing=int(slacks[2] or 0) if len(slacks) > 2 else 0,
        endpoints=int(slacks[3] or 0) if len(slacks) > 3 else 0,
        met=met,
    )


def read_implementation(path: Path) -> Implementation:
    """Read a `<function>_export.rpt`; raises `ToolError` REPORT-FORMAT when it is not one."""
    text = read_report(path)
    periods = {name: after(text, rf"{spelled}:\s*([\d.]+)") for name, spelled in _PERIODS.items()}
    if not periods["required"]:
        raise not_a_report(path, "implementation report")
    spelled = {"lut": "LUT", "ff": "FF", "dsp": "DSP", "bram18": "BRAM", "uram": "URAM"}
    counts = {name: after(text, rf"^{word}:\s+(\d+)\s*$") for name, word in spelled.items()}
    return Implementation(
        part=after(text, r"Device target:\s+(\S+)"),
        required_ns=float(periods["required"]),
        synthesis_ns=float(periods["synthesis"]) if periods["synthesis"] else None,
        implementation_ns=float(periods["implementation"]) if periods["implementation"] else None,
        met="Timing met" in text,
        resources={name: int(count) for name, count in counts.items() if count},
    )
