"""What stands in other people's QKeras models: each construct equals QKeras in every bit, or is refused by name."""

from __future__ import annotations

import numpy as np
import pytest
from qkeras_networks import (
    EIGHT,
    SIXTEEN,
    all_or_random_codes,
    exact_prediction_of,
    in_a_row,
    prediction_of,
    values_of,
    with_random_weights,
)

from siliconv import legacy_keras
from siliconv.errors import NetworkError
from siliconv.network.emulator import emulator
from siliconv.network.fixed_point import PIXEL, FixedPoint, to_values
from siliconv.network.graph import Requantize, Softmax, Table
from siliconv.quantize.lowering.lowering import lower

keras = legacy_keras.load()

import qkeras  # noqa: E402
from qkeras.qconv2d_batchnorm import QConv2DBatchnorm  # noqa: E402
from qkeras.qdepthwiseconv2d_batchnorm import QDepthwiseConv2DBatchnorm  # noqa: E402

layers = keras.layers


def bits(width=6, integer=0, **more):
    return qkeras.quantized_bits(width, integer, **{"alpha": 1, **more})


ACTIVATIONS = {
    "one bit": lambda: bits(1),
    "one bit of another range": lambda: bits(1, 2),
    "one bit, zero or one": lambda: bits(1, 0, keep_negative=False),
    "scaled by a half": lambda: bits(4, 2, alpha=0.5),
    "alpha not given": lambda: qkeras.quantized_bits(5, 1),
    "symmetric": lambda: bits(4, 1, symmetric=1),
    "binary": lambda: "binary",
    "binary of size two": lambda: qkeras.binary(alpha=2.0),
    "binary of zero and one": lambda: qkeras.binary(use_01=True),
    "ternary": lambda: "ternary",
    "ternary with a threshold": lambda: qkeras.ternary(alpha=0.5, threshold=0.8),
    "ternary without a threshold": lambda: qkeras.ternary(alpha=1, threshold=0.0),
    "binary_tanh": lambda: "binary_tanh",
    "binary_sigmoid": lambda: "binary_sigmoid",
    "hard_tanh": lambda: "hard_tanh",
    "hard_sigmoid": lambda: "hard_sigmoid",
    "smooth_tanh": lambda: "smooth_tanh",
    "smooth_sigmoid": lambda: "smooth_sigmoid",
    "relu of Keras": lambda: "relu",
    "true tanh": lambda: qkeras.quantized_tanh(6, use_real_tanh=True),
    "true tanh, symmetric": lambda: qkeras.quantized_tanh(5, symmetric=True, use_real_tanh=True),
    "true sigmoid": lambda: qkeras.quantized_sigmoid(7, use_real_sigmoid=True),
    "true sigmoid, symmetric": lambda: qkeras.quantized_sigmoid(4, symmetric=True, use_real_sigmoid=True),
    "slope of a half": lambda: qkeras.quantized_relu(4, negative_slope=0.5),
    "slope of one": lambda: qkeras.quantized_relu(8, 4, negative_slope=1.0),
    "slope of a quarter": lambda: qkeras.quantized_relu(10, 2, negative_slope=0.25),
    "slope below the last place": lambda: qkeras.quantized_relu(3, 1, negative_slope=0.125),
    "slope of two": lambda: qkeras.quantized_relu(6, 1, negative_slope=2.0),
    "bound of zero, which is none": lambda: "quantized_relu(5,1,relu_upper_bound=0,is_quantized_clip=False)",
    "slope and a bound of zero": lambda: (
        "quantized_relu(5,1,negative_slope=0.5,relu_upper_bound=0,is_quantized_clip=False)"
    ),
}


@pytest.mark.parametrize("kind", [EIGHT, SIXTEEN], ids=str)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_an_activation_equals_qkeras_for_every_input(name, kind):
    model = in_a_row(layers.Input((1,)), qkeras.QActivation(ACTIVATIONS[name](), name="activation"))
    network = lower(model, name="net", input_type=kind)
    codes = all_or_random_codes(kind, (1,), 0)
    found = values_of(network, codes)
    assert np.array_equal(found, prediction_of(model, network, codes))
    assert len(np.unique(found)) > 1
    emulated = emulator.compile(network).run(codes)[network.output.name]
    assert np.array_equal(to_values(emulated, network.output.type), found)


