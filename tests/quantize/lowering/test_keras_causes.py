"""Each fault that is planted into a QKeras model is found where it is, with its cause."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from siliconv import legacy_keras
from siliconv.network import reference
from siliconv.network.explanation.first_difference import Execution, explain, reference_execution
from siliconv.network.fixed_point import to_values
from siliconv.network.graph import Conv, Weights
from siliconv.quantize.lowering.keras_causes import contributions, float_execution, model_values, quantized_execution
from siliconv.quantize.lowering.lowering import lower

CODES = np.random.default_rng(1).integers(0, 256, (6, 6, 6, 2))


@pytest.fixture(scope="module")
def keras():
    return legacy_keras.load()


def build(keras, *, width=5, alpha=1, quantizer=True, normalized=False, relu="quantized_relu(5,1)"):
    import qkeras

    def bits(n, integer):
        return qkeras.quantized_bits(n, integer, alpha=alpha) if quantizer else None

    image = keras.Input((6, 6, 2))
    tensor = qkeras.QConv2D(3, 3, kernel_quantizer=bits(width, 0), bias_quantizer=bits(6, 1), name="conv")(image)
    if normalized:
        tensor = keras.layers.BatchNormalization(name="norm")(tensor)
    tensor = qkeras.QActivation(relu, name="relu")(tensor)
    tensor = keras.layers.Flatten(name="flatten")(tensor)
    tensor = qkeras.QDense(2, kernel_quantizer=bits(width, 0), use_bias=False, name="dense")(tensor)
    model = keras.Model(image, tensor)
    random = np.random.default_rng(0)
    for layer in model.layers:
        layer.set_weights([random.uniform(-0.9, 0.9, w.shape) for w in layer.get_weights()])
    return model


@pytest.fixture(scope="module")
def sound(keras):
    model = build(keras)
    return model, lower(model, name="net")


def explained(model, network, codes=CODES, inputs=None):
    inputs = to_values(codes, network.input.type) if inputs is None else inputs
    execution = quantized_execution(model, network, inputs)
    return explain(network, codes, execution, reference_execution(network, reference.run(network, codes)))


def test_a_sound_model_is_equal(sound):
    found = explained(*sound)
    assert found.equal
    assert found.causes == ()
    assert [layer.name for layer in found.layers] == ["network_input", "conv", "relu", "flatten", "dense"]


def test_an_input_that_is_not_quantized(sound):
    found = explained(*sound, inputs=CODES / 255)
    assert (found.layer, found.causes[0].code) == ("network_input", "INPUT-NOT-QUANTIZED")
    assert "no multiple of its step" in found.causes[0].what
    other = explained(*sound, inputs=np.roll(CODES, 1) / 256)
    assert "is code" in other.causes[0].what


@pytest.mark.parametrize("alpha", ["auto", 0.7])
def test_alpha(keras, sound, alpha):
    found = explained(build(keras, alpha=alpha), sound[1])
    assert (found.layer, found.causes[0].code) == ("conv", "ALPHA")
    assert repr(alpha) in found.causes[0].what


def test_weights_of_another_model_and_weights_without_a_quantizer(keras, sound):
    other = build(keras)
    kernel, bias = other.get_layer("conv").get_weights()
    kernel[1, 2, 0, 1] += 0.25
    other.get_layer("conv").set_weights([kernel, bias])
    found = explained(other, sound[1])
    assert (found.layer, found.causes[0].code) == ("conv", "WEIGHTS")
    assert "1 weights are not those of the network, first (1, 2, 0, 1)" in found.causes[0].what
    unquantized = explained(build(keras, quantizer=False), sound[1])
    assert "does not even have" in unquantized.causes[0].what


def test_a_batch_normalization_that_is_folded_in_the_network_only(keras, sound):
    model = build(keras, normalized=True)
    normalization = model.get_layer("norm")
    normalization.set_weights([np.full(3, 2.0), np.zeros(3), np.zeros(3), np.ones(3)])
    conv = sound[1].by_name["conv"]
    assert isinstance(conv, Conv)
    # Twice the weights: gamma is 2.
    folded = replace(conv, kernel=Weights(conv.kernel.codes * 2, replace(conv.kernel.type, width=6, integer=2)))
    network = replace(sound[1], nodes=tuple(folded if node is conv else node for node in sound[1].nodes))
    found = explained(model, network)
    assert (found.layer, found.causes[0].code) == ("conv", "FOLDING")
    assert (found.causes[0].execution, "'norm'" in found.causes[0].what) == ("quantized", True)
    floats = build(keras, normalized=True, quantizer=False, relu="relu")
    execution = float_execution(floats, network, to_values(CODES, network.input.type))
    found = explain(network, CODES, execution, reference_execution(network, reference.run(network, CODES)))
    assert (found.layer, found.causes[0].code) == ("conv", "FOLDING")
    assert (found.causes[0].execution, "'norm'" in found.causes[0].what) == ("float", True)


def test_a_float32_sum_that_rounds(keras):
    model = build(keras, width=16, relu="quantized_relu(16,1)")
    found = explained(model, lower(model, name="net"))
    assert (found.layer, found.causes[0].code) == ("conv", "FLOAT32-ROUNDING")
    assert found.causes[0].execution == "quantized"
    assert found.trace is not None
    partial = [term.partial for term in found.trace.terms]
    assert abs(partial[0]) + sum(abs(b - a) for a, b in itertools.pairwise(partial)) >= 2**24


@pytest.mark.parametrize(
    ("code", "shift", "change"),
    [
        ("ROUNDING-TIE", 0, lambda values, step: np.floor(values / step + 0.5) * step),
        ("SATURATION", 3, lambda values, step: np.rint(values / step) * step % (32 * step)),
    ],
)
def test_an_activation_that_rounds_or_saturates_otherwise(sound, code, shift, change):
    """A quantizer with ties upwards, or one that wraps: applied to the exact sums by hand."""
    model, network = sound
    relu = network.by_name["relu"]
    bias = network.by_name["conv"].bias
    if shift:  # a large bias drives the sums out of range
        conv = replace(network.by_name["conv"], bias=Weights(np.full(3, 31), bias.type))
        network = replace(network, nodes=tuple(conv if node.name == "conv" else node for node in network.nodes))
    codes = np.concatenate([CODES, *(np.random.default_rng(seed).integers(0, 256, CODES.shape) for seed in range(9))])
    tensors = reference.run(network, codes)
    exact = {name: to_values(found, network.by_name[name].type) for name, found in tensors.items()}
    values = {name: exact[name] for name in ("network_input", "conv")}
    values["relu"] = change(np.maximum(exact["conv"], 0) * (4 if shift else 1), relu.type.step)
    if not shift:
        values["relu"] = np.minimum(values["relu"], relu.type.codes.high * relu.type.step)
    else:
        values["relu"] = np.where(exact["conv"] > 2, values["relu"], exact["relu"])
    execution = quantized_execution(model, network, to_values(codes, network.input.type))
    planted = Execution("quantized", values, execution.causes)
    found = explain(network, codes, planted, reference_execution(network, tensors))
    assert (found.layer, found.causes[0].code) == ("relu", code)


def test_float_against_quantized_has_its_parts_apart_and_they_add_up(keras, sound):
    quantized, network = sound
    floats = build(keras, quantizer=False, relu="relu")
    inputs = to_values(CODES, network.input.type)
    execution = float_execution(floats, network, inputs)
    found = explain(network, CODES, execution, quantized_execution(quantized, network, inputs))
    assert (found.layer, [cause.code for cause in found.causes]) == ("conv", ["FLOAT-VS-QUANTIZED"])
    parts = contributions(network, floats, execution.values, model_values(quantized, network, inputs))
    assert [part.layer for part in parts] == ["conv", "dense"]
    for part in parts:
        total = part.weights + part.bias + part.activations + part.rounding
        assert total == pytest.approx(part.total)
        assert abs(part.rounding) < 1e-5
    assert parts[0].activations == 0, "the input is the same"
    assert parts[0].weights != 0
    assert parts[1].activations != 0


def test_what_has_no_known_cause_says_so(sound):
    model, network = sound
    execution = quantized_execution(model, network, to_values(CODES, network.input.type))
    wrong = {**execution.values, "flatten": execution.values["flatten"] + 1}
    found = explain(network, CODES, Execution("quantized", wrong, execution.causes), execution)
    assert (found.layer, found.causes[0].code) == ("flatten", "UNKNOWN")
