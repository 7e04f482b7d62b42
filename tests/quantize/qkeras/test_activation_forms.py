"""Bounded ReLUs and QKeras' hard functions, chosen in the recipe: values, gradients, equal in every executor."""

from __future__ import annotations

import numpy as np
import pytest

from siliconv import legacy_keras
from siliconv.errors import NetworkError
from siliconv.models.architectures import layers as kinds
from siliconv.models.architectures.architecture import Architecture
from siliconv.models.architectures.functions import sloped_relu
from siliconv.models.architectures.keras_model import build_model
from siliconv.network import reference
from siliconv.network.emulator import emulator
from siliconv.network.fixed_point import parse_type, to_values
from siliconv.network.intervals import prove
from siliconv.quantize.lowering.lowering import lower
from siliconv.quantize.qkeras.activation_forms import BoundedRelu, HardFunction, SlopedRelu
from siliconv.quantize.qkeras.qkeras_model import quantized_model, snap_weights
from siliconv.quantize.qkeras.quantization import parse_quantization
from siliconv.quantize.qkeras.quantizers import relu_quantizer
from siliconv.quantize.qkeras.table_activation import SlopedActivation
from siliconv.quantize.recipe import LayerBits, Recipe
from siliconv.quantize.training.calibration import choose_types
from siliconv.quantize.training.calibration_record import calibration_record

keras = legacy_keras.load()
tf = legacy_keras.tensorflow()

import qkeras  # noqa: E402

NETWORK = Architecture(
    input_shape=(8, 8, 2),
    layers=(
        kinds.Conv2D(filters=4, activation="relu"),
        kinds.MaxPool(),
        kinds.Conv2D(filters=4, activation="tanh"),
        kinds.Conv2D(filters=3, activation="sigmoid"),
        kinds.Flatten(),
        kinds.Dense(units=6, activation="relu"),
        kinds.Dense(units=2),
    ),
)
FORMS = (
    BoundedRelu(parse_type("ufixed<6,3,RND_CONV,SAT>"), 6.0),
    BoundedRelu(parse_type("ufixed<5,0,RND_CONV,SAT>"), 0.75),
    HardFunction("tanh", 6),
    HardFunction("sigmoid", 4),
    SlopedRelu(parse_type("fixed<7,3,RND_CONV,SAT>"), 0.25),
    SlopedRelu(parse_type("fixed<5,-1,RND_CONV,SAT>"), 2.0**-20),
)


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_their_text_reads_back(form):
    assert parse_quantization(str(form)) == form


@pytest.mark.parametrize("form", FORMS[:2], ids=str)
def test_a_bounded_relu_has_the_values_and_gradients_of_qkeras(form):
    x = tf.constant(np.random.default_rng(1).uniform(-2, 9, 4000).astype(np.float32))
    theirs = qkeras.quantized_relu(
        form.type.width, form.type.integer, relu_upper_bound=form.bound, is_quantized_clip=False
    )
    results = []
    for quantizer in (relu_quantizer(form), theirs):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = quantizer(x)
        results.append((y.numpy(), tape.gradient(y, x).numpy()))
    np.testing.assert_array_equal(results[0][0], results[1][0])
    np.testing.assert_array_equal(results[0][1], results[1][1])
    np.testing.assert_array_equal(results[0][0], form.nearest(x.numpy()).astype(np.float32))
    assert results[0][0].max() == form.bound


