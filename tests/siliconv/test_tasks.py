"""Every task from data to the integer network, trained and fine-tuned; one of them all the way to the report."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from siliconv.commands.cli import run_command_line
from siliconv.flow.artefacts import judge_of
from siliconv.models.data.image_store import open_dataset
from siliconv.network import network_file
from siliconv.network.fixed_point import FixedPoint
from siliconv.project.project import load_project
from siliconv.report.report_pictures import draw_pictures

pytestmark = pytest.mark.long

RANDOM = np.random.default_rng(5)
COUNT = 400
FEATURES = RANDOM.normal(0, 3, (COUNT, 6)).astype(np.float32)
WAVES = (RANDOM.integers(-2048, 2048, (COUNT, 12, 1))).astype(np.int16)
TUNED = "{train: {epochs: 2, learning_rate: 0.002}}"
TRAINED = "{epochs: 40, batch_size: 32, learning_rate: 0.01}"


def run(folder: Path, text: str, arrays: dict[str, Any], until: str = "lower") -> dict[str, dict[str, Any]]:
    """Run a project and give the metrics of its networks by their folders."""
    np.savez(folder / "data.npz", **arrays)
    (folder / "project.yml").write_text(textwrap.dedent(text))
    assert run_command_line(["run", str(folder), "--until", until]) == 0
    return {name: json.loads((folder / "build" / name / "metrics.json").read_text()) for name in NETWORKS}


NETWORKS = ("float", "quantized", "network")
CONVOLUTION = "kind: conv1d, filters: 2, kernel: 3, padding: valid, activation: tanh"


def pictures_of(folder: Path) -> set[str]:
    project = load_project(folder)
    judge = judge_of(project, open_dataset(folder / "build" / "data"))
    draw_pictures(folder / "build", folder / "drawn", judge, project)
    return {path.stem for path in (folder / "drawn").iterdir()}


def mlp(inputs: str, *units: str) -> str:
    listed = ", ".join(f"{{kind: dense, {one}}}" for one in units)
    return f"model: {{input_shape: {inputs}, layers: [{listed}]}}\ndata: {{source: npz, path: data.npz}}\n"


def test_numbers_are_learned_from_signed_features_and_told_with_bias_and_resolution(tmp_path, capsys):
    y = np.stack([FEATURES @ np.arange(6) / 10, np.abs(FEATURES[:, 0])], axis=1) + 5
    text = mlp("[6]", "units: 24, activation: relu", "units: 2") + f"train: {TRAINED}\nquantize: {TUNED}\n"
    found = run(tmp_path, text, {"x": FEATURES, "y": y.astype(np.float32), "target_names": ["sum", "size"]})
    told = capsys.readouterr().err
    assert "with 2 targets each; signed 16 bits" in told
    assert "test root mean square error" in told
    for metrics in found.values():
        assert (metrics["task"], metrics["metric"]) == ("regression", "root mean square error")
        assert [one["name"] for one in metrics["targets"]] == ["sum", "size"]
        assert metrics["value"] < 0.5 * y.std(axis=0).mean()
        assert metrics["value"] == metrics["rmse"]
    history = json.loads((tmp_path / "build" / "float" / "history.json").read_text())
    assert history["metric"] == "mean absolute error"
    assert history["epochs"][-1]["val_loss"] < history["epochs"][0]["val_loss"] / 2
    assert pictures_of(tmp_path) >= {"targets", "learning_float_loss", "learning_float_metric"}


@pytest.mark.parametrize("loss", ["mae", "huber"])
def test_other_losses_of_numbers_learn_too(tmp_path, loss):
    y = (FEATURES @ np.ones(6)).astype(np.float32)
    train = TRAINED.replace("{", f"{{loss: {loss}, ")
    text = mlp("[6]", "units: 1") + f"train: {train}\nquantize: {{train: null, weights: 8, activations: 8}}\n"
    assert run(tmp_path, text, {"x": FEATURES, "y": y})["network"]["targets"][0]["explained"] > 0.5


OWN_LOSS = """
import pathlib
import tensorflow as tf
pathlib.Path(__file__).with_name("imported").touch()
def too_low_is_bad(answers, outputs):
    apart = answers - outputs
    return tf.where(apart > 0, 9.0 * apart, -apart)
