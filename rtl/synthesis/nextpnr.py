"""Place and route on an ECP5 by nextpnr, and the bitstream by ecppack."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from siliconv.errors import ProjectError
from siliconv.rtl.plan.blocks import RtlDesign
from siliconv.rtl.synthesis.critical_path import told
from siliconv.rtl.synthesis.open_tools import Spent, run_tool, top_name
from siliconv.rtl.writing.board_tops import BOARD_TOPS


@dataclass(frozen=True)
class Part:
    """An ECP5 as nextpnr names it: its option, package and speed grade, and a pin from which a clock reaches all of it.

    Where the pin is not known, nextpnr chooses one, and may fail to route the clock from it.
    """

    option: str
    package: str
    speed: int
    clock_pin: str | None = None


PARTS = {
    "LFE5UM5G-85F-8BG756": Part("--um5g-85k", "CABGA756", 8),
    "LFE5U-85F-6BG381": Part("--85k", "CABGA381", 6, "G2"),
}
"""The fastest ECP5-85F, and that of the ULX3S."""


@dataclass(frozen=True)
class Placed:
    """What nextpnr says of a routed design.

    Parameters
    ----------
    mhz
        The fastest clock by its timing analysis, routed; an estimate of an open database, no silicon was measured.
    used, available
        Cells by nextpnr's names.
    critical_path
        From where to where, nanoseconds of logic and of routing, and the same in the network's words (``told``).
    """

    part: str
    seed: int
    mhz: float
    used: Mapping[str, int]
    available: Mapping[str, int]
    critical_path: Mapping[str, str | float]
    spent: Spent


def place(
    project: Path, design: RtlDesign, part: str, *, mhz: float, seed: int = 1, board: str | None = None
) -> Placed:
    """Place and route a design that `siliconv.rtl.synthesis.yosys.synthesize` mapped to ECP5.

    The routed netlist is written as `TOP_routed.json`.

    Parameters
    ----------
    project
        The folder of the design.
    design
        Its name is that of the netlist.
    part
        One of `PARTS`.
    mhz
        The clock that is asked for.
    seed
        Of the placer.
    board
        A board of `siliconv.rtl.writing.board_tops.BOARD_TOPS` whose top was mapped: its pins are taken.
    """
    top, chip = top_name(design, board), PARTS[part]
    arguments = [chip.option, "--package", chip.package, "--speed", str(chip.speed), "--json", f"{top}_ecp5.json"]
    arguments += [
        "--textcfg",
        f"{top}.config",
        "--report",
        f"{top}_placed.json",
        "--write",
        f"{top}_routed.json",
        "--freq",
        str(mhz),
        "--seed",
        str(seed),
    ]
    arguments += [
        "--router",
        "router2",
        "--lpf-allow-unconstrained",
        "--timing-allow-fail",
        "--log",
        f"{top}_nextpnr.log",
    ]
    pins = BOARD_TOPS[board].pins if board else f'LOCATE COMP "clk_i" SITE "{chip.clock_pin}";\n'
    if board or chip.clock_pin:
        (project / f"{top}.lpf").write_text(pins, encoding="ascii")
        arguments += ["--lpf", f"{top}.lpf"]
    spent = run_tool("nextpnr-ecp5", [*arguments, "--quiet"], project, "nextpnr_said.log")
    report = json.loads((project / f"{top}_placed.json").read_text(encoding="utf-8"))
    use = report["utilization"]
    return Placed(
        part,
        seed,
        round(min(clock["achieved"] for clock in report["fmax"].values()), 1),
        {name: entry["used"] for name, entry in use.items() if entry["used"]},
        {name: entry["available"] for name, entry in use.items() if entry["used"]},
        _critical(report["critical_paths"], design),
        spent,
    )


def check_family(family: str) -> None:
    """Raise `ProjectError` ``RTL-FAMILY`` for a family whose placement is not free: only ECP5 is placed."""
    if family != "ecp5":
        raise ProjectError(
            "RTL-FAMILY",
            f"'{family}' is mapped by Yosys, but not placed: there is no nextpnr for it among the wheels",
            where="rtl.family",
            fix="take family: ecp5, or give build/rtl to the vendor's tool",
        )


def pack(project: Path, design: RtlDesign, *, board: str | None = None) -> tuple[Path, Spent]:
    """Write the bitstream of a placed design; gives its path."""
    top = top_name(design, board)
    config, bitstream = f"{top}.config", f"{top}.bit"
    spent = run_tool("ecppack", ["--compress", config, bitstream], project, "ecppack_said.log")
    return project / bitstream, spent


def _critical(paths: list[dict[str, object]], design: RtlDesign) -> dict[str, str | float]:
    """Sum up the slowest path inside the clock."""
    inside = [path for path in paths if path["from"] == path["to"]]
    if not inside:
        return {}
    steps: list[dict[str, object]] = inside[0]["path"]  # type: ignore[assignment]
    nanoseconds: dict[str, float] = {"logic_ns": 0.0, "routing_ns": 0.0}
    for step in steps:
        kind = "routing_ns" if step["type"] == "routing" else "logic_ns"
        nanoseconds[kind] += float(step["delay"])  # type: ignore[arg-type]
    first, last = steps[0]["from"], steps[-1]["to"]
    source, target = str(first["cell"]), str(last["cell"])  # type: ignore[index]
    return {
        "from": source,
        "to": target,
        **{name: round(value, 2) for name, value in nanoseconds.items()},
        "told": told(source, target, nanoseconds["logic_ns"], nanoseconds["routing_ns"], design),
    }
