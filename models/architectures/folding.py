"""Batch normalization folded into the layers before it: the network that is deployed has none."""

from __future__ import annotations

from typing import Any

import numpy as np

from siliconv.errors import ModelError
from siliconv.models.architectures import layers as kinds
from siliconv.models.architectures.architecture import Architecture, LayerNode, named_layers, normal_form
from siliconv.models.architectures.keras_model import Output, build_model
from siliconv.models.architectures.layers import Layer
from siliconv.models.architectures.shapes import layer_table

_FOLDABLE = kinds.Conv2D | kinds.Conv1D | kinds.DepthwiseConv2D | kinds.DepthwiseConv1D | kinds.Dense


def fold_batch_normalization(model: Any, architecture: Architecture, *, output: Output = "logits") -> Any:
    """Return the deployed model: the architecture's own layers, training's batch normalizations folded into
    them.

    For a convolution W, b followed by gamma (y - mean) / sqrt(variance + epsilon) + beta:
    W' = W s and b' = beta + (b - mean) s with s = gamma / sqrt(variance + epsilon), computed in float64.
    """
    deployed = build_model(architecture, output=output)
    described = {node.name: node for node in normal_form(architecture)}
    for layer in deployed.layers:
        trained = _layer_of(model, layer.name)
        if trained is None:
            if layer.weights:
                raise ModelError(
                    "MODEL-WEIGHTS",
                    f"the trained model has no layer {layer.name!r}",
                    where="fold_batch_normalization",
                    fix="pass the architecture the model was built from",
                )
            continue
        normalization = _layer_of(model, f"{layer.name}_bn")
        weights = trained.get_weights()
        if normalization is not None:
            statistics = normalization.get_weights()
            weights = _scaled(weights, described[layer.name].layer, statistics, normalization.epsilon)
        layer.set_weights(weights)
    return deployed


def deployed_architecture(architecture: Architecture) -> Architecture:
    """Return the network without the batch normalizations that its description has.

    One behind a convolution or dense layer that nothing else reads is folded into it, as training's are. Any
    other becomes the depthwise 1x1 convolution that computes the same.

    Raises
    ------
    ModelError
        ``MODEL-FOLD`` for one on a vector that no dense layer gives.
    """
    nodes = named_layers(architecture)
    shapes = {row.name: row.output_shape for row in layer_table(architecture)}
    readers = [source for node in nodes for source in node.inputs]
    by_name = {node.name: node for node in nodes}
    moved: dict[str, str] = {}
    layers: dict[str, Layer] = {}
    for name, layer, written_inputs in nodes:
        inputs, source = tuple(moved.get(source, source) for source in written_inputs), written_inputs[0]
        if not isinstance(layer, kinds.BatchNormalization):
            layers[name] = layer.model_copy(update={"inputs": inputs})
        elif source in by_name and readers.count(source) == 1 and _takes(by_name[source]):
            layers[source] = layers[source].model_copy(update={"use_bias": True})
            moved[name] = source
        else:
            layers[name] = _as_convolution(name, inputs, len(shapes[name]))
    return architecture.model_copy(update={"layers": tuple(layers.values())})


def without_batch_normalization(model: Any, architecture: Architecture) -> tuple[Architecture, Any]:
    """Return the deployed architecture and its logits model, with the weights of a trained one.

    Raises
    ------
    ModelError
        As `deployed_architecture`.
    """
    deployed = deployed_architecture(architecture)
    kept = {layer.name for layer in deployed.layers}
    shapes = {row.name: row.output_shape for row in layer_table(architecture)}
    weights = {layer.name: layer.get_weights() for layer in model.layers if layer.weights}
    by_name = {node.name: node for node in named_layers(architecture)}
    for name, layer, (source, *_) in by_name.values():
        if not isinstance(layer, kinds.BatchNormalization):
            continue
        statistics = weights.pop(name)
        if name in kept:
            weights[name] = _as_kernel(statistics, layer.epsilon, len(shapes[name]))
        else:
            weights[source] = _scaled(weights[source], by_name[source].layer, statistics, layer.epsilon)
    result = build_model(deployed)
    for keras_layer in result.layers:
        if keras_layer.weights:
            keras_layer.set_weights(weights[keras_layer.name])
    return deployed, result


def _takes(node: LayerNode) -> bool:
    return isinstance(node.layer, _FOLDABLE) and node.layer.activation is None


def _scaled(weights: list[np.ndarray], layer: Layer, statistics: list[np.ndarray], epsilon: float) -> list[np.ndarray]:
    scale, offset = _scale_and_offset(statistics, epsilon)
    depthwise = isinstance(layer, kinds.DepthwiseConv2D | kinds.DepthwiseConv1D)
    kernel = weights[0].astype(np.float64) * (scale[:, np.newaxis] if depthwise else scale)
    bias = weights[1].astype(np.float64) if len(weights) > 1 else 0.0
    return [kernel.astype(np.float32), (bias * scale + offset).astype(np.float32)]


def _scale_and_offset(statistics: list[np.ndarray], epsilon: float) -> tuple[np.ndarray, np.ndarray]:
    """Return s and t of y -> s y + t for gamma, beta, mean and variance, in float64."""
    gamma, beta, mean, variance = (values.astype(np.float64) for values in statistics)
    scale = gamma / np.sqrt(variance + epsilon)
    return scale, beta - mean * scale


def _as_convolution(name: str, inputs: tuple[str, ...], rank: int) -> Layer:
    if rank == 3:
        return kinds.DepthwiseConv2D(name=name, inputs=inputs, kernel=1)
    if rank == 2:
        return kinds.DepthwiseConv1D(name=name, inputs=inputs, kernel=1)
    raise ModelError(
        "MODEL-FOLD",
        f"batch normalization {name!r} stands on a vector that no dense layer gives",
        where=f"layer {name}",
        fix="put it right behind a dense layer without activation, or before the flatten layer",
    )


def _as_kernel(statistics: list[np.ndarray], epsilon: float, rank: int) -> list[np.ndarray]:
    scale, offset = _scale_and_offset(statistics, epsilon)
    window = (1,) * (rank - 1)
    return [scale.reshape(*window, -1, 1).astype(np.float32), offset.astype(np.float32)]


def _layer_of(model: Any, name: str) -> Any | None:
    return next((layer for layer in model.layers if layer.name == name), None)