def test_a_scale_that_is_no_power_of_two_is_what_float32_makes_of_it():
    quantizer = qkeras.quantized_bits(8, 8, keep_negative=False, alpha=1 / 255)
    model = in_a_row(layers.Input((1,)), qkeras.QActivation(quantizer, name="pixels"))
    network = lower(model, name="net", input_type=FixedPoint(False, 8, 8))
    codes = np.arange(256).reshape(-1, 1)
    expected = np.arange(256, dtype=np.float32) * np.float32(1 / 255)
    assert np.array_equal(values_of(network, codes).ravel(), expected.astype(np.float64))
    # QKeras' trick for gradients, x + (q - x), rounds: no more than that.
    assert np.abs(prediction_of(model, network, codes).ravel() - expected).max() < 2e-5


@pytest.mark.parametrize("alpha", [0.3, 1.0])
@pytest.mark.parametrize("kind", [EIGHT, FixedPoint(True, 24, 4)], ids=str)
@pytest.mark.parametrize("threshold", [None, 0.3, 3.0])
def test_signs_of_any_size_behind_any_number_of_places_are_exact(alpha, kind, threshold):
    quantizer = qkeras.binary(alpha=alpha) if threshold is None else qkeras.ternary(alpha=alpha, threshold=threshold)
    model = in_a_row(layers.Input((3,)), qkeras.QActivation(quantizer, name="sign"))
    network = lower(model, name="net", input_type=kind)
    codes = all_or_random_codes(kind, (3,), 2000)
    edge = int(np.float32(threshold or 0.0) * 2.0**kind.fraction)
    codes[:9] = np.add.outer([-edge, 0, edge], [-1, 0, 1]).reshape(-1, 1)
    found = values_of(network, codes)
    assert np.array_equal(found, exact_prediction_of(model, network, codes))
    assert set(np.unique(found)) <= {-float(np.float32(alpha)), 0.0, float(np.float32(alpha))}


SIGNS = {
    "ternary, then binary_tanh": (lambda: qkeras.ternary(alpha=1), "binary_tanh", False),
    "binary, then binary_tanh": (lambda: qkeras.binary(), "binary_tanh", False),
    "scaled ternary, normalized, binary": (lambda: qkeras.ternary(alpha="auto"), "binary", True),
    "scaled ternary, normalized, ternary": (lambda: qkeras.ternary(alpha="auto"), "ternary", True),
    "a low threshold": (lambda: qkeras.ternary(alpha="auto"), qkeras.ternary(threshold=0.2), True),
    "a high threshold": (lambda: qkeras.ternary(alpha="auto"), qkeras.ternary(threshold=0.8), True),
    "scaled ternary, ternary": (lambda: qkeras.ternary(alpha="auto"), "ternary", False),
    "scaled binary, one bit": (lambda: qkeras.binary(alpha="auto"), bits(1), False),
    "bits, normalized, binary": (bits, "binary", True),
    "bits, normalized, no threshold": (bits, qkeras.ternary(alpha=0.5, threshold=0.0), True),
    "bits, normalized, binary_sigmoid": (bits, "binary_sigmoid", True),
}


@pytest.mark.parametrize("fresh", [False, True])
@pytest.mark.parametrize("name", SIGNS)
def test_signs_behind_scales_that_no_type_holds_are_thresholds_of_integers(name, fresh):
    kernel, activation, normalized = SIGNS[name]
    dense = qkeras.QDense(10, kernel_quantizer=kernel(), bias_quantizer=qkeras.quantized_bits(5, 2), name="dense")
    between = [layers.BatchNormalization(name="normal")] if normalized else []
    model = in_a_row(layers.Input((10,)), dense, *between, qkeras.QActivation(activation, name="sign"))
    model = model if fresh else with_random_weights(model)
    network = lower(model, name="net", input_type=SIXTEEN)
    codes = all_or_random_codes(SIXTEEN, (10,), 2000)
    found = values_of(network, codes)
    # Of 20,000 sums one or two can be zero, and float32 makes more or less of them.
    rounded = np.flatnonzero((found != prediction_of(model, network, codes)).any(axis=1))
    assert len(rounded) <= 2
    if len(rounded):
        assert np.array_equal(found[rounded], exact_prediction_of(model, network, codes[rounded]))
    assert len(np.unique(found)) > 1


