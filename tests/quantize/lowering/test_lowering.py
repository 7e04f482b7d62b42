"""Lowering: the integer network computes what the QKeras model computes, and says no where it can't."""

from __future__ import annotations

import numpy as np
import pytest

from siliconv import legacy_keras
from siliconv.errors import NetworkError
from siliconv.network import reference
from siliconv.network.fixed_point import FixedPoint, Overflow, Rounding, to_values
from siliconv.network.intervals import prove
from siliconv.network.windows import same_padding
from siliconv.quantize.lowering.lowering import lower


@pytest.fixture(scope="module")
def keras():
    return legacy_keras.load()


@pytest.fixture(scope="module")
def qkeras(keras):
    import qkeras

    return qkeras


def randomize(model, seed=0):
    random = np.random.default_rng(seed)
    for layer in model.layers:
        layer.set_weights([random.uniform(-1.2, 1.2, w.shape) for w in layer.get_weights()])
    return model


def bits(qkeras, width=5, integer=0, **others):
    return qkeras.quantized_bits(width, integer, **{"alpha": 1, **others})


def conv(qkeras, filters, size, name, **others):
    return qkeras.QConv2D(
        filters, size, kernel_quantizer=bits(qkeras), bias_quantizer=bits(qkeras, 6, 1), name=name, **others
    )


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("size", [(3, 3), (1, 1), (2, 5)])
def test_convolutions_equal_qkeras_in_every_bit(keras, qkeras, padding, stride, size):
    image = keras.Input((11, 9, 3))
    tensor = conv(qkeras, 4, size, "conv", strides=stride, padding=padding)(image)
    tensor = qkeras.QActivation("quantized_relu(5,1)", name="relu")(tensor)
    model = randomize(keras.Model(image, tensor))
    network = lower(model, name="net")
    codes = np.random.default_rng(1).integers(0, 256, (8, 11, 9, 3))
    tensors = reference.run(network, codes)
    outputs = keras.Model(model.input, [model.get_layer("conv").output, model.output])(codes / 256.0)
    for name, output in zip(("conv", "relu"), outputs, strict=True):
        assert np.array_equal(to_values(tensors[name], network.by_name[name].type), output.numpy())
    assert len(np.unique(tensors["relu"])) > 10


def test_a_whole_network_with_pools_flatten_and_dense_equals_qkeras(keras, qkeras):
    image = keras.Input((12, 12, 2))
    tensor = conv(qkeras, 6, 3, "conv2d_1", padding="same")(image)
    tensor = qkeras.QActivation("quantized_relu(6,2)", name="conv2d_1_relu")(tensor)
    tensor = keras.layers.MaxPooling2D(2, name="max")(tensor)
    tensor = keras.layers.Dropout(0.5, name="dropout")(tensor)
    tensor = keras.layers.AveragePooling2D(2, name="average")(tensor)
    tensor = conv(qkeras, 8, 2, "conv2d_2")(tensor)
    tensor = qkeras.QActivation("quantized_bits(7,3,alpha=1)", name="signed")(tensor)
    tensor = keras.layers.Flatten(name="flatten")(tensor)
    tensor = qkeras.QDense(5, kernel_quantizer=bits(qkeras), use_bias=False, name="dense")(tensor)
    model = randomize(keras.Model(image, tensor))
    network = lower(model, name="net")
    prove(network)
    codes = np.random.default_rng(2).integers(0, 256, (16, 12, 12, 2))
    expected = model(codes / 256.0).numpy()
    assert np.array_equal(to_values(reference.run(network, codes)["dense"], network.output.type), expected)


def test_global_average_pooling_over_a_power_of_two_is_exact(keras, qkeras):
    image = keras.Input((8, 4, 3))
    tensor = conv(qkeras, 4, 3, "conv", padding="same")(image)
    tensor = qkeras.QActivation("quantized_relu(6,1)", name="relu")(tensor)
    model = randomize(keras.Model(image, keras.layers.GlobalAveragePooling2D(name="gap")(tensor)))
    network = lower(model, name="net")
    codes = np.random.default_rng(3).integers(0, 256, (8, 8, 4, 3))
    values = to_values(reference.run(network, codes)["gap"], network.output.type)
    assert network.output.type.fraction == network.by_name["relu"].type.fraction + 5
    assert np.array_equal(values, model(codes / 256.0).numpy())


