"""Everything that can be taken out of an integer network without changing a code of its output.

Constant channels become biases, channels and nodes that nothing reads go, and types are narrowed to what is proven to
occur. What remains is proven again like any network; that both compute the same is a property of each step, and tested
on random networks of every kind.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from siliconv.network import graph as ir
from siliconv.network.intervals import prove
from siliconv.network.simplify.constants import fold_constants
from siliconv.network.simplify.dead_channels import remove_dead_channels
from siliconv.network.simplify.narrowing import narrow_types

_MOST_ROUNDS = 20
"""Each takes out a layer of what the one before left unread; more is no error, the rest stays."""


@dataclass(frozen=True)
class Size:
    """What a network holds, in bits and counts.

    Parameters
    ----------
    weight_bits
        Of all kernels and biases.
    value_bits
        Of one image's values, summed over all nodes.
    channels
        Summed over all nodes.
    products
        Multiplications of one image by a weight that is not zero, padding included.
    saturating
        Nodes that have to watch for overflow.
    """

    weight_bits: int
    value_bits: int
    channels: int
    products: int
    saturating: int


def simplify(network: ir.Network) -> ir.Network:
    """Give a network of the same input and output, equal in every output code, with nothing in it that is not needed.

    Raises
    ------
    NetworkError
        As `siliconv.network.intervals.prove`, for a network that is not well formed.
    """
    prove(network)
    before = None
    for _ in range(_MOST_ROUNDS):
        network = remove_dead_channels(fold_constants(network))
        channels = [node.shape[-1] for node in network.nodes]
        if channels == before:
            break
        before = channels
    network = narrow_types(network)
    prove(network)
    return network


def size(network: ir.Network) -> Size:
    """Count what a network holds."""
    weights = [part for node in network.matrices for part in (node.kernel, node.bias)]
    return Size(
        sum(part.codes.size * part.type.width for part in weights),
        sum(math.prod(node.shape) * node.type.width for node in network.nodes),
        sum(node.shape[-1] for node in network.nodes),
        sum(int((node.kernel.codes != 0).sum()) * math.prod(node.shape[:-1]) for node in network.matrices),
        sum(node.type.overflow.value != "WRAP" for node in network.nodes),
    )