def test_signs_behind_a_normalization_alone_and_on_a_map():
    for shape, activation in (((8,), "binary"), ((6, 5, 3), "ternary"), ((7, 2), "binary_tanh")):
        model = with_random_weights(
            in_a_row(layers.Input(shape), layers.BatchNormalization(), qkeras.QActivation(activation))
        )
        network = lower(model, name="net")
        codes = all_or_random_codes(PIXEL, shape, 100)
        assert np.array_equal(values_of(network, codes), prediction_of(model, network, codes))


def _po2_normalization(shape, *before):
    model = in_a_row(layers.Input(shape), *before, layers.BatchNormalization(epsilon=0.0, name="normal"))
    channels = model.output_shape[-1]
    gamma, variance = np.resize([0.5, -1.0, 2.0], channels), np.resize([4.0, 1.0, 0.25], channels)
    with_random_weights(model)
    model.get_layer("normal").set_weights([gamma, np.full(channels, 0.375), np.full(channels, -0.25), variance])
    return model


def _normalization_of_few_bits(shape, *before):
    model = _po2_normalization(shape, *before)
    normal = model.get_layer("normal")
    gamma, *others = normal.get_weights()
    normal.set_weights([gamma * np.resize([1.5, 1.0, 0.6875], gamma.shape), *others])
    return model


