"""`siliconv build`: a stand-in replays a run of Vitis HLS with real reports; failures are told in the user's words."""

from __future__ import annotations

import json
import shutil
import stat
import sys
from pathlib import Path

import published_records
import pytest
from tiny_project import TINY

from siliconv.commands.cli import run_command_line
from siliconv.flow.flow import run_flow
from siliconv.hls.estimate.coefficients import cross_validated_errors
from siliconv.hls.vendor.vendor_run import LOG_FILE
from siliconv.progress import Silent
from siliconv.project.project import load_project
from siliconv.report import report
from siliconv.stages.stages import STAGES

STAND_IN = Path(__file__).resolve().parents[2] / "support" / "stand_in_vitis.py"


@pytest.fixture(scope="module")
def converted(tmp_path_factory):
    """A small project up to its firmware."""
    folder = tmp_path_factory.mktemp("projects") / "tiny"
    folder.mkdir()
    (folder / "project.yml").write_text(TINY)
    assert run_command_line(["convert", str(folder)]) == 0
    return folder


@pytest.fixture
def project(converted, tmp_path):
    return Path(shutil.copytree(converted, tmp_path / "tiny"))


@pytest.fixture
def tool(tmp_path, monkeypatch):
    """The stand-in as vitis-run on the PATH."""
    executable = tmp_path / "bin" / "vitis-run"
    executable.parent.mkdir()
    executable.write_text(f"#!{sys.executable}\n{STAND_IN.read_text()}")
    executable.chmod(executable.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(executable.parent), prepend=":")
    monkeypatch.setenv("STAND_IN_REPORTS", str(published_records.folder() / "vendor" / "vitis_hls_2024.1_conv1d"))
    monkeypatch.delenv("SILICONV_VENDOR_TOOL", raising=False)
    return executable


def estimate_again(project):
    """Bring the estimate up to date; the C simulation before it is no part of this."""
    stages = [stage for stage in STAGES if stage.name != "csim"]
    run_flow(stages, load_project(project), project.name, project / "build", Silent(), until="estimate")
    return estimate_of(project)


def estimate_of(project):
    return json.loads((project / "build" / "estimate.json").read_text())


def test_c_synthesis_takes_the_place_of_the_estimate(project, tool, capsys):
    before = estimate_again(project)
    assert before["source"] == "estimate"
    assert run_command_line(["build", str(project), "--csim", "--csynth"]) == 0
    shown = capsys.readouterr()
    assert "csynth" in shown.err
    assert "Vitis HLS 2024.1" in shown.out
    assert "17,966" in shown.out
    assert "HLS 200-960: a loop was not flattened" in " ".join(shown.err.split())
    (loop,) = estimate_of(project)["measured"]["loops"]
    assert (loop["layer"], loop["achieved"], loop["depth"]) == ("dense_1", 4, 40)
    assert loop["expected"] > 0
    assert "dense_1" in shown.out
    assert "Deeper than FIFOs of joins have room for: dense_1" in " ".join(shown.err.split())
    after = estimate_of(project)
    assert after["source"] == "csynth"
    assert after["lut"] == {"value": 17966, "low": 17966, "high": 17966}
    assert after["latency_cycles"]["value"] == 395
    assert after["estimate"]["lut"] == before["lut"]
    assert after["layers"] == before["layers"]
    # Another design has its own estimate again, and not the other's reports.
    text = (project / "project.yml").read_text()
    (project / "project.yml").write_text(text + "hls: {clock_ns: 8}\n")
    assert estimate_again(project)["source"] == "estimate"
    (project / "project.yml").write_text(text)
    assert estimate_again(project)["source"] == "csynth"


