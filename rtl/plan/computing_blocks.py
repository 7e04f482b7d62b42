"""The blocks that compute over windows, from their nodes: matrices and poolings."""

from __future__ import annotations

from dataclasses import replace
from math import prod

from siliconv.network import graph as ir
from siliconv.network.fixed_point import Interval, narrowest
from siliconv.network.intervals import Bounds, average_sum_type
from siliconv.network.windows import real_elements
from siliconv.rtl.plan.blocks import Division, Finish, GlobalPool, Mvu, Pool, Stream, Window
from siliconv.rtl.plan.lanes import Lanes
from siliconv.rtl.plan.reciprocals import exact_reciprocals
from siliconv.rtl.plan.windows_of_nodes import padding_window, positions, sliding_window

Ports = tuple[str, tuple[Stream, ...], tuple[Stream, ...]]
"""Name, inputs and outputs of a block."""

WHOLE_LOG_DEPTH = 3
"""2^3 words in the FIFO of a global pooling: its results come a cycle after each other."""


def convolution(node: ir.Conv | ir.DepthwiseConv, source: ir.Shape, padding: ir.Padding, lanes: Lanes) -> Window:
    """Give the window of a convolution, ordinary or depthwise."""
    return sliding_window(node, source, padding, lanes.pin, node.shape[-1] // lanes.pout, lanes.pixels)


def dense(node: ir.Dense, lanes: Lanes) -> Window:
    """Give the window of a dense layer: all features of a position."""
    return positions(prod(node.shape[:-1]), node.kernel.codes.shape[0] // lanes.pin, node.shape[-1] // lanes.pout)


def multiplied(
    ports: Ports, node: ir.Matrix, window: Window, lanes: Lanes, finish: Finish, multiplier_bits: int
) -> Mvu:
    """Give the block of a node that multiplies by weights."""
    source = ports[1][0]
    codes = node.kernel.codes
    weights = narrowest(Interval(min(int(codes.min()), -1), int(codes.max())), node.kernel.type.fraction)
    fits = 2 * weights.width + source.type.width <= multiplier_bits
    pack = fits and not source.type.signed and lanes.pout % 2 == 0 and not window.lanewise
    pin = 1 if window.lanewise else lanes.pin
    block = Mvu(*ports, node, window, pin, lanes.pout, weights, pack, finish)
    # Words of the other pixels wait until those of the first have left.
    waiting = window.repeats + -(-(window.pixels - 1) * window.repeats // window.taps) if window.pixels > 1 else 0
    return replace(block, finish=_deep_enough(finish, block.latency, window.taps, waiting))


def pooled(
    ports: Ports,
    node: ir.MaxPool | ir.AveragePool,
    source: ir.Node,
    bounds: Bounds,
    lanes: Lanes,
    finish: Finish,
) -> Pool | GlobalPool:
    """Give the block of a pooling: that of a whole image keeps no image."""
    division = None if isinstance(node, ir.MaxPool) else _division(node, source, bounds)
    if node.window == source.shape[:-1] and not any(sum(pair) for pair in node.padding):
        words = source.shape[-1] // lanes.pin
        whole = replace(finish, log_depth=WHOLE_LOG_DEPTH)
        return GlobalPool(*ports, prod(node.window), words, division, node.type, whole)
    window = sliding_window(node, source.shape, node.padding, lanes.pin, source.shape[-1] // lanes.pout)
    maximum = isinstance(node, ir.MaxPool)
    pad_code = int(source.type.codes.low) if maximum else 0
    block = Pool(*ports, window, pad_code, division, node.type, finish)
    return replace(block, finish=_deep_enough(finish, block.latency, window.taps))


def padded(ports: Ports, node: ir.Pad, source: ir.Node, lanes: Lanes, finish: Finish) -> Pool:
    """Give the block of a Pad that stands alone: windows of one over the padded image."""
    window = padding_window(source.shape, node.padding, lanes.pin)
    block = Pool(*ports, window, 0, None, node.type, finish)
    return replace(block, finish=_deep_enough(finish, block.latency, window.taps))


def _division(node: ir.AveragePool, source: ir.Node, bounds: Bounds) -> Division:
    counts = [int(n) for n in real_elements(source.shape[:-1], node.window, node.strides, node.padding).ravel()]
    total = average_sum_type(node, source, bounds)
    shift = node.type.fraction - source.type.fraction
    largest = max(abs(end) for end in bounds.interval) * max(counts) << shift
    values, places = exact_reciprocals(counts, largest)
    return Division(total, shift, values if len(set(values)) > 1 else values[:1], places)


def _deep_enough(finish: Finish, latency: int, taps: int, waiting: int = 0) -> Finish:
    """Give the FIFO room for the results that are on their way when one starts every `taps` cycles, and one more.

    A word that leaves through a narrower.sv takes as many cycles as it has parts.
    """
    on_the_way = -(-(latency + 2) // taps) + waiting
    return replace(finish, log_depth=on_the_way.bit_length())