NETWORKS = {
    "normalized by powers of two": lambda: _po2_normalization(
        (8,), qkeras.QDense(3, kernel_quantizer=bits(), bias_quantizer=bits())
    ),
    "normalized by powers of two, a map": lambda: _po2_normalization(
        (6, 6, 2), qkeras.QConv2D(3, 3, kernel_quantizer=bits(), bias_quantizer=bits())
    ),
    "normalized before anything": lambda: _po2_normalization((8,)),
    "normalized by other scales of few bits": lambda: _normalization_of_few_bits(
        (6, 6, 2), qkeras.QConv2D(3, 3, kernel_quantizer=bits(), bias_quantizer=bits())
    ),
    "normalized by other scales of few bits before anything": lambda: _normalization_of_few_bits((8,)),
    "several outputs a channel": lambda: in_a_row(
        layers.Input((7, 6, 3)),
        qkeras.QDepthwiseConv2D(
            3, strides=2, padding="same", depth_multiplier=2, depthwise_quantizer=bits(), bias_quantizer=bits()
        ),
        qkeras.QActivation("quantized_relu(4,1)"),
        qkeras.QDepthwiseConv2D(
            2, depth_multiplier=3, depthwise_quantizer=qkeras.quantized_bits(4), bias_quantizer=bits()
        ),
    ),
    "several outputs a channel, folded": lambda: in_a_row(
        layers.Input((6, 6, 2)),
        QDepthwiseConv2DBatchnorm(3, depth_multiplier=2, depthwise_quantizer=bits(6, 1), bias_quantizer=bits(8, 2)),
    ),
    "several outputs a channel, separable": lambda: in_a_row(
        layers.Input((9, 3)),
        qkeras.QSeparableConv1D(
            5, 3, depth_multiplier=2, depthwise_quantizer=bits(), pointwise_quantizer=bits(), bias_quantizer=bits()
        ),
    ),
    "folded convolution": lambda: in_a_row(
        layers.Input((8, 8, 1)),
        QConv2DBatchnorm(
            4, 3, kernel_quantizer=bits(8), bias_quantizer=bits(8), activation=qkeras.quantized_relu(8, 0)
        ),
    ),
    "folded convolution without a bias of its own": lambda: in_a_row(
        layers.Input((8, 8, 2)),
        QConv2DBatchnorm(3, 3, use_bias=False, kernel_quantizer=bits(6, 1), bias_quantizer=bits(8, 2)),
    ),
    "folded depthwise convolution": lambda: in_a_row(
        layers.Input((8, 8, 3)), QDepthwiseConv2DBatchnorm(3, depthwise_quantizer=bits(6, 1), bias_quantizer=bits(8, 2))
    ),
    "separable": lambda: in_a_row(
        layers.Input((9, 10, 3)),
        qkeras.QSeparableConv2D(
            5,
            3,
            padding="same",
            depthwise_quantizer=bits(8, 3),
            pointwise_quantizer=qkeras.quantized_po2(4),
            bias_quantizer=bits(8, 3),
            activation=qkeras.quantized_relu(6, 4),
        ),
    ),
    "separable sequence": lambda: in_a_row(
        layers.Input((13, 6)),
        qkeras.QSeparableConv1D(5, 3, depthwise_quantizer=bits(), pointwise_quantizer=bits(), bias_quantizer=bits()),
    ),
    "average with a quantizer": lambda: in_a_row(
        layers.Input((6, 6, 2)),
        qkeras.QAveragePooling2D(3, average_quantizer=bits(6), activation=qkeras.quantized_relu(5)),
    ),
    "average without a quantizer": lambda: in_a_row(layers.Input((6, 6, 2)), qkeras.QAveragePooling2D(2)),
    "overall average with a quantizer": lambda: in_a_row(
        layers.Input((3, 3, 2)), qkeras.QGlobalAveragePooling2D(average_quantizer=bits(6))
    ),
    "a float ReLU before a quantized one": lambda: in_a_row(
        layers.Input((8, 8, 1)),
        qkeras.QConv2D(2, 3, kernel_quantizer=bits(), bias_quantizer=bits(), activation="relu"),
        qkeras.QActivation(qkeras.quantized_relu(6, 0)),
    ),
    "a float ReLU that stays": lambda: in_a_row(
        layers.Input((8,)), qkeras.QDense(4, kernel_quantizer=bits(), bias_quantizer=bits()), layers.ReLU()
    ),
    "one bit for kernel and bias": lambda: in_a_row(
        layers.Input((8,)), qkeras.QDense(3, kernel_quantizer=bits(1), bias_quantizer=bits(1, 1))
    ),
    "a kernel scaled by a half": lambda: in_a_row(
        layers.Input((8,)), qkeras.QDense(3, kernel_quantizer=bits(4, 1, alpha=0.5), bias_quantizer=bits())
    ),
    "alpha not given": lambda: in_a_row(
        layers.Input((8,)),
        qkeras.QDense(3, kernel_quantizer=qkeras.quantized_bits(4, 1), bias_quantizer=qkeras.quantized_bits(4, 1)),
    ),
    "ones and zeros without quantizers": lambda: in_a_row(
        layers.Input((10,)), qkeras.QDense(8, kernel_initializer="ones", activation=qkeras.quantized_relu(8, 2))
    ),
    "a model in a model": lambda: in_a_row(
        layers.Input((8, 8, 1)),
        in_a_row(layers.Input((8, 8, 1)), qkeras.QConv2D(2, 3, kernel_quantizer=bits(), bias_quantizer=bits())),
        layers.Flatten(),
        qkeras.QDense(3, kernel_quantizer=bits(), bias_quantizer=bits()),
    ),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_equals_qkeras(name):
    model = NETWORKS[name]()
    model = model if name.startswith(("normalized", "ones")) else with_random_weights(model)
    network = lower(model, name="net")
    codes = all_or_random_codes(PIXEL, network.input.shape, 60)
    found = values_of(network, codes)
    assert np.array_equal(found, prediction_of(model, network, codes))
    assert len(np.unique(found)) > 5


@pytest.mark.parametrize("width", [4, 18])
def test_powers_of_two_of_any_width_are_lowered(width):
    dense = qkeras.QDense(6, kernel_quantizer=qkeras.quantized_po2(width, max_value=2**20))
    model = in_a_row(layers.Input((26,)), dense)
    dense.set_weights([2**18 * np.random.default_rng(0).random((26, 6)), np.zeros(6)])
    network = lower(model, name="net")
    codes = all_or_random_codes(PIXEL, (26,), 60)
    assert np.array_equal(values_of(network, codes), prediction_of(model, network, codes))


def test_powers_of_two_too_far_apart_are_refused_with_their_width():
    dense = qkeras.QDense(2, kernel_quantizer=qkeras.quantized_po2(9), use_bias=False, name="wide")
    model = in_a_row(layers.Input((2,)), dense)
    dense.set_weights([np.array([[2.0**40, 1.0], [1.0, 2.0**-20]])])
    with pytest.raises(NetworkError, match="LOWER-WIDTH") as caught:
        lower(model, name="net")
    assert "2^-20 to 2^40" in caught.value.what


def test_a_redundant_relu_leaves_no_node():
    model = with_random_weights(NETWORKS["a float ReLU before a quantized one"]())
    assert len([node for node in lower(model, name="net").nodes if isinstance(node, Requantize)]) == 1


@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize(("function", "kind"), [("softmax", Softmax), ("sigmoid", Table)])
def test_a_function_at_the_end_stands_behind_exact_logits(function, kind, own):
    def make(behind):
        own_function = {"activation": function} if own and behind else {}
        dense = qkeras.QDense(3, kernel_quantizer=bits(), bias_quantizer=bits(), name="head", **own_function)
        after = [layers.Activation(function, name="end")] if behind and not own else []
        return with_random_weights(in_a_row(layers.Input((8,)), dense, *after))

    model, logits = make(behind=True), make(behind=False)
    network = lower(model, name="net")
    assert isinstance(network.output, kind)
    assert network.logits.name == "head"
    codes = all_or_random_codes(PIXEL, (8,), 200)
    alone = lower(logits, name="net")
    assert np.array_equal(values_of(alone, codes), prediction_of(logits, alone, codes))
    assert np.abs(values_of(network, codes) - prediction_of(model, network, codes)).max() < 0.005
    # The model is as it was: its function is left out while it is lowered only.
    assert np.allclose(model.predict(np.ones((1, 8)), verbose=0).sum(), 1.0) == (function == "softmax")


REFUSED = {
    "a normalization that is no shift": (
        lambda: [
            qkeras.QDense(3, kernel_quantizer=bits(), bias_quantizer=bits()),
            layers.BatchNormalization(name="normal"),
            qkeras.QActivation(qkeras.quantized_relu(4)),
        ],
        "LOWER-NORMALIZATION",
        "fold: fine_tune",
    ),
    "a scale of each channel": (
        lambda: [qkeras.QDense(3, kernel_quantizer=bits(alpha="auto"), bias_quantizer=bits())],
        "LOWER-ALPHA",
        "auto_po2",
    ),
    "a plain layer": (lambda: [layers.Dense(3)], "LOWER-QUANTIZER", "unquantized: {weights: 8}"),
    "a smooth function inside": (
        lambda: [layers.Activation("tanh"), qkeras.QDense(3, kernel_quantizer=bits(), bias_quantizer=bits())],
        "LOWER-FUNCTION",
        "quantized_tanh",
    ),
    "a scale from the batch": (lambda: [qkeras.QActivation(qkeras.binary(alpha="auto_po2"))], "LOWER-ALPHA", "number"),
    "noise that is left": (
        lambda: [qkeras.QActivation(bits(4, qnoise_factor=0.5))],
        "LOWER-STOCHASTIC",
        "qnoise_factor=1",
    ),
    "powers of two as activations": (
        lambda: [qkeras.QActivation(qkeras.quantized_po2(4))],
        "LOWER-QUANTIZER",
        "kernels",
    ),
    "a folded kernel without a quantizer": (
        lambda: [layers.Reshape((3, 2, 1)), QConv2DBatchnorm(2, 2, bias_quantizer=bits())],
        "LOWER-QUANTIZER",
        "give it a kernel_quantizer",
    ),
    "a float ReLU with a threshold": (lambda: [layers.ReLU(threshold=0.5)], "LOWER-FUNCTION", "max_value"),
    "a slope of many bits": (lambda: [layers.LeakyReLU(0.3)], "LOWER-FUNCTION", "0.25"),
    "a bound of many bits": (lambda: [layers.ReLU(0.3)], "LOWER-FUNCTION", "power of two"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_exact_meaning_is_refused_with_the_fix(name):
    make, code, fix = REFUSED[name]
    with pytest.raises(NetworkError, match=code) as caught:
        lower(with_random_weights(in_a_row(layers.Input((6,)), *make())), name="net")
    assert fix in caught.value.fix
    if code == "LOWER-NORMALIZATION":
        assert "-" in caught.value.what.split(":")[1]  # the scales, one of them negative


def test_weights_that_float32_rounds_beyond_their_type_are_refused_with_the_reason():
    model = in_a_row(layers.Input((2,)), qkeras.QDense(1, kernel_quantizer=bits(32, 4), use_bias=False))
    model.set_weights([np.full((2, 1), 3.0)])
    lower(model, name="net")
    model.set_weights([np.full((2, 1), 30.0)])
    with pytest.raises(NetworkError, match="LOWER-QUANTIZER") as caught:
        lower(model, name="net")
    assert "float32 has 24 bits" in caught.value.what
