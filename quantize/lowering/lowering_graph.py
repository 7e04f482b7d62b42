"""The integer network while it is lowered: its nodes so far, their proven bounds, and what stands for which layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from siliconv.errors import NetworkError
from siliconv.network.fixed_point import MAX_WIDTH, FixedPoint, narrowest
from siliconv.network.graph import Node, Padding
from siliconv.network.intervals import Bounds, node_bounds
from siliconv.network.windows import same_padding


@dataclass
class LoweringGraph:
    """The nodes so far, their proven bounds, and which node stands for the output of which layer."""

    nodes: dict[str, Node] = field(default_factory=dict)
    bounds: dict[str, Bounds] = field(default_factory=dict)
    output_of: dict[str, str] = field(default_factory=dict)
    called: Mapping[str, Any] = field(default_factory=dict)
    """Of each layer, the Keras node of its only call in this model."""

    def add(self, node: Node) -> Node:
        """Append a node and bound it.

        Raises
        ------
        NetworkError
            ``LOWER-NAME`` where a layer is called as a node that another layer needs.
        """
        if node.name in self.nodes:
            raise NetworkError(
                "LOWER-NAME",
                f"'{node.name}' is the name of two nodes",
                where=f"layer '{node.name}'",
                fix="give the layer another name",
            )
        self.bounds[node.name] = self._bounds(node)
        self.nodes[node.name] = node
        return node

    def add_narrowest(self, node: Node, fraction: int) -> Node:
        """Append an exact node in the narrowest type of so many fractional bits that holds its bounds."""
        wide = replace(node, type=FixedPoint(True, MAX_WIDTH, MAX_WIDTH - fraction))
        return self.add(replace(node, type=narrowest(self._bounds(wide).interval, fraction)))

    def sources(self, layer: Any) -> tuple[Node, ...]:
        """Give the nodes that a layer reads, in its order."""
        inbound = self.called[layer.name].inbound_layers
        before = inbound if isinstance(inbound, list) else [inbound]
        return tuple(self.nodes[self.output_of[layer.name]] for layer in before)

    def _bounds(self, node: Node) -> Bounds:
        sources = tuple(self.nodes[name] for name in node.inputs)
        return node_bounds(node, sources, tuple(self.bounds[name] for name in node.inputs))


def geometry(
    layer: Any, source: Node, window: tuple[int, ...], strides: tuple[int, ...]
) -> tuple[Padding, tuple[int, ...]]:
    """Give the padding and the spatial shape of the output of a layer that slides a window."""
    spatial = source.shape[:-1]
    padding = same_padding(spatial, window, strides) if layer.padding == "same" else ((0, 0),) * len(window)
    out = tuple(
        (size + sum(pair) - extent) // stride + 1
        for size, pair, extent, stride in zip(spatial, padding, window, strides, strict=True)
    )
    return padding, out
