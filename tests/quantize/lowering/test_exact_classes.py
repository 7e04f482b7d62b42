"""`lower` takes a class and not its subclasses, a model of single calls, a quantizer as QKeras computes it."""

from __future__ import annotations

import numpy as np
import pytest

from siliconv import legacy_keras
from siliconv.errors import NetworkError
from siliconv.network import reference
from siliconv.network.fixed_point import FixedPoint, to_values
from siliconv.quantize.lowering.lowering import lower

keras = legacy_keras.load()

import qkeras  # noqa: E402

BITS = "quantized_bits(6,0,alpha=1)"
KERNEL = {"kernel_quantizer": BITS, "bias_quantizer": BITS}


class Doubled(keras.layers.MaxPooling2D):
    """A pooling that does something else."""

    def call(self, inputs):
        """Double the maximum."""
        return 2 * super().call(inputs)


class MaxPooling2D(keras.layers.MaxPooling2D):
    """A subclass that is called like its parent."""

    def call(self, inputs):
        """Halve the maximum."""
        return super().call(inputs) / 2


class Rounder(qkeras.quantized_bits):
    """A quantizer that does something else."""

    def __call__(self, x):
        """Double what is rounded."""
        return super().__call__(2 * x)


class OwnModel(keras.Model):
    """A functional model with a call of its own."""

    def call(self, inputs, training=None):
        """Double the output."""
        return 2 * super().call(inputs, training=training)


def through(*layers, shape=(4, 4, 2), kind=keras.Model):
    image = tensor = keras.Input(shape)
    for layer in layers:
        tensor = layer(tensor)
    return kind(image, tensor)


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: Doubled(2), "Doubled, a subclass of MaxPooling2D"),
        (lambda: MaxPooling2D(2), "MaxPooling2D, a subclass of MaxPooling2D"),
        (lambda: keras.layers.SpatialDropout2D(0.5), "SpatialDropout2D, a subclass of"),
    ],
)
def test_a_subclass_is_not_its_parent(make, name):
    with pytest.raises(NetworkError, match="LOWER-LAYER") as caught:
        lower(through(make()), name="net")
    assert name in caught.value.what


@pytest.mark.parametrize("place", ["kernel", "activation"])
def test_a_quantizer_of_a_subclass_is_not_its_parents(place):
    own = Rounder(6, 0, alpha=1)
    layer = (
        qkeras.QConv2D(2, 1, kernel_quantizer=own, bias_quantizer=BITS)
        if place == "kernel"
        else qkeras.QActivation(own)
    )
    with pytest.raises(NetworkError, match="LOWER-QUANTIZER") as caught:
        lower(through(layer), name="net")
    assert "Rounder, a subclass of quantized_bits" in caught.value.what


@pytest.mark.parametrize(
    "quantizer",
    [
        *(qkeras.quantized_bits(bits, integer, alpha=1) for bits in (2, 3) for integer in (0, 1, 3)),
        *(qkeras.quantized_bits(bits, 1, keep_negative=False, alpha=1) for bits in (1, 2)),
        qkeras.quantized_bits(2, 0, symmetric=1, alpha=1),
        qkeras.quantized_bits(2, 0, keep_negative=False, symmetric=1, alpha=1),
        *(qkeras.quantized_relu(bits, integer) for bits in (1, 2) for integer in (0, 1, 2)),
        qkeras.quantized_tanh(2),
        qkeras.quantized_tanh(1),
        qkeras.quantized_sigmoid(2),
    ],
    ids=str,
)
def test_few_bits_are_what_qkeras_computes_or_refused(quantizer):
    codes = np.arange(-32, 32).reshape(-1, 1)
    model = through(qkeras.QActivation(quantizer), shape=(1,))
    try:
        network = lower(model, name="net", input_type=FixedPoint(True, 6, 4))
    except NetworkError:
        assert str(quantizer).startswith("quantized_tanh(1")
        return
    found = to_values(reference.run(network, codes)[network.output.name], network.output.type)
    np.testing.assert_array_equal(found, model((codes / 4).astype(np.float32)).numpy())


def test_a_sequential_model_is_lowered_like_the_functional_one():
    layers = [keras.layers.Flatten(), qkeras.QDense(3, **KERNEL)]
    sequential = keras.Sequential([keras.layers.Input((2, 2, 1)), *layers])
    codes = np.arange(12).reshape(3, 2, 2, 1) * 20
    network = lower(sequential, name="net")
    found = to_values(reference.run(network, codes)[network.output.name], network.output.type)
    np.testing.assert_array_equal(found, sequential((codes / 256).astype(np.float32)).numpy())


