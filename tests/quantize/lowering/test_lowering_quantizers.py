"""Binary, ternary, power-of-two weights, scales of a channel, hard functions: QKeras = integer network = emulator."""

from __future__ import annotations

import numpy as np
import pytest

from siliconv import legacy_keras
from siliconv.errors import NetworkError
from siliconv.models.architectures.keras_model import build_model
from siliconv.models.architectures.presets import preset
from siliconv.network import reference
from siliconv.network.emulator import emulator
from siliconv.network.fixed_point import to_values
from siliconv.network.intervals import prove
from siliconv.quantize.lowering.lowering import lower
from siliconv.quantize.qkeras.qkeras_model import quantized_model, snap_weights
from siliconv.quantize.qkeras.quantization import parse_quantization
from siliconv.quantize.qkeras.weight_levels import KINDS, WeightLevels, best_levels
from siliconv.quantize.recipe import LayerBits, Pruning, Recipe
from siliconv.quantize.training.calibration import as_text, choose_types

keras = legacy_keras.load()
tf = legacy_keras.tensorflow()

import qkeras  # noqa: E402

KERNELS = {
    "binary": lambda: qkeras.binary(alpha=0.25),
    "binary of 0 and 1": lambda: qkeras.binary(use_01=True, alpha=2.0),
    # QKeras' layers turn None into auto_po2.
    "binary, no alpha": lambda: qkeras.binary(),
    "binary, scaled": lambda: qkeras.binary(alpha="auto_po2"),
    "ternary": lambda: qkeras.ternary(alpha=0.5, threshold=0.3),
    "ternary, scaled": lambda: qkeras.ternary(alpha="auto_po2"),
    "powers of two": lambda: qkeras.quantized_po2(4, max_value=1),
    "powers above one": lambda: qkeras.quantized_po2(4, max_value=4),
    "powers, unbounded": lambda: qkeras.quantized_po2(3),
    "bits, scaled": lambda: qkeras.quantized_bits(4, 0, alpha="auto_po2"),
    "positive powers": lambda: qkeras.quantized_relu_po2(4, 2),
    "ReLU with a slope": lambda: qkeras.quantized_relu(5, 1, negative_slope=0.25),
    "sigmoid": lambda: qkeras.quantized_sigmoid(5),
    "true tanh": lambda: qkeras.quantized_tanh(5, use_real_tanh=True),
    "bits above one, scaled": lambda: qkeras.quantized_bits(5, 2, alpha="auto_po2"),
}


def check(model, network, exact=True):
    """Compare QKeras, reference and emulator on codes; QKeras to a few units of float32 unless it is exact."""
    prove(network)
    codes = np.random.default_rng(5).integers(0, 256, (12, *network.input.shape))
    found = reference.run(network, codes)[network.output.name]
    expected = model(codes.astype(np.float32) / 256).numpy()
    values = to_values(found, network.output.type)
    if exact:
        assert np.array_equal(values, expected)
    else:
        assert np.allclose(values, expected, rtol=0, atol=2e-6 * np.abs(expected).max())
    assert np.array_equal(emulator.compile(network).run(codes)[network.output.name], found)
    assert len(np.unique(found)) > 5


@pytest.mark.parametrize("kind", KERNELS)
def test_weights_of_few_levels_and_scales_of_a_channel_become_integers(kind):
    image = keras.Input((6, 5, 3))
    bias = qkeras.quantized_bits(6, 1, alpha=1)
    layer = qkeras.QConv2D(4, 3, kernel_quantizer=KERNELS[kind](), bias_quantizer=bias, name="conv")
    model = keras.Model(image, layer(image))
    random = np.random.default_rng(1)
    # A channel each of very different size: scales differ.
    kernel = random.uniform(-1, 1, (3, 3, 3, 4)) * [0.05, 0.3, 1.0, 2.5]
    layer.set_weights([kernel, random.uniform(-1, 1, 4)])
    network = lower(model, name="net")
    weights = network.by_name["conv"].kernel
    expected = layer.kernel_quantizer_internal(layer.kernel).numpy()
    assert np.allclose(to_values(weights.codes, weights.type), expected, rtol=1e-6)
    if "scaled" in kind:
        assert len({float(np.abs(expected[..., channel]).max()) for channel in range(4)}) > 2
    check(model, network, exact=False)


