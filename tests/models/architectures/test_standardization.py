"""A layer in front of a network that standardizes its inputs, with statistics that training keeps."""

from __future__ import annotations

import numpy as np
import pytest

from siliconv.errors import ModelError
from siliconv.models.architectures.architecture import Architecture, named_layers
from siliconv.models.architectures.keras_model import build_model
from siliconv.models.architectures.presets import preset
from siliconv.models.architectures.standardization import STANDARDIZE, set_standardization, with_standardization
from siliconv.quantize.recipe import LayerBits, Recipe


def test_every_reader_of_the_input_reads_the_layer_in_front():
    written = preset("resnet8")
    front = named_layers(with_standardization(written))
    assert (front[0].name, front[0].inputs) == (STANDARDIZE, ("input",))
    assert not any("input" in node.inputs for node in front[1:])
    assert [node.name for node in front[1:]] == [node.name for node in named_layers(written)]


def test_the_model_sees_mean_zero_and_deviation_one_and_a_feature_that_never_changes_stays_finite():
    architecture = with_standardization(Architecture(input_shape=(4, 3), layers=({"kind": "flatten"},)))
    values = np.random.default_rng(0).normal((5, -2, 7), (10, 0.1, 0), (200, 4, 3)).astype(np.float32)
    means, deviations = values.mean(axis=(0, 1)), values.std(axis=(0, 1))
    model = build_model(architecture)
    set_standardization(model, means, np.where(deviations < 1e-6, 0.0, deviations))
    found = model(values, training=True).numpy().reshape(200, 4, 3)
    assert found.mean(axis=(0, 1)) == pytest.approx([0, 0, 0], abs=1e-3)
    assert found[..., :2].std(axis=(0, 1)) == pytest.approx([1, 1], abs=1e-3)
    assert not model.get_layer(STANDARDIZE).trainable


def test_a_layer_of_that_name_is_refused():
    architecture = Architecture(input_shape=(4,), layers=({"kind": "dense", "units": 2, "name": STANDARDIZE},))
    with pytest.raises(ModelError, match="MODEL-NAME"):
        with_standardization(architecture)


def test_it_has_wide_weights_unless_the_recipe_names_it():
    assert Recipe(weights=4).bits(STANDARDIZE).weights == 16
    assert Recipe(weights=4).bits("dense_1").weights == 4
    assert Recipe(layers={"stand*": LayerBits(weights=7)}).bits(STANDARDIZE).weights == 7
