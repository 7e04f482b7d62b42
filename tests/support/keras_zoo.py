"""Small Keras networks, one for each way in which a layer of Keras is read, for either Keras, and the way of a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from siliconv.models.architectures.folding import without_batch_normalization
from siliconv.models.architectures.user_model import load_user_model
from siliconv.quantize.lowering.agreement import agree
from siliconv.quantize.lowering.lowering import lower
from siliconv.quantize.qkeras.qkeras_model import quantized_model, snap_weights
from siliconv.quantize.recipe import Recipe
from siliconv.quantize.training.calibration import choose_types

IMAGE, WAVE = (6, 8, 3), (12, 4)


def _row(shape: tuple[int, ...], *makes: Any) -> Any:
    def build(keras: Any) -> Any:
        return keras.Sequential([keras.Input(shape), *(make(keras.layers) for make in makes)])

    return build


def _conv(layers: Any) -> Any:
    return layers.Conv2D(3, 3, padding="same")


def _flat(layers: Any) -> Any:
    return layers.Flatten()


def _dense(layers: Any) -> Any:
    return layers.Dense(4)


def _function(name: str) -> Any:
    return _row(IMAGE, _conv, lambda layers: layers.Activation(name), _flat, _dense)


def _merge(kind: str, *, broadcast: Any = None) -> Any:
    def build(keras: Any) -> Any:
        layers, image = keras.layers, keras.Input(IMAGE)
        one, other = layers.Conv2D(3, 1)(image), layers.Conv2D(3, 1, activation="relu")(image)
        if broadcast is not None:
            other = broadcast(layers, other)
        merged = getattr(layers, kind)()([one, other])
        return keras.Model(image, layers.Dense(3)(layers.Flatten()(merged)))

    return build


def _many(kind: str) -> Any:
    def build(keras: Any) -> Any:
        layers, image = keras.layers, keras.Input(IMAGE)
        parts = [layers.Conv2D(2, 1, activation="relu")(image) for _ in range(3)]
        return keras.Model(image, layers.Dense(3)(layers.Flatten()(getattr(layers, kind)()(parts))))

    return build


def _joined(axis: int) -> Any:
    def build(keras: Any) -> Any:
        layers, image = keras.layers, keras.Input(IMAGE)
        one, other = layers.Conv2D(2, 1)(image), layers.Conv2D(2, 1, activation="relu")(image)
        joined = layers.Concatenate(axis=axis)([one, other, one])
        return keras.Model(image, layers.Dense(3)(layers.Flatten()(joined)))

    return build


def _shared(keras: Any) -> Any:
    layers, image = keras.layers, keras.Input(IMAGE)
    shared = layers.Conv2D(3, 3, padding="same", activation="relu")
    twice = layers.Add()([shared(shared(image)), image])
    return keras.Model(image, layers.Dense(3)(layers.GlobalAveragePooling2D()(twice)))


def _operators(keras: Any) -> Any:
    layers, image = keras.layers, keras.Input(IMAGE)
    one, other = layers.Conv2D(3, 1)(image), layers.Conv2D(3, 1, activation="relu")(image)
    return keras.Model(image, layers.Dense(3)(layers.Flatten()((one + other) * (other - image))))


def _numbers(keras: Any) -> Any:
    """Operators with a number on either side."""
    layers, image = keras.layers, keras.Input(IMAGE)
    one = layers.Conv2D(3, 1)(image)
    found = [1.0 - one, one * 0.5 + 1, 0.25 - 2 * one, -one / 4.0, one**2, one - 0.375]
    return keras.Model(image, layers.Dense(3)(layers.Flatten()(layers.Concatenate()(found))))


def _functions(keras: Any) -> Any:
    """Functions that are called on tensors, of TensorFlow or of Keras 3."""
    import tensorflow as tf

    of_keras_3 = int(keras.__version__.split(".")[0]) >= 3
    do = keras.ops if of_keras_3 else tf.nn
    exp, top = (keras.ops.exp, keras.ops.maximum) if of_keras_3 else (tf.exp, tf.maximum)
    clip = keras.ops.clip if of_keras_3 else tf.clip_by_value
    layers, image = keras.layers, keras.Input(IMAGE)
    one = layers.Conv2D(2, 1)(image)
    found = [do.relu(one), do.relu6(one), do.sigmoid(one), do.tanh(one), do.elu(one), do.softplus(one), do.silu(one)]
    found += [do.softsign(one), do.selu(one), do.leaky_relu(one, 0.3), do.softmax(one), exp(one), top(one, 0.0)]
    found += [clip(one, 0, 0.75), keras.activations.relu(one, max_value=0.5), keras.activations.sigmoid(one)]
    return keras.Model(image, layers.Dense(3)(layers.Flatten()(layers.Concatenate()(found))))


def _shapes(keras: Any) -> Any:
    """Functions that move values, and means and maxima over positions."""
    import tensorflow as tf

    of_keras_3 = int(keras.__version__.split(".")[0]) >= 3
    ops = keras.ops if of_keras_3 else tf
    mean, most, join = (
        (ops.mean, ops.max, ops.concatenate) if of_keras_3 else (tf.reduce_mean, tf.reduce_max, tf.concat)
    )
    layers, image = keras.layers, keras.Input(IMAGE)
    one = join([layers.Conv2D(2, 1)(image), image], axis=-1)
    wave = ops.reshape(ops.transpose(one, [0, 3, 1, 2]), [-1, 10, 24])
    found = [mean(one, axis=[1, 2]), most(one, axis=[1, 2]), mean(wave, axis=1), most(wave, axis=1)]
    return keras.Model(image, layers.Dense(3)(join(found, axis=1)))


def _inner(keras: Any, size: int, *, outputs: int = 1) -> Any:
    vector = keras.Input((size,))
    found = [keras.layers.Dense(size, activation="relu")(vector) for _ in range(outputs)]
    return keras.Model(vector, found[0] if outputs == 1 else found)


def _model_called_twice(keras: Any) -> Any:
    layers, image = keras.layers, keras.Input(IMAGE)
    inner = keras.Sequential([keras.Input((6,)), layers.Dense(5, activation="relu"), layers.Dense(6)])
    one, other = layers.Dense(6)(layers.Flatten()(image)), layers.GlobalAveragePooling2D()(layers.Conv2D(6, 1)(image))
    return keras.Model(image, layers.Dense(3)(layers.Subtract()([inner(one), inner(inner(other))])))


def _models_in_models_called_twice(keras: Any) -> Any:
    layers, image = keras.layers, keras.Input(IMAGE)
    deep, vector = _inner(keras, 5), keras.Input((5,))
    middle = keras.Model(vector, layers.Add()([deep(vector), deep(deep(vector))]))
    return keras.Model(image, layers.Dense(3)(middle(middle(layers.Dense(5)(layers.Flatten()(image))))))


def _model_of_several_ports(keras: Any) -> Any:
    layers, image = keras.layers, keras.Input(IMAGE)
    one, other = keras.Input((4,)), keras.Input((4,))
    inner = keras.Model([one, other], [layers.Dense(4)(layers.Concatenate()([other, one])), layers.ReLU()(one)])
    vector = layers.Dense(4)(layers.Flatten()(image))
    first, second = inner([vector, layers.Dense(4)(vector)])
    return keras.Model(image, layers.Dense(3)(layers.Subtract()([second, first])))


def _divided(keras: Any) -> Any:
    layers, image = keras.layers, keras.Input(IMAGE)
    return keras.Model(image, layers.Dense(3)(layers.Flatten()(layers.Conv2D(2, 3, padding="same")(image / 255.0))))


def _augmented(keras: Any) -> Any:
    layers, image = keras.layers, keras.Input(IMAGE)
    found = layers.RandomTranslation(0.1, 0.1)(layers.RandomFlip()(layers.RandomCrop(*IMAGE[:2])(image)))
    found = layers.Dropout(0.5)(layers.CenterCrop(3, 6)(layers.Resizing(*IMAGE[:2])(found)))
    return keras.Model(image, layers.Dense(3)(layers.Flatten()(layers.Conv2D(2, 1)(found))))


def _normalization(layers: Any) -> Any:
    return layers.Normalization(mean=[0.5, 0.4, 0.3], variance=[0.04, 0.09, 0.25])


def _offset(layers: Any) -> Any:
    return layers.Rescaling(1 / 127.5, offset=-1.0)


def _batch(layers: Any) -> Any:
    return layers.BatchNormalization()


def _relu(**settings: Any) -> Any:
    return _row(IMAGE, _conv, lambda layers: layers.ReLU(**settings), _flat, _dense)


def _einsum(equation: str, output: Any, bias: str | None) -> Any:
    return lambda layers: layers.EinsumDense(equation, output, bias_axes=bias, activation="relu")


def _distributed(shape: tuple[int, ...], *makes: Any) -> Any:
    def build(keras: Any) -> Any:
        layers = keras.layers
        inner = [make(layers) for make in makes]
        one = inner[0] if len(inner) == 1 else keras.Sequential(inner)
        steps = [keras.Input(shape), layers.TimeDistributed(one), layers.Flatten(), layers.Dense(3)]
        return keras.Sequential(steps)

    return build


def _model_at_each_step(keras: Any) -> Any:
    layers, wave = keras.layers, keras.Input(IMAGE[1:])
    inner = keras.Model(wave, layers.Dense(2)(layers.Flatten()(layers.Conv1D(2, 2, activation="relu")(wave))))
    return keras.Sequential([keras.Input(IMAGE), layers.TimeDistributed(inner), layers.Flatten(), layers.Dense(3)])


NETWORKS: dict[str, Any] = {
    "a model at each step": _model_at_each_step,
    "dense at each step": _distributed(WAVE, _dense),
    "dense at each step of each step": _distributed(
        IMAGE, lambda layers: layers.TimeDistributed(layers.Dense(2, activation="relu"))
    ),
    "vectors at each step": _distributed(WAVE, _dense, _batch, lambda layers: layers.PReLU()),
    "waves at each step": _distributed(
        IMAGE, lambda layers: layers.Conv1D(2, 3, padding="same"), lambda layers: layers.MaxPooling1D(2)
    ),
    "images at each step": _distributed(
        (2, *IMAGE), lambda layers: layers.Conv2D(2, 3, padding="same"), lambda layers: layers.MaxPooling2D(2)
    ),
    "softmax of rows at each step": _distributed(WAVE, _dense, lambda layers: layers.Softmax(axis=1)),
    "softmax of columns at each step": _distributed(
        IMAGE, lambda layers: layers.Dense(2), lambda layers: layers.Softmax(axis=1)
    ),
    "flat at each step": _distributed(IMAGE, _flat, lambda layers: layers.Dense(3, activation="relu")),
    **{
        name: _function(name)
        for name in (
            *("elu", "selu", "softplus", "softsign", "swish", "gelu", "exponential", "hard_sigmoid", "mish"),
            *("tanh", "sigmoid", "softmax", "relu"),
        )
    },
    "relu6": _relu(max_value=6.0),
    "relu of an odd bound": _relu(max_value=0.37),
    "relu with all": _relu(max_value=0.9, negative_slope=0.25, threshold=0.1),
    "leaky relu": _row(IMAGE, _conv, lambda layers: layers.LeakyReLU(0.1), _flat, _dense),
    "leaky relu by two": _row(IMAGE, _conv, lambda layers: layers.LeakyReLU(0.125), _flat, _dense),
    "elu layer": _row(IMAGE, _conv, lambda layers: layers.ELU(1.25), _flat, _dense),
    "prelu of channels": _row(IMAGE, _conv, lambda layers: layers.PReLU(shared_axes=[1, 2]), _flat, _dense),
    "prelu of rows": _row(IMAGE, _conv, lambda layers: layers.PReLU(shared_axes=[2]), _flat, _dense),
    "prelu of elements": _row(IMAGE, _conv, lambda layers: layers.PReLU(), _flat, _dense),
    "prelu of a vector": _row(WAVE, _flat, _dense, lambda layers: layers.PReLU()),
    "operators": _operators,
    "operators with numbers": _numbers,
    "functions of tensors": _functions,
    "functions that move values": _shapes,
    "a model called twice": _model_called_twice,
    "models in models called twice": _models_in_models_called_twice,
    "a model of several ports": _model_of_several_ports,
    "augmentation in a graph": _augmented,
    "a factor of values": _row(IMAGE, lambda layers: layers.Rescaling(2.0, offset=-1.0), _conv, _flat, _dense),
    "softmax along rows": _row(IMAGE, _conv, lambda layers: layers.Softmax(axis=1), _flat, _dense),
    "softmax of a wave": _row(WAVE, lambda layers: layers.Softmax(axis=-2), _flat, _dense),
    "softmax of a map": _row(IMAGE, _conv, lambda layers: layers.Softmax(axis=[1, 2]), _flat, _dense),
    "softmax of all": _row(IMAGE, lambda layers: layers.Softmax(axis=[1, 2, 3]), _flat, _dense),
    "softmax of columns and channels": _row(IMAGE, lambda layers: layers.Softmax(axis=[-1, 2]), _flat, _dense),
    "softmax layer": _row(IMAGE, _conv, lambda layers: layers.Softmax(), _flat, _dense),
    **{kind.lower(): _merge(kind) for kind in ("Add", "Subtract", "Multiply", "Maximum", "Minimum", "Average")},
    **{f"{kind.lower()} of many": _many(kind) for kind in ("Add", "Multiply", "Maximum", "Minimum", "Average")},
    "channel broadcast": _merge("Multiply", broadcast=lambda layers, other: layers.Conv2D(1, 1)(other)),
    "gate": _merge("Multiply", broadcast=lambda layers, other: layers.GlobalAveragePooling2D(keepdims=True)(other)),
    "vector broadcast": _merge("Add", broadcast=lambda layers, other: layers.GlobalMaxPooling2D()(other)),
    **{f"joined along {axis}": _joined(axis) for axis in (1, 2, 3, -2)},
    "batch norm behind relu": _row(
        IMAGE, lambda layers: layers.Conv2D(3, 3, activation="relu"), _batch, _flat, _dense, _batch
    ),
    "batch norm of a vector": _row(
        WAVE, _flat, lambda layers: layers.Dense(6, activation="relu"), _batch, lambda layers: layers.ReLU(), _dense
    ),
    "batch norm before padding": _row(IMAGE, _batch, _conv, lambda layers: layers.ReLU(), _flat, _dense),
    "normalization": _row(IMAGE, _normalization, lambda layers: layers.Conv2D(3, 3), _flat, _dense),
    "normalization before padding": _row(IMAGE, _normalization, _conv, _flat, _dense),
    "causal": _row(WAVE, lambda layers: layers.Conv1D(3, 4, padding="causal", strides=2), _flat, _dense),
    "depth multiplier": _row(
        IMAGE, lambda layers: layers.DepthwiseConv2D(3, depth_multiplier=2, padding="same"), _flat, _dense
    ),
    "separable multiplier": _row(IMAGE, lambda layers: layers.SeparableConv2D(4, 3, depth_multiplier=3), _flat, _dense),
    "dense on positions": _row(WAVE, lambda layers: layers.Dense(5, activation="relu"), _flat, _dense),
    "dense on pixels": _row(IMAGE, lambda layers: layers.Dense(5, activation="elu"), _flat, _dense),
    **{
        f"einsum {equation} {bias}": _row(shape, _einsum(equation, output, bias), _flat, _dense)
        for equation, shape, output, bias in (
            ("abc,cd->abd", WAVE, (12, 5), "d"),
            ("abc,cd->adb", WAVE, (5, 12), None),
            ("...a,ab->...b", IMAGE, 5, "b"),
            ("abc,bcd->abd", WAVE, (12, 2), "bd"),
            ("abc,d->abcd", WAVE, (12, 4, 2), None),
            ("abc,cd->abd", WAVE, (12, 2), "b"),
        )
    },
    "cropping": _row(IMAGE, lambda layers: layers.Cropping2D(((1, 2), (3, 1))), _conv, _flat, _dense),
    "cropping of a wave": _row(WAVE, lambda layers: layers.Cropping1D((2, 3)), _flat, _dense),
    "functions of a vector": _row(
        IMAGE,
        _conv,
        _flat,
        lambda layers: layers.ReLU(),
        _batch,
        lambda layers: layers.Activation("softsign"),
        lambda layers: layers.Softmax(),
        _dense,
    ),
    "a function alone": _row(IMAGE, lambda layers: layers.Activation("sigmoid")),
    "a softmax alone": _row(IMAGE, lambda layers: layers.Softmax()),
    "a function at the end": _row(IMAGE, _conv, lambda layers: layers.Activation("elu")),
    "upsampling": _row(IMAGE, lambda layers: layers.UpSampling2D((2, 3)), _conv, _flat, _dense),
    "upsampling of a wave": _row(WAVE, lambda layers: layers.UpSampling1D(2), _flat, _dense),
    "permute": _row(IMAGE, lambda layers: layers.Permute((3, 1, 2)), _flat, _dense),
    "reshape": _row(IMAGE, lambda layers: layers.Reshape((8, -1)), lambda layers: layers.Conv1D(3, 3), _flat, _dense),
    "repeated vector": _row(
        WAVE, _flat, _dense, lambda layers: layers.RepeatVector(5), lambda layers: layers.Conv1D(2, 3), _flat, _dense
    ),
    "kept axes": _row(IMAGE, lambda layers: layers.GlobalMaxPooling2D(keepdims=True), _flat, _dense),
    "shared": _shared,
    "training only": _row(
        IMAGE,
        lambda layers: layers.RandomFlip("horizontal"),
        lambda layers: layers.GaussianNoise(0.1),
        _conv,
        lambda layers: layers.SpatialDropout2D(0.3),
        lambda layers: layers.ActivityRegularization(l2=0.1),
        _flat,
        _dense,
    ),
}
"""Networks that take values of 0 to 1, by what is read in them."""

ON_PIXELS: dict[str, Any] = {
    "divided": _divided,
    "rescaling": _row(IMAGE, lambda layers: layers.Rescaling(1 / 255), _conv, _flat, _dense),
    "offset": _row(IMAGE, _offset, _conv, _flat, _dense),
    "offset before valid": _row(IMAGE, _offset, lambda layers: layers.Conv2D(3, 3), _flat, _dense),
    "factors": _row(IMAGE, lambda layers: layers.Rescaling([0.01, 0.02, 0.003], offset=0.1), _flat, _dense),
    "negative": _row(
        IMAGE, lambda layers: layers.Rescaling(-1 / 255), lambda layers: layers.GlobalMaxPooling2D(), _dense
    ),
    "function": _row(
        IMAGE, lambda layers: layers.Rescaling(1 / 255), lambda layers: layers.Activation("tanh"), _flat, _dense
    ),
}
"""Networks that take pixels of 0 to 255."""

ONLY_KERAS_3: dict[str, Any] = {
    "other augmentation": _row(
        IMAGE, lambda layers: layers.RandomGrayscale(), lambda layers: layers.MixUp(), _conv, _flat, _dense
    ),
} | {
    f"{name} by name": _function(name)
    for name in (
        *("celu", "hard_silu", "hard_tanh", "relu6", "log_sigmoid", "tanh_shrink", "squareplus", "sparse_plus"),
        *("soft_shrink", "hard_shrink", "sparse_sigmoid", "leaky_relu"),
    )
}
"""Networks with functions that Keras 2 does not have by these names."""


def shaken(model: Any, seed: int = 3) -> Any:
    """Give every weight of a model a value that tells it apart."""
    random = np.random.default_rng(seed)
    weights = [random.normal(0.0, 0.4, one.shape) if one.ndim else one for one in model.get_weights()]
    names = [variable.name for variable in model.weights]
    model.set_weights(
        [
            np.abs(value) + 0.5 if "variance" in name or "gamma" in name else value
            for name, value in zip(names, weights, strict=True)
        ]
    )
    return model


def read_and_lowered(path: Path, *, images: int = 6) -> tuple[Any, Any]:
    """Read a file and lower it: its float outputs on some pixels, and the network.

    The quantized Keras model and the integer network are compared on all layers.
    """
    user = load_user_model(path.name, folder=path.parent)
    pixels = np.random.default_rng(5).integers(0, 256, (images, *user.architecture.input_shape))
    architecture, deployed = without_batch_normalization(user.build(), user.architecture)
    values = (pixels / 256).astype(np.float32)
    outputs = np.asarray(deployed(values))
    types = choose_types(deployed, Recipe(weights=8, activations=8), values)

    def quantized() -> Any:
        model = quantized_model(deployed, types)
        snap_weights(model)
        return model

    model = quantized()
    network = lower(model, name="net")
    weights = model.get_weights()

    def again() -> Any:
        from siliconv.models.architectures.keras_model import build_model

        copy = quantized_model(build_model(architecture), types)
        copy.set_weights(weights)
        return copy

    agree(model, again, network, pixels).require_equal()
    return outputs, network
