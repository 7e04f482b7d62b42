"""From an architecture to a tf_keras model, and from the trained model to the one that is deployed."""

from __future__ import annotations

from functools import singledispatch
from typing import Any, Literal

from siliconv.legacy_keras import load
from siliconv.models.architectures import layers as kinds
from siliconv.models.architectures.architecture import (
    INPUT,
    Architecture,
    LayerNode,
    normal_form,
    output_activation,
)
from siliconv.models.architectures.layers import LayerBase
from siliconv.models.architectures.ports import as_logits
from siliconv.models.architectures.shapes import layer_table, moves_of

Output = Literal["logits", "probabilities"]

BATCH_NORMALIZATION_MOMENTUM = 0.9
"""Share of the old moving mean that a training step keeps; Keras' 0.99 lags behind in short trainings."""


def build_model(
    architecture: Architecture,
    *,
    output: Output = "logits",
    seed: int = 1,
    batch_normalization: bool = False,
    momentum: float = BATCH_NORMALIZATION_MOMENTUM,
) -> Any:
    """Build the functional tf_keras model of an architecture, with weights drawn from `seed`.

    Parameters
    ----------
    architecture
        The network. Keras layers carry its names; an activation is a layer ``<name>_relu`` of its own.
    output
        ``logits`` leaves a final sigmoid or softmax out; ``probabilities`` has one, added where it is not
        written (sigmoid for one output, softmax for several).
    seed
        The same seed gives the same initial weights.
    batch_normalization
        Put a batch normalization ``<name>_bn`` behind every convolution, for training only:
        `fold_batch_normalization` takes it away again.
    momentum
        Of those batch normalizations.

    Raises
    ------
    ModelError
        As `layer_table` and `normal_form`.
    """
    layer_table(architecture)
    tf_keras = load()
    nodes = normal_form(with_output(architecture, output))
    normalized = _normalized_by_user(nodes)
    image = tf_keras.Input(tuple(architecture.input_shape), name=INPUT)
    tensors: dict[str, Any] = {INPUT: image}
    for index, (name, layer, inputs) in enumerate(nodes):
        keras_layer = _keras_layer(layer, tf_keras, tensors[inputs[0]], seed=seed * 1009 + index)
        sources = [tensors[source] for source in inputs]
        tensor = keras_layer(sources if len(sources) > 1 else sources[0])
        if batch_normalization and _is_convolution(layer) and name not in normalized:
            tensor = tf_keras.layers.BatchNormalization(momentum=momentum, name=f"{name}_bn")(tensor)
        tensors[name] = tensor
    return tf_keras.Model(image, tensors[nodes[-1].name], name="siliconv")


def with_output(architecture: Architecture, output: Output) -> Architecture:
    """Return the network that ends as `output` says."""
    if output == "logits":
        return as_logits(architecture)
    if architecture.outputs or output_activation(architecture) is not None:
        return architecture
    outputs = layer_table(architecture)[-1].output_shape[-1]
    last = kinds.Activation(activation="sigmoid" if outputs == 1 else "softmax")
    return architecture.model_copy(update={"layers": (*architecture.layers, last)})


def _is_convolution(layer: LayerBase) -> bool:
    # The depthwise half of a separable convolution has no bias to fold an offset into.
    convolutions = kinds.Conv2D | kinds.Conv1D | kinds.DepthwiseConv2D | kinds.DepthwiseConv1D
    return isinstance(layer, convolutions) and layer.use_bias


def _normalized_by_user(nodes: tuple[LayerNode, ...]) -> set[str]:
    return {source for node in nodes if node.layer.kind == "batch_normalization" for source in node.inputs}


@singledispatch
def _keras_layer(layer: LayerBase, tf_keras: Any, source: Any, seed: int) -> Any:
    raise NotImplementedError(f"no Keras layer for {type(layer).__name__}")


@_keras_layer.register(kinds.Conv2D)
@_keras_layer.register(kinds.Conv1D)
def _(layer: kinds.Conv2D, tf_keras: Any, source: Any, seed: int) -> Any:
    make = tf_keras.layers.Conv2D if isinstance(layer, kinds.Conv2D) else tf_keras.layers.Conv1D
    return make(
        layer.filters,
        layer.kernel,
        strides=layer.stride,
        padding=layer.padding,
        use_bias=layer.use_bias,
        kernel_initializer=tf_keras.initializers.GlorotUniform(seed),
        name=layer.name,
    )


