"""How many lanes and products a node gets: the fewest that keep up with an interval."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

from siliconv.network import graph as ir
from siliconv.rtl.plan.block_memories import bank_words, blocks_of, rom_blocks
from siliconv.rtl.plan.blocks import Window
from siliconv.rtl.plan.rearranging import lanes_of_rearrange
from siliconv.rtl.plan.windows_of_nodes import positions, sliding_window

PIXELS = (1, 2, 4)
"""Output pixels of a row that may share the weights."""

RESULTS_OF_A_BLOCK = 4
"""Results at a time that are worth a block memory: accumulator, Requantize and FIFO take a hundred look-up tables, and
an ECP5-85F has four hundred for each block."""


@dataclass(frozen=True)
class Lanes:
    """Channels of a word in and of a word out, and output pixels of a row that share the weights.

    A matrix multiplies `pin * pout * pixels` pairs a cycle, its lanes elsewhere.
    """

    pin: int = 1
    pout: int = 1
    pixels: int = 1

    @property
    def products(self) -> int:
        """Pairs that a convolution or a dense layer multiplies a cycle."""
        return self.pin * self.pout * self.pixels


def lanes_for_interval(network: ir.Network, interval: int) -> dict[str, Lanes]:
    """Give each node the fewest products, then the fewest results at a time, that take an image in an interval.

    Pixels share weights where that saves block memories. Where none is fast enough, a node takes all that it has: the
    design's interval is what the cycle model says.
    """
    return {
        node.name: _best(node, network, interval)
        for node in network.nodes
        if not isinstance(node, ir.Input | ir.Reshape)
    }


def _best(node: ir.Node, network: ir.Network, interval: int) -> Lanes:
    costs = {lanes: _cost(node, network, lanes, interval) for lanes in choices_of(node, network)}
    least = min(costs.values())[:2]
    equal = sorted((lanes for lanes in costs if costs[lanes][:2] == least), key=lambda one: (one.pixels, costs[one]))
    tried = [equal[0], *(lanes for lanes in equal[1:] if lanes.pixels > 1)]
    return min(tried, key=lambda one: _memory(node, network, one)) if isinstance(node, ir.Conv) else equal[0]


def _memory(node: ir.Conv, network: ir.Network, lanes: Lanes) -> int:
    """Weigh the block memories of weights and rings, and the results at a time."""
    (source,) = network.sources(node)
    window = window_of(node, network, lanes)
    assert window is not None
    bits, words = lanes.pin * lanes.pout * node.kernel.type.width, window.taps * window.repeats
    rings = lanes.pixels * blocks_of(lanes.pin * source.type.width, min(1 << window.log_ring, 16384))
    return RESULTS_OF_A_BLOCK * (rom_blocks(bits, words, bank_words(bits, words)) + rings) + lanes.pout * lanes.pixels


def cycles_of(node: ir.Node, network: ir.Network, lanes: Lanes) -> int:
    """Give the cycles that a node is busy with an image: the longer of reading windows and of taking words in."""
    if isinstance(node, ir.Softmax):
        return prod(node.shape[:-1]) * (3 * node.shape[-1] + 6)
    window = window_of(node, network, lanes)
    if isinstance(node, ir.Rearrange):
        return max(prod(node.shape), prod(network.sources(node)[0].shape)) // lanes.pout
    return window.busy if window else prod(node.shape) // lanes.pout


def window_of(node: ir.Node, network: ir.Network, lanes: Lanes) -> Window | None:
    """Give the window that a node reads, with the ring that it usually has; None where it reads none."""
    (source, *_) = network.sources(node)
    repeats = node.shape[-1] // lanes.pout
    match node:
        case ir.Conv() | ir.DepthwiseConv() | ir.MaxPool() | ir.AveragePool():
            return sliding_window(node, source.shape, node.padding, lanes.pin, repeats, lanes.pixels)
        case ir.Dense():
            return positions(prod(node.shape[:-1]), node.kernel.codes.shape[0] // lanes.pin, repeats)
        case _:
            return None  # a word a cycle


def choices_of(node: ir.Node, network: ir.Network) -> list[Lanes]:
    """List the lanes that a node can have; none for what is nothing in hardware."""
    if isinstance(node, ir.Input | ir.Reshape):
        return []
    channels = [source.shape[-1] for source in network.sources(node)]
    if isinstance(node, ir.Conv | ir.Dense):
        return [
            Lanes(pin, pout, pixels)
            for pin in divisors(channels[0])
            for pout in divisors(node.shape[-1])
            for pixels in PIXELS
            if pixels == 1 or (isinstance(node, ir.Conv) and node.shape[-2] % pixels == 0)
        ]
    if isinstance(node, ir.Softmax):
        return [Lanes()]
    common = [n for n in divisors(channels[0]) if all(each % n == 0 for each in channels)]
    if isinstance(node, ir.Rearrange):
        common = [n for n in common if lanes_of_rearrange(node, n)]
    return [Lanes(n, n) for n in common]


def _cost(node: ir.Node, network: ir.Network, lanes: Lanes, interval: int) -> tuple[int, int, int]:
    late = max(cycles_of(node, network, lanes) - interval, 0)
    products = lanes.products if isinstance(node, ir.Conv | ir.Dense) else lanes.pout
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
        lanes[node.name].pout if isinstance(node, ir.DepthwiseConv) else lanes[node.name].products
        for node in network.matrices
    )
