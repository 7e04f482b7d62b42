"""What a search by trial chooses between, and the recipe that a choice is."""

from __future__ import annotations

from pathlib import Path

import pytest

from siliconv.models.architectures import layers as kinds
from siliconv.models.architectures.architecture import Architecture
from siliconv.models.architectures.keras_model import build_model
from siliconv.models.data.input_choice import InputChoice
from siliconv.models.data.number_type import NumberType
from siliconv.progress import Silent
from siliconv.project.project import parse_project
from siliconv.search.search_space import ACTIVATIONS, WEIGHTS, changes_of_proposal, input_type, space_of, widest
from siliconv.search.sensitivity import WIDEST, sensitivities

MODEL = Architecture(
    input_shape=(8, 8, 1),
    layers=(
        kinds.Conv2D(filters=3, activation="relu"),
        kinds.DepthwiseConv2D(kernel=3, activation="tanh"),
        kinds.Flatten(),
        kinds.Dense(units=6, activation="relu"),
        kinds.Dense(units=10),
    ),
)
PROJECT = """version: 1
model: {preset: digits}
data: {source: digits}
train: {epochs: 3, batch_size: 16}
quantize:
  weights: 6
  calibration_images: 32
  layers: {conv2d_1: {weights: 5, biases: 7}, "dense_*": {activations: 4, relu_bound: 6}}
"""


def project_of(text=PROJECT):
    return parse_project(text, Path("project.yml"))


@pytest.fixture(scope="module")
def model():
    return build_model(MODEL, output="logits")


def test_every_kernel_and_activation_is_searched_and_the_input(model):
    space = space_of(model, project_of(), InputChoice())
    assert [one.name for one in space] == [
        "input",
        "conv2d_1.weights",
        "conv2d_1.activations",
        "depthwise_conv2d_1.weights",
        "depthwise_conv2d_1.activations",
        "dense_1.weights",
        "dense_1.activations",
        "dense_2.weights",
    ]
    assert [space[0].widths, space[1].widths, space[2].widths] == [tuple(range(1, 9)), WEIGHTS, ACTIVATIONS]


def test_pixels_that_training_augments_keep_their_bits_and_signed_numbers_have_two(model):
    augmented = project_of(PROJECT.replace("batch_size: 16", "batch_size: 16, augmentation: {flip: true}"))
    assert "input" not in [one.name for one in space_of(model, augmented, InputChoice())]
    signed = InputChoice(NumberType(True, 12, 3), "as stated", offset=None)
    assert space_of(model, project_of(), signed)[0].widths == tuple(range(2, 13))


def test_a_proposal_becomes_a_recipe_that_keeps_what_is_not_searched(model):
    project, given = project_of(), InputChoice()
    space = space_of(model, project, given)
    proposal = widest(space) | {"input": 3, "conv2d_1.weights": "ternary", "dense_2.weights": "binary"}
    changes = changes_of_proposal(space, proposal, project, given, {"epochs": 5, "seed": 2})
    layers = changes["quantize.layers"]
    assert layers["conv2d_1"] == {"weights": "ternary", "biases": 7, "activations": 8}
    assert layers["dense_2"] == {"weights": "binary"}
    assert layers["dense_*"] == {"relu_bound": 6.0}
    assert list(layers).index("dense_*") < list(layers).index("dense_1")
    assert changes["data.pixel_bits"] == 3
    assert changes["quantize.train"]["epochs"] == 5
    assert changes["quantize.train"]["seed"] == 2
    assert changes["quantize.distillation"]["weight"] > 0, "the float network teaches"
    rounded = changes_of_proposal(space, proposal, project, given, None)
    assert rounded["quantize.train"] is None
    assert "quantize.distillation" not in rounded


def test_fewer_bits_of_the_input_leave_out_the_last_places():
    given = InputChoice(NumberType(True, 12, 3), "as stated", offset=None)
    assert input_type({"input": 5}, given) == NumberType(True, 5, 3)
    assert input_type({}, given) == given.type


@pytest.mark.slow
def test_less_bits_are_more_noise_and_what_is_known_is_not_measured_again(model, digits, tmp_path, monkeypatch):
    project, given = project_of(PROJECT.replace("relu_bound: 6", "relu_bound: 0.75")), digits.summary.input
    space = tuple(one for one in space_of(model, project, given) if one.layer in ("", "dense_1"))
    path = tmp_path / "sensitivities.json"
    known = sensitivities(model, digits, project, space, path, Silent())
    noise = {(one.tensor, one.width): one.noise for one in known.found}
    assert noise["input", 1] > noise["input", 3] > noise[WIDEST, ""]
    assert noise["dense_1.weights", "binary"] > noise["dense_1.weights", 4] > noise[WIDEST, ""]
    # Two and three bits of an activation have no step that the bound is a multiple of.
    refused = {one for one, found in noise.items() if found is None}
    offered = {one.name: one.widths for one in known.space}
    assert all(width not in offered[name] for name, width in refused)
    assert known.span_operations(widest(known.space)) > known.span_operations(widest(known.space) | {"input": 2})
    monkeypatch.setattr("siliconv.search.sensitivity._Measure.__call__", None)
    assert sensitivities(model, digits, project, space, path, Silent()) == known
