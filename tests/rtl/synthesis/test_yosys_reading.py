"""Yosys reads the modules as Verilator does: what it made of each kind, before mapping, has the bits and cycles too.

Yosys 0.70 took -Width'(x) for another size, without a word; only what it reads itself shows such things.
"""

import pytest
from rtl_designs import one_of_each_kind, random_design, skip_without_verilator, written

from siliconv.rtl.simulation.verilator import build
from siliconv.rtl.synthesis.netlist_simulation import QUIET
from siliconv.rtl.synthesis.open_tools import has_tool, run_tool

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not has_tool("yosys"), reason="no Yosys: pip install 'siliconv[rtl]'"),
]


def test_bits_and_cycles_of_what_yosys_reads(tmp_path):
    skip_without_verilator()
    designs = [random_design(network, number) for number, network in enumerate(one_of_each_kind()[::2])]
    bench = written(designs, tmp_path, probes=False)
    library = " ".join(f"library/{path.name}" for path in sorted((tmp_path / "library").glob("*.sv")))
    for design in designs:
        script = f"read_verilog -defer -sv {library} {design.name}.sv; hierarchy -top {design.name}; proc; flatten"
        run_tool("yosys", ["-q", "-p", f"{script}; opt_clean; write_verilog -noattr flat.v"], tmp_path, "said.log")
        flat = (tmp_path / "flat.v").read_text(encoding="utf-8")
        (tmp_path / f"{design.name}.sv").write_text(QUIET + flat, encoding="utf-8")
    for path in (tmp_path / "library").glob("*.sv"):
        path.unlink()
    build(tmp_path, optimize="-O0")
    for pauses in ((0, 0), (50, 50)):
        assert bench.differences(pauses) == []
