"""Reading what Vivado HLS, Vitis HLS and Vivado report: C synthesis, logic synthesis, co-simulation.

Formats of the 2019 to 2025 releases. A report that is not what it should be is an error with its path, never
a guess.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from siliconv.hls.vendor.report_tables import ReportTable, after, not_a_report, number, read_report, tables

_RESOURCES = {
    "bram18": ("BRAM_18K",),
    "dsp": ("DSP", "DSP48E"),
    "ff": ("FF",),
    "lut": ("LUT",),
    "uram": ("URAM",),
}


@dataclass(frozen=True)
class Instance:
    """One instance of the top function: cycles and resources."""

    name: str
    module: str
    latency_min: int | None
    latency_max: int | None
    interval_max: int | None
    resources: Mapping[str, int]


@dataclass(frozen=True)
class FifoReport:
    """One FIFO: words, bits of a word, 18-Kb blocks, flip-flops."""

    name: str
    depth: int
    bits: int
    bram18: int
    ff: int


@dataclass(frozen=True)
class CSynthesis:
    """The C synthesis report of one function.

    Parameters
    ----------
    tool, version, part
        "Vitis HLS", "2024.1", "xcu250-figd2104-2L-e".
    clock_ns, estimated_ns, uncertainty_ns
        Period asked for, the tool's guess, and what it kept back.
    latency_min, latency_max, interval_min, interval_max
        Cycles; None where the tool could not tell ("?").
    resources, available
        bram18, dsp, ff, lut, uram.
    """

    tool: str
    version: str
    function: str
    part: str
    clock_ns: float
    estimated_ns: float
    uncertainty_ns: float
    latency_min: int | None
    latency_max: int | None
    interval_min: int | None
    interval_max: int | None
    pipeline: str
    resources: Mapping[str, int]
    available: Mapping[str, int]
    instances: tuple[Instance, ...]
    fifos: tuple[FifoReport, ...]


@dataclass(frozen=True)
class LogicSynthesis:
    """A Vivado utilization report: version, part, state of the design, resources used and available."""

    version: str
    part: str
    state: str
    resources: Mapping[str, int]
    available: Mapping[str, int]


@dataclass(frozen=True)
class CoSimulation:
    """A co-simulation report: whether it passed, and cycles (None where not measured)."""

    passed: bool
    latency_min: int | None
    latency_average: int | None
    latency_max: int | None
    interval_min: int | None
    interval_average: int | None
    interval_max: int | None


def read_csynthesis(path: Path) -> CSynthesis:
    """Read a `<function>_csynth.rpt`; raises `ToolError` REPORT-FORMAT when it is not one."""
    text = read_report(path)
    head = re.search(r"== (Vivado HLS|Vitis HLS) Report for '([^']+)'", text)
    found = list(tables(text))
    timing = _with_column(found, "Clock", "Target")
    latency = next((one for one in found if one.header and "Latency (cycles)" in one.header[0][0]), None)
    usage = _with_column(found, "Name", "BRAM_18K")
    if head is None or timing is None or latency is None or usage is None or not latency.rows:
        raise not_a_report(path, "C synthesis report")
    clock = timing.rows[0]
    cycles = latency.rows[0]
    return CSynthesis(
        tool=head.group(1),
        version=after(text, r"\* Version:\s+(\S+)"),
        function=head.group(2),
        part=after(text, r"\* Target device:\s+(\S+)"),
        clock_ns=number(clock[1]) or 0.0,
        estimated_ns=number(clock[2]) or 0.0,
        uncertainty_ns=number(clock[3]) or 0.0,
        latency_min=_whole(cycles[0]),
        latency_max=_whole(cycles[1]),
        interval_min=_whole(cycles[4]),
        interval_max=_whole(cycles[5]),
        pipeline=cycles[6],
        resources=_resources(usage, usage.row("Total")),
        available=_resources(usage, usage.row("Available")),
        instances=_instances(found),
        fifos=_fifos(found),
    )


def read_logic_synthesis(path: Path) -> LogicSynthesis:
    """Read the output of `report_utilization`; raises `ToolError` REPORT-FORMAT when it is not one."""
    text = read_report(path)
    used: dict[str, float] = {}
    available: dict[str, float] = {}
    names = {
        "CLB LUTs": "lut",
        "Slice LUTs": "lut",
        "CLB Registers": "ff",
        "Slice Registers": "ff",
        "DSPs": "dsp",
        "URAM": "uram",
        "Block RAM Tile": "bram18",
    }
    for table in tables(text):
        use, most = table.column("Used"), table.column("Available")
        if use is None or most is None:
            continue
        for row in table.rows:
            name = names.get(row[0].rstrip("*"))
            if name is None or name in used or len(row) <= max(use, most):
                continue
            # A tile holds two blocks of 18 Kb, and half tiles are reported as such.
            factor = 2 if name == "bram18" else 1
            used[name] = factor * (number(row[use]) or 0.0)
            available[name] = factor * (number(row[most]) or 0.0)
    if "lut" not in used or "ff" not in used:
        raise not_a_report(path, "utilization report")
    return LogicSynthesis(
        version=after(text, r"Tool Version\s*:\s*Vivado v\.(\S+)"),
        part=after(text, r"\| Device\s*:\s*(\S+)"),
        state=after(text, r"\| Design State\s*:\s*(.+?)\s*$"),
        resources={name: round(value) for name, value in used.items()},
        available={name: round(value) for name, value in available.items()},
    )


def read_cosimulation(path: Path) -> CoSimulation:
    """Read a `<function>_cosim.rpt`; raises `ToolError` REPORT-FORMAT when it is not one.

    Of the languages that were simulated, the one with numbers counts.
    """
    for table in tables(read_report(path)):
        for row in table.rows:
            if row[0] in ("Verilog", "VHDL") and len(row) >= 8 and row[1] not in ("NA", ""):
                latency, interval = [_whole(cell) for cell in row[2:5]], [_whole(cell) for cell in row[5:8]]
                return CoSimulation(row[1].lower() == "pass", *latency, *interval)
    raise not_a_report(path, "co-simulation report")


def _instances(found: Sequence[ReportTable]) -> tuple[Instance, ...]:
    """Return the instances of the two detail tables, cycles and resources, joined by name."""
    cycles: dict[str, tuple[str, ...]] = {}
    for table in found:
        if table.column("Instance") == 0 and table.column("min") == 2:
            cycles.update({row[0]: row for row in table.rows})
    instances = []
    for table in found:
        if table.column("Instance") != 0 or table.column("BRAM_18K") is None:
            continue
        for row in table.rows:
            if row[0] == "Total":
                continue
            times = cycles.get(row[0])
            instances.append(
                Instance(
                    row[0],
                    row[1],
                    _whole(times[2]) if times else None,
                    _whole(times[3]) if times else None,
                    _whole(times[7]) if times else None,
                    _resources(table, row),
                )
            )
    return tuple(instances)


def _fifos(found: Sequence[ReportTable]) -> tuple[FifoReport, ...]:
    for table in found:
        depth, bits = table.column("Depth"), table.column("Bits")
        if table.column("Name") != 0 or depth is None or bits is None:
            continue
        return tuple(
            FifoReport(
                row[0],
                _whole(row[depth]) or 0,
                _whole(row[bits]) or 0,
                _whole(row[1]) or 0,
                _whole(row[2]) or 0,
            )
            for row in table.rows
            if row[0] != "Total"
        )
    return ()


def _resources(table: ReportTable, row: tuple[str, ...] | None) -> dict[str, int]:
    found = {}
    for name, spelled in _RESOURCES.items():
        index = table.column(*spelled)
        value = None if row is None or index is None or index >= len(row) else _whole(row[index])
        found[name] = value or 0
    return found


def _with_column(found: Sequence[ReportTable], first: str, other: str) -> ReportTable | None:
    return next((one for one in found if one.column(first) == 0 and one.column(other) is not None), None)


def _whole(cell: str) -> int | None:
    value = number(cell)
    return None if value is None else round(value)
