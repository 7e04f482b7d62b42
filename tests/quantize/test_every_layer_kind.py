"""From a float model with every layer kind to the integer network: QKeras, reference and emulator are equal."""

from __future__ import annotations

import numpy as np
import pytest
from every_layer_kind import ONE_DIMENSIONAL, TWO_DIMENSIONAL, lowered

from siliconv.models.architectures.presets import preset
from siliconv.network import graph as ir
from siliconv.network import network_file, reference
from siliconv.network.emulator import emulator
from siliconv.quantize.lowering.agreement import compare_layers


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


@pytest.mark.parametrize("architecture", [TWO_DIMENSIONAL, ONE_DIMENSIONAL], ids=["2-D", "1-D"])
def test_every_layer_kind_agrees(architecture, tmp_path):
    model, network, codes = lowered(architecture)
    assert_agreement(model, network, codes, tmp_path)
    expected = {ir.DepthwiseConv, ir.Add, ir.AveragePool, ir.MaxPool, ir.Table}
    assert expected <= {type(node) for node in network.nodes}


def test_the_residual_preset_agrees(tmp_path):
    model, network, codes = lowered(preset("resnet8"), images=3)
    assert_agreement(model, network, codes, tmp_path)
    adds = list(network.of_kind(ir.Add))
    assert len(adds) == 3
    assert any(len({source.type.fraction for source in network.sources(add)}) == 2 for add in adds)


def test_three_branches_are_merged_two_at_a_time():
    _, network, _ = lowered(TWO_DIMENSIONAL, images=1)
    assert [node.inputs for node in network.of_kind(ir.Add)] == [
        ("average", "maximum"),
        ("sum_part1", "separable_relu"),
    ]
    assert [node.shape for node in network.of_kind(ir.Concatenate)] == [(6, 5, 12), (10,), (12,)]


def test_fine_tuning_has_a_gradient_through_tables_and_truncated_averages():
    import tensorflow as tf

    for architecture in (TWO_DIMENSIONAL, ONE_DIMENSIONAL):
        model, _, codes = lowered(architecture, images=2)
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(model(codes / 256.0, training=True) ** 2)
        gradients = tape.gradient(loss, model.trainable_variables)
        assert all(gradient is not None and np.any(gradient.numpy()) for gradient in gradients[:2])
