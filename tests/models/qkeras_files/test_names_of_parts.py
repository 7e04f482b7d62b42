"""Layers that are called as a part of another one get a name of their own, and nothing else is renamed."""

from __future__ import annotations

import numpy as np
import pytest
from qkeras_networks import EIGHT, all_or_random_codes, in_a_row, read_back, values_of, with_random_weights

from siliconv import legacy_keras
from siliconv.network.fixed_point import to_values
from siliconv.quantize.lowering.lowering import lower
from siliconv.quantize.taken.taken_model import taken_model

keras = legacy_keras.load()

import qkeras  # noqa: E402

layers = keras.layers
BITS = "quantized_bits(4,0,alpha=1)"


def dense(units, **more):
    return qkeras.QDense(units, kernel_quantizer=BITS, bias_quantizer=BITS, **more)


def added():
    image = keras.Input((4,))
    return keras.Model(image, layers.Add(name="all")([dense(3, name="all_part1")(image), *_two(image)]))


def _two(image):
    return dense(3)(image), dense(3)(image)


def separable():
    conv = qkeras.QSeparableConv1D(
        3, 3, depthwise_quantizer=BITS, pointwise_quantizer=BITS, bias_quantizer=BITS, name="conv"
    )
    before = qkeras.QActivation("quantized_relu(4,1)", name="conv_depthwise")
    return in_a_row(layers.Input((8, 2)), before, conv, layers.Flatten(), dense(2))


MODELS = {
    "activation": lambda: in_a_row(
        layers.Input((4,)),
        dense(3, activation="quantized_relu(4,1)", name="first"),
        qkeras.QActivation("quantized_relu(3,1)", name="first_activation"),
        dense(2),
    ),
    "table": lambda: in_a_row(
        layers.Input((4,)), dense(3, name="sign_input"), qkeras.QActivation("binary", name="sign"), dense(2)
    ),
    "input": lambda: in_a_row(layers.Input((4,)), dense(3, name="network_input"), dense(2)),
    "sum": added,
    "separable": separable,
}


@pytest.mark.parametrize("name", MODELS)
def test_a_layer_called_as_a_part_of_another_is_named_apart(name):
    model = with_random_weights(MODELS[name]())
    file = read_back(model)
    renamed = [layer.name for layer in file.model.layers if layer.name not in {one.name for one in model.layers}]
    assert len(renamed) == 1
    assert renamed[0].endswith("_layer")
    network = lower(taken_model(file.model, file.weights), name="net", input_type=EIGHT)
    codes = all_or_random_codes(EIGHT, network.input.shape, 50)
    inputs = to_values(codes, EIGHT).astype(np.float32)
    assert np.array_equal(values_of(network, codes), model.predict(inputs, verbose=0))


def test_usual_names_stay():
    model = in_a_row(
        layers.Input((4, 4, 1)),
        qkeras.QConv2D(2, 3, kernel_quantizer=BITS, bias_quantizer=BITS, name="conv1"),
        layers.BatchNormalization(name="conv1_bn"),
        qkeras.QActivation("quantized_relu(4)", name="conv1_relu"),
        layers.Flatten(name="conv1_activation"),
        dense(2, name="conv1_input"),
    )
    names = [layer.name for layer in read_back(with_random_weights(model)).model.layers]
    assert names == ["conv1", "conv1_bn", "conv1_relu", "conv1_activation", "conv1_input"]