@pytest.mark.parametrize(
    "quantizer",
    [
        lambda: qkeras.binary(alpha=0.3),
        lambda: qkeras.ternary(alpha="auto"),
        lambda: qkeras.binary(alpha="auto"),
        lambda: qkeras.quantized_bits(4, 0, alpha=[0.3, 1.0]),
        lambda: qkeras.quantized_bits(4, 0, alpha=np.array([[0.3], [1.0], [2.0], [1.0]])),
    ],
)
def test_scales_that_are_no_powers_of_two_are_refused(quantizer):
    image = keras.Input((4,))
    dense = qkeras.QDense(2, kernel_quantizer=quantizer(), use_bias=False, name="head")
    with pytest.raises(NetworkError, match="LOWER-ALPHA") as raised:
        lower(keras.Model(image, dense(image)), name="net")
    assert "head" in raised.value.where
    assert "auto_po2" in raised.value.fix


ACTIVATIONS = {
    "tanh": lambda: qkeras.quantized_tanh(5),
    "symmetric tanh": lambda: qkeras.quantized_tanh(4, symmetric=True),
    "sigmoid": lambda: qkeras.quantized_sigmoid(5),
    "symmetric sigmoid": lambda: qkeras.quantized_sigmoid(3, symmetric=True),
    "sigmoid of two bits": lambda: qkeras.quantized_sigmoid(2),
    "relu up to 1.25": lambda: qkeras.quantized_relu(6, 2, relu_upper_bound=1.25, is_quantized_clip=False),
    "relu up to more than its type": lambda: qkeras.quantized_relu(4, 0, relu_upper_bound=3, is_quantized_clip=False),
    "relu without bound": lambda: qkeras.quantized_relu(4, 0, is_quantized_clip=False),
}


@pytest.mark.parametrize("kind", ACTIVATIONS)
def test_hard_functions_and_bounds_equal_qkeras_in_every_bit(kind):
    image = keras.Input((40, 3))
    # Steps of 1/16 from -4 to 4: ties, both ends, and all between.
    kernel, bias = np.diag([8.0, 8.0, 8.0]), np.array([-4.0, -4.0, -4.0])
    dense = qkeras.QDense(
        3,
        kernel_quantizer=qkeras.quantized_bits(6, 4, alpha=1),
        bias_quantizer=qkeras.quantized_bits(6, 4, alpha=1),
        name="dense",
    )
    model = keras.Model(image, qkeras.QActivation(ACTIVATIONS[kind](), name="activation")(dense(image)))
    dense.set_weights([kernel, bias])
    network = lower(model, name="net")
    codes = np.arange(256).repeat(3).reshape(-1, 3)[:240].reshape(6, 40, 3)
    codes = np.concatenate([codes, 255 - codes])
    found = reference.run(network, codes)["activation"]
    assert np.array_equal(to_values(found, network.output.type), model(codes.astype(np.float32) / 256).numpy())
    assert np.array_equal(emulator.compile(network).run(codes)["activation"], found)


def test_a_bound_off_the_grid_and_smooth_functions_are_refused():
    image = keras.Input((4,))

    def refused(activation, code):
        with pytest.raises(NetworkError, match=code):
            lower(keras.Model(image, qkeras.QActivation(activation, name="a")(image)), name="net")

    refused(qkeras.quantized_relu(4, 2, relu_upper_bound=1.3, is_quantized_clip=False), "LOWER-BOUND")
    refused("tanh", "LOWER-FUNCTION")
    refused(qkeras.quantized_sigmoid(1), "LOWER-QUANTIZER")
    refused(qkeras.quantized_relu(4, 2, negative_slope=0.25, use_sigmoid=1), "LOWER-QUANTIZER")
    refused(qkeras.binary(alpha="auto"), "LOWER-ALPHA")
    refused(qkeras.quantized_relu_po2(4), "LOWER-QUANTIZER")
    refused(qkeras.quantized_bits(5, qnoise_factor=0.5), "LOWER-STOCHASTIC")
    qkeras.set_internal_sigmoid("smooth")
    try:
        refused(qkeras.quantized_tanh(5), "LOWER-QUANTIZER")
    finally:
        qkeras.set_internal_sigmoid("hard")


