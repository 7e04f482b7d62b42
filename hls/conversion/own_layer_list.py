"""Describe nodes by our own layers where hls4ml's templates for `ac_fixed` are missing or not exact."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import singledispatch
from typing import Any

import numpy as np

from siliconv.hls.conversion.layer_list import (
    LayerDescription,
    attributes_of,
    convolution_kind,
    describe,
    product_types,
    types_of,
    weights_of,
    window_sizes,
)
from siliconv.network import graph as ir
from siliconv.network.intervals import Bounds, average_sum_type


@singledispatch
def describe_for_ac(node: ir.Node, sources: tuple[ir.Node, ...], bounds: Mapping[str, Bounds]) -> LayerDescription:
    """Describe one node as `layer_list.describe` does, for a back end whose numbers are `ac_fixed`.

    The templates of such back ends divide averages in the wrong type, begin the maximum of a stream with a number that
    may win, write too many words when they join streams, compare whole words of two streams, and convolve by channel
    in streams only, or not at all.
    Our own kernels take their place.
    """
    return describe(node, sources, bounds)


@describe_for_ac.register
def _(node: ir.Conv, sources: tuple[ir.Node, ...], bounds: Mapping[str, Bounds]) -> LayerDescription:
    described = describe(node, sources, bounds)
    # The Quartus writer counts the banks of a large kernel's memory by a dense layer's sizes, and stops without them.
    n_in, n_out = node.kernel.codes.size // node.shape[-1], node.shape[-1]
    return replace(described, attributes={**described.attributes, "n_in": n_in, "n_out": n_out})


@describe_for_ac.register
def _(node: ir.MaxPool, sources: tuple[ir.Node, ...], bounds: Mapping[str, Bounds]) -> LayerDescription:
    if _covers(node, sources[0]):
        return LayerDescription(_channel_pool(node, sources[0], average=False), types_of(node, accum=node.type))
    return describe(node, sources, bounds)


@describe_for_ac.register
def _(node: ir.AveragePool, sources: tuple[ir.Node, ...], bounds: Mapping[str, Bounds]) -> LayerDescription:
    (source,) = sources
    if _covers(node, source):
        attributes = _channel_pool(node, source, average=True)
    else:
        attributes = attributes_of("WindowPool", node, **window_sizes(node, source), average=True)
    return LayerDescription(attributes, types_of(node, accum=average_sum_type(node, source, bounds[source.name])))


@describe_for_ac.register
def _(node: ir.DepthwiseConv, sources: tuple[ir.Node, ...], bounds: Mapping[str, Bounds]) -> LayerDescription:
    sizes, weights = window_sizes(node, sources[0]), weights_of(node.kernel, node.bias)
    attributes = attributes_of("DepthwiseWindows", node, **sizes, **weights)
    product = (int(np.prod(node.window)) * node.shape[-1], node.shape[-1])
    return LayerDescription(attributes, product_types(node), product, convolution_kind(node))


@describe_for_ac.register
def _(node: ir.Concatenate, sources: tuple[ir.Node, ...], bounds: Mapping[str, Bounds]) -> LayerDescription:
    stated = describe(node, sources, bounds)
    first, second = (source.shape[-1] for source in sources)
    attributes = attributes_of(
        "JoinChannels",
        node,
        output_shape=node.shape,
        n_pixels=int(np.prod(node.shape[:-1])),
        n_first=first,
        n_second=second,
    )
    return LayerDescription(attributes, stated.precision)


@describe_for_ac.register
def _(node: ir.Pairwise, sources: tuple[ir.Node, ...], bounds: Mapping[str, Bounds]) -> LayerDescription:
    stated = describe(node, sources, bounds)
    if node.operation not in ("maximum", "minimum"):
        return stated
    attributes = attributes_of(
        "ChooseLayer",
        node,
        output_shape=node.shape,
        n_in=int(np.prod(node.shape)),
        larger=node.operation == "maximum",
    )
    return LayerDescription(attributes, stated.precision)


def _covers(node: ir.MaxPool | ir.AveragePool, source: ir.Node) -> bool:
    """Whether the one window of a pooling is the whole image."""
    return node.window == source.shape[:-1] and not any(sum(pair) for pair in node.padding)


def _channel_pool(node: ir.MaxPool | ir.AveragePool, source: ir.Node, *, average: bool) -> dict[str, Any]:
    pixels = int(np.prod(node.window))
    return attributes_of(
        "ChannelPool", node, output_shape=node.shape, n_pixels=pixels, n_chan=source.shape[-1], average=average
    )
