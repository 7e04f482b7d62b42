"""Our models of the ECP5's blocks against the memories and products that Yosys made them of, cycle by cycle."""

import os
import subprocess

import numpy as np
import pytest
from rtl_designs import skip_without_verilator

from siliconv.rtl.library import library_files
from siliconv.rtl.simulation.verilator import verilator
from siliconv.rtl.synthesis.netlist_simulation import QUIET, netlist_as_verilog
from siliconv.rtl.synthesis.open_tools import has_tool
from siliconv.rtl.synthesis.yosys import synthesize

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not has_tool("yosys"), reason="no Yosys: pip install 'siliconv[rtl]'"),
]

SHAPES = {1: 14, 2: 13, 4: 12, 9: 11, 18: 10, 36: 9}
"""Bits of a word, and of an address, of a block memory in each of its modes."""

SIGNS = [(18, 18), (18, 7), (9, 18), (5, 4)]
"""Bits of the factors of products."""

MEMORY = """
  (* ram_style = "block" *) (* no_rw_check *) logic [{width}-1:0] m{width}[{words}];
  initial $readmemh("m{width}.hex", m{width});
  logic [{width}-1:0] early{width}, late{width};
  always_ff @(posedge clk_i) begin
    if (write_i) m{width}[write_at_i[{bits}-1:0]] <= data_i[{width}-1:0];
    early{width} <= m{width}[read_at_i[{bits}-1:0]];
  end
  (* ram_style = "block" *) logic [{width}-1:0] c{width}[{words}];
  initial $readmemh("m{width}.hex", c{width});
  logic [{width}-1:0] read{width};
  always_ff @(posedge clk_i) begin
    read{width} <= c{width}[read_at_i[{bits}-1:0]];
    late{width} <= read{width};
  end
"""
PRODUCT = """
  logic [{one}+{other}-1:0] p{one}_{other};
  multiply #(.AWidth({one}), .BWidth({other})) u_{one}_{other} (
      .clk_i, .a_i(data_i[{one}-1:0]), .b_i(data_i[35-:{other}]), .product_o(p{one}_{other}));
"""
BENCH = """
module bench (input logic clk_i, output logic [{bits}-1:0] differ_o, output logic lut_differs_o);
  logic [63:0] state_q = 64'h9E3779B97F4A7C15;
  always_ff @(posedge clk_i) state_q <= {{state_q[62:0], state_q[63] ^ state_q[62] ^ state_q[60] ^ state_q[59]}};
  logic [35:0] data_q;
  logic [13:0] read_q, write_q;
  logic enable_q;
  always_ff @(posedge clk_i) begin
    data_q <= state_q[35:0] ^ state_q[63:28];
    read_q <= state_q[45:32] ^ state_q[14:1];
    write_q <= state_q[60:47];
    enable_q <= state_q[13];
  end
  logic [{bits}-1:0] gold, gate;
  gold u_gold (.clk_i, .write_i(enable_q), .write_at_i(write_q), .read_at_i(read_q), .data_i(data_q), .all_o(gold));
  gate u_gate (.clk_i, .write_i(enable_q), .write_at_i(write_q), .read_at_i(read_q), .data_i(data_q), .all_o(gate));
  assign differ_o = gold ^ gate;
  logic [15:0] few_q = '0;
  logic [15:0] known_q = '0;
  logic lut;
  always_ff @(posedge clk_i) if (enable_q) begin
    few_q[write_q[3:0]] <= data_q[0];
    known_q[write_q[3:0]] <= 1'b1;
  end
  LUT_MEMORY u_lut (.WCK(clk_i), .WRE(enable_q), .WD(data_q[0]), .WAD3(write_q[3]), .WAD2(write_q[2]),
      .WAD1(write_q[1]), .WAD0(write_q[0]), .RAD3(read_q[3]), .RAD2(read_q[2]), .RAD1(read_q[1]), .RAD0(read_q[0]),
      .DO(lut));
  assign lut_differs_o = known_q[read_q[3:0]] & (lut ^ few_q[read_q[3:0]]);
endmodule
"""
MAIN = r"""
#include "Vbench.h"
#include <cstdio>
int main() {
  Vbench top;
  unsigned long long cycles = 0;
  for (int n = 0; n < 300000; n++) {
    top.clk_i = 0; top.eval();
    if (n > 8) for (int bit = 0; bit < BITS; bit++)
      if (top.differ_o[bit / 32] >> bit % 32 & 1) { printf("bit %d\n", bit); return 1; }
    if (top.lut_differs_o) { printf("LUT_MEMORY\n"); return 1; }
    top.clk_i = 1; top.eval();
    cycles++;
  }
  printf("equal %llu\n", cycles);
}
"""


