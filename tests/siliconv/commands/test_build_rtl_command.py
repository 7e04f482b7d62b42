"""`siliconv build --core rtl`: what cannot be is refused before any work; a board's design and a bitstream are made."""

import json
import stat
import sys

import pytest
from tiny_project import TINY

from siliconv.actions.build_rtl import OVERLAY_FOLDER
from siliconv.commands.cli import run_command_line
from siliconv.rtl.synthesis.open_tools import has_tool

VIVADO = """
import pathlib, sys
assert sys.argv[1:] == ["-mode", "batch", "-source", "block_design.tcl"], sys.argv
sources = pathlib.Path("block_design.tcl").read_text()
if "xc7z020" not in sources:
    sys.exit("ERROR: [Common 17-345] A valid license was not found for feature 'Implementation'.")
pathlib.Path("overlay").mkdir()
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.delenv("SILICONV_VENDOR_TOOL", raising=False)
    return _project(tmp_path / "tiny", "board: pynq-z2, family: xc7, clock_mhz: 100")


def _project(folder, rtl):
    folder.mkdir(exist_ok=True)
    (folder / "project.yml").write_text(TINY + f"rtl: {{{rtl}}}\n")
    return folder


@pytest.fixture
def vivado(tmp_path, monkeypatch):
    executable = tmp_path / "bin" / "vivado"
    executable.parent.mkdir()
    executable.write_text(f"#!{sys.executable}\n{VIVADO}")
    executable.chmod(executable.stat().st_mode | stat.S_IXUSR)
    return executable


@pytest.mark.parametrize(
    ("rtl", "options", "code", "said"),
    [
        ("family: ecp5", ("--csynth",), "BUILD-STEP", "--until synth"),
        ("family: ecp5", ("--cosim",), "BUILD-STEP", "--until rtlsim"),
        ("family: ecp5", ("--top", "core"), "BITSTREAM-TOP", "build/rtl"),
        ("family: xc7", (), "BITSTREAM-BOARD", "pynq-z2"),
        ("family: xcup", ("--bitstream",), "BITSTREAM-BOARD", "zcu104, kv260"),
        ("family: ecp5", ("--tool", "somewhere"), "BUILD-TOOL", "no Vivado"),
        ("board: pynq-z2, family: xc7", ("--tool", "somewhere"), "BUILD-TOOL", "--bitstream"),
    ],
)
def test_what_cannot_be_is_refused_before_any_work(project, capsys, rtl, options, code, said):
    _project(project, rtl)
    assert run_command_line(["build", str(project), "--core", "rtl", *options]) == 2
    shown = " ".join(capsys.readouterr().err.split())
    assert code in shown
    assert said in shown
    assert not (project / "build").exists()


def test_a_core_that_nobody_knows(project, capsys):
    assert run_command_line(["build", str(project), "--core", "vhdl"]) == 2
    assert "BUILD-CORE" in capsys.readouterr().err


def test_missing_tools_are_told_before_any_work(project, monkeypatch, capsys):
    monkeypatch.setenv("PATH", "/nowhere")
    for variable in ("XILINX_VITIS", "XILINX_HLS", "XILINX_VIVADO"):
        monkeypatch.delenv(variable, raising=False)
    assert run_command_line(["build", str(project), "--core", "rtl", "--bitstream"]) == 3
    assert "no vivado was found" in capsys.readouterr().err
    _project(project, "board: ulx3s")
    monkeypatch.setattr("siliconv.rtl.synthesis.open_tools.has_tool", lambda name: name != "ecppack")
    assert run_command_line(["build", str(project), "--core", "rtl"]) == 3
    assert "no ecppack" in capsys.readouterr().err
    assert not (project / "build" / "network").exists()


@pytest.mark.slow
def test_a_board_gets_its_block_design_and_its_overlay(project, vivado, capsys):
    assert run_command_line(["build", str(project), "--core", "rtl"]) == 0
    assert "vivado -mode batch -source block_design.tcl" in " ".join(capsys.readouterr().err.split())
    assert (project / "build" / "rtl" / "block_design.tcl").is_file()
    assert not (project / "build" / OVERLAY_FOLDER).exists()
    arguments = ["build", str(project), "--core", "rtl", "--bitstream", "--tool", str(vivado), "--json"]
    assert run_command_line(arguments) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["board"], found["family"]) == ("pynq-z2", "xc7")
    assert found["files"][0].endswith(f"build/{OVERLAY_FOLDER}/overlay")
    assert (project / "build" / OVERLAY_FOLDER / "overlay").is_dir()
    assert not (project / "build" / "rtl" / "overlay").exists()
    _project(project, "board: zcu104, family: xcup, clock_mhz: 100")
    assert run_command_line(arguments) == 3
    assert "licen" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.skipif(not has_tool("nextpnr-ecp5"), reason="no nextpnr: pip install 'siliconv[rtl]'")
def test_a_ulx3s_gets_its_bitstream(project, capsys):
    _project(project, "board: ulx3s")
    assert run_command_line(["build", str(project), "--core", "rtl", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (project / "build" / "rtl.bit").stat().st_size > 10_000
    assert found["commands"][0] == "openFPGALoader -b ulx3s build/rtl.bit"
    assert (project / "build" / "rtl" / "ulx3s" / "check_board.py").is_file()
    assert found["placed"]["mhz"] > 25
    assert found["cells"]["ff"] > 0
    assert run_command_line(["build", str(project), "--core", "rtl"]) == 0
    assert "openFPGALoader" in " ".join(capsys.readouterr().err.split())
