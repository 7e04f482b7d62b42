"""A trial's recipe in the project file: comments kept, weights beside it, or nothing at all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from run_records import a_record

from siliconv.errors import ProjectError
from siliconv.project.project import load_project
from siliconv.quantize.training.start import start_hash, write_start
from siliconv.search.applying import apply_record
from siliconv.search.run_record import write_record

PROJECT = """# my digits
version: 1
model: {preset: digits}
quantize:
  # six bits, as a first try
  weights: 6
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "project.yml").write_text(PROJECT)
    return tmp_path


def test_a_recipe_is_written_and_comments_are_kept(folder):
    write_record(folder, a_record("a1", 0.95, 100.0))
    done = apply_record(folder, "a1")
    text = (folder / "project.yml").read_text()
    assert text.startswith(PROJECT.rstrip())
    project = load_project(folder)
    assert project.data.pixel_bits == 3
    assert project.quantize.bits("dense_1").weights == "ternary"
    assert project.quantize.bits("dense_2").weights == 6
    assert done.weights is None


def with_weights(folder):
    source = folder / "runs" / "search-1" / "epoch.npz"
    write_start(source, {"dense_1/kernel": np.zeros((2, 2), np.float32)}, {})
    record = replace(a_record("a1", 0.95, 100.0), weights="search-1/epoch.npz", hashes={"start": start_hash(source)})
    write_record(folder, record)
    return source


def test_weights_are_copied_beside_the_project_file(folder):
    source = with_weights(folder)
    done = apply_record(folder, "a1")
    assert done.weights.read_bytes() == source.read_bytes()
    assert load_project(folder).quantize.start == folder / "searched-a1.npz"


@pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: path.write_bytes(b"other")])
def test_weights_that_are_gone_or_others_change_nothing(folder, damage):
    damage(with_weights(folder))
    with pytest.raises(ProjectError, match="RUN-WEIGHTS"):
        apply_record(folder, "a1")
    assert (folder / "project.yml").read_text() == PROJECT