def _shared():
    dense, image = qkeras.QDense(3, **KERNEL), keras.Input((3,))
    return keras.Model(image, dense(dense(image)))


def _called_in_training():
    image = keras.Input((4, 4, 2))
    return keras.Model(image, keras.layers.Dropout(0.5)(image, training=True))


def _two_outputs():
    image = keras.Input((4, 4, 2))
    flat = keras.layers.Flatten()(image)
    return keras.Model(image, [flat, qkeras.QDense(2, **KERNEL)(flat)])


def test_every_output_of_a_model_is_lowered_in_its_order():
    model, codes = _two_outputs(), np.arange(96).reshape(3, 4, 4, 2)
    network = lower(model, name="net")
    assert [node.shape for node in network.outputs] == [(32,), (2,)]
    tensors = reference.run(network, codes)
    for node, expected in zip(network.outputs, model((codes / 256).astype(np.float32)), strict=True):
        np.testing.assert_array_equal(to_values(tensors[node.name], node.type), expected.numpy())


def test_every_input_of_a_model_is_lowered_in_its_order_and_a_softmax_behind_one_output():
    second, first = keras.Input((3,), name="second"), keras.Input((2, 2, 1), name="first")
    flat = keras.layers.Flatten()(first)
    both = keras.layers.Concatenate()([second, flat])
    shares = qkeras.QDense(3, activation="softmax", name="shares", **KERNEL)(both)
    model = keras.Model([first, second], [qkeras.QDense(2, **KERNEL)(flat), shares])
    network = lower(model, name="net")
    assert [node.name for node in network.inputs] == ["first_in", "second_in"]
    assert [node.name for node in network.outputs][1] == "shares_softmax"
    assert network.decisions[1].name == "shares"
    codes = [np.arange(8).reshape(2, 2, 2, 1) * 20, np.arange(6).reshape(2, 3) * 30]
    found = reference.run(network, codes)
    values = model([(one / 256).astype(np.float32) for one in codes])
    np.testing.assert_array_equal(to_values(found[network.outputs[0].name], network.outputs[0].type), values[0])
    assert np.abs(to_values(found["shares_softmax"], network.outputs[1].type) - values[1].numpy()).max() < 0.01


def test_logits_and_their_softmax_are_not_one_output():
    image = keras.Input((3,))
    logits = qkeras.QDense(3, name="logits", **KERNEL)(image)
    model = keras.Model(image, [logits, keras.layers.Softmax(name="shares")(logits)])
    with pytest.raises(NetworkError, match="LOWER-LAYER"):
        lower(model, name="net")  # a softmax inside has no table of its own yet


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: keras.Sequential([qkeras.QDense(3, **KERNEL)]), "LOWER-MODEL"),
        (lambda: through(keras.layers.Flatten(), kind=OwnModel), "LOWER-MODEL"),
        (_shared, "LOWER-CALL"),
        (_called_in_training, "LOWER-CALL"),
        (lambda: through(qkeras.QConv1D(2, 3, padding="causal", **KERNEL), shape=(8, 2)), "LOWER-SETTING"),
        (lambda: through(keras.layers.MaxPooling2D(2, data_format="channels_first")), "LOWER-SETTING"),
        (lambda: through(keras.layers.Flatten(data_format="channels_first")), "LOWER-SETTING"),
        (lambda: through(keras.layers.MaxPooling2D(2, dtype="mixed_float16")), "LOWER-SETTING"),
        (lambda: through(through(keras.layers.Flatten(), kind=OwnModel)), "LOWER-LAYER"),
    ],
)
def test_what_the_graph_must_not_be(make, code):
    with pytest.raises(NetworkError, match=code):
        lower(make(), name="net")


def test_a_layer_that_another_model_uses_too_is_read_as_in_its_own():
    dense = qkeras.QDense(3, **KERNEL)
    through(keras.layers.Flatten(name="other"), dense, shape=(3, 1, 1))
    model = through(keras.layers.Flatten(name="own"), dense, shape=(3, 1))
    network = lower(model, name="net")
    assert network.by_name[dense.name].inputs == ("own",)