def test_symmetric_quantizers_keep_their_range(keras, qkeras):
    image = keras.Input((4,))
    dense = qkeras.QDense(1, kernel_quantizer=bits(qkeras, 4, 0, symmetric=1), use_bias=False, name="dense")
    model = keras.Model(image, dense(image))
    dense.set_weights([np.array([[-3.0], [-1.0], [0.4], [3.0]])])
    network = lower(model, name="net")
    assert network.by_name["dense"].kernel.codes.ravel().tolist() == [-7, -7, 3, 7]


@pytest.mark.parametrize("alpha", ["auto", 0.3])
def test_a_scale_that_is_no_power_of_two_is_refused_with_the_layer_and_the_fix(keras, qkeras, alpha):
    image = keras.Input((4,))
    dense = qkeras.QDense(2, kernel_quantizer=bits(qkeras, alpha=alpha), bias_quantizer=bits(qkeras), name="head")
    with pytest.raises(NetworkError) as raised:
        lower(keras.Model(image, dense(image)), name="net")
    assert raised.value.code == "LOWER-ALPHA"
    assert "head" in raised.value.where
    assert "alpha=1" in raised.value.fix


def test_an_unquantized_bias_or_layer_is_refused(keras, qkeras):
    image = keras.Input((4,))
    unquantized_bias = qkeras.QDense(
        2, kernel_quantizer=bits(qkeras), bias_initializer=keras.initializers.Constant([1.0, 1e-9])
    )
    for layer in (unquantized_bias, keras.layers.Dense(2)):
        with pytest.raises(NetworkError, match="LOWER-QUANTIZER") as raised:
            lower(keras.Model(image, layer(image)), name="net")
        assert "unquantized: {weights: 8}" in raised.value.fix


def test_stochastic_rounding_is_to_nearest_in_a_prediction(keras, qkeras):
    image = keras.Input((4,))
    random, nearest = (
        qkeras.QDense(2, kernel_quantizer=bits(qkeras, use_stochastic_rounding=chance), bias_quantizer=bits(qkeras))
        for chance in (True, False)
    )
    networks = []
    for layer in (random, nearest):
        model = keras.Model(image, layer(image))
        layer.set_weights([np.linspace(-0.9, 0.9, 8).reshape(4, 2), np.array([0.3, -0.4])])
        networks.append(lower(model, name="net"))
    one, other = (network.nodes[-1].kernel.codes for network in networks)
    assert (one == other).all()
    assert len(np.unique(one)) > 4


def test_an_average_that_does_not_divide_exactly_is_refused(keras, qkeras):
    image = keras.Input((6, 6, 1))
    tensor = qkeras.QActivation("quantized_relu(6,1)")(image)
    with pytest.raises(NetworkError, match="LOWER-AVERAGE"):
        lower(keras.Model(image, keras.layers.AveragePooling2D(3)(tensor)), name="net")


@pytest.mark.parametrize(
    ("shape", "window", "strides", "expected"),
    [((64, 64), (3, 3), (1, 1), ((1, 1), (1, 1))), ((64,), (3,), (2,), ((0, 1),)), ((7,), (3,), (2,), ((1, 1),))],
)
def test_same_padding_is_that_of_keras(shape, window, strides, expected):
    assert same_padding(shape, window, strides) == expected


def test_quantizer_types(qkeras):
    from siliconv.quantize.lowering.quantizer_types import quantizer_type

    modes = (Rounding.RND_CONV, Overflow.SAT)
    assert quantizer_type(bits(qkeras, 6, 2), where="") == FixedPoint(True, 6, 3, *modes)
    assert quantizer_type(bits(qkeras, 8, 0, keep_negative=False), where="") == FixedPoint(False, 8, 0, *modes)
    assert quantizer_type(qkeras.quantized_relu(6, 2), where="") == FixedPoint(False, 6, 2, *modes)
