"""The fused training forms give the values and gradients of QKeras' quantizer and TensorFlow's max pooling in a row."""

from __future__ import annotations

import numpy as np
import pytest

from siliconv import legacy_keras
from siliconv.models.architectures.keras_model import build_model
from siliconv.models.architectures.presets import preset
from siliconv.network.fixed_point import FixedPoint, Overflow, Rounding
from siliconv.quantize.qkeras.qkeras_model import quantized_model
from siliconv.quantize.recipe import Recipe
from siliconv.quantize.training.calibration import choose_types

keras = legacy_keras.load()
tf = legacy_keras.tensorflow()


def relu_type(width=4, integer=1):
    return FixedPoint(False, width, integer, Rounding.RND_CONV, Overflow.SAT)


def sample(shape, seed=0):
    """Multiples of 1/64, so that float32 is exact and most windows hold equal codes, halves and exact zeros."""
    return np.rint(np.random.default_rng(seed).normal(0, 60, shape)).astype(np.float32) / 64


def value_and_gradient(function, x):
    weights = np.random.default_rng(9).normal(size=function(x).shape).astype(np.float32)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = function(x)
        total = tf.reduce_sum(y * weights)
    return y.numpy(), tape.gradient(total, x).numpy()


@pytest.mark.parametrize(
    ("shape", "window", "padding"),
    [((3, 8, 6, 5), (2, 2), "valid"), ((2, 9, 7, 3), (3, 2), "valid"), ((2, 8, 8, 3), (4, 2), "same")],
)
def test_fused_max_pooling_is_activation_then_pooling_with_the_same_gradient_among_equal_codes(shape, window, padding):
    import qkeras

    from siliconv.quantize.qkeras.quantizers import FixedPointRelu
    from siliconv.quantize.qkeras.training_layers import QuantizingMaxPooling2D, TrainedActivation

    x = tf.constant(sample(shape))
    ours = TrainedActivation(FixedPointRelu(relu_type()), pooled=True)
    our_pool = QuantizingMaxPooling2D(FixedPointRelu(relu_type()), pool_size=window, padding=padding)
    their_pool = keras.layers.MaxPooling2D(window, padding=padding)
    relu = qkeras.quantized_relu(4, 1)
    theirs = value_and_gradient(lambda v: their_pool(relu(v)), x)
    fused = value_and_gradient(lambda v: our_pool(ours(v, training=True), training=True), x)
    plain = value_and_gradient(lambda v: our_pool(ours(v)), x)
    for found in (fused, plain):
        assert np.array_equal(found[0], theirs[0])
        assert np.array_equal(found[1], theirs[1])
    # Where gradients went to the largest input of a window, as if pooled first, they would be others.
    first = value_and_gradient(lambda v: relu(their_pool(v)), x)
    assert np.array_equal(first[0], theirs[0])
    assert not np.array_equal(first[1], theirs[1])


def test_sequences_are_pooled_alike():
    import qkeras

    from siliconv.quantize.qkeras.quantizers import FixedPointRelu
    from siliconv.quantize.qkeras.training_layers import QuantizingMaxPooling1D

    x = tf.constant(sample((4, 11, 6)))
    pool, relu = keras.layers.MaxPooling1D(2), qkeras.quantized_relu(4, 1)
    ours = QuantizingMaxPooling1D(FixedPointRelu(relu_type()), pool_size=2)
    theirs = value_and_gradient(lambda v: pool(relu(v)), x)
    found = value_and_gradient(lambda v: ours(v, training=True), x)
    assert np.array_equal(found[0], theirs[0])
    assert np.array_equal(found[1], theirs[1])


def test_an_activation_alone_is_quantized_relu_in_training():
    import qkeras

    from siliconv.quantize.qkeras.quantizers import FixedPointRelu
    from siliconv.quantize.qkeras.training_layers import TrainedActivation

    x = tf.constant(sample((7, 50)))
    ours = TrainedActivation(FixedPointRelu(relu_type(6, 0)))
    theirs = value_and_gradient(qkeras.quantized_relu(6, 0), x)
    found = value_and_gradient(lambda v: ours(v, training=True), x)
    assert np.array_equal(found[0], theirs[0])
    assert np.array_equal(found[1], theirs[1])


