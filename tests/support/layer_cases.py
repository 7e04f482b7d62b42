"""Many layers in one network, each a branch of its own from a trunk of requantizations, and whether firmware is exact.

One compilation serves all cases; every branch is traced and compared.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from network_builder import random_weights
from written_firmware import compile_firmware

from siliconv.hls.configuration import HlsConfig
from siliconv.hls.csim.csim import compare
from siliconv.network import graph as ir
from siliconv.network import reference
from siliconv.network.fixed_point import FixedPoint, Overflow, Rounding, plain
from siliconv.network.intervals import sum_of_products_type
from siliconv.network.structure import output_shape
from siliconv.network.vectors.corners import corner_vectors
from siliconv.network.windows import same_padding
from siliconv.quantize.lowering.lowering_graph import LoweringGraph

TYPES = {
    "unsigned": FixedPoint(False, 5, 4, Rounding.RND_CONV, Overflow.SAT),
    "signed": FixedPoint(True, 6, 4, Rounding.TRN, Overflow.SAT_SYM),
    "fraction": FixedPoint(True, 4, -1, Rounding.TRN, Overflow.WRAP),
    "integer": FixedPoint(False, 3, 5, Rounding.RND_ZERO, Overflow.SAT),
}
"""Type classes: unsigned, signed, all bits behind the point and beyond, step larger than one."""


class Cases:
    """A trunk that hands on the input in type after type, and a branch for each case."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.graph = LoweringGraph()
        self.random = np.random.default_rng(0)
        self.trunk = self.graph.add(ir.Input("image", (), shape, FixedPoint(True, 10, 5)))

    def source(self, kind: str) -> ir.Node:
        """Give a new node of the trunk in a type."""
        name = f"t{len(self.graph.nodes)}_{kind}"
        # Another type each time, all bits kept: hls4ml leaves out a requantization that changes nothing.
        wide = FixedPoint(True, 11, 6) if self.trunk.type.width == 10 else FixedPoint(True, 10, 5)
        self.trunk = self.add(ir.Requantize, name + "_trunk", [self.trunk], wide, False)
        return self.add(ir.Requantize, name, [self.trunk], TYPES[kind], False)

    def add(self, kind: type[ir.Node], name: str, sources: list[ir.Node], result: FixedPoint, *rest) -> ir.Node:
        node = kind(name, tuple(source.name for source in sources), (), result, *rest)
        return self.graph.add(replace(node, shape=output_shape(node, tuple(sources))))

    def weights(self, *shape: int, width: int = 5) -> ir.Weights:
        return random_weights(self.random, shape, width)

    def convolve(self, name, source, window, strides, padding, *, depthwise):
        channels = source.shape[-1]
        kernel = self.weights(*window, channels) if depthwise else self.weights(*window, channels, 3)
        bias = self.weights(kernel.codes.shape[-1], width=7)
        result = sum_of_products_type(kernel, bias, self.graph.bounds[source.name], source.type, depthwise=depthwise)
        kind = ir.DepthwiseConv if depthwise else ir.Conv
        return self.add(kind, name, [source], result, kernel, bias, strides, padding)

    def pool(self, kind, name, source, window, strides, padding, shape=None):
        places = 0 if kind is ir.MaxPool else 2
        node = kind(name, (source.name,), shape or (1,), plain(source.type), window, strides, padding)
        node = node if shape else replace(node, shape=output_shape(node, (source,)))
        return self.graph.add_narrowest(node, source.type.fraction + places) if places else self.graph.add(node)

    def merge(self, kind, name, one, other):
        node = kind(name, (one.name, other.name), (), one.type)
        node = replace(node, shape=output_shape(node, (one, other)))
        return self.graph.add_narrowest(node, max(one.type.fraction, other.type.fraction))

    def pair(self, operation, one, other, suffix=""):
        product = operation == "multiply"
        fraction = one.type.fraction + other.type.fraction if product else max(one.type.fraction, other.type.fraction)
        inputs = (one.name, other.name)
        node = ir.Pairwise(f"{operation}{suffix}", inputs, one.shape, one.type, operation)
        return self.graph.add_narrowest(node, fraction)

    def rearrange(self, name, source, shape, order, before, repeats):
        return self.graph.add(
            ir.Rearrange(name, (source.name,), shape, plain(source.type), tuple(order), tuple(before), repeats)
        )

    def network(self) -> ir.Network:
        """Join the largest value of every branch, so that each one is read to its end."""
        read = {name for node in self.graph.nodes.values() for name in node.inputs}
        ends = [node for node in self.graph.nodes.values() if node.name not in read]
        joined, *others = (self.largest(node) for node in ends)
        for other in others:
            joined = self.merge(ir.Concatenate, f"joined_{other.name}", joined, other)
        return ir.Network("matrix", tuple(self.graph.nodes.values()))

    def largest(self, node: ir.Node) -> ir.Node:
        """Give the largest value of each channel."""
        whole = node.shape[:-1]
        none = ((0, 0),) * len(whole)
        return self.pool(ir.MaxPool, f"{node.name}_end", node, whole, whole, none, node.shape[-1:]) if whole else node


def padding_of(mode, source, window, strides):
    return same_padding(source.shape[:-1], window, strides) if mode == "same" else ((0, 0),) * len(window)


def assert_every_case_exact(network: ir.Network, config: HlsConfig, folder: Path) -> None:
    """Compile the network's firmware in a folder and compare every layer; none may be dead."""
    library = compile_firmware(network, folder, config)
    random = np.random.default_rng(0).integers(-512, 511, (12, *network.input.shape), endpoint=True)
    # From full range to a few steps, so that the largest value of an image varies too.
    random >>= np.arange(12).reshape(-1, *(1,) * len(network.input.shape)) // 2
    codes = np.concatenate([np.stack(list(corner_vectors(network).values())), random])
    layers = compare(library, network, codes, jobs=1)
    assert [(layer.name, layer.first) for layer in layers if layer.differing] == []
    expected = reference.run(network, codes)
    dead = {name for name, tensor in expected.items() if len(np.unique(tensor)) < 3 and not name.startswith("far")}
    assert not dead, "these cases would be exact whatever they compute"
    traced = {layer.name for layer in layers}
    assert {node.name for node in network.nodes[1:] if not isinstance(node, ir.Reshape)} <= traced
