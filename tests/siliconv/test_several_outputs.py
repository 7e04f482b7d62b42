"""Projects of several inputs and outputs, from arrays by name to exact firmware, predictions and the report."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from siliconv.commands.cli import run_command_line
from siliconv.network import network_file

RANDOM = np.random.default_rng(8)
COUNT = 240
WAVES, NUMBERS = RANDOM.normal(size=(COUNT, 12, 1)).astype(np.float32), RANDOM.normal(size=(COUNT, 4))
SIZES = (NUMBERS @ np.array([1.0, -1.0, 0.5, 0.0])).astype(np.float32)
KINDS = (WAVES[:, :, 0].sum(axis=1) > 0).astype(int) + (NUMBERS[:, 0] > 0)

PROJECT = """
model:
  inputs: {wave: [12, 1], numbers: [4]}
  outputs: [kind, size]
  layers:
    - {kind: conv1d, name: seen, filters: 3, kernel: 3, padding: valid, activation: relu, inputs: [wave]}
    - {kind: flatten, name: flat}
    - {kind: concatenate, name: both, inputs: [flat, numbers]}
    - {kind: dense, name: hidden, units: 16, activation: relu}
    - {kind: dense, name: kind, units: 3, activation: softmax, inputs: [hidden]}
    - {kind: dense, name: size, units: 1, inputs: [hidden]}
data: {source: npz, path: data.npz}
train: {epochs: 30, batch_size: 16, learning_rate: 0.01}
quantize: {weights: 8, activations: 8, train: {epochs: 2, learning_rate: 0.002, batch_size: 16}}
csim: {images: 8}
"""


def write(folder: Path, text: str = PROJECT, **arrays: Any) -> Path:
    np.savez(folder / "data.npz", **{"wave": WAVES, "numbers": NUMBERS, "kind": KINDS, "size": SIZES, **arrays})
    (folder / "project.yml").write_text(textwrap.dedent(text))
    return folder


@pytest.mark.slow
def test_two_inputs_and_two_outputs_go_from_arrays_to_exact_firmware(compiler, tmp_path, capsys):
    folder = write(tmp_path)
    assert run_command_line(["run", str(folder)]) == 0
    told = capsys.readouterr().err
    assert "kind of 3 classes; size with a target each" in told
    metrics = json.loads((folder / "build" / "network" / "metrics.json").read_text())
    assert metrics["task"] == "several"
    assert metrics["metric"] == "accuracy of kind"
    assert metrics["outputs"]["kind"]["value"] > 0.7
    assert metrics["outputs"]["size"]["value"] < 0.5 * SIZES.std()
    network = network_file.load(folder / "build" / "network")
    assert [node.name for node in network.inputs] == ["wave_in", "numbers_in"]
    assert [node.name for node in network.outputs] == ["kind_softmax", "size"]
    certificate = json.loads((folder / "build" / "csim.json").read_text())
    assert certificate["exact"]
    assert {"kind", "kind_softmax", "size"} <= {layer["name"] for layer in certificate["layers"]}
    report = (folder / "build" / "report.html").read_text()
    assert "Output kind" in report
    assert "Output size" in report
    assert run_command_line(["verify", str(folder)]) == 0
    rows = np.concatenate([WAVES.reshape(COUNT, -1), NUMBERS], axis=1)[:3]
    np.save(tmp_path / "rows.npy", rows)
    np.savez(tmp_path / "named.npz", numbers=NUMBERS[:3], wave=WAVES[:3])
    capsys.readouterr()
    told = []
    for name in ("rows.npy", "named.npz"):
        assert run_command_line(["predict", str(folder), str(tmp_path / name), "--json"]) == 0
        told.append(json.loads(capsys.readouterr().out))
    found, named = told
    for one, other in zip(found, named, strict=True):
        assert one["firmware"] == other["firmware"]
    assert all(one["exact"] for one in found)
    assert "kind:" in found[0]["firmware"]["label"]
    assert "size:" in found[0]["firmware"]["label"]


def test_a_check_says_what_is_wrong_with_ports(tmp_path, capsys):
    assert run_command_line(["check", str(write(tmp_path))]) == 0
    assert run_command_line(["check", str(write(tmp_path, PROJECT + "task: {kind: regression, other: none}"))]) == 1
    assert "TASK-OUTPUT" in capsys.readouterr().out
    assert run_command_line(["check", str(write(tmp_path, PROJECT.replace("[kind, size]", "[kind, last]")))]) in (1, 2)
    assert "MODEL-OUTPUT" in "".join(capsys.readouterr())
