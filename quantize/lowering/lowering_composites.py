"""Lower QKeras layers that are several in one: separable, folded normalization, pooling with a factor."""

from __future__ import annotations

from typing import Any

import numpy as np

from siliconv.errors import NetworkError
from siliconv.network import graph as ir
from siliconv.network.fixed_point import FixedPoint
from siliconv.network.intervals import sum_of_products_type
from siliconv.quantize.lowering.lowering_activations import add_activation
from siliconv.quantize.lowering.lowering_graph import LoweringGraph, geometry
from siliconv.quantize.lowering.quantized_weights import WIDEST_BIAS, integer_weights


def depthwise_weights(kernel: ir.Weights) -> ir.Weights:
    """Give a depthwise kernel with its outputs in one row, as Keras has them: all of a channel, then the next."""
    return ir.Weights(kernel.codes.reshape(*kernel.codes.shape[:-2], -1), kernel.type)


def folded_weights(layer: Any) -> tuple[ir.Weights, ir.Weights]:
    """Give the integers of a layer whose batch normalization QKeras folds into it before it quantizes.

    Raises
    ------
    NetworkError
        As `siliconv.quantize.lowering.quantized_weights.integer_weights`.
    """
    kernel, bias = (np.asarray(one) for one in layer.get_folded_weights())
    depthwise = hasattr(layer, "depthwise_quantizer_internal")
    quantizer = layer.depthwise_quantizer_internal if depthwise else layer.kernel_quantizer_internal
    where = f"folded kernel of layer '{layer.name}'"
    try:
        found = integer_weights(kernel, quantizer, where)
    except NetworkError as error:
        if quantizer is not None:
            raise
        fix = "give it a kernel_quantizer; or let siliconv fold and quantize it again: model: {fold: fine_tune}"
        raise NetworkError(error.code, error.what, where=where, fix=fix) from error
    if depthwise:
        found = depthwise_weights(found)
    channels = found.codes.shape[-1]
    where = f"folded bias of layer '{layer.name}'"
    return found, integer_weights(
        np.broadcast_to(bias, channels), layer.bias_quantizer_internal, where, widest=WIDEST_BIAS
    )


def lower_separable(layer: Any, sources: tuple[ir.Node, ...], graph: LoweringGraph) -> ir.Node:
    """Append a depthwise convolution, and the convolution of one pixel behind it."""
    where = f"layer '{layer.name}'"
    if set(layer.dilation_rate) != {1}:
        raise NetworkError("LOWER-CONV", "a separable convolution with dilation", where=where, fix="use dilation 1")
    source = graph.add_repeated(f"{layer.name}_repeated", sources[0], layer.depth_multiplier)
    # Keras' own has no quantizers.
    by_channel, by_pixel, of_bias = (
        getattr(layer, f"{role}_quantizer_internal", None) for role in ("depthwise", "pointwise", "bias")
    )
    depthwise = depthwise_weights(integer_weights(layer.depthwise_kernel, by_channel, f"depthwise kernel of {where}"))
    strides = tuple(layer.strides)
    padding, spatial = geometry(layer, source, depthwise.codes.shape[:-1], strides)
    bounds, none = graph.bounds[source.name], ir.Weights(np.zeros(source.shape[-1], np.int64), FixedPoint(True, 1, 1))
    result = sum_of_products_type(depthwise, none, bounds, source.type, depthwise=True)
    shape = (*spatial, source.shape[-1])
    first = ir.DepthwiseConv(
        f"{layer.name}_depthwise", (source.name,), shape, result, depthwise, none, strides, padding
    )
    middle = graph.add(first)
    kernel = integer_weights(layer.pointwise_kernel, by_pixel, f"pointwise kernel of {where}")
    channels = kernel.codes.shape[-1]
    bias = ir.Weights(np.zeros(channels, np.int64), FixedPoint(True, 1, 1))
    if layer.use_bias:
        bias = integer_weights(layer.bias, of_bias, f"bias of {where}", widest=WIDEST_BIAS)
    result = sum_of_products_type(kernel, bias, graph.bounds[middle.name], middle.type)
    axes = len(strides)
    second = ir.Conv(
        layer.name,
        (middle.name,),
        (*spatial, channels),
        result,
        kernel,
        bias,
        (1,) * axes,
        ((0, 0),) * axes,
    )
    return add_activation(f"{layer.name}_activation", layer.activation, graph.add(second), graph)


def lower_factor_pooling(layer: Any, sources: tuple[ir.Node, ...], graph: LoweringGraph) -> ir.Node:
    """Append QKeras' average pooling with a quantizer: the sum of each window times the quantized ``1 / area``."""
    (source,) = sources
    overall = not hasattr(layer, "pool_size")
    window = source.shape[:-1] if overall else tuple(layer.pool_size)
    strides = window if overall else tuple(layer.strides)
    if not overall and layer.padding != "valid":
        raise NetworkError(
            "LOWER-AVERAGE",
            "QKeras divides the windows at the edges by fewer elements than its quantizer is for",
            where=f"layer '{layer.name}'",
            fix="use padding='valid'",
        )
    channels, area = source.shape[-1], int(np.prod(window))
    factor = np.full((*window, channels), np.float32(1.0 / area))
    quantizer = layer.average_quantizer_internal
    kernel = integer_weights(factor, quantizer, f"average quantizer of layer '{layer.name}'")
    none = ir.Weights(np.zeros(channels, np.int64), FixedPoint(True, 1, 1))
    result = sum_of_products_type(kernel, none, graph.bounds[source.name], source.type, depthwise=True)
    spatial = tuple(
        (size - extent) // stride + 1 for size, extent, stride in zip(source.shape, window, strides, strict=False)
    )
    name = f"{layer.name}_sum" if overall else layer.name
    no_padding = ((0, 0),) * len(window)
    pooled = ir.DepthwiseConv(name, (source.name,), (*spatial, channels), result, kernel, none, strides, no_padding)
    node = graph.add(pooled)
    if overall:
        shape = tuple(layer.output_shape[1:])
        node = graph.add(ir.Reshape(layer.name, (node.name,), shape, node.type))
    return add_activation(f"{layer.name}_activation", layer.activation, node, graph)
