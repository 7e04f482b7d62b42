"""QKeras models of several inputs and outputs: read, built and lowered to what QKeras itself predicts, in every bit."""

from __future__ import annotations

import numpy as np
import pytest
from qkeras_networks import EIGHT, read_back, with_random_weights

from siliconv import legacy_keras
from siliconv.errors import ModelError
from siliconv.legacy_keras import double_precision
from siliconv.models.qkeras_files.qkeras_reading import TakenModel
from siliconv.models.qkeras_files.taken_ports import ports_of_taken
from siliconv.network import reference
from siliconv.network.fixed_point import to_values
from siliconv.network.rows import input_rows
from siliconv.progress import Silent
from siliconv.quantize.lowering.agreement import agree
from siliconv.quantize.recipe import Unquantized
from siliconv.quantize.taken.exact_model import exact_model
from siliconv.quantize.taken.own_prediction import predict_qkeras
from siliconv.quantize.taken.taken_model import taken_model
from siliconv.quantize.taken.unquantized import with_quantizers
from siliconv.stages.lowered_network import lowered_network

keras = legacy_keras.load()

import qkeras  # noqa: E402

layers = keras.layers


def dense(units, **more):
    bits = qkeras.quantized_bits(6, 0, alpha=1)
    return qkeras.QDense(units, kernel_quantizer=bits, bias_quantizer=bits, **more)


def crossing():
    """Give a model whose inputs stand in another order than their layers, and one of whose outputs is a softmax."""
    vector, image = layers.Input((5,), name="vector"), layers.Input((6, 6, 2), name="image")
    bits = qkeras.quantized_bits(6, 0, alpha=1)
    seen = qkeras.QConv2D(3, 3, kernel_quantizer=bits, bias_quantizer=bits, activation="quantized_relu(6,2)")(image)
    side = qkeras.QActivation("quantized_relu(6,2)")(dense(4)(vector))
    both = layers.Concatenate()([layers.Flatten()(seen), side])
    kind = layers.Activation("softmax", name="kind")(dense(3, name="scores")(both))
    model = keras.Model([image, vector], [dense(1, name="size")(both), kind, seen])
    return with_random_weights(model, size=0.5)


def test_a_model_of_several_inputs_and_outputs_is_what_qkeras_predicts():
    file = read_back(crossing())
    ports = ports_of_taken(file.model)
    assert [(one.name, one.shape) for one in ports.inputs] == [("image", (6, 6, 2)), ("vector", (5,))]
    assert [tuple(one)[1:] for one in ports.outputs] == [((1,), None), ((3,), "softmax"), ((4, 4, 3), None)]
    model = taken_model(file.model, file.weights)
    random = np.random.default_rng(4)
    low, high = EIGHT.codes
    batch = [random.integers(low, high + 1, (200, *one.shape)) for one in ports.inputs]
    network = lowered_network(model, name="net", ports=ports, input_type=EIGHT)
    rows = input_rows(network, batch)
    values = to_values(rows, EIGHT).astype(np.float32)
    own = predict_qkeras(
        file.config,
        file.written,
        None,
        values,
        file.ports,
        progress=Silent(),
    )
    np.testing.assert_array_equal(model.predict(values, verbose=0), own)
    tensors = reference.run(network, batch)
    found = [to_values(tensors[node.name], node.type).reshape(200, -1) for node in network.decisions]
    np.testing.assert_array_equal(np.concatenate(found, axis=1), own)
    assert [node.name for node in network.outputs][1] == "kind_softmax"
    with double_precision():
        np.testing.assert_array_equal(exact_model(file.model, file.weights).predict(values, verbose=0), own)
    assert not agree(model, lambda: model, network, rows).exact.differing


def test_a_model_of_several_ports_is_the_same_when_it_was_written_and_rounded():
    file = read_back(crossing())
    again = TakenModel.model_validate_json(file.model.model_dump_json())
    assert ports_of_taken(again) == ports_of_taken(file.model)
    rest, _, rounded = with_quantizers(again, file.weights, Unquantized())
    assert not rounded
    assert ports_of_taken(rest) == ports_of_taken(file.model)


def _twice():
    image = layers.Input((3,), name="image")
    out = dense(2)(image)
    return keras.Model(image, [out, out])


def _unread():
    image, other = layers.Input((3,), name="image"), layers.Input((3,), name="other")
    return keras.Model([image, other], dense(2)(image))


@pytest.mark.parametrize(("make", "says"), [(_twice, "named twice"), (_unread, "'other' is read by no layer")])
def test_ports_without_a_meaning_are_refused(make, says):
    with pytest.raises(ModelError, match=says) as caught:
        read_back(make())
    assert caught.value.code == "MODEL-PORTS"