"""


def test_a_loss_of_the_users_own_is_learned_from_and_never_run_by_check(tmp_path, capsys):
    module = f"losses_of_{tmp_path.name}"  # Python imports a name once
    (tmp_path / f"{module}.py").write_text(OWN_LOSS)
    y = RANDOM.normal(0, 1, COUNT).astype(np.float32)  # of which the inputs say nothing
    train = TRAINED.replace("{", f"{{loss: '{module}:too_low_is_bad', ")
    text = mlp("[6]", "units: 1") + f"train: {train}\nquantize: {{train: null, weights: 8, activations: 8}}\n"
    np.savez(tmp_path / "data.npz", x=FEATURES, y=y)
    (tmp_path / "project.yml").write_text(text)
    assert run_command_line(["check", str(tmp_path)]) == 0
    assert not (tmp_path / "imported").exists()
    assert "MODEL-CODE" in capsys.readouterr().out
    found = run(tmp_path, text, {"x": FEATURES, "y": y})
    assert capsys.readouterr().err.startswith(f"runs {module}:too_low_is_bad")
    # Nine times as bad to be too low: the best answer is the 90 % quantile of a normal distribution.
    assert found["float"]["targets"][0]["bias"] == pytest.approx(1.28, abs=0.5)
    (tmp_path / f"{module}.py").write_text(OWN_LOSS + "# another text is another training\n")
    assert run_command_line(["run", str(tmp_path), "--until", "data"]) == 0
    assert run_command_line(["train", str(tmp_path)]) == 0
    assert "unchanged" not in capsys.readouterr().err.splitlines()[-1]


def test_a_loss_that_is_not_there_is_told_with_what_to_write(tmp_path, capsys):
    np.savez(tmp_path / "data.npz", x=FEATURES, y=FEATURES[:, 0])
    (tmp_path / "project.yml").write_text(mlp("[6]", "units: 1") + "train: {loss: 'nowhere:at_all'}\n")
    assert run_command_line(["run", str(tmp_path)]) == 2
    assert "at_all(answers, outputs) in nowhere.py" in capsys.readouterr().err


def test_several_labels_are_learned_each_by_itself(tmp_path):
    y = (FEATURES[:, :3] > 0).astype(np.int64)
    text = mlp("[6]", "units: 3, activation: sigmoid") + f"train: {TRAINED}\nquantize: {TUNED}\n"
    found = run(tmp_path, text, {"x": FEATURES, "y": y, "label_names": ["a", "b", "c"]})
    assert found["network"]["task"] == "multilabel"
    assert found["network"]["label_accuracy"] > 0.85
    assert [one["name"] for one in found["network"]["labels"]] == ["a", "b", "c"]
    assert network_file.load(tmp_path / "build" / "network").output.name == "sigmoid"
    assert "roc" in pictures_of(tmp_path)


def test_an_autoencoder_learns_its_input_and_tells_anomalies(tmp_path):
    plane = np.stack([FEATURES[:, 0]] * 6, axis=1)
    strange = np.arange(COUNT) % 5 == 0
    plane[strange] = FEATURES[strange]
    x = {"x_train": plane[~strange][:250], "x_test": np.concatenate([plane[~strange][250:], plane[strange]])}
    labels = {"y_train": np.zeros(250, int), "y_test": np.r_[np.zeros((~strange).sum() - 250, int), np.ones(80, int)]}
    text = mlp("[6]", "units: 3", "units: 6") + f"task: autoencoder\ntrain: {TRAINED}\nquantize: {TUNED}\n"
    found = run(tmp_path, text, {**x, **labels, "class_names": ["normal", "strange"]})
    assert found["network"]["task"] == "autoencoder"
    assert found["network"]["anomaly"]["auc"] > 0.8
    assert found["network"]["value"] < 9.0  # the variance of a feature
    assert pictures_of(tmp_path) >= {"errors", "roc"}


def test_a_map_of_signed_samples_without_answers_is_compared_in_bits_alone(tmp_path, capsys):
    text = f"""
        model:
          input_shape: [12, 1]
          layers: [{{{CONVOLUTION}}}]
        data: {{source: npz, path: data.npz, scale: 0.00048828125}}
        task: none
        train: null
        quantize: {{train: null}}
        """
    # A description alone has no weights to take: that is told.
    np.savez(tmp_path / "data.npz", x=WAVES)
    (tmp_path / "project.yml").write_text(textwrap.dedent(text))
    assert run_command_line(["run", str(tmp_path), "--until", "lower"]) == 2
    assert "MODEL-WEIGHTS" in capsys.readouterr().err
    found = run(
        tmp_path,
        text.replace(CONVOLUTION, "kind: max_pool"),
        {"x": WAVES},
    )
    assert found["network"] == {**found["network"], "task": "none", "largest": 0.0, "images": 80}
    network = network_file.load(tmp_path / "build" / "network")
    assert network.input.type == FixedPoint(True, 12, 1)
    assert network.output.shape == (6, 1)
    assert "targets" in pictures_of(tmp_path)


def test_a_training_without_answers_is_refused_before_any_work(tmp_path, capsys):
    np.savez(tmp_path / "data.npz", x=FEATURES)
    (tmp_path / "project.yml").write_text(mlp("[6]", "units: 2"))
    assert run_command_line(["run", str(tmp_path)]) == 2
    assert "TASK-TRAIN" in capsys.readouterr().err
    assert not (tmp_path / "build" / "float").exists()


def test_channels_of_other_scales_are_standardized_in_the_network_that_takes_raw_samples(tmp_path, capsys):
    waves = np.concatenate([WAVES, WAVES // 64 + 500, np.full_like(WAVES, 7)], axis=2)
    text = f"""
        model: {{input_shape: [12, 3], layers: [{{kind: flatten}}, {{kind: dense, units: 2}}]}}
        data: {{source: npz, path: data.npz, standardize: true}}
        train: {TRAINED}
        quantize: {{train: null, weights: 6}}
        """
    mean = waves[..., 1].mean(axis=1)
    found = run(tmp_path, text, {"x": waves, "y": (mean > np.median(mean)).astype(int)})
    assert "standardized in the network" in capsys.readouterr().err
    summary = open_dataset(tmp_path / "build" / "data").summary
    assert summary.statistics is not None
    train = open_dataset(tmp_path / "build" / "data").train.read(slice(None)).reshape(-1, 3)
    assert summary.statistics.means == pytest.approx(train.mean(axis=0))
    assert summary.statistics.deviations == pytest.approx(train.std(axis=0), abs=1e-9)
    assert found["float"]["accuracy"] > 0.85
    assert found["network"]["accuracy"] > found["float"]["accuracy"] - 0.05
    network = network_file.load(tmp_path / "build" / "network")
    assert network.input.type == FixedPoint(True, 12, 12)  # raw samples reach the firmware


@pytest.mark.slow
def test_a_regression_of_samples_goes_to_exact_firmware_a_report_and_predictions(tmp_path, compiler, capsys):
    y = (WAVES.astype(np.float64).mean(axis=(1, 2)) / 1000).astype(np.float32)
    text = f"""
        model: {{input_shape: [12, 1], layers: [{{kind: flatten}}, {{kind: dense, units: 1}}]}}
        data: {{source: npz, path: data.npz, scale: 0.00048828125}}
        train: {TRAINED}
        quantize: {{train: null, weights: 8}}
        csim: {{images: 4}}
        """
    found = run(tmp_path, text, {"x": WAVES, "y": y}, until="report")
    certificate = json.loads((tmp_path / "build" / "csim.json").read_text())
    assert certificate["exact"]
    assert certificate["accuracy"]["metric"] == "root mean square error"
    assert certificate["accuracy"]["firmware"] == found["network"]["value"]
    html = (tmp_path / "build" / "report.html").read_text()
    for part in (
        "Root mean square error on 80 test inputs",
        "signed numbers of 12 bits",
        "bias (mean error)",
        "task: regression",
    ):
        assert part in html
    np.save(tmp_path / "some.npy", WAVES[:3])
    capsys.readouterr()
    assert run_command_line(["predict", str(tmp_path), str(tmp_path / "some.npy"), "--json"]) == 0
    predictions = json.loads(capsys.readouterr().out)
    assert len(predictions) == 3
    for one, right in zip(predictions, y, strict=False):
        assert one["exact"]
        assert one["same_bits"]
        assert one["firmware"]["values"] == one["quantized"]["values"]
        assert abs(one["firmware"]["values"][0] - right) < 0.3
