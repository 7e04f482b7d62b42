"""Calibration: integer bits follow from the values, and patterns from the recipe."""

from __future__ import annotations

import numpy as np
import pytest

from siliconv.errors import NetworkError
from siliconv.models.architectures.keras_model import build_model
from siliconv.models.architectures.presets import preset
from siliconv.network.fixed_point import to_values
from siliconv.quantize.qkeras.qkeras_model import quantized_model, snap_weights
from siliconv.quantize.recipe import LayerBits, Recipe
from siliconv.quantize.training.calibration import choose_types, covering_type, least_error_type, ranged_type
from siliconv.quantize.training.calibration_record import calibration_record


def error(values, kind):
    return np.mean((np.clip(np.rint(values / kind.step), *kind.codes) * kind.step - values) ** 2)


@pytest.mark.parametrize("scale", [0.03, 0.4, 1.0, 7.3, 100.0])
@pytest.mark.parametrize("bits", [3, 6, 10])
def test_no_neighbouring_binary_point_has_less_error(scale, bits):
    values = np.random.default_rng(0).normal(0, scale, 5000)
    chosen = least_error_type(values, bits, signed=True)
    assert chosen.width == bits
    for other in (chosen.integer - 1, chosen.integer + 1):
        moved = type(chosen)(True, bits, other, chosen.rounding, chosen.overflow)
        assert error(values, chosen) <= error(values, moved)


@pytest.mark.parametrize("largest", [0.01, 0.25, 0.999, 1.0, 3.0])
def test_a_covering_type_holds_the_largest_value_and_no_finer_one_does(largest):
    kind = covering_type(largest, 8)
    assert kind.codes.high * kind.step >= largest - kind.step
    assert (kind.codes.high * kind.step) / 2 < largest


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("percentile", [90.0, 99.0, 100.0])
def test_calibration_by_percentile_holds_that_share_and_a_finer_step_would_not(percentile, signed):
    values = np.random.default_rng(1).normal(0, 1.7, 4000)
    values = values if signed else np.abs(values)
    recipe = Recipe(calibration="percentile", percentile=percentile)
    chosen = ranged_type(values, 6, recipe, signed=signed)
    assert chosen.signed == signed
    share = percentile / 100
    assert np.mean(np.abs(values) < 2.0 ** (chosen.integer - signed)) >= share
    assert np.mean(np.abs(values) < 2.0 ** (chosen.integer - signed - 1)) < share
    assert ranged_type(values, 6, Recipe(), signed=signed) == least_error_type(values, 6, signed=signed)


def test_the_record_says_how_types_were_chosen_and_what_saturates():
    architecture = preset("digits")
    model = build_model(architecture, seed=3)
    images = np.random.default_rng(0).uniform(0, 1, (16, *architecture.input_shape)).astype(np.float32)
    recipe = Recipe(calibration="percentile", percentile=60, layers={"dense_1": LayerBits(weights="ternary")})
    types = choose_types(model, recipe, images)
    record = calibration_record(model, types, recipe, images)
    assert (record["method"], record["images"]) == ("percentile 60", 16)
    assert set(record["tensors"]) == set(types)
    kernel = model.get_layer("conv2d_2").kernel.numpy()
    kind, fit = types["conv2d_2.kernel"], record["tensors"]["conv2d_2.kernel"]
    assert fit["largest"] == pytest.approx(np.abs(kernel).max())
    assert fit["error"] == pytest.approx(np.sqrt(error(kernel, kind) / np.mean(kernel**2)))
    outside = (np.rint(kernel / kind.step) < kind.codes.low) | (np.rint(kernel / kind.step) > kind.codes.high)
    assert fit["saturated"] == pytest.approx(outside.mean())
    assert fit["saturated"] > 0
    assert record["tensors"]["dense_1.kernel"]["type"].startswith("ternary<")


def test_types_of_the_digits_network_follow_the_recipe():
    architecture = preset("digits")
    model = build_model(architecture, seed=3)
    images = np.random.default_rng(0).uniform(0, 1, (16, *architecture.input_shape)).astype(np.float32)
    recipe = Recipe(weights=5, activations=7, layers={"dense_*": LayerBits(weights=4), "dense_2": LayerBits(biases=6)})
    types = choose_types(model, recipe, images)
    assert types["conv2d_1.kernel"].width == 5
    assert types["dense_1.kernel"].width == types["dense_2.kernel"].width == 4
    assert types["dense_1.bias"].width == 8
    assert types["dense_2.bias"].width == 6
    assert types["conv2d_1_relu"].width == 7
    assert not types["conv2d_1_relu"].signed


def test_a_pattern_that_names_no_layer_is_refused():
    model = build_model(preset("digits"))
    with pytest.raises(NetworkError, match="RECIPE-LAYER"):
        choose_types(model, Recipe(layers={"conv3d_*": LayerBits(weights=4)}), np.zeros((1, 8, 8, 1), np.float32))


def test_snapping_the_weights_changes_no_output_and_puts_them_on_their_grid():
    model = build_model(preset("digits"), seed=3)
    images = np.random.default_rng(0).integers(0, 256, (16, 8, 8, 1)).astype(np.float32) / 256
    types = choose_types(model, Recipe(), images)
    quantized = quantized_model(model, types)
    before = quantized(images).numpy()
    snap_weights(quantized)
    assert np.array_equal(quantized(images).numpy(), before)
    kernel = quantized.get_layer("conv2d_2").kernel.numpy()
    kind = types["conv2d_2.kernel"]
    assert np.array_equal(kernel, to_values(np.rint(kernel / kind.step).astype(np.int64), kind))
    assert not np.array_equal(kernel, model.get_layer("conv2d_2").kernel.numpy())


def test_dropout_of_the_fine_tuning_takes_the_place_of_the_networks():
    architecture = preset("lecture")
    model = build_model(architecture)
    images = np.zeros((1, *architecture.input_shape), np.float32)
    quantized = quantized_model(model, choose_types(model, Recipe(), images), dropout=0.125)
    rates = [layer.rate for layer in quantized.layers if "Dropout" in type(layer).__name__]
    assert rates == [0.125, 0.125]
