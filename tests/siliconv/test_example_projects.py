"""Example projects of the repository, from their data to exact firmware."""

from __future__ import annotations

import json
import shutil

import pytest
from house import ROOT

from siliconv.commands.cli import run_command_line
from siliconv.network import network_file


@pytest.mark.slow
def test_waveforms_go_to_exact_firmware_with_their_kind_and_their_amplitude(compiler, tmp_path, capsys):
    source = ROOT / "firmware_projects" / "waveforms"
    shutil.copytree(source, tmp_path / "waveforms", ignore=shutil.ignore_patterns("build"))
    assert run_command_line(["run", str(tmp_path / "waveforms"), "--until", "csim"]) == 0
    assert "kind of 3 classes; amplitude with a target each; signed 12 bits" in capsys.readouterr().err
    build = tmp_path / "waveforms" / "build"
    assert json.loads((build / "csim.json").read_text())["exact"]
    outputs = json.loads((build / "network" / "metrics.json").read_text())["outputs"]
    assert outputs["kind"]["value"] > 0.95
    assert outputs["amplitude"]["value"] < 0.05
    network = network_file.load(build / "network")
    assert network.input.type.width == 12
    assert [node.name for node in network.outputs] == ["kind_softmax", "amplitude"]


@pytest.mark.slow
def test_the_jet_tagger_goes_from_generated_features_to_exact_firmware(compiler, tmp_path, capsys):
    shutil.copytree(ROOT / "firmware_projects" / "jets", tmp_path / "jets", ignore=shutil.ignore_patterns("build"))
    assert run_command_line(["run", str(tmp_path / "jets"), "--until", "csim"]) == 0
    assert "inputs of 5 classes; signed 16 bits" in capsys.readouterr().err
    build = tmp_path / "jets" / "build"
    certificate = json.loads((build / "csim.json").read_text())
    assert certificate["exact"]
    assert certificate["accuracy"]["firmware"] > 0.74
    assert network_file.load(build / "network").input.shape == (16,)
