"""Which nodes become one block: a Requantize with what it alone reads, a Pad with the convolution behind it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from siliconv.network import graph as ir

COMPUTES_EXACTLY = (
    ir.Conv,
    ir.DepthwiseConv,
    ir.Dense,
    ir.Add,
    ir.Pairwise,
    ir.MaxPool,
    ir.AveragePool,
    ir.Pad,
    ir.Rearrange,
)
"""Kinds whose block ends in a Requantize where there is one."""


@dataclass(frozen=True)
class Unit:
    """Nodes that are one block.

    Parameters
    ----------
    node
        What computes.
    pad
        A Pad before it that its window's writer does.
    requantize
        What its results go through before they leave.
    sources
        The nodes whose streams it reads: those that are no Reshape, which is nothing in hardware.
    """

    node: ir.Node
    pad: ir.Pad | None
    requantize: ir.Requantize | None
    sources: tuple[str, ...]

    @property
    def output(self) -> str:
        """The node whose codes leave the block."""
        return (self.requantize or self.node).name

    @property
    def padding(self) -> ir.Padding:
        """The padding of the node and of the Pad before it."""
        own: ir.Padding = self.node.padding  # type: ignore[attr-defined]
        if self.pad is None:
            return own
        return tuple((a + c, b + d) for (a, b), (c, d) in zip(own, self.pad.padding, strict=True))


def units_of(network: ir.Network) -> tuple[Unit, ...]:
    """Give the units of a network in the order of the data; what does not lead to the output is left out."""
    readers = Counter(name for node in network.nodes for name in node.inputs)
    readers[network.output.name] += 1
    fused: set[str] = set()
    units: list[Unit] = []
    next_reader = {name: node for node in network.nodes for name in node.inputs}
    for node in network.nodes:
        if isinstance(node, ir.Input | ir.Reshape) or node.name in fused:
            continue
        reader = next_reader.get(node.name) if readers[node.name] == 1 else None
        if isinstance(node, ir.Pad) and isinstance(reader, ir.Conv | ir.DepthwiseConv):
            continue
        requantize = reader if isinstance(node, COMPUTES_EXACTLY) and isinstance(reader, ir.Requantize) else None
        if requantize is not None:
            fused.add(requantize.name)
        (first, *_) = network.sources(node)
        alone = isinstance(first, ir.Pad) and readers[first.name] == 1
        pad = first if alone and isinstance(first, ir.Pad) and isinstance(node, ir.Conv | ir.DepthwiseConv) else None
        read = pad.inputs if pad else node.inputs
        units.append(Unit(node, pad, requantize, tuple(_without_reshape(network, name) for name in read)))
    return _needed(units, _without_reshape(network, network.output.name))


def _without_reshape(network: ir.Network, name: str) -> str:
    node = network.by_name[name]
    while isinstance(node, ir.Reshape):
        node = network.by_name[node.inputs[0]]
    return node.name


def _needed(units: list[Unit], output: str) -> tuple[Unit, ...]:
    """Leave out the units that do not lead to the output."""
    wanted, kept = {output}, []
    for unit in reversed(units):
        if unit.output in wanted:
            wanted.update(unit.sources)
            kept.append(unit)
    return tuple(reversed(kept))
