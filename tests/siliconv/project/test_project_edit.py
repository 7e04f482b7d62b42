"""Fields are set in place: everything else keeps its bytes, and nothing invalid is ever written."""

from __future__ import annotations

import difflib

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from siliconv.errors import ProjectError
from siliconv.hls.kinds import Strategy
from siliconv.project.project import load_project
from siliconv.project.project_edit import set_fields
from siliconv.project.project_template import write_project

TEXT = """\
# A project.
model:
  preset: digits   # ten classes

hls:  # the firmware
  part: xc7z020clg400-1  # a PYNQ-Z2
  clock_ns: 10
  reuse_factors: {conv2d_1: 1}

# What is simulated.
csim: {images: 4}
"""


@pytest.fixture
def path(tmp_path):
    (tmp_path / "project.yml").write_text(TEXT)
    return tmp_path / "project.yml"


def changed_lines(path, before=TEXT):
    compared = difflib.ndiff(before.splitlines(), path.read_text().splitlines())
    return [line for line in compared if line.startswith(("+", "-"))]


@pytest.mark.parametrize(
    ("changes", "lines"),
    [
        ({"hls.clock_ns": 5.0}, ["-   clock_ns: 10", "+   clock_ns: 5.0"]),
        (
            {"hls.part": "xczu7ev-ffvc1156-2-e"},
            ["-   part: xc7z020clg400-1  # a PYNQ-Z2", "+   part: xczu7ev-ffvc1156-2-e  # a PYNQ-Z2"],
        ),
        ({"hls.strategy": Strategy.LATENCY}, ["+   strategy: latency"]),
        (
            {"hls.reuse_factors.dense_1": 4},
            ["-   reuse_factors: {conv2d_1: 1}", "+   reuse_factors: {conv2d_1: 1, dense_1: 4}"],
        ),
        ({"csim.jobs": 2}, ["- csim: {images: 4}", "+ csim: {images: 4, jobs: 2}"]),
        ({"quantize.weights": 5, "quantize.biases": 7}, ["+ ", "+ quantize:", "+   weights: 5", "+   biases: 7"]),
        ({"quantize.layers.conv2d_1.weights": 4}, ["+ ", "+ quantize:", "+   layers: {conv2d_1: {weights: 4}}"]),
        ({"quantize.train": None}, ["+ ", "+ quantize:", "+   train: null"]),
    ],
)
def test_only_what_is_set_changes(path, changes, lines):
    set_fields(path, changes)
    assert changed_lines(path) == lines
    load_project(path.parent)


def test_an_empty_section_a_block_and_an_entry_of_a_list_can_be_set(path):
    text = """\
model:
  input_shape: [8, 8, 1]
  layers:
    - kind: conv2d   # the first
      filters: 4
    - {kind: flatten}
    - {kind: dense, units: 2}
data:
  path:  # not yet
quantize:
  train:
    epochs: 3
  # behind the block
  weights: 4"""
    path.write_text(text)
    set_fields(path, {"data.path": "images", "model.layers.0.filters": 8, "model.layers.2.units": 3})
    set_fields(path, {"quantize.train": None, "model.layers.0.padding": "valid", "quantize.biases": 9})
    project = load_project(path.parent)
    assert project.data.path == path.parent / "images"
    assert [getattr(layer, "filters", None) for layer in project.model.architecture.layers] == [8, None, None]
    assert project.model.layers[0]["padding"] == "valid"
    assert project.model.layers[2]["units"] == 3
    assert (project.quantize.train, project.quantize.weights, project.quantize.biases) == (None, 4, 9)
    for comment in ("# the first", "# not yet", "# behind the block"):
        assert comment in path.read_text()


def test_a_new_project_keeps_its_commented_defaults(tmp_path):
    path = write_project("mine", "digits", base=tmp_path)
    before = path.read_text()
    set_fields(path, {"hls.clock_ns": 8.0})
    assert path.read_text() == before.rstrip("\n") + "\n\nhls:\n  clock_ns: 8.0\n"
    assert load_project(path.parent).hls.clock_ns == 8.0


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"hls.clok_ns": 5}, "PROJECT-FIELD"),
        ({"hls.clock_ns": -1}, "PROJECT-VALUE"),
        ({"hls.clock_ns.x": 1}, "PROJECT-EDIT"),
    ],
)
def test_what_would_be_wrong_is_refused_and_the_file_stays(path, changes, code):
    with pytest.raises(ProjectError, match=code):
        set_fields(path, {"csim.jobs": 2, **changes})
    assert path.read_text() == TEXT


def test_a_shared_mapping_is_not_changed_behind_the_users_back(path):
    text = "model: {preset: digits}\ntrain: &same {epochs: 2}\nquantize: {train: *same}\n"
    path.write_text(text)
    with pytest.raises(ProjectError, match="PROJECT-EDIT"):
        set_fields(path, {"train.epochs": 5})
    assert path.read_text() == text


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["hls.clock_ns", "hls.max_multipliers", "csim.images", "quantize.weights", "train.epochs", "hls.part"]
        ),
        unique=True,
        min_size=1,
    ),
    st.integers(2, 16),
)
def test_any_set_of_fields_reads_back_and_setting_twice_is_setting_once(tmp_path_factory, names, value):
    path = tmp_path_factory.mktemp("edit") / "project.yml"
    path.write_text(TEXT)
    changes = {name: str(value) if name == "hls.part" else value for name in names}
    set_fields(path, changes)
    once = path.read_text()
    content = yaml.safe_load(once)
    for name, wanted in changes.items():
        section, field = name.split(".")
        assert content[section][field] == wanted
    set_fields(path, changes)
    assert path.read_text() == once
    for comment in ("# A project.", "# ten classes", "# the firmware", "# a PYNQ-Z2", "# What is simulated."):
        assert comment in once
