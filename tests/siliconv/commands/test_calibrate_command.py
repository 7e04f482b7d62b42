"""`siliconv calibrate`: own results move the estimates of designs like them, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from network_builder import dense_network

from siliconv.actions.fit_project import fit_project
from siliconv.commands.cli import run_command_line
from siliconv.flow.synthesis_file import write_synthesis
from siliconv.hardware.boards import board
from siliconv.hls.calibration.own_calibration import OwnResult, merged, refined
from siliconv.hls.configuration import HlsConfig
from siliconv.hls.estimate.coefficients import shipped
from siliconv.hls.estimate.estimate import estimate
from siliconv.hls.fifo.sized_design import design_of
from siliconv.hls.vendor.synthesis_results import SynthesisResults
from siliconv.network import network_file
from siliconv.network.network_file import network_hash
from siliconv.project.calibration_file import CALIBRATION_FILE, calibrated, user_file

CONFIG = HlsConfig(strategy="latency", io_type="io_parallel")
PROJECT = """\
model:
  input_shape: [2, 2, 1]
  layers: [{kind: flatten}, {kind: dense, units: 3}]
hls: {strategy: latency, io_type: io_parallel}
"""


@pytest.fixture(autouse=True)
def _configuration(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "configuration"))


def synthesized(folder, *, times, weight_bits=6):
    """A project whose reports say so many times what is estimated."""
    network = dense_network(weight_bits)
    (folder / "build").mkdir(parents=True)
    (folder / "project.yml").write_text(PROJECT)
    network_file.save(network, folder / "build" / "network")
    before = estimate(design_of(network, CONFIG))
    reported = {"lut": before.lut.value * times, "ff": before.ff.value * times}
    stages = {"csynth": reported, "vsynth": {name: 0.5 * value for name, value in reported.items()}}
    results = SynthesisResults("Vitis HLS 2024.1", CONFIG.part, 5.0, stages, {})
    manifest = {"network_sha256": network_hash(network), "hls": CONFIG.model_dump(mode="json")}
    write_synthesis(folder / "build", manifest, results)
    return network


def test_an_own_result_moves_the_estimate_most_of_the_way(tmp_path, capsys):
    network = synthesized(tmp_path / "mine", times=2)
    design = design_of(network, CONFIG)
    package = Path(user_file().parent)
    assert not package.exists()
    assert run_command_line(["calibrate", "--reports", str(tmp_path / "mine"), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["file"] == str(user_file())
    lut = next(one for one in shown["results"] if (one["stage"], one["resource"]) == ("csynth", "lut"))
    assert lut["before"] == estimate(design).lut.value
    assert lut["before"] < lut["after"]
    assert abs(lut["after"] / lut["reported"] - 1) < 0.3 < abs(lut["before"] / lut["reported"] - 1)
    known, said = calibrated(None)
    assert "1 synthesis result of one's own" in said
    assert estimate(design, coefficients=known).lut.value == lut["after"]
    assert known.logic_synthesis["lut"] > shipped().logic_synthesis["lut"]


def test_parts_that_a_design_does_not_have_keep_their_cost(tmp_path):
    synthesized(tmp_path / "mine", times=2)
    assert run_command_line(["calibrate", "--reports", str(tmp_path / "mine")]) == 0
    known, _ = calibrated(None)
    before, after = shipped().parts["csynth"]["lut"], known.parts["csynth"]["lut"]
    changed = {name for name in before if before[name] != after[name]}
    assert changed
    assert not any(name.startswith(("convolution", "fifo", "pool")) for name in changed)
    assert known.parts["vsynth"] == shipped().parts["vsynth"], "another kind of design"


def test_results_agree_with_what_is_known_change_nothing(tmp_path, capsys):
    synthesized(tmp_path / "mine", times=1)
    assert run_command_line(["calibrate", "--reports", str(tmp_path / "mine"), "--json"]) == 0
    for one in json.loads(capsys.readouterr().out)["results"]:
        if one["stage"] == "csynth":
            assert one["after"] == pytest.approx(one["before"], abs=1)


def test_results_add_up_and_the_same_design_counts_once(tmp_path):
    synthesized(tmp_path / "all" / "one", times=1.5)
    synthesized(tmp_path / "all" / "two", times=1.5, weight_bits=8)
    assert run_command_line(["calibrate", "--reports", str(tmp_path / "all" / "one")]) == 0
    assert run_command_line(["calibrate", "--reports", str(tmp_path / "all")]) == 0
    assert "2 synthesis results" in calibrated(None)[1]


def test_results_beside_a_project_are_for_it_alone(tmp_path):
    synthesized(tmp_path / "mine", times=2)
    own = str(tmp_path / "mine")
    assert run_command_line(["calibrate", "--reports", own, "--project", own]) == 0
    assert (tmp_path / "mine" / CALIBRATION_FILE).is_file()
    assert not user_file().exists()
    assert calibrated(None) == (shipped(), "")
    notes = fit_project(tmp_path / "mine", board("zcu104"), write=False).notes
    assert any("of one's own" in note for note in notes)


def test_folders_without_results_and_damaged_files_are_told(tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    assert run_command_line(["calibrate", "--reports", str(tmp_path / "empty")]) == 2
    assert "CALIBRATION-NONE" in capsys.readouterr().err
    network_file.save(dense_network(5), _stale(tmp_path) / "build" / "network")
    assert run_command_line(["calibrate", "--reports", str(tmp_path / "stale")]) == 2
    assert "CALIBRATION-STALE" in capsys.readouterr().err
    user_file().parent.mkdir(parents=True)
    user_file().write_text("{}")
    records = tmp_path / "records.json"
    records.write_text("[]")
    assert run_command_line(["estimate", "--records", str(records)]) == 2
    assert "CALIBRATION-FILE" in capsys.readouterr().err


def _stale(tmp_path):
    synthesized(tmp_path / "stale", times=1)
    return tmp_path / "stale"


def test_many_agreeing_results_win_over_the_shipped_cost():
    shared = shipped().parts["csynth"]["lut"]
    part = next(name for name, cost in shared.items() if cost > 0)
    results = [
        OwnResult(
            str(n), f"d{n}", "tool", "other", {part: 1000 + n}, {"csynth": {"lut": 3 * shared[part] * (1000 + n)}}
        )
        for n in range(20)
    ]
    known = refined(shipped(), merged([], results))
    assert known.parts["csynth"]["lut"][part] == pytest.approx(3 * shared[part], rel=0.05)
    assert refined(shipped(), []) is shipped()
