"""What Yosys counts of a small design, its place on an ECP5, and the bitstream."""

import pytest
from small_network import small_network

from siliconv.errors import ProjectError, ToolError
from siliconv.rtl.configuration import RtlConfig
from siliconv.rtl.design.rtl_design import design_of
from siliconv.rtl.synthesis.nextpnr import check_family, pack, place
from siliconv.rtl.synthesis.open_tools import Spent, has_tool, run_tool
from siliconv.rtl.synthesis.yosys import counted, synthesize
from siliconv.rtl.writing.rtl_project import write_project

needs_yosys = pytest.mark.skipif(not has_tool("yosys"), reason="no Yosys: pip install 'siliconv[rtl]'")


def test_cells_are_added_up_by_what_they_take():
    cells = {"LUT4": 10, "CCU2C": 3, "TRELLIS_DPR16X4": 2, "TRELLIS_FF": 7, "MULT18X18D": 2, "DP16KD": 1, "PFUMX": 4}
    found = counted(cells, "ecp5", Spent(1, 1, 1))
    assert (found.lut, found.ff, found.dsp, found.block_memory) == (28, 7, 2, 1)
    cells = {"LUT6": 5, "LUT2": 1, "RAM32M": 2, "SRL16E": 3, "FDRE": 4, "RAMB36E1": 2, "RAMB18E1": 1, "DSP48E1": 3}
    found = counted(cells, "xc7", Spent(1, 1, 1))
    assert (found.lut, found.lut_memory, found.ff, found.dsp, found.block_memory) == (6, 11, 4, 3, 5)


def test_only_ecp5_is_placed():
    check_family("ecp5")
    with pytest.raises(ProjectError) as caught:
        check_family("xc7")
    assert caught.value.code == "RTL-FAMILY"


@pytest.mark.slow
@needs_yosys
def test_a_design_becomes_a_bitstream(tmp_path):
    design = design_of(small_network(4), RtlConfig(interval=4))
    write_project([design], tmp_path)
    cells = synthesize(tmp_path, design, "ecp5")
    assert cells.dsp == sum(block.pixels * block.multipliers for block in design.blocks)
    assert cells.lut > 50
    placed = place(tmp_path, design, "LFE5U-85F-6BG381", mhz=100)
    assert placed.mhz > 50
    assert placed.used["MULT18X18D"] == cells.dsp
    bitstream, _ = pack(tmp_path, design)
    assert bitstream.stat().st_size > 10_000


@pytest.mark.slow
@needs_yosys
@pytest.mark.parametrize("family", ["xc7", "xcup"])
def test_other_families_are_mapped(family, tmp_path):
    design = design_of(small_network(4), RtlConfig(interval=4, family=family))
    write_project([design], tmp_path)
    found = synthesize(tmp_path, design, family)
    assert found.lut > 20
    assert found.ff > 20


@pytest.mark.slow
@needs_yosys
def test_what_yosys_refuses_is_told(tmp_path):
    (tmp_path / "bad.sv").write_text("module bad; assign x = ; endmodule\n")
    with pytest.raises(ToolError) as caught:
        run_tool("yosys", ["-q", "-p", "read_verilog -sv bad.sv"], tmp_path, "said.log")
    assert caught.value.code == "RTL-TOOL"
    assert "syntax error" in caught.value.what
