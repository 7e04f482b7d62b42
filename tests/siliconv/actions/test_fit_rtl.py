"""`siliconv fit --core rtl`: the interval is written in place; what binds is told where nothing fits."""

import json
from dataclasses import replace

import pytest
from small_network import small_network

from siliconv.actions.fit_rtl import fit_rtl
from siliconv.commands.cli import run_command_line
from siliconv.errors import ProjectError
from siliconv.hardware.boards import board
from siliconv.network import network_file
from siliconv.project.project import load_project

PROJECT = "# mine\nmodel: {preset: digits}  # the network\n"


@pytest.fixture
def project(tmp_path):
    (tmp_path / "project.yml").write_text(PROJECT)
    (tmp_path / "build").mkdir()
    network_file.save(small_network(12), tmp_path / "build" / "network")
    return tmp_path


def test_what_is_chosen_is_written(project, capsys):
    code = run_command_line(
        ["fit", str(project), "--core", "rtl", "--board", "ulx3s-85f", "--fps", "5000000", "--json"]
    )
    found = json.loads(capsys.readouterr().out)
    assert code == 0
    assert found["chosen"]["images_per_second"] >= 5e6
    config = load_project(project).rtl
    assert config.interval == found["chosen"]["interval"]
    assert (config.family, config.part, config.clock_mhz) == ("ecp5", "LFE5U-85F-6BG381", 100.0)
    assert "# mine" in (project / "project.yml").read_text()


def test_a_dry_run_writes_nothing(project, capsys):
    arguments = ["fit", str(project), "--core", "rtl", "--board", "pynq-z2", "--clock-ns", "5", "--dry-run"]
    assert run_command_line(arguments) == 0
    assert "chosen" in capsys.readouterr().out
    assert (project / "project.yml").read_text() == PROJECT


def test_what_binds_is_told(project):
    found = fit_rtl(project, replace(board("ulx3s-85f"), dsp=3, lut=600), images_per_second=5e7)
    assert found.chosen is None
    assert found.written == ()
    assert (project / "project.yml").read_text() == PROJECT
    refused = found.refusal()
    assert refused.code == "FIT-NONE"
    assert "LUT" in refused.what
    whole = fit_rtl(project, board("ulx3s-85f"), images_per_second=1e9).refusal()
    assert "the fastest that the blocks can be" in whole.what


def test_what_an_older_design_left_is_taken_back(project):
    old = "rtl: {board: ulx3s, multipliers: 2, rom: {dense: block}, lanes: {dense: [1, 3]}}  # older\n"
    (project / "project.yml").write_text(PROJECT + old)
    found = fit_rtl(project, board("pynq-z2"))
    config = load_project(project).rtl
    assert (config.board, config.family, config.multipliers) == ("pynq-z2", "xc7", found.chosen.multipliers)
    assert (config.rom, config.lanes) == (dict(found.chosen.roms), {})
    assert {"rtl.board", "rtl.lanes", "rtl.rom"} <= set(found.written)
    assert "# older" in (project / "project.yml").read_text()
    few = fit_rtl(project, replace(board("ulx3s-85f"), dsp=1))
    assert load_project(project).rtl.board is None
    assert load_project(project).rtl.multipliers == few.chosen.multipliers == 1


def test_what_is_wrong_is_told(project, capsys):
    assert run_command_line(["fit", str(project), "--core", "xls", "--board", "ulx3s-85f"]) == 2
    assert "FIT-CORE" in capsys.readouterr().err
    (project / "build" / "network").rename(project / "build" / "away")
    with pytest.raises(ProjectError) as caught:
        fit_rtl(project, board("ulx3s-85f"))
    assert caught.value.code == "FIT-BUILD"
