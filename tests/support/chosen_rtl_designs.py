"""Designs that are chosen, not drawn: for what random networks and lanes seldom bring."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import cycle

from network_builder import NetworkBuilder
from small_network import small_network
from small_softmaxes import WIDE, small_softmaxes

from siliconv.network import graph as ir
from siliconv.network.fixed_point import FixedPoint, Overflow, Rounding, plain
from siliconv.rtl.cycles.ring_depths import with_sized_rings
from siliconv.rtl.design.logic_products import with_at_most
from siliconv.rtl.plan.blocks import RtlDesign
from siliconv.rtl.plan.lanes import Lanes
from siliconv.rtl.plan.planning import plan


def chosen_designs() -> list[RtlDesign]:
    """Give all of them."""
    return [
        weights_in_banks(),
        *shared_weights(),
        *pairs(),
        *sums(),
        *averages(),
        enlarged(),
        softmaxes(),
        *roundings(),
    ]


def weights_in_banks() -> RtlDesign:
    """More words of weights than a bank holds."""
    design = plan(small_network(2400), {"dense": Lanes(1, 8)}, prefix="banks_")
    assert design.blocks[0].weight_bank < design.blocks[0].window.repeats * design.blocks[0].window.taps
    return design


def shared_weights() -> Iterator[RtlDesign]:
    """Pixels that share weights: with strides, in one axis, several results a pixel, packed or in look-up tables."""
    image = NetworkBuilder((5, 8, 4)).conv(6, (3, 3)).relu().conv(4, (2, 3), strides=(1, 2)).relu().network()
    signal = NetworkBuilder((16, 2), input_type=FixedPoint(True, 6, 1)).conv(4, (3,)).relu(4).conv(2, (1,)).network()
    wide = NetworkBuilder((3, 4, 2)).conv(8, (3, 3)).relu().network()
    chosen = [
        (image, [Lanes(2, 2, 4), Lanes(3, 2, 2)], 25),
        (signal, [Lanes(1, 2, 2), Lanes(2, 1, 4)], 40),
        (wide, [Lanes(1, 2, 2)], 25),
    ]
    for number, (network, lanes, bits) in enumerate(chosen):
        names = [node.name for node in network.matrices]
        design = plan(network, dict(zip(names, lanes, strict=True)), multiplier_bits=bits, prefix=f"shared{number}_")
        yield with_at_most(with_sized_rings(design), 3, "ecp5")


def pairs() -> Iterator[RtlDesign]:
    """Each operation on two streams that differ; random networks often join a stream with itself."""
    for number, operation in enumerate(ir.OPERATIONS):
        builder = NetworkBuilder((3, 4, 2)).conv(2, (3, 3)).relu()
        before = builder.last
        last = builder.conv(2, (3, 3)).requantize(FixedPoint(True, 7, 3), relu=False).last
        kind = FixedPoint(True, 14, 6) if operation == "multiply" else FixedPoint(True, 8, 4)
        node = ir.Pairwise("both", (before.name, last.name), last.shape, kind, operation)
        network = ir.Network("net", (*builder.network().nodes, node))
        yield plan(network, {node.name: Lanes(2, 2)}, prefix=f"pair{number}_")


def sums() -> Iterator[RtlDesign]:
    """Signed and unsigned terms with fewer places than their sum: they are moved, and their sign is kept."""
    fewer, more = FixedPoint(True, 6, 3), FixedPoint(False, 7, 2)
    for number, (first, second) in enumerate([(fewer, more), (more, replace(fewer, integer=5))]):
        builder = NetworkBuilder((3, 4, 2)).conv(2, (3, 3)).requantize(first, relu=not first.signed)
        before = builder.last
        last = builder.conv(2, (3, 3)).requantize(second, relu=not second.signed).last
        node = ir.Add("sum", (before.name, last.name), last.shape, FixedPoint(True, 12, 7))
        network = ir.Network("net", (*builder.network().nodes, node))
        yield plan(network, {node.name: Lanes(2, 2)}, prefix=f"sum{number}_")


def averages() -> Iterator[RtlDesign]:
    """Means of six signed values everywhere, and of fewer at the edges."""
    for number, pad in enumerate([0, 1]):
        builder = NetworkBuilder((4, 6, 4), input_type=FixedPoint(True, 7, 2))
        whole = builder.average_pool(2, 3).last
        assert isinstance(whole, ir.AveragePool)
        size = tuple((n + 2 * pad - m) // m + 1 for n, m in zip((4, 6), (2, 3), strict=True))
        node = replace(whole, shape=(*size, 4), padding=((pad, pad), (pad, pad)))
        network = ir.Network("net", (builder.nodes[0], node))
        yield plan(network, {node.name: Lanes(2, 2)}, prefix=f"average{number}_")


def enlarged() -> RtlDesign:
    """Rows and columns twice, row by row: a row comes while the one before is read."""
    builder = NetworkBuilder((5, 4, 4))
    source = builder.last
    node = ir.Rearrange("twice", (source.name,), (10, 8, 4), plain(source.type), (0, 1, 2), (0, 0, 0), (2, 2, 1))
    return plan(ir.Network("net", (source, node)), {node.name: Lanes(2, 2)}, prefix="enlarged_")


def softmaxes() -> RtlDesign:
    """Softmaxes of narrow and of wide codes."""
    return plan(small_softmaxes(WIDE), {}, prefix="softmax_")


def roundings() -> Iterator[RtlDesign]:
    """Every rounding of signed codes, with the overflows in turn."""
    for number, (rounding, overflow) in enumerate(zip(Rounding, cycle(Overflow))):
        builder = NetworkBuilder((3, 4, 2), input_type=FixedPoint(True, 9, 3))
        network = builder.requantize(FixedPoint(True, 5, 2, rounding, overflow), relu=False).network()
        yield plan(network, {}, prefix=f"rounding{number}_")
