"""Layers of Keras in a QKeras file: moved elements, steps of a sequence, shared ones, bounds and slopes, all exact."""

from __future__ import annotations

import numpy as np
import pytest
from qkeras_networks import all_or_random_codes, in_a_row, values_of, with_random_weights

from siliconv import legacy_keras
from siliconv.errors import ModelError, NetworkError
from siliconv.legacy_keras import double_precision
from siliconv.models.architectures.user_model import read_written_model
from siliconv.models.qkeras_files.qkeras_reading import is_qkeras, qkeras_model_of
from siliconv.models.qkeras_files.taken_shapes import output_shape_of
from siliconv.network.fixed_point import FixedPoint, to_values
from siliconv.network.graph import AveragePool
from siliconv.quantize.lowering.agreement import compare_layers
from siliconv.quantize.lowering.lowering import lower
from siliconv.quantize.recipe import Unquantized
from siliconv.quantize.taken.exact_model import exact_model
from siliconv.quantize.taken.own_prediction import own_model
from siliconv.quantize.taken.taken_model import taken_model
from siliconv.quantize.taken.unquantized import with_quantizers

keras = legacy_keras.load()

import qkeras  # noqa: E402
from qkeras.qconv2d_batchnorm import QConv2DBatchnorm  # noqa: E402

layers = keras.layers
KIND = FixedPoint(True, 8, 3)


def quantizers():
    return {"kernel_quantizer": "quantized_bits(4,0,alpha=1)", "bias_quantizer": "quantized_bits(4,1,alpha=1)"}


def relu(width=4):
    return qkeras.QActivation(f"quantized_relu({width},1)")


def moved():
    return in_a_row(
        layers.Input((6, 5, 2)),
        layers.GaussianNoise(0.1),
        layers.Cropping2D(((1, 0), (0, 1))),
        qkeras.QConv2D(3, 3, padding="same", **quantizers()),
        layers.SpatialDropout2D(0.2),
        relu(),
        layers.UpSampling2D((2, 1)),
        layers.Permute((2, 1, 3)),
        layers.Reshape((-1, 3)),
        qkeras.QConv1D(2, 3, padding="causal", **quantizers()),
        layers.Flatten(),
        layers.RepeatVector(2),
        qkeras.QDense(2, **quantizers()),
    )


def steps():
    wrap = layers.TimeDistributed
    folded = QConv2DBatchnorm(2, 2, activation="quantized_relu(4)", **quantizers())
    return in_a_row(
        layers.Input((2, 5, 5, 1)),
        wrap(qkeras.QConv2D(2, 2, **quantizers())),
        wrap(relu()),
        wrap(folded),
        wrap(in_a_row(layers.Input((3, 3, 2)), layers.Flatten(), qkeras.QDense(3, **quantizers()))),
        wrap(qkeras.QActivation("quantized_bits(6,3,alpha=1)")),
        wrap(in_a_row(layers.Input((3,)), qkeras.QDense(2, **quantizers()), layers.Activation("softmax"))),
    )


def shared():
    image, dense, activation = keras.Input((4,)), qkeras.QDense(4, **quantizers()), relu()
    once = activation(dense(image))
    twice = activation(dense(once))
    average = layers.Average()([once, layers.Subtract()([twice, qkeras.QDense(1, **quantizers())(image)])])
    return keras.Model(image, qkeras.QDense(2, **quantizers())(average))


def bounded():
    return in_a_row(
        layers.Input((5, 5, 1)),
        qkeras.QConv2D(3, 2, activation="relu6", **quantizers()),
        layers.MaxPooling2D(2),
        qkeras.QActivation("quantized_relu(6,3)"),
        layers.Flatten(),
        qkeras.QDense(4, **quantizers()),
        layers.LeakyReLU(0.25),
        layers.ReLU(1.5, negative_slope=0.5),
        qkeras.QDense(2, **quantizers()),
        layers.ReLU(2.0),
    )


def rescaled():
    image = keras.Input((4, 4, 2))
    quarter = layers.Rescaling(0.25, offset=-0.5)(layers.CenterCrop(4, 3)(image))
    many = layers.Rescaling([0.75, -2.0])(relu()(qkeras.QConv2D(2, 2, **quantizers())(quarter)))
    return keras.Model(image, qkeras.QDense(2, **quantizers())(layers.Flatten()(many)))


