"""How many lanes and products a node gets: the fewest that keep up with an interval."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

from siliconv.network import graph as ir
from siliconv.rtl.plan.windows_of_nodes import positions, sliding_window


@dataclass(frozen=True)
class Lanes:
    """Channels of a word in and of a word out; a matrix multiplies `pin * pout` pairs a cycle, its lanes elsewhere."""

    pin: int = 1
    pout: int = 1


def lanes_for_interval(network: ir.Network, interval: int) -> dict[str, Lanes]:
    """Give each node the fewest products, then the fewest results at a time, that take an image in an interval.

    Where none is fast enough, a node takes all that it has: the design's interval is what the cycle model says.
    """
    return {
        node.name: min(choices_of(node, network), key=lambda one: _cost(node, network, one, interval))
        for node in network.nodes
        if not isinstance(node, ir.Input | ir.Reshape)
    }


def cycles_of(node: ir.Node, network: ir.Network, lanes: Lanes) -> int:
    """Give the cycles that a node is busy with an image: the longer of reading windows and of taking words in."""
    (source, *_) = network.sources(node)
    repeats = node.shape[-1] // lanes.pout
    match node:
        case ir.Conv() | ir.DepthwiseConv() | ir.MaxPool() | ir.AveragePool():
            window = sliding_window(node, source.shape, node.padding, lanes.pin, repeats)
        case ir.Dense():
            window = positions(prod(node.shape[:-1]), node.kernel.codes.shape[0] // lanes.pin, repeats)
        case ir.Softmax():
            return prod(node.shape[:-1]) * (3 * node.shape[-1] + 6)
        case _:
            return prod(node.shape) // lanes.pout
    return window.busy


def choices_of(node: ir.Node, network: ir.Network) -> list[Lanes]:
    """List the lanes that a node can have; none for what is nothing in hardware."""
    if isinstance(node, ir.Input | ir.Reshape):
        return []
    channels = [source.shape[-1] for source in network.sources(node)]
    if isinstance(node, ir.Conv | ir.Dense):
        return [Lanes(pin, pout) for pin in divisors(channels[0]) for pout in divisors(node.shape[-1])]
    if isinstance(node, ir.Softmax):
        return [Lanes()]
    common = [n for n in divisors(channels[0]) if all(each % n == 0 for each in channels)]
    return [Lanes(n, n) for n in common]


def _cost(node: ir.Node, network: ir.Network, lanes: Lanes, interval: int) -> tuple[int, int, int]:
    late = max(cycles_of(node, network, lanes) - interval, 0)
    products = lanes.pin * lanes.pout if isinstance(node, ir.Conv | ir.Dense) else lanes.pout
    # Two results share a multiplier where they can: an even number of them is worth a little.
    odd = lanes.pout % 2 if isinstance(node, ir.Conv | ir.Dense) and products > 1 else 0
    return late, products + odd * products // 2, lanes.pout


def divisors(number: int) -> list[int]:
    """List the divisors of a number."""
    return [n for n in range(1, number + 1) if number % n == 0]


def lanes_for_products(network: ir.Network, products: int) -> dict[str, Lanes]:
    """Give the lanes of the shortest interval for which all matrices together multiply so many pairs a cycle."""
    slow, fast = max(cycles_of(node, network, Lanes()) for node in network.nodes[1:]), 1
    while fast < slow:
        middle = (fast + slow) // 2
        if products_of(network, lanes_for_interval(network, middle)) <= products:
            slow = middle
        else:
            fast = middle + 1
    return lanes_for_interval(network, slow)


def products_of(network: ir.Network, lanes: Mapping[str, Lanes]) -> int:
    """Count the pairs that all matrices together multiply a cycle."""
    return sum(
        lanes[node.name].pout * (1 if isinstance(node, ir.DepthwiseConv) else lanes[node.name].pin)
        for node in network.matrices
    )