VALUES = np.concatenate([np.arange(-40, 41) / 32, np.random.default_rng(0).normal(0, 0.5, 2000)]).astype(np.float32)


@pytest.mark.parametrize("exponent", [-3, 0, 2])
@pytest.mark.parametrize("kind", KINDS)
def test_our_quantizers_of_levels_are_qkeras_own_but_exact(kind, exponent):
    from siliconv.quantize.qkeras.quantizers import weight_quantizer

    levels = WeightLevels(kind, exponent)
    size = 2.0**exponent
    theirs = {
        "binary": lambda: qkeras.binary(alpha=size),
        "ternary": lambda: qkeras.ternary(alpha=size, threshold=size / 2),
        "po2": lambda: qkeras.quantized_po2(4, max_value=size),
    }[kind]()
    results = []
    for quantizer in (weight_quantizer(levels), theirs):
        x = tf.constant(VALUES)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = quantizer(x)
        results.append((y.numpy(), tape.gradient(y, x).numpy()))
    (ours, our_gradient), (expected, their_gradient) = results
    assert np.allclose(ours, expected, rtol=0, atol=1e-6)
    assert np.array_equal(our_gradient, their_gradient)
    assert np.array_equal(ours, levels.nearest(VALUES))
    assert np.array_equal(weight_quantizer(levels)(tf.constant(ours)).numpy(), ours)
    assert np.array_equal(np.rint(ours * 2.0**levels.fraction), ours * 2.0**levels.fraction)


@pytest.mark.parametrize("kind", KINDS)
def test_no_neighbouring_levels_have_less_error(kind):
    weights = np.random.default_rng(3).normal(0, 0.07, 3000)
    chosen = best_levels(kind, weights)

    def error(levels):
        return np.mean((levels.nearest(weights) - weights) ** 2)

    for move in (-1, 1):
        assert error(chosen) <= error(WeightLevels(kind, chosen.exponent + move))
    assert parse_quantization(str(chosen)) == chosen


def test_a_recipe_with_every_kind_of_weights_gives_an_equal_network():
    architecture = preset("digits")
    model = build_model(architecture, seed=3)
    images = np.random.default_rng(0).integers(0, 256, (16, *architecture.input_shape)).astype(np.float32) / 256
    layers = {
        "conv2d_*": LayerBits(weights="ternary"),
        "conv2d_1": LayerBits(weights="binary"),
        "dense_1": LayerBits(weights="po2"),
    }
    types = choose_types(model, Recipe(layers=layers), images)
    assert as_text(types)["conv2d_1.kernel"].startswith("binary<-")
    types = {name: parse_quantization(text) for name, text in as_text(types).items()}
    quantized = quantized_model(model, types)
    before = quantized(images).numpy()
    snap_weights(quantized)
    assert np.array_equal(quantized(images).numpy(), before)
    network = lower(quantized, name="net")
    assert set(np.unique(network.by_name["conv2d_1"].kernel.codes)) == {-1, 1}
    assert set(np.unique(network.by_name["conv2d_2"].kernel.codes)) == {-1, 0, 1}
    assert set(np.unique(np.abs(network.by_name["dense_1"].kernel.codes))) <= {2**power for power in range(16)}
    check(quantized, network)
    with pytest.raises(NetworkError, match="RECIPE-PRUNING"):
        choose_types(model, Recipe(layers=layers, pruning=Pruning()), images)
    choose_types(model, Recipe(weights="ternary", pruning=Pruning()), images)