def rescaled_pixels():
    first = [layers.Rescaling(1 / 255, offset=-0.25), qkeras.QActivation("quantized_bits(6,0,alpha=1)")]
    return in_a_row(layers.Input((4, 4, 1)), *first, layers.Flatten(), qkeras.QDense(3, **quantizers()))


MODELS = {
    "moved": moved,
    "steps": steps,
    "shared": shared,
    "bounded": bounded,
    "rescaled": rescaled,
    "rescaled pixels": rescaled_pixels,
}


def read(model, folder, form="h5"):
    path = folder / f"model.{form}"
    model.save(path)
    written = read_written_model(path.name, folder=folder)
    assert is_qkeras(written.config)
    return qkeras_model_of(written.config, written.weights, where=path.name), path if form == "h5" else None


@pytest.mark.parametrize(
    ("name", "form"), [(name, "h5") for name in MODELS] + [("steps", "keras"), ("shared", "keras")]
)
def test_what_is_built_is_qkeras_own_prediction_and_the_network(name, form, tmp_path):
    file, h5 = read(with_random_weights(MODELS[name]()), tmp_path, form)
    built = taken_model(file.model, file.weights)
    kind = FixedPoint(False, 8, 8) if name == "rescaled pixels" else KIND
    codes = all_or_random_codes(kind, file.model.input_shape, 200)
    inputs = to_values(codes, kind).astype(np.float32)
    own = own_model(file.config, file.written, h5).predict(inputs, verbose=0)
    assert np.array_equal(own, built.predict(inputs, verbose=0))
    assert own.shape[1:] == output_shape_of(file.model)
    network = lower(built, name="net", input_type=kind)
    with double_precision():
        exact = exact_model(file.model, file.weights)
        assert all(one.differing == 0 for one in compare_layers(exact, network, codes[:60]))
    found = values_of(network, codes)
    assert np.array_equal(found.reshape(own.shape), own)
    assert len(np.unique(found)) > 4


def test_a_factor_of_many_bits_is_a_table_of_what_float32_makes_of_it(tmp_path):
    model = in_a_row(layers.Input((3,)), relu(8), layers.Rescaling(1 / 3), qkeras.QDense(2, **quantizers()))
    file, _ = read(with_random_weights(model), tmp_path)
    network = lower(taken_model(file.model, file.weights), name="net", input_type=KIND)
    codes = all_or_random_codes(KIND, (3,), 100)
    with double_precision():
        exact = exact_model(file.model, file.weights).predict(to_values(codes, KIND), verbose=0)
    assert np.array_equal(values_of(network, codes), exact)
    wide = in_a_row(
        layers.Input((3,)), qkeras.QActivation("quantized_bits(20,8,alpha=1)"), layers.Rescaling(1 / 3), relu()
    )
    by_channel = in_a_row(layers.Input((3,)), relu(8), layers.Rescaling([1 / 3, 1.0, 1.0]), relu())
    for refused, says in ((wide, "20 bits"), (by_channel, "from channel to channel")):
        with pytest.raises(NetworkError, match="LOWER-NORMALIZATION") as caught:
            lower(refused, name="net", input_type=KIND)
        assert says in caught.value.what


def test_the_factor_of_an_average_of_three_is_rounded_and_named(tmp_path):
    image = keras.Input((4,))
    three = [relu()(qkeras.QDense(4, **quantizers())(image)) for _ in range(3)]
    model = keras.Model(image, qkeras.QDense(2, **quantizers())(layers.Average(name="mean")(three)))
    file, _ = read(with_random_weights(model), tmp_path)
    found, weights, rounded = with_quantizers(file.model, file.weights, Unquantized(weights=10))
    assert [(one.name, one.bits) for one in rounded] == [("mean (factor)", 10)]
    assert 0 < rounded[0].error < 1e-3
    built = taken_model(found, weights)
    codes = all_or_random_codes(KIND, (4,), 100)
    inputs = to_values(codes, KIND).astype(np.float32)
    assert np.array_equal(values_of(lower(built, name="net", input_type=KIND), codes), built.predict(inputs, verbose=0))
    assert 0 < np.abs(built.predict(inputs, verbose=0) - model.predict(inputs, verbose=0)).max() < 0.01


