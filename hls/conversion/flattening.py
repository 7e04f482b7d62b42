"""Where flattening is a layer of its own: in a stream, for readers that take a vector as one word."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from siliconv.hls.kinds import IoType
from siliconv.network import graph as ir

_BY_WORD = (ir.Requantize, ir.Table, ir.Softmax, ir.Add, ir.Concatenate, ir.Pairwise, ir.Rearrange)
"""What goes through a tensor word by word. A product reads a flattened image in the words of the image."""


def is_flattening(node: ir.Node) -> bool:
    """Whether a node makes one long vector of a tensor."""
    return isinstance(node, ir.Reshape) and len(node.shape) == 1


def flattened_apart(nodes: Sequence[ir.Node], io_type: IoType | str) -> frozenset[str]:
    """Give the flattenings of a stream, by name, that gather the image into one word before anything reads it.

    Parameters
    ----------
    nodes
        In the order of the data; the last one is the output.
    io_type
        How tensors are passed: where they are arrays, there is nothing to gather.
    """
    if IoType(io_type) is not IoType.STREAM:
        return frozenset()
    by_name = {node.name: node for node in nodes}
    read = {name for node in nodes for name in node.inputs}
    wanted = {name for node in nodes if isinstance(node, _BY_WORD) for name in node.inputs}
    return frozenset(
        node.name
        for node in nodes
        if is_flattening(node)
        # hls4ml makes another layer of a flattening at the end, whatever it flattens.
        and (node.name not in read or (node.name in wanted and prod(by_name[node.inputs[0]].shape[:-1]) > 1))
    )
