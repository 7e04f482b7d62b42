"""Lower a QKeras model to the integer network: every quantizer becomes a type, every weight an integer.

What has no exact meaning in hardware (a scale that is no power of two, a quantizer with a random part, an unquantized
weight) is refused with a code and the fix, never approximated.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from fractions import Fraction
from typing import Any

import numpy as np

from siliconv.errors import NetworkError
from siliconv.network import graph as ir
from siliconv.network import output_softmax
from siliconv.network.fixed_point import PIXEL, FixedPoint, to_values, types_made_in
from siliconv.network.function_table import table_node
from siliconv.network.intervals import sum_of_products_type
from siliconv.quantize.lowering.endings import endings_of
from siliconv.quantize.lowering.exact_classes import class_in_words, exact_class
from siliconv.quantize.lowering.lowering_activations import add_activation, add_sloped_relu
from siliconv.quantize.lowering.lowering_composites import (
    depthwise_weights,
    folded_weights,
    lower_factor_pooling,
    lower_separable,
)
from siliconv.quantize.lowering.lowering_graph import LoweringGraph, geometry
from siliconv.quantize.lowering.lowering_normalization import lower_normalization, lower_rescaling
from siliconv.quantize.lowering.lowering_relu import lower_relu
from siliconv.quantize.lowering.lowering_shapes import SHAPE_LOWERERS, Lowerer
from siliconv.quantize.lowering.model_graph import is_linear, model_graph, refuse_settings
from siliconv.quantize.lowering.quantized_weights import (
    WIDEST_BIAS,
    channel_weights,
    integer_weights,
    no_power_of_two,
)
from siliconv.quantize.lowering.scaled_channels import ScaledChannels, add_thresholds

INPUT_NAME = "network_input"
"""Name of the input node; hls4ml reserves plain "input"."""


def lower(
    model: Any, *, name: str, input_type: FixedPoint = PIXEL, metadata: Mapping[str, Any] | None = None
) -> ir.Network:
    """Translate a QKeras model into an integer network with proven types.

    Parameters
    ----------
    model
        A functional or sequential tf_keras model, models in it included, of one or several inputs and outputs. Each
        layer must be of a class that is known here itself: a subclass may compute something else. A sigmoid or softmax
        that it ends in becomes a table behind the logits.
    name
        Name of the network (a C identifier).
    input_type
        Type of the input; images arrive as k/256.
    metadata
        Facts for people, kept with the network.

    Raises
    ------
    NetworkError
        ``LOWER-...`` with the layer and the fix where something has no exact integer meaning.
    """
    model, called = model_graph(model)
    graph = LoweringGraph(called=called)
    endings = endings_of(model, called)
    for layer in model.layers:
        kind, ending = exact_class(layer), endings.get(layer.name)
        if kind == "InputLayer":
            name_here = INPUT_NAME if len(model.inputs) == 1 else f"{layer.name}_in"
            node: ir.Node = graph.add(ir.Input(name_here, (), tuple(layer.output.shape[1:]), input_type))
        elif ending is not None and not ending.own:
            node = graph.sources(layer)[0]
        elif kind is not None and kind in _LOWERERS:
            refuse_settings(layer)
            with types_made_in(layer.name), ending.left_out() if ending is not None else nullcontext():
                node = _LOWERERS[kind](layer, graph.sources(layer), graph)
        else:
            raise NetworkError(
                "LOWER-LAYER",
                f"a layer of class {class_in_words(layer)} has no exact integer meaning here",
                where=f"layer '{layer.name}'",
                fix="use its quantized counterpart, one of " + ", ".join(sorted(_LOWERERS)),
            )
        graph.output_of[layer.name] = node.name
    inputs, outputs = (
        [tensor._keras_history.layer.name for tensor in tensors] for tensors in (model.inputs, model.outputs)
    )
    ends = tuple(graph.output_of[one] for one in outputs)
    nodes = graph.needed_for([graph.output_of[one] for one in inputs], ends)
    network = ir.Network(name, nodes, dict(metadata or {}), ends if len(ends) > 1 else ())
    for layer, logits in zip(outputs, network.outputs, strict=True):
        if layer in endings:
            network = endings[layer].behind(network, logits)
    return network


def lowered_kinds() -> frozenset[str]:
    """Give the class names of the Keras layers that have an exact integer meaning here."""
    return frozenset(_LOWERERS)


def _lower_convolution(layer: Any, sources: tuple[ir.Node, ...], graph: LoweringGraph) -> ir.Node:
    if set(layer.dilation_rate) != {1} or layer.groups != 1:
        raise NetworkError(
            "LOWER-CONV",
            "a convolution with dilation or groups",
            where=f"layer '{layer.name}'",
            fix="use dilation 1 and one group",
        )
    return _lower_windows(layer, sources, graph, ir.Conv)


def _lower_depthwise(layer: Any, sources: tuple[ir.Node, ...], graph: LoweringGraph) -> ir.Node:
    if set(layer.dilation_rate) != {1}:
        raise NetworkError(
            "LOWER-CONV",
            "a depthwise convolution with dilation",
            where=f"layer '{layer.name}'",
            fix="use dilation 1",
        )
    repeated = graph.add_repeated(f"{layer.name}_repeated", sources[0], layer.depth_multiplier)
    return _lower_windows(layer, (repeated,), graph, ir.DepthwiseConv)


def _lower_windows(
    layer: Any, sources: tuple[ir.Node, ...], graph: LoweringGraph, kind: type[ir.Conv | ir.DepthwiseConv]
) -> ir.Node:
    (source,) = sources
    kernel, bias = _weights(layer, graph)
    strides = tuple(layer.strides)
    padding, spatial = geometry(layer, source, kernel.codes.shape[: len(strides)], strides)
    bounds, depthwise = graph.bounds[source.name], kind is ir.DepthwiseConv
    result = sum_of_products_type(kernel, bias, bounds, source.type, depthwise=depthwise)
    shape = (*spatial, kernel.codes.shape[-1])
    node = graph.add(kind(layer.name, (source.name,), shape, result, kernel, bias, strides, padding))
    return _lower_own_activation(layer, node, graph)


def _lower_dense(layer: Any, sources: tuple[ir.Node, ...], graph: LoweringGraph) -> ir.Node:
    (source,) = sources
    kernel, bias = _weights(layer, graph)
    result = sum_of_products_type(kernel, bias, graph.bounds[source.name], source.type)
    shape = (*source.shape[:-1], kernel.codes.shape[-1])
    node = graph.add(ir.Dense(layer.name, (source.name,), shape, result, kernel, bias))
    return _lower_own_activation(layer, node, graph)


def _lower_average(layer: Any, sources: tuple[ir.Node, ...], graph: LoweringGraph) -> ir.Node:
    if layer.average_quantizer:
        return lower_factor_pooling(layer, sources, graph)
    plain_class = type(layer).__name__.removeprefix("Q")
    return _lower_own_activation(layer, SHAPE_LOWERERS[plain_class](layer, sources, graph), graph)


def _lower_own_activation(layer: Any, node: ir.Node, graph: LoweringGraph) -> ir.Node:
    name, own = f"{layer.name}_activation", layer.activation
    if layer.name in graph.left_scales:
        scaled = ScaledChannels(node, *graph.left_scales[layer.name])
        if own is not None and not is_linear(own):
            return add_thresholds(name, own, scaled, graph)
        graph.scaled[layer.name] = scaled
        return node
    return add_activation(name, own, node, graph)


def _lower_activation(layer: Any, sources: tuple[ir.Node, ...], graph: LoweringGraph) -> ir.Node:
    activation = layer.quantizer if hasattr(layer, "quantizer") else layer.activation
    scaled = graph.scaled_source(layer)
    if scaled is not None:
        return add_thresholds(layer.name, activation, scaled, graph)
    return add_activation(layer.name, activation, sources[0], graph)


def _lower_table(layer: Any, sources: tuple[ir.Node, ...], graph: LoweringGraph) -> ir.Node:
    (source,) = sources
    requantize = ir.Requantize(f"{layer.name}_input", (source.name,), source.shape, layer.inputs, relu=False)
    return graph.add(table_node(layer.name, graph.add(requantize), layer.function, layer.outputs))


def _lower_sloped(layer: Any, sources: tuple[ir.Node, ...], graph: LoweringGraph) -> ir.Node:
    (source,), kind = sources, layer.outputs
    up = FixedPoint(False, kind.width - 1, kind.integer - 1, kind.rounding, kind.overflow)
    return add_sloped_relu(layer.name, source, graph, up, Fraction(layer.slope), lowest=Fraction(-kind.codes.low))


def _lower_softmax(layer: Any, sources: tuple[ir.Node, ...], graph: LoweringGraph) -> ir.Node:
    (source,) = sources
    requantize = ir.Requantize(f"{layer.name}_input", (source.name,), source.shape, layer.inputs, relu=False)
    inputs = (graph.add(requantize).name,)
    return graph.add(ir.Softmax(layer.name, inputs, source.shape, output_softmax.OUTPUT, *output_softmax.tables()))


def _weights(layer: Any, graph: LoweringGraph) -> tuple[ir.Weights, ir.Weights]:
    if hasattr(layer, "get_folded_weights"):
        return folded_weights(layer)
    where, depthwise = f"kernel of layer '{layer.name}'", hasattr(layer, "depthwise_kernel")
    role = "depthwise" if depthwise else "kernel"
    quantizer = getattr(layer, f"{role}_quantizer_internal", None)
    kernel, scales = channel_weights(layer.depthwise_kernel if depthwise else layer.kernel, quantizer, where)
    if depthwise:
        kernel = depthwise_weights(kernel)
    channels = kernel.codes.shape[-1]
    bias = ir.Weights(np.zeros(channels, dtype=np.int64), FixedPoint(True, 1, 1))
    if layer.use_bias:
        own = getattr(layer, "bias_quantizer_internal", None)
        bias = integer_weights(layer.bias, own, f"bias of layer '{layer.name}'", widest=WIDEST_BIAS)
    if scales is None:
        return kernel, bias
    if depthwise or not graph.only_signs_behind(layer):
        raise no_power_of_two(quantizer, where)
    # What is left of the layer is the sum of its integers; the scales and the bias wait for the signs behind it.
    graph.left_scales[layer.name] = (scales, to_values(bias.codes, bias.type))
    return kernel, ir.Weights(np.zeros(channels, dtype=np.int64), FixedPoint(True, 1, 1))


_LOWERERS: Mapping[str, Lowerer] = {
    "QConv1D": _lower_convolution,
    "QConv2D": _lower_convolution,
    "QDepthwiseConv1D": _lower_depthwise,
    "QDepthwiseConv2D": _lower_depthwise,
    "QDense": _lower_dense,
    "QConv2DBatchnorm": _lower_convolution,
    "QDepthwiseConv2DBatchnorm": _lower_depthwise,
    "QSeparableConv1D": lower_separable,
    "QSeparableConv2D": lower_separable,
    "Conv1D": _lower_convolution,
    "Conv2D": _lower_convolution,
    "DepthwiseConv1D": _lower_depthwise,
    "DepthwiseConv2D": _lower_depthwise,
    "SeparableConv1D": lower_separable,
    "SeparableConv2D": lower_separable,
    "Dense": _lower_dense,
    "QActivation": _lower_activation,
    "Activation": _lower_activation,
    "ReLU": lower_relu,
    "LeakyReLU": lower_relu,
    "BatchNormalization": lower_normalization,
    "QBatchNormalization": lower_normalization,
    "Rescaling": lower_rescaling,
    "QAveragePooling2D": _lower_average,
    "QGlobalAveragePooling2D": _lower_average,
    "TableActivation": _lower_table,
    "SoftmaxActivation": _lower_softmax,
    "SlopedActivation": _lower_sloped,
    **SHAPE_LOWERERS,
}
