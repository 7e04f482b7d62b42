"""Small integer networks for firmware tests, built directly so that no training is needed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from siliconv.network import graph as ir
from siliconv.network.fixed_point import PIXEL, FixedPoint, Overflow, Rounding, plain
from siliconv.network.intervals import Bounds, node_bounds, sum_of_products_type
from siliconv.network.windows import same_padding


def random_weights(random: np.random.Generator, shape: tuple[int, ...], width: int) -> ir.Weights:
    """Draw weights between -1 and 1 of so many bits."""
    kind = FixedPoint(True, width, 1)
    return ir.Weights(random.integers(*kind.codes, size=shape, endpoint=True), kind)


class NetworkBuilder:
    """Chains nodes with random weights and proven types."""

    def __init__(self, shape: tuple[int, ...], *, input_type: FixedPoint = PIXEL, seed: int = 0) -> None:
        self.random = np.random.default_rng(seed)
        self.nodes: list[ir.Node] = []
        self.bounds: Bounds | None = None
        self.known: dict[str, Bounds] = {}
        self._add(ir.Input("image", (), shape, input_type))

    @property
    def last(self) -> ir.Node:
        return self.nodes[-1]

    def conv(self, filters, window, *, strides=None, padding="same", width=5):
        strides = strides or (1,) * len(window)
        spatial = self.last.shape[:-1]
        pads = same_padding(spatial, window, strides) if padding == "same" else ((0, 0),) * len(window)
        kernel = self.weights((*window, self.last.shape[-1], filters), width)
        bias = self.weights((filters,), width + 1)
        kind = sum_of_products_type(kernel, bias, self.bounds, self.last.type)
        out = tuple((n + sum(p) - m) // s + 1 for n, p, m, s in zip(spatial, pads, window, strides, strict=True))
        return self._add(
            ir.Conv(self.name("conv"), (self.last.name,), (*out, filters), kind, kernel, bias, strides, pads)
        )

    def dense(self, units, width=5):
        kernel, bias = self.weights((self.last.shape[-1], units), width), self.weights((units,), width + 1)
        kind = sum_of_products_type(kernel, bias, self.bounds, self.last.type)
        return self._add(ir.Dense(self.name("dense"), (self.last.name,), (units,), kind, kernel, bias))

    def requantize(self, kind, *, relu=True):
        return self._add(ir.Requantize(self.name("requantize"), (self.last.name,), self.last.shape, kind, relu))

    def relu(self, width=5, integer=2):
        return self.requantize(FixedPoint(False, width, integer, Rounding.RND_CONV, Overflow.SAT))

    def max_pool(self, *window):
        return self._add(self._pool(ir.MaxPool, self.name("max_pool"), window, plain(self.last.type)))

    def average_pool(self, *window):
        return self._add(self._pool(ir.AveragePool, self.name("average_pool"), window, self._mean_type(window)))

    def global_average(self):
        window = self.last.shape[:-1]
        pooled = self._pool(ir.AveragePool, self.name("global_average"), window, self._mean_type(window))
        return self._add(replace(pooled, shape=self.last.shape[-1:]))

    def add(self, other: ir.Node):
        """Add an earlier node of the same type to the last one."""
        kind = FixedPoint(other.type.signed, other.type.width + 1, other.type.integer + 1)
        names = (self.last.name, other.name)
        return self._add(ir.Add(self.name("add"), names, other.shape, kind), sources=(self.last, other))

    def flatten(self):
        shape = (int(np.prod(self.last.shape)),)
        return self._add(ir.Reshape(self.name("flatten"), (self.last.name,), shape, plain(self.last.type)))

    def network(self, name="net") -> ir.Network:
        return ir.Network(name, tuple(self.nodes))

    def name(self, kind: str) -> str:
        return f"{kind}_{sum(node.name.startswith(kind) for node in self.nodes) + 1}"

    def weights(self, shape, width) -> ir.Weights:
        return random_weights(self.random, shape, width)

    def _mean_type(self, window):
        places = int(np.prod(window)).bit_length() - 1
        return FixedPoint(self.last.type.signed, self.last.type.width + places, self.last.type.integer)

    def _pool(self, kind, name, window, result):
        out = tuple(n // m for n, m in zip(self.last.shape, window, strict=False))
        pads = ((0, 0),) * len(window)
        return kind(name, (self.last.name,), (*out, self.last.shape[-1]), result, window, window, pads)

    def _add(self, node: ir.Node, sources: tuple[ir.Node, ...] | None = None):
        sources = tuple(self.nodes[-1:]) if sources is None else sources
        self.bounds = node_bounds(node, sources, tuple(self.known[source.name] for source in sources))
        self.known[node.name] = self.bounds
        self.nodes.append(node)
        return self


def dense_network(weight_bits):
    """Four pixels into a dense layer of three units, as a project with these layers is lowered."""
    image = ir.Input("network_input", (), (2, 2, 1), PIXEL)
    flat = ir.Reshape("flatten_1", (image.name,), (4,), plain(PIXEL))
    kernel = random_weights(np.random.default_rng(0), (4, 3), weight_bits)
    bias = ir.Weights(np.zeros(3, np.int64), FixedPoint(True, 8, 1))
    bounds = node_bounds(flat, (image,), (node_bounds(image, (), ()),))
    result = sum_of_products_type(kernel, bias, bounds, flat.type)
    return ir.Network("net", (image, flat, ir.Dense("dense_1", (flat.name,), (3,), result, kernel, bias)))
