"""Lower a QKeras model to the integer network: every quantizer becomes a type, every weight an integer.

What has no exact meaning in hardware (a scale that is no power of two, a quantizer with a random part, an unquantized
weight) is refused with a code and the fix, never approximated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from siliconv.errors import NetworkError
from siliconv.network import graph as ir
from siliconv.network import output_softmax
from siliconv.network.fixed_point import PIXEL, FixedPoint, Overflow, Rounding, exact_codes, plain
from siliconv.network.function_table import table_node
from siliconv.network.intervals import sum_of_products_type
from siliconv.quantize.lowering.exact_classes import class_in_words, exact_class
from siliconv.quantize.lowering.lowering_graph import LoweringGraph, geometry
from siliconv.quantize.lowering.lowering_shapes import SHAPE_LOWERERS, Lowerer
from siliconv.quantize.lowering.model_graph import is_linear, model_graph, refuse_settings
from siliconv.quantize.lowering.quantized_functions import hard_type, table_behind
from siliconv.quantize.lowering.quantized_weights import is_scaled, scaled_weights

INPUT_NAME = "network_input"
"""Name of the input node; hls4ml reserves plain "input"."""


def lower(
    model: Any, *, name: str, input_type: FixedPoint = PIXEL, metadata: Mapping[str, Any] | None = None
) -> ir.Network:
    """Translate a QKeras model into an integer network with proven types.

    Parameters
    ----------
    model
        A functional or sequential tf_keras model with one input and one output. Each layer must be of a class that is
        known here itself: a subclass may compute something else.
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
    for layer in model.layers:
        kind = exact_class(layer)
        if kind == "InputLayer":
            node: ir.Node = graph.add(ir.Input(INPUT_NAME, (), tuple(model.input_shape[1:]), input_type))
        elif kind is not None and kind in _LOWERERS:
            refuse_settings(layer)
            node = _LOWERERS[kind](layer, graph.sources(layer), graph)
        else:
            raise NetworkError(
                "LOWER-LAYER",
                f"a layer of class {class_in_words(layer)} has no exact integer meaning here",
                where=f"layer '{layer.name}'",
                fix="use its quantized counterpart, one of " + ", ".join(sorted(_LOWERERS)),
            )
        graph.output_of[layer.name] = node.name
    return ir.Network(name, tuple(graph.nodes.values()), dict(metadata or {}))


def lowered_kinds() -> frozenset[str]:
    """Give the class names of the Keras layers that have an exact integer meaning here."""
    return frozenset(_LOWERERS)


def quantizer_type(quantizer: Any, *, where: str) -> FixedPoint:
    """Give the fixed-point type that a QKeras quantizer rounds to.

    Raises
    ------
    NetworkError
        ``LOWER-ALPHA``, ``LOWER-STOCHASTIC``, ``LOWER-QUANTIZER`` where there is none.
    """
    to_type = _QUANTIZER_TYPES.get(exact_class(quantizer) or "")
    if to_type is None:
        raise NetworkError(
            "LOWER-QUANTIZER",
            "no quantizer"
            if quantizer is None
            else f"the quantizer {class_in_words(quantizer)} has no fixed-point type",
            where=where,
            fix="use " + " or ".join(sorted(_QUANTIZER_TYPES)),
        )
    refuse_chance(quantizer, where)
    return to_type(quantizer, where)


def refuse_chance(quantizer: Any, where: str) -> None:
    """Raise ``LOWER-STOCHASTIC`` for a quantizer with a random part."""
    if getattr(quantizer, "use_stochastic_rounding", False) or getattr(quantizer, "qnoise_factor", 1.0) != 1.0:
        raise NetworkError(
            "LOWER-STOCHASTIC",
            f"the quantizer {quantizer} is not deterministic",
            where=where,
            fix="use use_stochastic_rounding=False and qnoise_factor=1",
        )


def _bits_type(quantizer: Any, where: str) -> FixedPoint:
    # alpha=None behaves as 1 in quantized_bits but not in every layer that adopts it (qkeras #129), so it is refused.
    if quantizer.alpha is None or isinstance(quantizer.alpha, str) or np.any(np.asarray(quantizer.alpha) != 1.0):
        raise NetworkError(
            "LOWER-ALPHA",
            f"the quantizer scales by alpha={quantizer.alpha!r}",
            where=where,
            fix="use alpha=1 and choose the integer bits instead, or alpha='auto_po2' for a kernel",
        )
    sign = bool(quantizer.keep_negative)
    if int(quantizer.bits) - sign < 1:
        raise NetworkError(
            "LOWER-QUANTIZER",
            f"{quantizer} has no bit but the sign: QKeras makes plus and minus one of it",
            where=where,
            fix="use quantized_bits of two bits or more; for a kernel binary(alpha=1), which is plus and minus one",
        )
    return FixedPoint(
        signed=sign,
        width=int(quantizer.bits),
        integer=int(quantizer.integer) + sign,
        rounding=Rounding.RND_CONV,
        overflow=Overflow.SAT_SYM if quantizer.symmetric and sign else Overflow.SAT,
    )


def _relu_type(quantizer: Any, where: str) -> FixedPoint:
    if quantizer.negative_slope or quantizer.use_sigmoid:
        raise NetworkError(
            "LOWER-QUANTIZER",
            f"{quantizer} with a slope or a sigmoid",
            where=where,
            fix="use quantized_relu(bits, integer), with or without relu_upper_bound",
        )
    return FixedPoint(False, int(quantizer.bits), int(quantizer.integer), Rounding.RND_CONV, Overflow.SAT)


