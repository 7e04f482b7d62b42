"""Channels that nothing reads, taken out of every node that holds them."""

from __future__ import annotations

from dataclasses import replace
from functools import singledispatch

import numpy as np
from numpy.typing import NDArray

from siliconv.network import graph as ir
from siliconv.network.structure import output_shape

Mask = NDArray[np.bool_]
"""Which channels of a tensor stay, (channels,)."""


def remove_dead_channels(network: ir.Network) -> ir.Network:
    """Give the same network without nodes and channels that its outputs do not depend on.

    Inputs stay as they are, and one channel of each tensor that is read.
    """
    read = {node.name for node in (*network.outputs, *network.inputs)}
    for node in reversed(network.nodes):
        if node.name in read:
            read.update(node.inputs)
    nodes = tuple(node for node in network.nodes if node.name in read)
    kept = _kept(replace(network, nodes=nodes))
    cut: dict[str, ir.Node] = {}
    for node in nodes:
        sources = tuple(cut[name] for name in node.inputs)
        fewer = _cut(node, kept[node.name], tuple(kept[name] for name in node.inputs))
        if sources and not isinstance(node, ir.Reshape) and fewer.shape != node.shape:
            fewer = replace(fewer, shape=(*node.shape[:-1], output_shape(fewer, sources)[-1]))
        cut[node.name] = fewer
    return replace(network, nodes=tuple(cut.values()))


def _kept(network: ir.Network) -> dict[str, Mask]:
    """Give the channels that stay: the fewest with which all nodes agree."""
    kept = {node.name: np.zeros(node.shape[-1], bool) for node in network.nodes}
    for node in (*network.inputs, *network.outputs):
        kept[node.name][:] = True
    before = -1
    while before != (before := sum(int(mask.sum()) for mask in kept.values())):
        for node in reversed(network.nodes):
            sources = network.sources(node)
            _agree(node, sources, kept[node.name], tuple(kept[source.name] for source in sources))
            if not kept[node.name].any():
                kept[node.name][0] = True
    return kept


@singledispatch
def _agree(node: ir.Node, sources: tuple[ir.Node, ...], mine: Mask, theirs: tuple[Mask, ...]) -> None:
    """Add to the masks of a node and of its sources what they need of each other."""
    for mask in (mine, *theirs):
        mask[:] = True


@_agree.register
def _(node: ir.Input, sources: tuple[ir.Node, ...], mine: Mask, theirs: tuple[Mask, ...]) -> None:
    return


@_agree.register(ir.Conv)
@_agree.register(ir.Dense)
def _(node: ir.Conv | ir.Dense, sources: tuple[ir.Node, ...], mine: Mask, theirs: tuple[Mask, ...]) -> None:
    kernel = node.kernel.codes[..., mine]
    theirs[0][:] |= np.any(kernel, axis=(*range(kernel.ndim - 2), -1))


@_agree.register(ir.DepthwiseConv)
@_agree.register(ir.MaxPool)
@_agree.register(ir.AveragePool)
@_agree.register(ir.Add)
@_agree.register(ir.Pairwise)
@_agree.register(ir.Requantize)
@_agree.register(ir.Pad)
@_agree.register(ir.Table)
def _(node: ir.Node, sources: tuple[ir.Node, ...], mine: Mask, theirs: tuple[Mask, ...]) -> None:
    together = np.logical_or.reduce((mine, *theirs))
    for mask in (mine, *theirs):
        mask[:] = together


@_agree.register
def _(node: ir.Concatenate, sources: tuple[ir.Node, ...], mine: Mask, theirs: tuple[Mask, ...]) -> None:
    mine |= np.concatenate(theirs)
    for mask, part in zip(theirs, np.split(mine, np.cumsum([mask.size for mask in theirs])[:-1]), strict=True):
        mask |= part


@_agree.register
def _(node: ir.Reshape, sources: tuple[ir.Node, ...], mine: Mask, theirs: tuple[Mask, ...]) -> None:
    channels = theirs[0].size
    if mine.size % channels:
        mine[:] = theirs[0][:] = True
        return
    theirs[0][:] |= mine.reshape(-1, channels).any(axis=0)
    mine[:] = np.tile(theirs[0], mine.size // channels)


@_agree.register
def _(node: ir.Rearrange, sources: tuple[ir.Node, ...], mine: Mask, theirs: tuple[Mask, ...]) -> None:
    moves = node.order[-1] != len(node.order) - 1 or node.places[-1] != tuple(range(theirs[0].size))
    mine[:] = theirs[0][:] = True if moves else mine | theirs[0]


@singledispatch
def _cut(node: ir.Node, mine: Mask, theirs: tuple[Mask, ...]) -> ir.Node:
    """Give a node with its kept channels alone."""
    return replace(node, shape=(*node.shape[:-1], int(mine.sum())))


@_cut.register(ir.Conv)
@_cut.register(ir.Dense)
def _(node: ir.Conv | ir.Dense, mine: Mask, theirs: tuple[Mask, ...]) -> ir.Node:
    kernel = node.kernel.codes[..., theirs[0], :][..., mine]
    return _with_weights(node, kernel, mine)


@_cut.register
def _(node: ir.DepthwiseConv, mine: Mask, theirs: tuple[Mask, ...]) -> ir.Node:
    return _with_weights(node, node.kernel.codes[..., mine], mine)


def _with_weights(node: ir.Matrix, kernel: np.ndarray, mine: Mask) -> ir.Matrix:
    return replace(
        node,
        shape=(*node.shape[:-1], int(mine.sum())),
        kernel=ir.Weights(np.ascontiguousarray(kernel), node.kernel.type),
        bias=ir.Weights(node.bias.codes[mine], node.bias.type),
    )
