"""`siliconv fit`: settings that fit are written in place, and where nothing fits there are numbers and remedies."""

from __future__ import annotations

import json
import re

import pytest
from network_builder import dense_network

from siliconv.actions.fit_project import fit_project
from siliconv.commands.cli import run_command_line
from siliconv.hardware.boards import board
from siliconv.hls.estimate.estimate import estimate
from siliconv.hls.fifo.sized_design import design_of
from siliconv.hls.kinds import Synthesis
from siliconv.network import network_file
from siliconv.plan.design_of_plan import planned_design
from siliconv.plan.plan_of_project import plan_of
from siliconv.project.project import load_project
from siliconv.project.project_edit import set_fields

PROJECT = """\
# Digits, with remarks.
model:
  preset: {preset}  # the network

hls:
  clock_ns: 10  # a slow device
  max_multipliers: 64

csim:
  images: 8
"""


@pytest.fixture
def digits(tmp_path):
    return project_of(tmp_path, "digits")


def project_of(folder, name):
    (folder / "project.yml").write_text(PROJECT.format(preset=name))
    return folder


def outcome(capsys, *arguments):
    """The exit code, the result and what was said."""
    code = run_command_line(["fit", *map(str, arguments), "--json"])
    shown = capsys.readouterr()
    assert "Traceback" not in shown.err
    return code, json.loads(shown.out), shown.err


def test_the_chosen_settings_are_written_and_give_the_estimate_that_was_shown(digits, capsys):
    code, found, _ = outcome(capsys, digits, "--board", "pynq-z2")
    assert code == 0
    text = (digits / "project.yml").read_text()
    for kept in ("# Digits, with remarks.", "# the network", "# a slow device", "  images: 8"):
        assert kept in text
    project = load_project(digits)
    assert project.hls.part == board("pynq-z2").part
    assert project.hls.reuse_factors == found["chosen"]["reuse_factors"]
    design = planned_design(plan_of(digits.name, project))
    assert estimate(design, stage=Synthesis.VSYNTH).as_json() == found["chosen"]["estimate"]
    assert found["source"] == "architecture"
    assert any("not trained" in note for note in found["notes"])
    # The same again finds everything in place.
    code, again, _ = outcome(capsys, digits, "--board", "pynq-z2")
    assert (code, again["written"]) == (0, [])
    assert (digits / "project.yml").read_text() == text


def test_a_project_is_for_the_board_that_was_named_and_not_for_another_with_the_same_device(digits, capsys):
    code, found, _ = outcome(capsys, digits, "--board", "zcu106", "--fps", "1000")
    assert code == 0
    assert "hls.board" in found["written"]
    project = load_project(digits)
    assert project.hls.board == "zcu106"
    assert plan_of(digits.name, project).board == board("zcu106")
    assert run_command_line(["new", str(digits.parent / "other"), "--board", "zcu106"]) == 0
    assert load_project(digits.parent / "other").hls.device == board("zcu106")


def test_a_dry_run_writes_nothing(digits, capsys):
    before = (digits / "project.yml").read_bytes()
    assert run_command_line(["fit", str(digits), "--board", "zcu104", "--dry-run"]) == 0
    assert "chosen" in capsys.readouterr().out
    assert (digits / "project.yml").read_bytes() == before


def test_a_rate_is_reached_with_the_smallest_that_does(digits):
    fast = fit_project(digits, board("pynq-z2"), write=False).fit.chosen
    slow = fit_project(digits, board("pynq-z2"), images_per_second=1000, write=False).fit.chosen
    assert fast.images_per_second > slow.images_per_second >= 1000
    assert slow.binding[1] < fast.binding[1]
    near = fit_project(digits, board("pynq-z2"), latency_us=50, write=False).fit.chosen
    assert near.latency_us <= 50


def test_weights_that_are_outside_the_core_stay_there(digits):
    set_fields(digits / "project.yml", {"hls.bram_factor": 1000})
    found = fit_project(digits, board("pynq-z2"), write=False)
    assert found.fit.chosen.bram_factor == 1000
    outside = [layer for layer in found.design.layers if getattr(layer, "weights_outside", False)]
    assert outside
    assert all(found.fit.chosen.reuse_factors[layer.name] > 1 for layer in outside), "a memory of words"
    assert any("siliconv build --bitstream writes none" in note for note in found.notes)


