"""A section of which only the name is written has its defaults; null still means none of it."""

from __future__ import annotations

import pytest

from siliconv.project.project import load_project
from siliconv.project.project_edit import set_fields
from siliconv.quantize.recipe import Recipe


def project(tmp_path, text):
    (tmp_path / "project.yml").write_text("model: {preset: digits}\n" + text)
    return load_project(tmp_path)


def test_train_alone_means_defaults(tmp_path):
    assert project(tmp_path, "train:\n").train == project(tmp_path, "").train
    assert project(tmp_path, "train:  # as it is by default\n").train is not None
    assert project(tmp_path, "train: null\n").train is None
    assert project(tmp_path, "train: ~\n").train is None


def test_so_does_every_other_section(tmp_path):
    found = project(tmp_path, "data:\nhls:\ncsim:\nrtl:\nquantize:\n  weights: 4\n  train:\n")
    assert found.quantize.weights == 4
    assert found.quantize.train == Recipe().train, "the defaults of fine-tuning, not those of training"
    assert project(tmp_path, "quantize:\n  pruning:\n").quantize.pruning.sparsity == 0.5
    assert project(tmp_path, "quantize: {train: null}\n").quantize.train is None


def test_a_trained_model_is_trained_again_where_train_stands_alone(tmp_path):
    (tmp_path / "project.yml").write_text("model: {file: m.keras}\ntrain:\n")
    assert load_project(tmp_path).train is not None
    (tmp_path / "project.yml").write_text("model: {file: m.keras}\n")
    assert load_project(tmp_path).train is None


@pytest.mark.parametrize("text", ["quantize:\n  weights:\n", "task:\n"])
def test_a_plain_field_without_a_value_is_still_a_mistake(tmp_path, text):
    with pytest.raises(Exception, match="PROJECT-VALUE"):
        project(tmp_path, text)


def test_a_field_is_set_in_an_empty_section(tmp_path):
    project(tmp_path, "train:\n")
    set_fields(tmp_path / "project.yml", {"train.epochs": 3})
    assert load_project(tmp_path).train.epochs == 3