def all_bits():
    return sum(2 * width for width in SHAPES) + sum(one + other for one, other in SIGNS)


def sources(name):
    """Every mode of the memory, with and without its output register, and products of several widths."""
    parts = [MEMORY.format(width=width, bits=bits, words=1 << bits) for width, bits in SHAPES.items()]
    parts += [PRODUCT.format(one=one, other=other) for one, other in SIGNS]
    outputs = [f"early{width}, late{width}" for width in SHAPES] + [f"p{one}_{other}" for one, other in SIGNS]
    head = (
        f"module {name} (input logic clk_i, write_i, input logic [13:0] write_at_i, read_at_i,"
        f" input logic [35:0] data_i, output logic [{all_bits()}-1:0] all_o);"
    )
    return "\n".join([head, *parts, f"  assign all_o = {{{', '.join(outputs)}}};", "endmodule", ""])


@pytest.fixture(scope="module")
def mapped(tmp_path_factory):
    """The sources as they are, and the netlist with our models, beside each other."""
    skip_without_verilator()
    folder = tmp_path_factory.mktemp("models")
    random = np.random.default_rng(0)
    for width, bits in SHAPES.items():
        words = random.integers(0, 1 << width, 1 << bits)
        (folder / f"m{width}.hex").write_text("".join(f"{word:x}\n" for word in words))
    for name, text in library_files().items():
        if name.endswith("multiply.sv"):
            (folder / "library" / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / "library" / name).write_text(text)
    (folder / "library" / "gate.sv").write_text(sources("gate"))
    cells = synthesize(folder, "gate", "ecp5").cells
    assert cells["DP16KD"] == 2 * len(SHAPES)
    assert cells["MULT18X18D"] == len(SIGNS)
    netlist = netlist_as_verilog(folder / "gate_ecp5.json", "gate", folder)
    (folder / "gold.sv").write_text(QUIET + sources("gold") + library_files()["multiply.sv"])
    (folder / "bench.sv").write_text(BENCH.format(bits=all_bits()))
    (folder / "main.cpp").write_text(MAIN.replace("BITS", str(all_bits())))
    return folder, netlist


def simulated(folder, netlist):
    """Build both into a test bench and run it; gives what it says."""
    (folder / "gate.v").write_text(netlist)
    tool = verilator()
    environment = os.environ | tool.environment
    files = ["bench.sv", "gold.sv", "gate.v", "../main.cpp"]
    command = [tool.program, "--cc", "--exe", "--top-module", "bench", "-Wno-fatal", *files, "--Mdir", "obj"]
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
    make = ["make", "-C", "obj", "-f", "Vbench.mk", "OPT_FAST=-O1", "OPT_SLOW=", "OPT_GLOBAL=-O0"]
    subprocess.run([*make, *tool.make_options.split()], cwd=folder, env=environment, check=True, capture_output=True)
    return subprocess.run([folder / "obj" / "Vbench"], cwd=folder, capture_output=True, text=True, check=False).stdout


def test_models_do_what_the_sources_say_in_every_mode(mapped):
    folder, netlist = mapped
    assert 'REGMODE_B("OUTREG")' in netlist
    assert all(f"DATA_WIDTH_B(32'sd{width})" in netlist or f"DATA_WIDTH_B(32'd{width})" in netlist for width in SHAPES)
    assert simulated(folder, netlist).startswith("equal")


BROKEN = {
    "DP16KD": ("9: place = low[3] ? 5'd9 : 5'd0", "9: place = 5'd0"),
    "MULT18X18D": ("{{18{SIGNEDB & right[17]}}, right}", "{18'd0, right}"),
    "LUT_MEMORY": ("bits[{RAD3, RAD2, RAD1, RAD0}]", "bits[{RAD3, RAD2, RAD0, RAD1}]"),
}


@pytest.mark.parametrize("model", BROKEN)
def test_a_wrong_model_is_seen(model, mapped):
    folder, netlist = mapped
    before, after = BROKEN[model]
    assert netlist.count(before) == 1
    said = simulated(folder, netlist.replace(before, after))
    assert said.startswith("LUT_MEMORY" if model == "LUT_MEMORY" else "bit")
