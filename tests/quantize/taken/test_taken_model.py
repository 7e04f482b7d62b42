"""A QKeras file, read as data: what is built of it is what QKeras itself predicts, in every bit, and lowers exactly."""

from __future__ import annotations

import numpy as np
import pytest
from qkeras_networks import (
    EIGHT,
    all_or_random_codes,
    exact_prediction_of,
    in_a_row,
    read_back,
    values_of,
    with_random_weights,
)

from siliconv import legacy_keras
from siliconv.errors import ModelError
from siliconv.legacy_keras import double_precision
from siliconv.models.architectures.user_model import read_written_model
from siliconv.models.qkeras_files.qkeras_reading import TakenModel, is_qkeras, qkeras_model_of
from siliconv.models.qkeras_files.taken_shapes import output_shape_of
from siliconv.network.fixed_point import PIXEL, to_values
from siliconv.quantize.lowering.agreement import compare_layers
from siliconv.quantize.lowering.lowering import lower
from siliconv.quantize.recipe import Unquantized
from siliconv.quantize.taken.exact_model import exact_model
from siliconv.quantize.taken.own_prediction import own_model
from siliconv.quantize.taken.taken_model import taken_model
from siliconv.quantize.taken.unquantized import with_quantizers
from siliconv.stages.taken_stages import quantizer_records, weights_file

keras = legacy_keras.load()

import qkeras  # noqa: E402
from qkeras.qconv2d_batchnorm import QConv2DBatchnorm  # noqa: E402

layers = keras.layers


def bits(width=6, integer=0, **more):
    return qkeras.quantized_bits(width, integer, **{"alpha": 1, **more})


def dense(units, **more):
    return qkeras.QDense(units, **{"kernel_quantizer": bits(), "bias_quantizer": bits(), **more})


def classifier():
    return in_a_row(
        layers.Input((10, 9, 1)),
        qkeras.QConv2D(3, 3, strides=2, kernel_quantizer=bits(), bias_quantizer=bits(), name="conv"),
        qkeras.QActivation(qkeras.quantized_relu(6, 1), name="relu"),
        qkeras.QSeparableConv2D(
            4,
            2,
            depthwise_quantizer=bits(5),
            pointwise_quantizer=bits(5),
            bias_quantizer=bits(),
            activation="quantized_relu(5,2)",
        ),
        layers.MaxPooling2D(2, strides=1),
        layers.Flatten(),
        qkeras.QDense(3, kernel_quantizer=qkeras.ternary(), bias_quantizer=qkeras.quantized_bits(5, 1), name="head"),
        layers.Activation("softmax", name="end"),
    )


def folded():
    return in_a_row(
        layers.Input((8, 8, 2)),
        QConv2DBatchnorm(3, 3, kernel_quantizer=bits(), bias_quantizer=bits(8, 2), activation="quantized_relu(6,2)"),
        qkeras.QAveragePooling2D(3, average_quantizer=bits(8)),
        qkeras.QActivation("quantized_tanh(6)"),
        layers.Flatten(),
        qkeras.QDense(
            2, kernel_quantizer="quantized_po2(4)", bias_quantizer="quantized_bits(4,1)", activation="sigmoid"
        ),
    )


def signs():
    return in_a_row(
        layers.Input((12,)),
        qkeras.QDense(8, kernel_quantizer=qkeras.ternary(alpha="auto"), bias_quantizer=qkeras.quantized_bits(5, 2)),
        qkeras.QBatchNormalization(),
        qkeras.QActivation("binary"),
        qkeras.QDense(3, kernel_quantizer="binary", bias_quantizer="binary", activation="binary_tanh"),
    )


def scaled_pixels():
    return in_a_row(
        layers.Input((12,)),
        qkeras.QActivation(qkeras.quantized_bits(8, 8, keep_negative=False, alpha=1 / 255)),
        qkeras.QDense(4, kernel_quantizer=bits(), bias_quantizer=bits()),
        qkeras.QActivation(qkeras.quantized_relu(6, 2, negative_slope=0.25)),
    )


