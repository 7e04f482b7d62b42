"""Batch normalization folded into the layers before it: the network that is deployed has none."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from siliconv.errors import ModelError
from siliconv.models.architectures import layers as kinds
from siliconv.models.architectures.architecture import Architecture, LayerNode, named_layers, normal_form
from siliconv.models.architectures.functions import IDENTITY
from siliconv.models.architectures.keras_model import Output, build_model
from siliconv.models.architectures.layers import Layer
from siliconv.models.architectures.shapes import Shape, layer_table
from siliconv.models.architectures.standardization import STANDARDIZE, stands_at_input

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


@dataclass(frozen=True)
class _Plan:
    """What becomes of each batch normalization: into the layer before, the layer behind, or a layer of its own."""

    architecture: Architecture
    before: dict[str, str]
    behind: dict[str, str]
    apart: dict[str, str]
    """Name of the depthwise convolution that it becomes."""


def deployed_architecture(architecture: Architecture) -> Architecture:
    """Return the network without the batch normalizations that its description has.

    One behind a convolution or dense layer that nothing else reads is folded into it, as training's are; one before a
    dense layer or a convolution without padding into that. Any other, and one that is to be kept, becomes the depthwise
    convolution of one pixel that computes the same. At the input it is called ``..standardize``, which recipes give
    wide weights, and what it gives is rounded.
    """
    return _planned(architecture).architecture


def _planned(architecture: Architecture) -> _Plan:
    nodes = named_layers(architecture)
    shapes = {row.name: row.output_shape for row in layer_table(architecture)}
    by_name = {node.name: node for node in nodes}
    readers: dict[str, list[str]] = {}
    for node in nodes:
        for source in node.inputs:
            readers.setdefault(source, []).append(node.name)
    moved: dict[str, str] = {}
    layers: dict[str, Layer] = {}
    plan = _Plan(architecture, {}, {}, {})
    biased: set[str] = set()
    for name, layer, written_inputs in nodes:
        inputs, source = tuple(moved.get(source, source) for source in written_inputs), written_inputs[0]
        if not isinstance(layer, kinds.BatchNormalization):
            update: dict[str, object] = {"inputs": inputs}
            layers[name] = layer.model_copy(update=update | ({"use_bias": True} if name in biased else {}))
            continue
        target = _matrix_behind(name, readers, by_name)
        # A chain of them is folded one by one, so each has to find the weights of the others settled.
        if not layer.keep and source in by_name and readers[source] == [name] and _takes(by_name[source]):
            layers[source] = layers[source].model_copy(update={"use_bias": True})
            plan.before[name] = source
            moved[name] = inputs[0]
        elif not layer.keep and target is not None and target not in plan.behind.values():
            biased.add(target)
            plan.behind[name] = target
            moved[name] = inputs[0]
        else:
            made = _as_convolution(name, inputs, shapes[name], at_input=stands_at_input(name, by_name))
            layers |= made
            *_, moved[name] = made
            plan.apart[name] = next(one for one, made_layer in made.items() if hasattr(made_layer, "kernel"))
    outputs = tuple(moved.get(name, name) for name in architecture.outputs)
    deployed = architecture.model_copy(update={"layers": tuple(layers.values()), "outputs": outputs})
    return replace(plan, architecture=deployed)


def _matrix_behind(name: str, readers: dict[str, list[str]], by_name: dict[str, LayerNode]) -> str | None:
    """Give the layer with weights that alone reads a layer, past what leaves elements as they are."""
    while len(readers.get(name, ())) == 1:
        (name,) = readers[name]
        layer = by_name[name].layer
        if isinstance(layer, _FOLDABLE) and (isinstance(layer, kinds.Dense) or _is_unpadded(layer)):
            return name
        if not isinstance(layer, kinds.Dropout | kinds.Flatten):
            return None
    return None


def _is_unpadded(layer: kinds.Conv2D | kinds.Conv1D | kinds.DepthwiseConv2D | kinds.DepthwiseConv1D) -> bool:
    """Whether a window never reaches beyond the image, where an offset would be missing."""
    return layer.padding == "valid" or kinds.pair(layer.kernel) == (1, 1)


def without_batch_normalization(model: Any, architecture: Architecture) -> tuple[Architecture, Any]:
    """Return the deployed architecture and its logits model, with the weights of a trained one."""
    plan = _planned(architecture)
    shapes = {row.name: row.output_shape for row in layer_table(architecture)}
    weights = {layer.name: layer.get_weights() for layer in model.layers if layer.weights}
    by_name = {node.name: node for node in named_layers(architecture)}
    for name, layer, _ in by_name.values():
        if not isinstance(layer, kinds.BatchNormalization):
            continue
        statistics = weights.pop(name)
        if name in plan.apart:
            axes = max(len(shapes[name]) - 1, 1)
            weights[plan.apart[name]] = _as_kernel(statistics, layer.epsilon, axes)
        elif name in plan.before:
            source = plan.before[name]
            weights[source] = _scaled(weights[source], by_name[source].layer, statistics, layer.epsilon)
        else:
            target = plan.behind[name]
            weights[target] = _scaled_inputs(weights[target], by_name[target].layer, statistics, layer.epsilon)
    result = build_model(plan.architecture)
    for keras_layer in result.layers:
        if keras_layer.weights:
            keras_layer.set_weights(weights[keras_layer.name])
    return plan.architecture, result


def _takes(node: LayerNode) -> bool:
    return isinstance(node.layer, _FOLDABLE) and node.layer.activation is None


def _scaled(weights: list[np.ndarray], layer: Layer, statistics: list[np.ndarray], epsilon: float) -> list[np.ndarray]:
    scale, offset = _scale_and_offset(statistics, epsilon)
    depthwise = isinstance(layer, kinds.DepthwiseConv2D | kinds.DepthwiseConv1D)
    kernel = weights[0].astype(np.float64) * (scale[:, np.newaxis] if depthwise else scale)
    bias = weights[1].astype(np.float64) if len(weights) > 1 else 0.0
    return [kernel.astype(np.float32), (bias * scale + offset).astype(np.float32)]


def _scaled_inputs(
    weights: list[np.ndarray], layer: Layer, statistics: list[np.ndarray], epsilon: float
) -> list[np.ndarray]:
    """Return weights that do to x what they did to scale x + offset."""
    scale, offset = _scale_and_offset(statistics, epsilon)
    kernel = weights[0].astype(np.float64)
    channels = kernel.shape[-2]
    # Behind a flattened image, the channels come again and again.
    scale, offset = (np.tile(one, channels // one.size) for one in (scale, offset))
    bias = weights[1].astype(np.float64) if len(weights) > 1 else 0.0
    depthwise = isinstance(layer, kinds.DepthwiseConv2D | kinds.DepthwiseConv1D)
    moved = kernel * offset[:, np.newaxis]
    added = moved.sum(axis=tuple(range(kernel.ndim - 2)))
    added = added[:, 0] if depthwise else added.sum(axis=0)
    return [(kernel * scale[:, np.newaxis]).astype(np.float32), (bias + added).astype(np.float32)]


def _scale_and_offset(statistics: list[np.ndarray], epsilon: float) -> tuple[np.ndarray, np.ndarray]:
    """Return s and t of y -> s y + t for gamma, beta, mean and variance, in float64."""
    gamma, beta, mean, variance = (values.astype(np.float64) for values in statistics)
    scale = gamma / np.sqrt(variance + epsilon)
    return scale, beta - mean * scale


def _as_convolution(name: str, inputs: tuple[str, ...], shape: Shape, *, at_input: bool) -> dict[str, Layer]:
    """Return the depthwise convolution of one pixel; a vector counts as one pixel, and becomes a vector again."""
    layers: list[Layer] = []
    if len(shape) == 1:
        layers.append(kinds.Reshape(name=f"{name}_row", shape=(1, *shape)))
    wide = name if not at_input or name.endswith(STANDARDIZE) else f"{name}_{STANDARDIZE}"
    make = kinds.DepthwiseConv2D if len(shape) == 3 else kinds.DepthwiseConv1D
    layers.append(make(name=wide, kernel=1))
    if at_input:
        layers.append(kinds.Activation(name=f"{name}_rounded", activation=IDENTITY))
    if len(shape) == 1:
        layers.append(kinds.Flatten(name=f"{name}_vector"))
    made: dict[str, Layer] = {}
    for layer in layers:
        made[str(layer.name)] = layer.model_copy(update={"inputs": inputs})
        inputs = (str(layer.name),)
    return made


def _as_kernel(statistics: list[np.ndarray], epsilon: float, axes: int) -> list[np.ndarray]:
    scale, offset = _scale_and_offset(statistics, epsilon)
    return [scale.reshape(*(1,) * axes, -1, 1).astype(np.float32), offset.astype(np.float32)]


def _layer_of(model: Any, name: str) -> Any | None:
    return next((layer for layer in model.layers if layer.name == name), None)
