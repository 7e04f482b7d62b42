"""Synthesis by Yosys: the cells of a design on a family of devices, and the netlist for nextpnr."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from siliconv.rtl.plan.blocks import RtlDesign
from siliconv.rtl.synthesis.open_tools import Spent, run_tool, top_name
from siliconv.rtl.synthesis.output_registers import absorb_output_registers

FAMILIES = {
    "ecp5": "synth_ecp5 -top {top} -json {top}_ecp5.json",
    "xc7": "synth_xilinx -family xc7 -flatten -abc9 -top {top}; autoname; write_json {top}_xc7.json",
    "xcup": "synth_xilinx -family xcup -flatten -abc9 -top {top}; autoname; write_json {top}_xcup.json",
}
"""Yosys' command for each family: Lattice ECP5, Xilinx 7 series, Xilinx UltraScale+."""

_LUTS = {
    "ecp5": {"LUT4": 1, "CCU2C": 2, "TRELLIS_DPR16X4": 6},
    "xc7": {f"LUT{n}": 1 for n in range(1, 7)} | {"INV": 0},
    "xcup": {f"LUT{n}": 1 for n in range(1, 7)} | {"INV": 0},
}
_LUT_MEMORY = {"RAM32M": 4, "RAM64M": 4, "RAM32X1D": 2, "RAM64X1D": 2, "RAM128X1D": 4, "SRL16E": 1, "SRLC32E": 1}
_LUT_MEMORY |= {"RAM32M16": 8, "RAM64M8": 8}
_FLIP_FLOPS = ("TRELLIS_FF", "FDRE", "FDSE", "FDCE", "FDPE")
_MULTIPLIERS = ("MULT18X18D", "DSP48E1", "DSP48E2")
_BLOCKS = {"DP16KD": 1, "PDPW16KD": 1, "RAMB18E1": 1, "RAMB36E1": 2, "RAMB18E2": 1, "RAMB36E2": 2}


@dataclass(frozen=True)
class Cells:
    """What Yosys counts, before placement.

    Parameters
    ----------
    lut
        Look-up tables: of four inputs on ECP5 (an adder cell counts two, a memory of 16 words of 4 bits six), of up to
        six elsewhere.
    lut_memory
        Of Xilinx' look-up tables, those that are memories or shift registers; not in `lut`.
    block_memory
        DP16KD on ECP5, 18-Kb blocks elsewhere.
    by_block
        What each instance of the top level takes, by the names that Yosys keeps or gives by what a cell drives; "" is
        what has none.
    """

    family: str
    lut: int
    lut_memory: int
    ff: int
    dsp: int
    block_memory: int
    cells: Mapping[str, int]
    spent: Spent
    by_block: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


def synthesize(project: Path, design: RtlDesign | str, family: str, *, board: str | None = None) -> Cells:
    """Synthesize the top of a written project, or that of a board around it, or a module of its library by name."""
    top = design if isinstance(design, str) else top_name(design, board)
    found = {path.name: path for folder in ("library", f"library/{family}") for path in project.glob(f"{folder}/*.sv")}
    sources = " ".join(path.relative_to(project).as_posix() for _, path in sorted(found.items()))
    own = "" if isinstance(design, str) else f" {design.name}.sv"
    own += f" {board}/{top}.sv" if board else ""
    script = [
        f"read_verilog -defer -sv {sources}{own}",
        # Flat and written once: Yosys would read a module anew when a family's own cells become known.
        f"hierarchy -top {top}; proc; flatten; opt_clean; write_rtlil {top}_flat.il; design -reset",
        f"read_rtlil {top}_flat.il; {FAMILIES[family].format(top=top)}",
        f"tee -q -o {top}_{family}_cells.json stat -json",
    ]
    spent = run_tool("yosys", ["-q", "-l", f"{top}_{family}.log", "-p", "; ".join(script)], project, "yosys_said.log")
    stat = json.loads((project / f"{top}_{family}_cells.json").read_text(encoding="utf-8"))
    cells = dict(stat["design"]["num_cells_by_type"])
    if family == "ecp5":
        cells["TRELLIS_FF"] = cells.get("TRELLIS_FF", 0) - _with_output_registers(project / f"{top}_ecp5.json", top)
    netlist = json.loads((project / f"{top}_{family}.json").read_text(encoding="utf-8"))
    found_by_block = by_block(netlist["modules"][top]["cells"], family)
    return replace(counted(cells, family, spent), by_block=found_by_block)


def by_block(cells: Mapping[str, Any], family: str) -> dict[str, dict[str, int]]:
    """Add the cells of a flat netlist up by the instance of the top level that they stand in."""
    kinds: dict[str, Counter[str]] = defaultdict(Counter)
    for name, cell in cells.items():
        instance = re.search(r"(?:^|\.)u_((?!network\.)[^.]+)\.", name)
        kinds[instance[1] if instance else ""][cell["type"]] += 1
    nothing = Spent(0.0, 0.0, 0.0)
    found = {name: counted(counts, family, nothing) for name, counts in sorted(kinds.items())}
    return {
        name: {"lut": one.lut + one.lut_memory, "ff": one.ff, "dsp": one.dsp, "block_memory": one.block_memory}
        for name, one in found.items()
    }


def memory_look_up_tables(cells: Mapping[str, int]) -> int:
    """Count the look-up tables that are memories which are written; shift registers are none."""
    sizes = {**_LUT_MEMORY, "TRELLIS_DPR16X4": _LUTS["ecp5"]["TRELLIS_DPR16X4"]}
    return sum(sizes[name] * count for name, count in cells.items() if name in sizes and not name.startswith("SRL"))


def _with_output_registers(netlist: Path, top: str) -> int:
    """Use the output registers of block memories in a netlist; gives how many flip-flops are gone."""
    content = json.loads(netlist.read_text(encoding="utf-8"))
    gone = absorb_output_registers(content["modules"][top])
    netlist.write_text(json.dumps(content), encoding="utf-8")
    return gone


def counted(cells: Mapping[str, int], family: str, spent: Spent) -> Cells:
    """Add cells up by what they take of a chip."""
    return Cells(
        family,
        lut=sum(_LUTS[family].get(name, 0) * count for name, count in cells.items()),
        lut_memory=sum(_LUT_MEMORY.get(name, 0) * count for name, count in cells.items()),
        ff=sum(cells.get(name, 0) for name in _FLIP_FLOPS),
        dsp=sum(cells.get(name, 0) for name in _MULTIPLIERS),
        block_memory=sum(_BLOCKS.get(name, 0) * count for name, count in cells.items()),
        cells=dict(sorted(cells.items())),
        spent=spent,
    )