def by_chance_in_training():
    """Quantizers that draw their values while they are trained, and round in a prediction."""
    return in_a_row(
        layers.Input((12,)),
        qkeras.QDense(6, kernel_quantizer=qkeras.stochastic_ternary(alpha="auto_po2"), bias_quantizer=bits()),
        qkeras.QActivation(qkeras.quantized_relu(6, 2, use_stochastic_rounding=True)),
        qkeras.QDense(5, kernel_quantizer=bits(use_stochastic_rounding=True), bias_quantizer=bits()),
        qkeras.QActivation(qkeras.stochastic_binary(alpha=1.0)),
        qkeras.QDense(3, kernel_quantizer=qkeras.quantized_po2(4, use_stochastic_rounding=True), bias_quantizer=bits()),
    )


def scales_of_channels():
    return in_a_row(
        layers.Input((12,)),
        dense(4, kernel_quantizer=bits(5, alpha=np.array([[1.0, 0.5, 2.0, 0.25]], np.float32))),
        qkeras.QActivation("quantized_relu(5,1)"),
        dense(2, kernel_quantizer=bits(5, alpha=[1.0, 0.5])),
    )


MODELS = {
    "scales of channels": scales_of_channels,
    "classifier": classifier,
    "folded": folded,
    "signs": signs,
    "scaled pixels": scaled_pixels,
    "by chance in training": by_chance_in_training,
}


@pytest.mark.parametrize(
    ("name", "form"),
    [
        pytest.param(name, form, marks=() if name == "classifier" or form == "h5" else pytest.mark.slow)
        for name in MODELS
        for form in ("h5", "keras", "json", "json of Keras 3", "live")
    ],
)
def test_what_is_built_of_a_file_is_qkeras_own_prediction_and_the_network(name, form, tmp_path):
    model = with_random_weights(MODELS[name]())
    h5 = None
    if form == "live":
        file = read_back(model)
    else:
        path, beside = tmp_path / f"model.{form.split()[0]}", None
        if form.startswith("json"):
            beside = "weights.h5" if form == "json" else "model.weights.h5"
            path.write_text(model.to_json())
            model.save_weights(tmp_path / beside)
        else:
            model.save(path)
        written = read_written_model(path.name, folder=tmp_path, weights=beside)
        assert is_qkeras(written.config)
        file = qkeras_model_of(written.config, written.weights, where=path.name)
        h5 = weights_file(file, tmp_path / (beside or path.name))
        assert (h5 is not None) == (form in ("h5", "json")), "Keras reads these itself"
    taken = TakenModel.model_validate_json(file.model.model_dump_json())
    built = taken_model(taken, file.weights)
    codes = all_or_random_codes(PIXEL, taken.input_shape, 300)
    inputs = to_values(codes, PIXEL).astype(np.float32)
    own = own_model(file.config, file.written, h5)
    logits = built.predict(inputs, verbose=0)
    assert np.array_equal(own.predict(inputs, verbose=0), logits)
    assert tuple(built.output_shape[1:]) == output_shape_of(taken)
    assert all(record["type"] for record in quantizer_records(built)[0].values())
    network = lower(built, name="net")
    with double_precision():
        exact = exact_model(taken, file.weights)
        assert all(one.differing == 0 for one in compare_layers(exact, network, codes[:60]))
    if name != "scaled pixels":
        assert np.array_equal(values_of(network, codes).reshape(logits.shape), logits)
    # The function at the end stands apart.
    ending = {"classifier": "softmax", "folded": "sigmoid"}.get(name)
    assert taken.ending == ending
    if ending is None:
        assert np.array_equal(model.predict(inputs, verbose=0), logits)