def test_weights_go_outside_the_core_where_nothing_else_fits(tmp_path, capsys):
    code, found, _ = outcome(capsys, project_of(tmp_path, "dnn_baseline"), "--board", "zcu104", "--dry-run")
    assert code == 0
    chosen = found["chosen"]
    assert chosen["bram_factor"] is not None
    assert found["best"][0]["shares"]["bram18"] < 0.8
    assert chosen["estimate"]["warnings"]


def test_an_impossible_rate_exits_1_and_says_what_stands_in_the_way(digits, capsys):
    before = (digits / "project.yml").read_bytes()
    code, found, said = outcome(capsys, digits, "--board", "arty-a7-35t", "--fps", "1000000000")
    assert code == 1
    assert "FIT-NONE" in said
    assert found["chosen"] is None
    assert found["verdict"].startswith("reaches ")
    assert (digits / "project.yml").read_bytes() == before


@pytest.mark.parametrize(
    "name", ["pynq-z2", *(pytest.param(name, marks=pytest.mark.slow) for name in ("alveo-u250", "ecp5-evn"))]
)
def test_the_flat_head_of_the_lecture_is_refused_before_any_work(tmp_path, capsys, name):
    code, found, said = outcome(capsys, project_of(tmp_path, "lecture_flatten"), "--board", name)
    assert code == 1
    assert "268,839,776 weights" in " ".join(found["notes"])
    assert re.search(r"\d{4,}% of the 18-Kb block memories", said), said
    helpful = [one["text"] for one in found["remedies"] if one["fits"]]
    assert any("preset" in one for one in helpful) == (name == "alveo-u250")
    assert not (tmp_path / "build").exists()


def test_the_dense_baseline_says_what_it_costs(tmp_path, capsys):
    code, found, _ = outcome(capsys, project_of(tmp_path, "dnn_baseline"), "--board", "zcu104")
    assert "2,048,500 weights" in " ".join(found["notes"])
    assert (code == 0) == (found["chosen"] is not None)
    code, found, said = outcome(capsys, tmp_path, "--board", "arty-a7-35t")
    assert code == 1
    assert found["binding"]["share"] > 1
    assert "use the" in said


def test_whole_tensors_that_do_not_fit_are_advised_to_stream(tmp_path):
    (tmp_path / "project.yml").write_text("model: {preset: svhn}\nhls: {io_type: io_parallel}\n")
    found = fit_project(tmp_path, board("pynq-z2"), write=False)
    assert found.fit.chosen is None
    streaming = next(one for one in found.remedies if "io_stream" in one.change)
    assert streaming.share < found.fit.best[0].binding[1]


def test_boards_without_a_back_end_and_unknown_ones_are_told(digits, capsys):
    code, found, said = outcome(capsys, digits, "--board", "ecp5-evn")
    assert code == 2
    assert "BOARD-BACKEND" in said
    assert found["written"] == []
    assert run_command_line(["fit", str(digits), "--board", "zcu105"]) == 2
    assert "BOARD-UNKNOWN" in capsys.readouterr().err


def test_a_trained_network_is_used_unless_it_is_another_one(tmp_path, capsys):
    text = """\
model:
  input_shape: [2, 2, 1]
  layers: [{kind: flatten}, {kind: dense, units: 3}]
"""
    (tmp_path / "project.yml").write_text(text)
    network = dense_network(weight_bits=6)
    network_file.save(network, tmp_path / "build" / "network")
    code, found, _ = outcome(capsys, tmp_path, "--board", "zcu104")
    assert (code, found["source"]) == (0, "network")
    generated = design_of(network, load_project(tmp_path).hls)
    assert estimate(generated, stage=Synthesis.VSYNTH).as_json() == found["chosen"]["estimate"]
    (tmp_path / "project.yml").write_text(text + "quantize: {weights: 4}\n")
    code, found, _ = outcome(capsys, tmp_path, "--board", "zcu104")
    assert (code, found["source"]) == (0, "architecture")
    assert "other layers or bits" in found["notes"][0]
