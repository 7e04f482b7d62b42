"""From a float model with every layer kind to the integer network: QKeras, reference and emulator are equal."""

from __future__ import annotations

import numpy as np
import pytest

from siliconv.models import layers as kinds
from siliconv.models.architecture import Architecture
from siliconv.models.keras_model import build_model
from siliconv.models.presets import preset
from siliconv.quantize import emulator, network_file, reference
from siliconv.quantize.agreement import compare_layers
from siliconv.quantize.calibration import choose_types
from siliconv.quantize.lowering import lower
from siliconv.quantize.network import Add, AveragePool, Concatenate, DepthwiseConv, MaxPool, Table
from siliconv.quantize.qkeras_model import quantized_model, snap_weights
from siliconv.quantize.recipe import Recipe


def lowered(architecture, *, images=6, seed=1):
    """Quantize an untrained model on smooth pictures, and lower it; the model, the network and input codes."""
    random = np.random.default_rng(seed)
    float_model = build_model(architecture, seed=seed)
    for layer in float_model.layers:
        if len(layer.get_weights()) == 2:
            kernel, bias = layer.get_weights()
            layer.set_weights([kernel, random.normal(0, 0.1, bias.shape)])
    codes = random.integers(0, 256, (images, *architecture.input_shape))
    types = choose_types(float_model, Recipe(), (codes / 256).astype(np.float32))
    model = quantized_model(float_model, types)
    snap_weights(model)
    return model, lower(model, name="net"), codes


def assert_agreement(model, network, codes, tmp_path):
    layers = compare_layers(model, network, codes)
    assert [layer for layer in layers if layer.differing] == []
    assert {layer.name for layer in layers} >= {layer.name for layer in model.layers if layer.weights}
    names = [node.name for node in network.nodes]
    expected = reference.run(network, codes)
    found = emulator.compile(network).run(codes, keep=names)
    assert all(np.array_equal(found[name], expected[name]) for name in names)
    assert len(np.unique(expected[network.output.name])) > 3, "the network is dead"
    network_file.save(network, tmp_path)
    assert network_file.network_hash(network_file.load(tmp_path)) == network_file.network_hash(network)


TWO_DIMENSIONAL = Architecture(
    input_shape=(12, 10, 3),
    layers=(
        kinds.Conv2D(name="stem", filters=4, activation="tanh"),
        kinds.DepthwiseConv2D(name="depthwise", stride=2, activation="sigmoid"),
        kinds.SeparableConv2D(name="separable", filters=6, activation="relu", inputs=("depthwise",)),
        kinds.AveragePool(name="average", pool=3, stride=1, padding="same"),
        kinds.ZeroPadding(name="wider", before=(1, 0), after=2, inputs=("separable",)),
        kinds.MaxPool(name="maximum", pool=3, stride=1, padding="same", inputs=("separable",)),
        kinds.Add(name="sum", inputs=("average", "maximum", "separable"), activation="relu"),
        kinds.Concatenate(name="both", inputs=("sum", "average")),
        kinds.Conv2D(name="last", filters=5, kernel=1, activation="relu"),
        kinds.Conv2D(name="reduced", filters=2, kernel=2, stride=2, padding="valid", inputs=("wider",)),
        kinds.GlobalMaxPool(name="largest", inputs=("last",)),
        kinds.GlobalAveragePool(name="mean", inputs=("last",)),
        kinds.GlobalAveragePool(name="mean_reduced", inputs=("reduced",)),
        kinds.Concatenate(name="features", inputs=("largest", "mean", "mean_reduced")),
        kinds.Dense(units=3, activation="softmax"),
    ),
)

ONE_DIMENSIONAL = Architecture(
    input_shape=(23, 2),
    layers=(
        kinds.Conv1D(name="stem", filters=4, stride=2, activation="relu"),
        kinds.ZeroPadding(name="longer", before=0, after=1),
        kinds.DepthwiseConv1D(name="depthwise", padding="valid", kernel=2, activation="tanh"),
        kinds.SeparableConv1D(name="separable", filters=4, kernel=5),
        kinds.Add(name="sum", inputs=("stem", "separable"), activation="sigmoid"),
        kinds.AveragePool(name="average", pool=3, stride=2, padding="same"),
        kinds.MaxPool(name="maximum", pool=2, padding="same"),
        kinds.GlobalMaxPool(name="largest"),
        kinds.Dense(units=2),
    ),
)


@pytest.mark.parametrize("architecture", [TWO_DIMENSIONAL, ONE_DIMENSIONAL], ids=["2-D", "1-D"])
def test_every_layer_kind_agrees(architecture, tmp_path):
    model, network, codes = lowered(architecture)
    assert_agreement(model, network, codes, tmp_path)
    expected = {DepthwiseConv, Add, AveragePool, MaxPool, Table}
    assert expected <= {type(node) for node in network.nodes}


def test_the_residual_preset_agrees(tmp_path):
    model, network, codes = lowered(preset("resnet8"), images=3)
    assert_agreement(model, network, codes, tmp_path)
    adds = list(network.of_kind(Add))
    assert len(adds) == 3
    assert any(len({source.type.fraction for source in network.sources(add)}) == 2 for add in adds)


def test_three_branches_are_merged_two_at_a_time():
    _, network, _ = lowered(TWO_DIMENSIONAL, images=1)
    assert [node.inputs for node in network.of_kind(Add)] == [
        ("average", "maximum"),
        ("sum_part1", "separable_relu"),
    ]
    assert [node.shape for node in network.of_kind(Concatenate)] == [(6, 5, 12), (10,), (12,)]


def test_fine_tuning_has_a_gradient_through_tables_and_truncated_averages():
    import tensorflow as tf

    for architecture in (TWO_DIMENSIONAL, ONE_DIMENSIONAL):
        model, _, codes = lowered(architecture, images=2)
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(model(codes / 256.0, training=True) ** 2)
        gradients = tape.gradient(loss, model.trainable_variables)
        assert all(gradient is not None and np.any(gradient.numpy()) for gradient in gradients[:2])
