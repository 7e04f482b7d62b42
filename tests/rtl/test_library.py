"""The modules as Verilog: one a file, with a header, without a warning of Verilator."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from rtl_designs import skip_without_verilator

from siliconv.rtl.simulation.verilator import verilator

LIBRARY = Path(__file__).resolve().parents[2] / "rtl" / "verilog"
MODULES = sorted(path.stem for path in LIBRARY.glob("*.sv"))


@pytest.mark.parametrize("module", MODULES)
def test_one_module_a_file_with_what_it_does_and_how_fast(module):
    text = (LIBRARY / f"{module}.sv").read_text(encoding="utf-8")
    assert re.findall(r"^module (\w+)", text, flags=re.MULTILINE) == [module]
    header = text[: text.index(f"module {module}")]
    assert "Latency:" in header
    assert "Throughput:" in header or "wires only" in header
    assert all(len(line) <= 120 for line in text.splitlines())


@pytest.mark.parametrize("module", MODULES)
def test_verilator_has_no_warning(module):
    skip_without_verilator()
    tool = verilator()
    command = [str(tool.program), "--lint-only", "-Wall", "-y", str(LIBRARY), str(LIBRARY / f"{module}.sv")]
    done = subprocess.run(command, env=os.environ | tool.environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("module", MODULES)
def test_no_sign_stands_before_a_cast(module):
    """Yosys 0.70 takes -Width'(x) for (-Width)'(x), without a word: the netlist was wrong, and no simulation saw it."""
    code = re.sub(r"//.*", "", (LIBRARY / f"{module}.sv").read_text(encoding="utf-8"))
    assert re.findall(r"(?<![\w)\]])\s*[-~!]\s*\w+'\(", code) == []