_QUANTIZER_TYPES: dict[str, Callable[[Any, str], FixedPoint]] = {
    "quantized_bits": _bits_type,
    "quantized_relu": _relu_type,
    "quantized_tanh": hard_type,
    "quantized_sigmoid": hard_type,
}


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
    if set(layer.dilation_rate) != {1} or layer.depth_multiplier != 1:
        raise NetworkError(
            "LOWER-CONV",
            "a depthwise convolution with dilation or several outputs a channel",
            where=f"layer '{layer.name}'",
            fix="use dilation 1 and depth_multiplier 1",
        )
    return _lower_windows(layer, sources, graph, ir.DepthwiseConv)


def _lower_windows(
    layer: Any, sources: tuple[ir.Node, ...], graph: LoweringGraph, kind: type[ir.Conv | ir.DepthwiseConv]
) -> ir.Node:
    (source,) = sources
    kernel, bias = _weights(layer)
    strides = tuple(layer.strides)
    padding, spatial = geometry(layer, source, kernel.codes.shape[: len(strides)], strides)
    bounds, depthwise = graph.bounds[source.name], kind is ir.DepthwiseConv
    result = sum_of_products_type(kernel, bias, bounds, source.type, depthwise=depthwise)
    shape = (*spatial, kernel.codes.shape[-1])
    node = graph.add(kind(layer.name, (source.name,), shape, result, kernel, bias, strides, padding))
    return _lower_own_activation(layer, node, graph)


def _lower_dense(layer: Any, sources: tuple[ir.Node, ...], graph: LoweringGraph) -> ir.Node:
    (source,) = sources
    kernel, bias = _weights(layer)
    result = sum_of_products_type(kernel, bias, graph.bounds[source.name], source.type)
    shape = (*source.shape[:-1], kernel.codes.shape[-1])
    node = graph.add(ir.Dense(layer.name, (source.name,), shape, result, kernel, bias))
    return _lower_own_activation(layer, node, graph)


def _lower_own_activation(layer: Any, node: ir.Node, graph: LoweringGraph) -> ir.Node:
    activation = layer.activation
    if activation is None or is_linear(activation):
        return node
    return _add_requantize(f"{layer.name}_activation", activation, node, graph)


def _lower_activation(layer: Any, sources: tuple[ir.Node, ...], graph: LoweringGraph) -> ir.Node:
    return _add_requantize(layer.name, layer.quantizer, sources[0], graph)


def _lower_table(layer: Any, sources: tuple[ir.Node, ...], graph: LoweringGraph) -> ir.Node:
    (source,) = sources
    requantize = ir.Requantize(f"{layer.name}_input", (source.name,), source.shape, layer.inputs, relu=False)
    return graph.add(table_node(layer.name, graph.add(requantize), layer.function, layer.outputs))


def _lower_softmax(layer: Any, sources: tuple[ir.Node, ...], graph: LoweringGraph) -> ir.Node:
    (source,) = sources
    requantize = ir.Requantize(f"{layer.name}_input", (source.name,), source.shape, layer.inputs, relu=False)
    inputs = (graph.add(requantize).name,)
    return graph.add(ir.Softmax(layer.name, inputs, source.shape, output_softmax.OUTPUT, *output_softmax.tables()))


def _add_requantize(name: str, quantizer: Any, source: ir.Node, graph: LoweringGraph) -> ir.Node:
    kind = quantizer_type(quantizer, where=f"activation '{name}'")
    relu = exact_class(quantizer) == "quantized_relu"
    table = table_behind(name, quantizer, kind)
    if table is None:
        return graph.add(ir.Requantize(name, (source.name,), source.shape, kind, relu))
    return graph.add(table(graph.add(ir.Requantize(f"{name}_input", (source.name,), source.shape, kind, relu))))


def _weights(layer: Any) -> tuple[ir.Weights, ir.Weights]:
    where = f"kernel of layer '{layer.name}'"
    if hasattr(layer, "depthwise_quantizer_internal"):
        # Keras has a last axis for several outputs a channel; there is one.
        kernel = _integer_weights(layer.depthwise_kernel, layer.depthwise_quantizer_internal, where)
        kernel = ir.Weights(kernel.codes[..., 0], kernel.type)
    else:
        kernel = _integer_weights(layer.kernel, layer.kernel_quantizer_internal, where)
    if layer.use_bias:
        return kernel, _integer_weights(layer.bias, layer.bias_quantizer_internal, f"bias of layer '{layer.name}'")
    return kernel, ir.Weights(np.zeros(kernel.codes.shape[-1], dtype=np.int64), FixedPoint(True, 1, 1))


def _integer_weights(variable: Any, quantizer: Any, where: str) -> ir.Weights:
    if is_scaled(quantizer):
        refuse_chance(quantizer, where)
        return scaled_weights(np.asarray(quantizer(variable.numpy())), quantizer, where)
    kind = quantizer_type(quantizer, where=where)
    values = np.asarray(quantizer(variable.numpy()))
    return ir.Weights(exact_codes(values, plain(kind), where=where), plain(kind))


_LOWERERS: Mapping[str, Lowerer] = {
    "QConv1D": _lower_convolution,
    "QConv2D": _lower_convolution,
    "QDepthwiseConv1D": _lower_depthwise,
    "QDepthwiseConv2D": _lower_depthwise,
    "QDense": _lower_dense,
    "QActivation": _lower_activation,
    "TableActivation": _lower_table,
    "SoftmaxActivation": _lower_softmax,
    **SHAPE_LOWERERS,
}
