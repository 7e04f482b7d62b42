"""A layer in front of a network that standardizes its inputs, with statistics that training keeps."""

from __future__ import annotations

import numpy as np
import pytest

from siliconv.errors import ModelError
from siliconv.models.architectures.architecture import Architecture, named_layers
from siliconv.models.architectures.folding import deployed_architecture, without_batch_normalization
from siliconv.models.architectures.keras_model import build_model
from siliconv.models.architectures.presets import preset
from siliconv.models.architectures.standardization import (
    STANDARDIZE,
    set_standardization,
    with_kept_normalization,
    with_standardization,
)
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


def normalization(means: list[float], deviations: list[float]) -> list[np.ndarray]:
    """Gamma, beta, mean and variance of an exact normalization."""
    mean, deviation = np.array(means, np.float32), np.array(deviations, np.float32)
    return [np.ones_like(mean), np.zeros_like(mean), mean, deviation**2 - 1e-3]


@pytest.mark.parametrize(
    ("means", "deviations", "kept"),
    [
        ([0.0, 0.0], [10.0, 10.0], False),  # the step of the kernel only moves
        ([0.5, 0.4], [0.5, 0.5], False),  # pixels from -1 to 1
        ([0.0, 0.0], [10.0, 1.0], True),  # a wide feature beside a narrow one
        ([100.0, 0.0], [1.0, 1.0], True),  # far from zero
        ([-100.0, 0.0], [1.0, 1.0], True),
    ],
)
@pytest.mark.parametrize("between", [(), ({"kind": "dropout"},)])
def test_a_normalization_of_the_input_is_kept_where_folding_it_costs_bits(means, deviations, kept, between):
    layers = (*between, {"kind": "batch_normalization", "name": "normal"}, {"kind": "dense", "units": 3})
    architecture = Architecture(input_shape=(2,), layers=layers)
    read = with_kept_normalization(architecture, {"normal": normalization(means, deviations)})
    names = [node.name for node in named_layers(deployed_architecture(read))]
    assert ("normal_standardize" in names) == kept
    assert Recipe(weights=4).bits("normal_standardize").weights == 16


def test_one_that_stands_further_inside_is_folded_as_ever():
    layers = ({"kind": "dense", "units": 2}, {"kind": "activation", "activation": "relu"})
    layers = (*layers, {"kind": "batch_normalization", "name": "normal"}, {"kind": "dense", "units": 3})
    architecture = Architecture(input_shape=(2,), layers=layers)
    read = with_kept_normalization(architecture, {"normal": normalization([100.0, 0.0], [1.0, 9.0])})
    assert read == architecture.model_copy(update={"layers": tuple(node.layer for node in named_layers(architecture))})


@pytest.mark.parametrize("shape", [(3,), (5, 3), (4, 5, 3)])
def test_the_layer_that_is_kept_computes_what_the_normalization_does(shape):
    layers = [{"kind": "flatten"}, {"kind": "dense", "units": 2}]
    architecture = with_standardization(Architecture(input_shape=shape, layers=tuple(layers)))
    model = build_model(architecture)
    set_standardization(model, np.array([5.0, -200.0, 0.1]), np.array([0.1, 300.0, 0.0]))
    deployed, found = without_batch_normalization(model, architecture)
    assert [node.layer.kind for node in named_layers(deployed)].count("batch_normalization") == 0
    assert STANDARDIZE in [layer.name for layer in found.layers]
    values = np.random.default_rng(0).normal((5, -200, 0.1), (0.1, 300, 0), (20, *shape)).astype(np.float32)
    np.testing.assert_allclose(found(values), model(values, training=False), atol=1e-4)
