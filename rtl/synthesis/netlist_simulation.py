"""The netlist that is placed, or that was routed, simulated with our own models of the hard blocks.

Its logic cells are those of Yosys' library. `models/` holds the block memory and the multiplier, in the modes that are
used; they are ours, from the documented behaviour, and were compared with no silicon.
"""

from __future__ import annotations

import json
import shutil
from importlib import resources
from pathlib import Path
from typing import Any

from siliconv.network.fixed_point import Codes
from siliconv.rtl.plan.blocks import RtlDesign
from siliconv.rtl.simulation.rtlsim import Simulated, simulate
from siliconv.rtl.simulation.verilator import build
from siliconv.rtl.synthesis.open_tools import run_tool
from siliconv.rtl.synthesis.routed_netlist import as_known_cells
from siliconv.rtl.writing.rtl_project import LIBRARY, write_project

MODELS = ("DP16KD", "MULT18X18D", "LUT_MEMORY")

_LINT = (
    "WIDTHEXPAND WIDTHTRUNC UNOPTFLAT CASEINCOMPLETE MULTIDRIVEN UNUSEDSIGNAL UNDRIVEN PINMISSING "
    "CASEOVERLAP CASEWITHX CASEX LATCH CMPCONST SELRANGE COMBDLY ASCRANGE WIDTHXZEXPAND UNSIGNED"
).split()

QUIET = "".join(f"/* verilator lint_off {name} */\n" for name in _LINT)
"""Before Verilog that Yosys wrote, which is no style that Verilator likes."""


def simulate_netlist(
    netlist: Path, design: RtlDesign, codes: Codes, work: Path, *, pauses: tuple[int, int] = (0, 0)
) -> Simulated:
    """Simulate a netlist that `synthesize` wrote for ECP5, or that `place` wrote behind the router.

    Parameters
    ----------
    netlist
        The JSON file of `siliconv.rtl.synthesis.yosys` or `siliconv.rtl.synthesis.nextpnr`.
    design
        Its design.
    codes
        (images, *input shape).
    work
        A folder for the build; what is in it is removed.
    pauses
        As for `siliconv.rtl.simulation.verilator.run`.

    Raises
    ------
    ToolError
        As the tools.
    WorkSaysNoError
        ``RTL-STALL`` if the stream stops.
    """
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    write_project([design], work)
    shutil.rmtree(work / LIBRARY)
    (work / f"{design.name}.sv").write_text(netlist_as_verilog(netlist, design.name, work), encoding="utf-8")
    build(work, optimize="-O0")
    (found,) = simulate(work, [design], [codes], pauses=pauses)
    return found


def netlist_as_verilog(netlist: Path, name: str, work: Path) -> str:
    """Give a netlist, mapped or routed, as Verilog of logic and of our models, which stand behind it.

    Parameters
    ----------
    netlist
        As for `simulate_netlist`.
    name
        Of its top module.
    work
        A folder for Yosys' files.
    """
    content = json.loads(netlist.read_text(encoding="utf-8"))
    if name not in content["modules"]:
        content = as_known_cells(content, name)
    for cell in content["modules"][name]["cells"].values():
        if cell["type"] == "LUT4":
            _as_table(cell)
    (work / "netlist.json").write_text(json.dumps(content), encoding="utf-8")
    folder = resources.files("siliconv.rtl.synthesis").joinpath("models")
    models = "".join(folder.joinpath(f"{model}.sv").read_text("utf-8") for model in MODELS)
    script = [
        "read_json netlist.json",
        # The netlist has empty boxes of the cells: those of the logic are replaced by what they do.
        "delete =A:blackbox",
        "read_verilog +/ecp5/common_sim.vh +/ecp5/ccu2c_sim.vh",
        f"hierarchy -top {name}; proc; flatten; opt_clean",
        "write_verilog -noattr flat.v",
    ]
    run_tool("yosys", ["-q", "-p", "; ".join(script)], work, "yosys_said.log")
    return QUIET + (work / "flat.v").read_text(encoding="utf-8") + models


def _as_table(cell: dict[str, Any]) -> None:
    """Make a LUT4 Yosys' own look-up table: as a module, each of its contents would be elaborated anew."""
    wires = cell["connections"]
    cell["type"] = "$lut"
    cell["parameters"] = {"WIDTH": f"{4:032b}", "LUT": cell["parameters"]["INIT"]}
    cell["connections"] = {"A": [bit for pin in "ABCD" for bit in wires.get(pin, ["0"])], "Y": wires["Z"]}
    cell["port_directions"] = {"A": "input", "Y": "output"}
