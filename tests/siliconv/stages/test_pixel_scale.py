"""Pixels of other scales: the same bits, another meaning, and a hint where a model was trained on them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from siliconv.commands.cli import run_command_line
from siliconv.legacy_keras import load
from siliconv.models.data.data_config import DataConfig
from siliconv.models.data.datasets import prepare
from siliconv.models.data.image_store import open_dataset
from siliconv.models.data.input_choice import InputChoice, pixels_as
from siliconv.network import network_file

RANDOM = np.random.default_rng(2)
LABELS = np.arange(300) % 2
PIXELS = np.clip(RANDOM.normal(np.where(LABELS, 140, 100)[:, None, None, None], 10, (300, 4, 4, 1)), 0, 255)


@pytest.mark.parametrize(
    ("scale", "low", "high"), [("0..1", 0.0, 255 / 256), ("0..255", 0.0, 255.0), ("-1..1", -1.0, 127 / 128)]
)
def test_a_scale_is_another_meaning_of_the_same_eight_bits(tmp_path, scale, low, high):
    np.savez(tmp_path / "data.npz", x=PIXELS.astype(np.uint8), y=LABELS)
    config = DataConfig(source="npz", path=tmp_path / "data.npz", pixel_scale=scale, test=0.0, validation=0.0)
    summary = prepare(config, (4, 4, 1), tmp_path / "store")
    train = open_dataset(tmp_path / "store").train
    pixels = PIXELS.astype(np.uint8)
    assert (train.read(slice(None)).astype(int) - pixels == summary.input.offset).all()
    assert train.values(slice(None)) == pytest.approx(low + pixels * (high - low) / 255)
    assert InputChoice.from_json(summary.input.as_json()) == pixels_as(scale)


def project_of(folder: Path, factor: float, offset: float) -> None:
    """Save a classifier of pixels k as k * factor + offset, whose threshold lies between the classes."""
    keras = load()
    model = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Flatten(), keras.layers.Dense(1)])
    model.layers[-1].set_weights([np.full((16, 1), 1 / 16 / factor), np.array([-120 - offset / factor])])
    model.save(folder / "model.keras")
    np.savez(folder / "data.npz", x=PIXELS.astype(np.uint8), y=LABELS)
    (folder / "project.yml").write_text(
        "model: {file: model.keras}\ndata: {source: npz, path: data.npz}\n"
        "quantize: {train: null, weights: 12, biases: 16, activations: 8}\n"
    )


@pytest.mark.long
@pytest.mark.parametrize(
    ("scale", "factor", "offset"),
    [("0..255", 1.0, 0.0), pytest.param("-1..1", 1 / 127.5, -1.0, marks=pytest.mark.slow)],
)
def test_a_file_at_chance_is_told_its_scale_and_right_with_it(tmp_path, capsys, scale, factor, offset):
    project_of(tmp_path, factor, offset)
    assert run_command_line(["run", str(tmp_path), "--until", "train"]) == 0
    assert f"that is chance, and with data.pixel_scale: {scale} it is " in capsys.readouterr().err
    text = (tmp_path / "project.yml").read_text().replace("data.npz}", f"data.npz, pixel_scale: {scale}}}")
    (tmp_path / "project.yml").write_text(text)
    assert run_command_line(["run", str(tmp_path), "--until", "lower"]) == 0
    told = capsys.readouterr().err
    assert "chance" not in told
    kind = network_file.load(tmp_path / "build" / "network").input.type
    assert (kind.signed, kind.width, kind.integer) == ((False, 8, 8) if scale == "0..255" else (True, 8, 1))


@pytest.mark.long
def test_a_file_of_the_usual_scale_is_told_nothing(tmp_path, capsys):
    project_of(tmp_path, 1 / 256, 0.0)
    assert run_command_line(["run", str(tmp_path), "--until", "train"]) == 0
    assert "chance" not in capsys.readouterr().err