def test_every_weight_of_a_network_has_the_gradient_that_qkeras_own_quantizers_give():
    import qkeras

    architecture = preset("digits")
    model = build_model(architecture, seed=3)
    images = np.random.default_rng(0).integers(0, 256, (16, *architecture.input_shape)).astype(np.float32) / 256
    types = choose_types(model, Recipe(weights=5, activations=4), images)
    # QKeras can't do negative integer bits.
    types = {name: kind if kind.integer > 0 else FixedPoint(kind.signed, kind.width, 1, *_MODES)
             for name, kind in types.items()}  # fmt: skip

    def plain(layer):
        kind, config = type(layer).__name__, layer.get_config()
        if kind == "Activation":
            found = types[layer.name]
            return qkeras.QActivation(qkeras.quantized_relu(found.width, found.integer), name=layer.name)
        if kind in ("Conv2D", "Dense"):
            for name in ("kernel_constraint", "bias_constraint"):
                del config[name]
            for part in ("kernel", "bias"):
                found = types[f"{layer.name}.{part}"]
                config[f"{part}_quantizer"] = qkeras.quantized_bits(found.width, found.integer - 1, alpha=1)
            return getattr(qkeras, f"Q{kind}")(**config)
        return type(layer).from_config(config)

    reference = keras.models.clone_model(model, clone_function=plain)
    reference.set_weights(model.get_weights())
    ours = quantized_model(model, types)
    assert sum("Quantizing" in type(layer).__name__ for layer in ours.layers) == 2
    results = []
    for quantized in (ours, reference):
        with tf.GradientTape() as tape:
            logits = quantized(images, training=True)
            loss = tf.reduce_mean(logits[:, 0] ** 2)
        results.append([logits, *tape.gradient(loss, quantized.trainable_variables)])
    for found, expected in zip(*results, strict=True):
        assert np.allclose(found, expected, rtol=1e-5, atol=1e-6 * np.abs(expected).max())
    assert np.array_equal(results[0][0], ours(images).numpy())


_MODES = (Rounding.RND_CONV, Overflow.SAT)


def test_pools_that_overlap_or_pad_are_not_fused():
    from siliconv.quantize.qkeras.training_layers import can_fuse

    def pool(size=8, **others):
        layer = keras.layers.MaxPooling2D(**others)
        layer(keras.Input((size, size, 2)))
        return layer

    assert can_fuse(pool(pool_size=2))
    assert can_fuse(pool(pool_size=2, padding="same"))
    assert can_fuse(pool(7, pool_size=2))
    assert not can_fuse(pool(7, pool_size=2, padding="same"))
    assert not can_fuse(pool(pool_size=3, strides=2))
    assert not can_fuse(pool(pool_size=8))
    assert not can_fuse(None)


def test_an_activation_that_two_layers_read_is_not_left_to_the_pooling():
    image = keras.Input((8, 8, 2))
    tensor = keras.layers.Conv2D(3, 3, padding="same", name="conv")(image)
    tensor = keras.layers.Activation("relu", name="relu")(tensor)
    pooled = keras.layers.Flatten()(keras.layers.MaxPooling2D(2, name="pool")(tensor))
    averaged = keras.layers.Flatten()(keras.layers.AveragePooling2D(2)(tensor))
    model = keras.Model(image, keras.layers.Dense(1, name="dense")(keras.layers.Concatenate()([pooled, averaged])))
    types = choose_types(model, Recipe(), np.random.default_rng(0).uniform(size=(4, 8, 8, 2)).astype(np.float32))
    ours = quantized_model(model, types)
    assert not ours.get_layer("relu").pooled
    assert type(ours.get_layer("pool")) is keras.layers.MaxPooling2D
    images = np.random.default_rng(0).uniform(size=(4, 8, 8, 2)).astype(np.float32)
    assert np.array_equal(ours(images, training=True), ours(images))