def test_a_bound_that_changes_nothing_costs_nothing():
    dense, bound = qkeras.QDense(3, **quantizers()), layers.ReLU(6.0)
    model = with_random_weights(in_a_row(layers.Input((4,)), dense, bound, qkeras.QActivation("quantized_relu(6,2)")))
    assert [type(node).__name__ for node in lower(model, name="net").nodes] == ["Input", "Dense", "Requantize"]


def test_averages_over_nine_are_truncated_as_the_firmware_does_and_that_is_said(tmp_path):
    model = in_a_row(
        layers.Input((9, 9, 1)),
        relu(6),
        layers.AveragePooling2D(3, name="windows"),
        qkeras.QConv2D(2, 1, activation="quantized_relu(5,2)", **quantizers()),
        layers.GlobalAveragePooling2D(name="all"),
        qkeras.QDense(2, **quantizers()),
    )
    file, _ = read(with_random_weights(model), tmp_path)
    found, weights, rounded = with_quantizers(file.model, file.weights, Unquantized())
    assert [(one.name.split(" ")[0], one.bits) for one in rounded] == [("windows", 5 + 4), ("all", 3 + 4)]
    codes = all_or_random_codes(KIND, (9, 9, 1), 100)
    inputs = to_values(codes, KIND).astype(np.float32)
    built = taken_model(found, weights).predict(inputs, verbose=0)
    network = lower(taken_model(found, weights), name="net", input_type=KIND)
    assert np.array_equal(values_of(network, codes), built)
    off = np.abs(built - model.predict(inputs, verbose=0)).max()
    assert 0 < off < 0.05
    averages = {node.name: node.type.fraction for node in network.of_kind(AveragePool)}
    assert averages == {"windows": 5 + 4, "all": 3 + 4}


BEFORE_AN_AVERAGE = {
    "hard sigmoid": (lambda: qkeras.QActivation("quantized_sigmoid(5)"), 5),
    "true tanh": (lambda: qkeras.QActivation("quantized_tanh(5,use_real_tanh=True)"), 4),
    "signs": (lambda: qkeras.QActivation("binary(alpha=1)"), 0),
    "slope": (lambda: qkeras.QActivation("quantized_relu(5,1,negative_slope=0.25)"), 3),
    "bound": (
        lambda: qkeras.QActivation("quantized_relu(5,2,relu_upper_bound=2.5,is_quantized_clip=False)"),
        3,
    ),
    "rescaled": (lambda: in_a_row(layers.Input((3, 3, 2)), relu(), layers.Rescaling(0.5)), 4),
    "convolution": (lambda: in_a_row(layers.Input((3, 3, 2)), relu(), qkeras.QConv2D(2, 1, **quantizers())), 6),
    "looked up": (lambda: layers.Activation("sigmoid"), 16),
}


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("name", BEFORE_AN_AVERAGE)
def test_an_average_over_nine_knows_the_last_place_of_whatever_stands_before_it(name, own, tmp_path):
    make, places = BEFORE_AN_AVERAGE[name]
    average = qkeras.QGlobalAveragePooling2D(activation="quantized_bits(9,2,alpha=1)" if own else None, name="mean")
    model = in_a_row(layers.Input((3, 3, 2)), make(), average, qkeras.QDense(2, **quantizers()))
    file, _ = read(with_random_weights(model), tmp_path)
    found, weights, rounded = with_quantizers(file.model, file.weights, Unquantized())
    assert [one.bits for one in rounded if one.name.startswith("mean ")] == [places + 4]
    codes = all_or_random_codes(KIND, (3, 3, 2), 100)
    inputs = to_values(codes, KIND).astype(np.float32)
    built = taken_model(found, weights).predict(inputs, verbose=0)
    network = lower(taken_model(found, weights), name="net", input_type=KIND)
    assert np.array_equal(values_of(network, codes), built)
    assert np.abs(built - model.predict(inputs, verbose=0)).max() < 2.0**-places + 0.05


def test_a_distributed_layer_without_an_equal_is_refused_by_its_own_name(tmp_path):
    model = in_a_row(layers.Input((2, 6, 2)), layers.TimeDistributed(qkeras.QConv1D(2, 2, dilation_rate=2)))
    with pytest.raises(ModelError, match="MODEL-LAYER") as caught:
        read(model, tmp_path)
    assert "QConv1D" in caught.value.what