def test_models_inside_and_pruning_wrappers_are_taken_away(tmp_path):
    import tensorflow_model_optimization as tfmot

    inner = in_a_row(
        layers.Input((6, 6, 1)), qkeras.QConv2D(2, 3, kernel_quantizer=bits(), bias_quantizer=bits(), name="c")
    )
    model = in_a_row(
        layers.Input((6, 6, 1)),
        inner,
        layers.Flatten(),
        qkeras.QDense(2, kernel_quantizer=bits(), use_bias=False, name="d"),
    )
    with_random_weights(model).save(tmp_path / "nested.h5")
    head = in_a_row(layers.Input((8,)), qkeras.QDense(4, kernel_quantizer=bits(), bias_quantizer=bits(), name="fc"))
    pruned = tfmot.sparsity.keras.prune_low_magnitude(head)
    arrays = [
        one if "mask" not in variable.name else np.eye(8, 4)
        for variable, one in zip(pruned.weights, pruned.get_weights(), strict=True)
    ]
    pruned.set_weights(arrays)
    pruned.save(tmp_path / "pruned.h5")
    for source, expected in (("nested.h5", model), ("pruned.h5", pruned)):
        written = read_written_model(source, folder=tmp_path)
        file = qkeras_model_of(written.config, written.weights, where=source)
        codes = all_or_random_codes(PIXEL, file.model.input_shape, 50)
        built = taken_model(file.model, file.weights)
        inputs = to_values(codes, PIXEL).astype(np.float32)
        assert np.array_equal(built.predict(inputs, verbose=0), expected.predict(inputs, verbose=0))
        assert all(layer.kind.startswith("Q") or layer.kind == "Flatten" for layer in file.model.layers)
        beside = weights_file(file, tmp_path / source)
        own = own_model(file.config, file.written, beside).predict(inputs, verbose=0)
        assert beside is None, "Keras would read the masks as weights"
        assert np.array_equal(own, expected.predict(inputs, verbose=0))


def test_what_has_no_quantizer_is_rounded_and_named():
    model = with_random_weights(
        in_a_row(
            layers.Input((8,)),
            qkeras.QDense(5, kernel_quantizer=bits(), bias_quantizer=bits(), activation="tanh", name="first"),
            layers.Dense(3, name="last"),
        )
    )
    file = read_back(model)
    found, weights, rounded = with_quantizers(file.model, file.weights, Unquantized(weights=8, activations=10))
    assert [one.name for one in rounded] == ["first (tanh)", "last.kernel", "last.bias"]
    assert all(one.error < 0.01 for one in rounded)
    built = taken_model(found, weights)
    network = lower(built, name="net", input_type=EIGHT)
    codes = all_or_random_codes(EIGHT, (8,), 200)
    inputs = to_values(codes, EIGHT).astype(np.float32)
    assert np.array_equal(values_of(network, codes), built.predict(inputs, verbose=0))
    assert network.by_name["last"].kernel.type.width <= 8
    off = np.abs(built.predict(inputs, verbose=0) - model.predict(inputs, verbose=0)).max()
    assert 0 < off < 0.05
    # Few bits are taken as they are.
    model.get_layer("last").set_weights([np.full((5, 3), 0.75), np.full(3, -2.0)])
    again = read_back(model)
    assert [one.name for one in with_quantizers(again.model, again.weights, Unquantized())[2]] == ["first (tanh)"]


def test_weights_that_are_missing_or_of_another_model_are_refused(tmp_path):
    model = with_random_weights(classifier())
    (tmp_path / "m.json").write_text(model.to_json())
    written = read_written_model("m.json", folder=tmp_path)
    file = qkeras_model_of(written.config, written.weights, where="m.json")
    with pytest.raises(ModelError, match="MODEL-WEIGHTS") as caught:
        taken_model(file.model, file.weights)
    assert "weights: m_weights.h5" in caught.value.fix
    with_random_weights(folded()).save_weights(tmp_path / "other.h5")
    other = read_written_model("m.json", folder=tmp_path, weights="other.h5")
    file = qkeras_model_of(other.config, other.weights, where="m.json")
    with pytest.raises(ModelError, match=r"MODEL-(WEIGHTS|FILE)"):
        taken_model(file.model, file.weights)


