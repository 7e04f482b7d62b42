"""Channels that hold one code whatever the input is: what they add to a sum becomes part of its bias."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from siliconv.network import graph as ir
from siliconv.network.fixed_point import Codes, Interval, narrowest, shifted
from siliconv.network.intervals import Bounds, node_bounds


def fold_constants(network: ir.Network) -> ir.Network:
    """Give the same network whose sums multiply nothing that is constant.

    A channel is constant where its proven bounds are one code: behind a ReLU that is never reached, behind weights
    that are all zero. Where zeros are padded around it, only a constant zero is folded.
    """
    bounds: dict[str, Bounds] = {}
    nodes: list[ir.Node] = []
    for node in network.nodes:
        sources = network.sources(node)
        known = tuple(bounds[source.name] for source in sources)
        folded = _folded(node, sources[0], known[0]) if isinstance(node, ir.Matrix) else node
        proven = node_bounds(folded, sources, known)
        bounds[node.name] = _of_biases(folded, proven) if isinstance(folded, ir.Matrix) else proven
        nodes.append(folded)
    return replace(network, nodes=tuple(nodes))


def _folded(node: ir.Matrix, source: ir.Node, inputs: Bounds) -> ir.Matrix:
    """Give a node whose kernel is zero for constant inputs, their products in its bias."""
    padded = not isinstance(node, ir.Dense) and any(map(any, node.padding))
    foldable = (inputs.low == inputs.high) & ((inputs.low == 0) | (not padded))
    kernel = node.kernel.codes
    depthwise = isinstance(node, ir.DepthwiseConv)
    chosen = foldable if depthwise else foldable[:, None]
    if not np.any(kernel[..., chosen] if depthwise else kernel[..., foldable, :]):
        return node
    values = inputs.low if depthwise else inputs.low[:, None]
    parts = np.where(chosen, kernel, 0).astype(object) * values.astype(object)
    constant = parts.reshape(-1, kernel.shape[-1]).sum(axis=0)
    if not np.any(constant):
        return replace(node, kernel=ir.Weights(np.where(chosen, 0, kernel), node.kernel.type))
    products = source.type.fraction + node.kernel.type.fraction
    fraction = max(products, node.bias.type.fraction)
    total = (constant * (1 << (fraction - products))).astype(np.int64) + shifted(
        node.bias.codes, fraction - node.bias.type.fraction
    )
    return replace(
        node,
        kernel=ir.Weights(np.where(chosen, 0, kernel), node.kernel.type),
        bias=ir.Weights(total, narrowest(Interval(int(total.min()), int(total.max())), fraction)),
    )


def _of_biases(node: ir.Matrix, proven: Bounds) -> Bounds:
    """Give bounds in which an output that multiplies nothing is its bias: a proof of partial sums includes zero."""
    alone = ~np.any(node.kernel.codes.reshape(-1, node.kernel.codes.shape[-1]), axis=0)
    bias: Codes = shifted(node.bias.codes, node.type.fraction - node.bias.type.fraction)
    return Bounds(np.where(alone, bias, proven.low), np.where(alone, bias, proven.high))