@_keras_layer.register(kinds.DepthwiseConv2D)
@_keras_layer.register(kinds.DepthwiseConv1D)
def _(layer: kinds.DepthwiseConv2D, tf_keras: Any, source: Any, seed: int) -> Any:
    two = isinstance(layer, kinds.DepthwiseConv2D)
    make = tf_keras.layers.DepthwiseConv2D if two else tf_keras.layers.DepthwiseConv1D
    return make(
        layer.kernel,
        strides=layer.stride,
        padding=layer.padding,
        use_bias=layer.use_bias,
        depthwise_initializer=tf_keras.initializers.GlorotUniform(seed),
        name=layer.name,
    )


@_keras_layer.register
def _(layer: kinds.Dense, tf_keras: Any, source: Any, seed: int) -> Any:
    return tf_keras.layers.Dense(
        layer.units,
        use_bias=layer.use_bias,
        kernel_initializer=tf_keras.initializers.GlorotUniform(seed),
        name=layer.name,
    )


@_keras_layer.register(kinds.MaxPool)
@_keras_layer.register(kinds.AveragePool)
def _(layer: kinds.MaxPool, tf_keras: Any, source: Any, seed: int) -> Any:
    kind = "MaxPooling" if isinstance(layer, kinds.MaxPool) else "AveragePooling"
    make = getattr(tf_keras.layers, f"{kind}{_rank(source)}D")
    return make(layer.pool, strides=layer.stride, padding=layer.padding, name=layer.name)


@_keras_layer.register(kinds.GlobalAveragePool)
@_keras_layer.register(kinds.GlobalMaxPool)
def _(layer: LayerBase, tf_keras: Any, source: Any, seed: int) -> Any:
    kind = "GlobalAveragePooling" if isinstance(layer, kinds.GlobalAveragePool) else "GlobalMaxPooling"
    return getattr(tf_keras.layers, f"{kind}{_rank(source)}D")(name=layer.name)


@_keras_layer.register
def _(layer: kinds.ZeroPadding, tf_keras: Any, source: Any, seed: int) -> Any:
    sides = tuple(zip(kinds.pair(layer.before), kinds.pair(layer.after), strict=True))
    if _rank(source) == 1:
        return tf_keras.layers.ZeroPadding1D(sides[0], name=layer.name)
    return tf_keras.layers.ZeroPadding2D(sides, name=layer.name)


@_keras_layer.register
def _(layer: kinds.BatchNormalization, tf_keras: Any, source: Any, seed: int) -> Any:
    return tf_keras.layers.BatchNormalization(
        momentum=BATCH_NORMALIZATION_MOMENTUM, epsilon=layer.epsilon, name=layer.name
    )


@_keras_layer.register
def _(layer: kinds.Dropout, tf_keras: Any, source: Any, seed: int) -> Any:
    from siliconv.models.architectures.dropout import SeededDropout

    return SeededDropout(layer.rate, seed=seed, name=layer.name)


@_keras_layer.register
def _(layer: kinds.Flatten, tf_keras: Any, source: Any, seed: int) -> Any:
    return tf_keras.layers.Flatten(name=layer.name)


@_keras_layer.register
def _(layer: kinds.Activation, tf_keras: Any, source: Any, seed: int) -> Any:
    if layer.activation in ("relu", "tanh", "sigmoid", "softmax"):
        return tf_keras.layers.Activation(layer.activation, name=layer.name)
    from siliconv.models.architectures.own_keras_layers import FunctionActivation

    return FunctionActivation(layer.activation, name=layer.name)


@_keras_layer.register
def _(layer: kinds.Add, tf_keras: Any, source: Any, seed: int) -> Any:
    return tf_keras.layers.Add(name=layer.name)


@_keras_layer.register
def _(layer: kinds.Concatenate, tf_keras: Any, source: Any, seed: int) -> Any:
    axis = layer.axis if layer.axis == -1 else layer.axis + 1  # Keras counts the batch
    return tf_keras.layers.Concatenate(axis, name=layer.name)


@_keras_layer.register(kinds.Subtract)
@_keras_layer.register(kinds.Multiply)
@_keras_layer.register(kinds.Maximum)
@_keras_layer.register(kinds.Minimum)
def _(layer: LayerBase, tf_keras: Any, source: Any, seed: int) -> Any:
    return getattr(tf_keras.layers, type(layer).__name__)(name=layer.name)


@_keras_layer.register
def _(layer: kinds.Reshape, tf_keras: Any, source: Any, seed: int) -> Any:
    return tf_keras.layers.Reshape(layer.shape, name=layer.name)


@_keras_layer.register
def _(layer: kinds.Rearrange, tf_keras: Any, source: Any, seed: int) -> Any:
    from siliconv.models.architectures.own_keras_layers import RearrangedElements

    moves = moves_of(layer, str(layer.name), tuple(source.shape[1:]))
    return RearrangedElements(*moves, name=layer.name)


def _rank(source: Any) -> int:
    return len(source.shape) - 2