@pytest.mark.parametrize("layer", ["Activation", "Dense", "QActivation", "QDense"])
def test_who_reads_hard_sigmoid_decides_which_one_it_is(layer):
    alone = layer.endswith("Activation")
    end = {
        "Activation": lambda: layers.Activation("hard_sigmoid", name="end"),
        "Dense": lambda: layers.Dense(3, activation="hard_sigmoid", name="end"),
        "QActivation": lambda: qkeras.QActivation("hard_sigmoid", name="end"),
        "QDense": lambda: dense(3, activation="hard_sigmoid", name="end"),
    }[layer]()
    model = with_random_weights(in_a_row(layers.Input((8,)), *([dense(3)] if alone else []), end))
    file = read_back(model)
    codes = all_or_random_codes(EIGHT, (8,), 200)
    inputs = to_values(codes, EIGHT).astype(np.float32)
    own = own_model(file.config, file.written, None).predict(inputs, verbose=0)
    assert np.array_equal(taken_model(file.model, file.weights).predict(inputs, verbose=0), own)
    assert np.array_equal(model.predict(inputs, verbose=0), own)
    found, weights, rounded = with_quantizers(file.model, file.weights, Unquantized())
    network = lower(taken_model(found, weights), name="net", input_type=EIGHT)
    # Keras' own has the slope 0.2, and is looked up; QKeras' is exact.
    looked_up = ["end (hard_sigmoid)"] if not layer.startswith("Q") else []
    assert [one.name for one in rounded if "(" in one.name] == looked_up
    assert np.abs(values_of(network, codes) - own).max() <= (0.01 if looked_up else 0.0)


@pytest.mark.parametrize(
    "average",
    [
        lambda: qkeras.QGlobalAveragePooling2D(average_quantizer=bits(8), activation="quantized_relu(5,1)"),
        lambda: qkeras.QGlobalAveragePooling2D(average_quantizer=bits(8), keepdims=True),
        lambda: qkeras.QAveragePooling2D((2, 3), average_quantizer=bits(8)),
        lambda: qkeras.QAveragePooling2D((3, 2), strides=(2, 1), average_quantizer=bits(8)),
    ],
)
def test_averages_over_what_is_not_square_are_the_same_in_float64(average):
    conv = qkeras.QConv2D(2, 2, kernel_quantizer=bits(), bias_quantizer=bits())
    model = with_random_weights(in_a_row(layers.Input((7, 5, 1)), conv, average()))
    file = read_back(model)
    network = lower(taken_model(file.model, file.weights), name="net", input_type=EIGHT)
    codes = all_or_random_codes(EIGHT, (7, 5, 1), 60)
    assert np.array_equal(values_of(network, codes), exact_prediction_of(model, network, codes))


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("kind", ["SeparableConv1D", "SeparableConv2D", "DepthwiseConv1D", "DepthwiseConv2D"])
def test_convolutions_of_keras_own_between_quantized_layers_are_rounded(kind, times):
    axes = int(kind[-2])
    count = (4,) if kind.startswith("S") else ()
    conv = getattr(layers, kind)(*count, 3, depth_multiplier=times, padding="same", name="plain")
    start = qkeras.QActivation("quantized_bits(6,2,alpha=1)")
    model = with_random_weights(in_a_row(layers.Input((*(7, 5)[:axes], 3)), start, conv, dense(2)))
    file = read_back(model)
    assert tuple(model.output_shape[1:]) == output_shape_of(file.model)
    found, weights, rounded = with_quantizers(file.model, file.weights, Unquantized(weights=8))
    assert {one.name.split(".")[0] for one in rounded} == {"plain"}
    built = taken_model(found, weights)
    network = lower(built, name="net", input_type=EIGHT)
    codes = all_or_random_codes(EIGHT, network.input.shape, 60)
    assert np.array_equal(values_of(network, codes), exact_prediction_of(built, network, codes))