def test_a_recipe_chooses_them_and_every_executor_agrees():
    recipe = Recipe(
        relu_bound=0.5,
        layers={"conv2d_2": LayerBits(functions="hard", activations=5), "conv2d_3": LayerBits(functions="hard")},
    )
    model = build_model(NETWORK)
    random = np.random.default_rng(3)
    for layer in model.layers:
        layer.set_weights([random.normal(scale=0.6, size=weight.shape) for weight in layer.get_weights()])
    images = random.integers(0, 256, (32, 8, 8, 2))
    types = choose_types(model, recipe, images / 256)
    assert types["conv2d_1_relu"].bound == types["dense_1_relu"].bound == 0.5
    assert types["conv2d_2_tanh"] == HardFunction("tanh", 5)
    assert types["conv2d_3_sigmoid"] == HardFunction("sigmoid", 6)
    assert calibration_record(model, types, recipe, images / 256)["tensors"]["conv2d_1_relu"]["saturated"] > 0
    quantized = quantized_model(model, types)
    snap_weights(quantized)
    network = lower(quantized, name="net")
    prove(network)
    found = reference.run(network, images)[network.output.name]
    np.testing.assert_array_equal(
        to_values(found, network.output.type), quantized((images / 256).astype(np.float32)).numpy()
    )
    np.testing.assert_array_equal(emulator.compile(network).run(images)[network.output.name], found)
    assert len(np.unique(found)) > 20
    # In training the pooling takes over the bounded ReLU: the same values.
    np.testing.assert_allclose(
        quantized((images / 256).astype(np.float32), training=True),
        quantized((images / 256).astype(np.float32)),
        atol=1e-5,
    )


def test_a_bound_off_the_grid_is_refused_with_the_nearest():
    model = build_model(NETWORK)
    images = np.random.default_rng(3).uniform(size=(8, 8, 8, 2))
    with pytest.raises(NetworkError, match="RECIPE-BOUND") as raised:
        choose_types(model, Recipe(relu_bound=0.101, activations=3), images)
    assert "such as" in raised.value.fix


def test_a_slope_that_is_a_power_of_two_is_exact_in_every_executor():
    """The values are those of the function, rounded once, whatever the bits of the input; no table rounds it first."""
    slopes = (0.125, 0.5, 2.0**-9, 4.0)
    layers = [kinds.Dense(units=8, inputs=("input",))]
    for number, slope in enumerate(slopes, start=1):
        layers.append(kinds.Activation(name=f"leaky{number}", activation=f"relu(inf,{slope})"))
        layers.append(kinds.Dense(units=8))
    model = build_model(Architecture(input_shape=(6,), layers=tuple(layers)))
    random = np.random.default_rng(4)
    for layer in model.layers:
        layer.set_weights([random.normal(scale=0.6, size=weight.shape) for weight in layer.get_weights()])
    images = random.integers(0, 256, (300, 6))
    types = choose_types(model, Recipe(activations=9), images / 256)
    quantized = quantized_model(model, types)
    snap_weights(quantized)
    network = lower(quantized, name="net")
    prove(network)
    found = reference.run(network, images)
    emulated = emulator.compile(network).run(images, keep=[node.name for node in network.nodes])
    before = "dense_1"
    for number, slope in enumerate(slopes, start=1):
        form, name = types[f"leaky{number}"], f"leaky{number}"
        assert form.slope == slope
        value = to_values(found[before], network.by_name[before].type)
        exact = np.where(value > 0, value, value * slope)
        assert (exact < 0).any(), "values that are never negative test no slope"
        np.testing.assert_array_equal(to_values(found[name], network.by_name[name].type), form.nearest(exact))
        np.testing.assert_array_equal(emulated[name], found[name])
        before = f"dense_{number + 1}"
    output = to_values(found[network.output.name], network.output.type)
    np.testing.assert_array_equal(output, quantized((images / 256).astype(np.float32)).numpy())


def test_the_gradient_of_a_slope_is_that_of_the_function_inside_the_type():
    form = SlopedRelu(parse_type("fixed<6,2,RND_CONV,SAT>"), 0.25)
    x = tf.constant([-40.0, -3.0, -0.1, 0.3, 1.5, 9.0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = SlopedActivation(form.output, form.slope)(x)
    np.testing.assert_array_equal(y, [-2.0, -0.75, 0.0, 0.3125, 1.5, 31 / 16])
    np.testing.assert_array_equal(tape.gradient(y, x), [0.0, 0.25, 0.25, 1.0, 1.0, 0.0])


@pytest.mark.parametrize("text", ["relu", "relu(6,0.5)", "relu(inf,0.3)", "relu(inf,0.5,1)", "elu", "relu(inf,-0.5)"])
def test_no_other_function_counts_as_a_slope_alone(text):
    assert sloped_relu(text) is None
