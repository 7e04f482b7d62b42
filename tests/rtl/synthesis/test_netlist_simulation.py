"""The netlist that is placed computes what the network computes, with the memories' own registers too."""

import json

import numpy as np
import pytest
from rtl_designs import skip_without_verilator
from small_network import small_network
from strategies import input_codes

from siliconv.errors import ToolError, WorkSaysNoError
from siliconv.network import reference
from siliconv.rtl.cycles.cycle_model import cycles
from siliconv.rtl.plan.lanes import Lanes
from siliconv.rtl.plan.planning import plan
from siliconv.rtl.synthesis.netlist_simulation import simulate_netlist
from siliconv.rtl.synthesis.nextpnr import place
from siliconv.rtl.synthesis.open_tools import has_tool
from siliconv.rtl.synthesis.routed_netlist import as_known_cells
from siliconv.rtl.synthesis.yosys import synthesize
from siliconv.rtl.writing.rtl_project import write_project

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not has_tool("yosys"), reason="no Yosys: pip install 'siliconv[rtl]'"),
]


@pytest.fixture(scope="module")
def routed(mapped):
    """What nextpnr made of it."""
    design, netlist = mapped
    place(netlist.parent, design, "LFE5UM5G-85F-8BG756", mhz=100)
    return design, netlist.parent / f"{design.name}_routed.json"


@pytest.fixture(scope="module")
def mapped(tmp_path_factory):
    """A design with packed multipliers and block memories, and its netlist."""
    skip_without_verilator()
    folder = tmp_path_factory.mktemp("netlist")
    design = plan(small_network(240), {"dense": Lanes(2, 6)}, multiplier_bits=18)
    write_project([design], folder)
    synthesize(folder, design, "ecp5")
    return design, folder / f"{design.name}_ecp5.json"


def test_bits_and_cycles_of_what_was_routed(routed, tmp_path):
    design, netlist = routed
    kinds = {cell["parameters"].get("MODE", cell["type"]) for cell in cells_of(netlist)}
    assert kinds >= {"TRELLIS_COMB", "CCU2", "DPRAM", "TRELLIS_FF", "DP16KD", "MULT18X18D"}, "tables, carries, memories"
    compare(design, netlist, tmp_path / "work")


@pytest.mark.parametrize("kind", ["CCU2", "DPRAM", "TRELLIS_FF"])
def test_a_cell_that_was_routed_wrong_is_seen(kind, routed, tmp_path):
    design, netlist = routed
    content = json.loads(netlist.read_text())
    for name, cell in content["modules"]["top"]["cells"].items():
        # Broken sums are wrong at once, broken control stops the stream, and that takes a million cycles to see.
        sums = "u_mac" in name or "u_finish.data_i" in name
        if kind not in (cell["type"], cell["parameters"].get("MODE")) or not (sums or kind == "DPRAM"):
            continue
        if kind == "CCU2":
            cell["parameters"]["CCU2_INJECT1"] = "YES"
        elif kind == "DPRAM":
            cell["connections"]["A"] = cell["connections"]["D"]
        else:
            cell["parameters"]["SD"], cell["connections"]["M"] = "0 ", ["0"]  # takes the other input
    broken = tmp_path / "broken.json"
    broken.write_text(json.dumps(content))
    with pytest.raises((AssertionError, WorkSaysNoError)) as seen:
        compare(design, broken, tmp_path / "work")
    assert getattr(seen.value, "code", "RTL-STALL") == "RTL-STALL"  # other bits, or no more words


def test_a_cell_that_is_not_known_is_refused_by_name():
    cell = {"type": "EHXPLLL", "parameters": {}, "connections": {"CLKI": [2]}, "port_directions": {"CLKI": "input"}}
    with pytest.raises(ToolError) as caught:
        as_known_cells({"modules": {"top": {"cells": {"u_clock": cell}, "ports": {}}}}, "any")
    assert caught.value.code == "RTL-ROUTED-CELL"
    assert "EHXPLLL" in caught.value.what


def cells_of(netlist):
    (module,) = (
        one for one in json.loads(netlist.read_text())["modules"].values() if "blackbox" not in one["attributes"]
    )
    return module["cells"].values()


def compare(design, netlist, work):
    """Simulate a netlist with pauses, and compare bits and cycles."""
    codes = input_codes(design.network, 1, 5)
    found = simulate_netlist(netlist, design, codes, work, pauses=(30, 30))
    assert np.array_equal(found.output, reference.run(design.network, codes)[design.network.output.name])
    model = cycles(design, 5, pauses=(30, 30))
    assert found.taken.tolist() == model.taken
    assert found.given.tolist() == model.given


def test_bits_and_cycles_of_the_netlist(mapped, tmp_path):
    design, netlist = mapped
    cells = cells_of(netlist)
    memories = [cell for cell in cells if cell["type"] == "DP16KD"]
    assert any("OUTREG" in cell["parameters"].values() for cell in memories)
    assert any(cell["type"] == "MULT18X18D" for cell in cells)
    compare(design, netlist, tmp_path / "work")


def test_a_register_too_many_is_seen(mapped, tmp_path):
    design, netlist = mapped
    content = json.loads(netlist.read_text())
    for cell in content["modules"][design.name]["cells"].values():
        if cell["type"] == "DP16KD":
            other = {"OUTREG": "NOREG", "NOREG": "OUTREG"}
            for port in "AB":
                cell["parameters"][f"REGMODE_{port}"] = other[cell["parameters"][f"REGMODE_{port}"]]
    broken = tmp_path / "broken.json"
    broken.write_text(json.dumps(content))
    codes = input_codes(design.network, 1, 5)
    found = simulate_netlist(broken, design, codes, tmp_path / "work")
    assert not np.array_equal(found.output, reference.run(design.network, codes)[design.network.output.name])