def test_logic_synthesis_cosimulation_and_timing(project, tool, capsys):
    assert run_command_line(["build", str(project)]) == 0
    capsys.readouterr()
    # C synthesis is there already and is not run again: the stand-in would fail to make its folder.
    assert run_command_line(["build", str(project), "--vsynth", "--cosim", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found == estimate_of(project)
    assert found["source"] == "vsynth"
    assert found["lut"]["value"] == 8565
    assert found["bram18"]["value"] == 24
    assert found["latency_cycles"]["value"] == 393, "as simulated"
    measured = found["measured"]
    assert measured["stages"]["csynth"]["lut"] == 17966
    assert measured["cosimulation_passed"] is True
    assert measured["timing"]["setup_slack_ns"] == 1.347
    assert measured["timing"]["met"] is True
    assert not (project / "build" / "firmware" / "tiny_prj").exists(), "the generated project is left as it is"
    page = report.TEMPLATES.get_template("estimate.html.j2").render(
        estimate=found, estimator_errors=cross_validated_errors(), thing="image", things="images"
    )
    assert "Vitis HLS 2024.1 and Vivado" in page
    assert "reported: vsynth" in page
    assert "8,565" in page


def test_the_core_alone_is_built_where_it_is_asked_for(project, tool, capsys):
    assert run_command_line(["build", str(project)]) == 0
    assert "tiny_axi, Vitis HLS" in capsys.readouterr().out
    assert run_command_line(["build", str(project), "--top", "core"]) == 0
    assert "tiny, Vitis HLS" in capsys.readouterr().out
    folder = project / "build" / "synthesis"
    assert {path.name for path in folder.glob("*_prj")} == {"tiny_prj", "tiny_axi_prj"}


def test_a_bitstream_for_a_board_that_has_a_block_design(project, tool, capsys):
    assert run_command_line(["build", str(project), "--bitstream"]) == 0
    said = capsys.readouterr().err
    assert "bitstream" in said
    assert "check_board.py" in said
    assert (project / "build" / "synthesis" / "overlay").is_dir()
    assert (project / "build" / "synthesis" / "driver" / "check_board.py").is_file()


@pytest.mark.parametrize(
    ("hls", "options", "code", "said"),
    [
        ("part: xcu250-figd2104-2L-e", (), "BITSTREAM-BOARD", "memory ports"),
        ("part: xc7a35ticsg324-1L", (), "BITSTREAM-BOARD", "pynq-z2 (xc7z020clg400-1)"),
        ("bram_factor: 100", (), "BITSTREAM-WEIGHTS", "bram_factor"),
        ("clock_ns: 5", ("--top", "core"), "BITSTREAM-TOP", "AXI-Stream top level"),
    ],
)
def test_what_no_bitstream_can_be_made_of_is_refused_before_any_work(project, tool, capsys, hls, options, code, said):
    path = project / "project.yml"
    path.write_text(path.read_text() + f"hls: {{{hls}}}\n")
    assert run_command_line(["build", str(project), "--bitstream", *options]) == 2
    shown = capsys.readouterr().err
    assert code in shown
    assert said in " ".join(shown.split())
    assert not (project / "build" / "synthesis").exists()


@pytest.mark.parametrize(
    ("failure", "code", "exit_code", "said"),
    [
        ("unroll", "VENDOR-UNROLL", 1, "hls.max_multipliers"),
        ("memory", "VENDOR-MEMORY", 3, "memory ran out"),
        ("licence", "VENDOR-LICENCE", 3, "'Synthesis'"),
        ("part", "VENDOR-PART", 2, "xcu250-nonsense"),
    ],
)
def test_failures_are_explained(project, tool, capsys, monkeypatch, failure, code, exit_code, said):
    monkeypatch.setenv("STAND_IN_FAILURE", failure)
    assert run_command_line(["build", str(project), "--csynth"]) == exit_code
    message = capsys.readouterr().err
    assert code in message
    assert said in message
    assert "Traceback" not in message
    assert LOG_FILE in message
    log = (project / "build" / "synthesis" / LOG_FILE).read_text()
    assert "Running: csynth_design" in log
    assert not (project / "build" / "synthesis.json").exists()
    # Mended, it goes through.
    monkeypatch.setenv("STAND_IN_FAILURE", "")
    assert run_command_line(["build", str(project), "--csynth"]) == 0


def test_without_a_tool_the_exit_code_is_3_before_any_work(tmp_path, capsys, monkeypatch):
    (tmp_path / "project.yml").write_text(TINY)
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in ("SILICONV_VENDOR_TOOL", "XILINX_VITIS", "XILINX_HLS", "XILINX_VIVADO"):
        monkeypatch.delenv(name, raising=False)
    assert run_command_line(["build", str(tmp_path)]) == 3
    message = capsys.readouterr().err
    assert "VENDOR-NO-TOOL" in message
    assert "settings64.sh" in message
    assert not (tmp_path / "build").exists()


def test_a_settings_script_makes_the_tool_available(project, tool, capsys, monkeypatch, tmp_path):
    script = tmp_path / "settings64.sh"
    script.write_text(f'export PATH="{tool.parent}:$PATH"\n')
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    assert run_command_line(["build", str(project), "--tool", str(script)]) == 0
    assert estimate_of(project)["source"] == "csynth"
