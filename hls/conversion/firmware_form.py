"""The integer network in the form in which hls4ml's templates compute it right: the same values, node by node."""

from __future__ import annotations

from dataclasses import replace
from math import prod

import numpy as np

from siliconv.hls.backends import BACKENDS
from siliconv.hls.configuration import HlsConfig
from siliconv.hls.kinds import IoType
from siliconv.network import graph as ir


def firmware_form(network: ir.Network, io_type: IoType | str, *, own_depthwise: bool = False) -> ir.Network:
    """Give a network of the same nodes, shapes and types that computes the same, by what the templates can do.

    hls4ml's stream templates compute a two-dimensional window of one row as a one-dimensional one and forget the
    stride from row to row: they put out every row. Such a kernel gets a second row of zeros, and the image a row more
    of padding below. `own_depthwise`: whether a kernel of our own takes the place of the depthwise template.
    """
    if IoType(io_type) is not IoType.STREAM:
        return network
    nodes = (
        node if own_depthwise and isinstance(node, ir.DepthwiseConv) else _with_two_rows(node) for node in network.nodes
    )
    return replace(network, nodes=tuple(nodes))


def written_form(network: ir.Network, config: HlsConfig) -> ir.Network:
    """Give the form of a network that a project with these settings states: its kernels and its windows."""
    return firmware_form(network, config.io_type, own_depthwise=BACKENDS[config.backend].has_ac_kernels)


def without_output_function(network: ir.Network) -> ir.Network:
    """Give the network up to its logits, for a back end that the tables of a sigmoid or softmax can't be given to."""
    last = network.nodes.index(network.logits)
    return replace(network, nodes=network.nodes[: last + 1])


def misses_rows(window: ir.Shape, strides: ir.Shape, *, depthwise: bool) -> bool:
    """Whether the stream templates forget a window's stride from row to row."""
    if len(strides) < 2 or strides[0] == 1 or window[0] > 1:
        return False
    # A convolution of one pixel has a template of its own, which is right.
    return depthwise or prod(window) > 1


def _with_two_rows(node: ir.Node) -> ir.Node:
    if not isinstance(node, ir.Conv | ir.DepthwiseConv):
        return node
    kernel = node.kernel.codes
    if not misses_rows(kernel.shape[: len(node.strides)], node.strides, depthwise=isinstance(node, ir.DepthwiseConv)):
        return node
    rows = np.concatenate([kernel, np.zeros_like(kernel)])
    (above, below), across = node.padding
    return replace(node, kernel=ir.Weights(rows, node.kernel.type), padding=((above, below + 1), across))
