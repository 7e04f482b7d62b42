"""The integer network while it is lowered: its nodes so far, their proven bounds, and what stands for which layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from siliconv.errors import NetworkError
from siliconv.network.fixed_point import MAX_WIDTH, FixedPoint, narrowest, plain
from siliconv.network.graph import DepthwiseConv, Matrix, Node, Padding, Rearrange, Reshape, Weights
from siliconv.network.intervals import Bounds, node_bounds, sum_of_products_type
from siliconv.network.windows import same_padding
from siliconv.quantize.lowering.exact_classes import exact_class

if TYPE_CHECKING:
    from siliconv.quantize.lowering.scaled_channels import ScaledChannels


@dataclass
class LoweringGraph:
    """The nodes so far, their proven bounds, and which node stands for the output of which layer."""

    nodes: dict[str, Node] = field(default_factory=dict)
    bounds: dict[str, Bounds] = field(default_factory=dict)
    output_of: dict[str, str] = field(default_factory=dict)
    called: Mapping[str, Any] = field(default_factory=dict)
    """Of each layer, the Keras node of its only call in this model."""
    scaled: dict[str, ScaledChannels] = field(default_factory=dict)
    """Layers whose channels have scales that no type holds, for the signs behind them."""
    left_scales: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    """Of a layer with such a kernel, the scale and the offset of each channel."""
    bounded: dict[str, tuple[str, Fraction]] = field(default_factory=dict)
    """Of a node that ends at an upper bound, the node before it and the bound."""

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

    def scaled_source(self, layer: Any) -> ScaledChannels | None:
        """Give the scaled channels that a layer reads, where what it reads are such."""
        inbound = self.called[layer.name].inbound_layers
        return None if isinstance(inbound, list) else self.scaled.get(inbound.name)

    def only_signs_behind(self, layer: Any) -> bool:
        """Whether all that reads a layer, its own activation or the layers behind it, takes nothing but signs of it."""
        from siliconv.quantize.lowering.model_graph import is_linear
        from siliconv.quantize.lowering.scaled_channels import takes_signs

        own = getattr(layer, "activation", None)
        if own is not None and not is_linear(own):
            return takes_signs(own)
        inbound = [(node.layer, node.inbound_layers) for node in self.called.values()]
        readers = [reader for reader, read in inbound if read is layer]
        other = any(isinstance(read, list) and any(one is layer for one in read) for _, read in inbound)
        signs = [
            self.only_signs_behind(one)
            if exact_class(one) in ("BatchNormalization", "QBatchNormalization")
            else takes_signs(getattr(one, "quantizer", None))
            for one in readers
        ]
        return bool(readers) and not other and all(signs)

    def add_matrix_like(self, matrix: Matrix, name: str, kernel: Weights, bias: Weights) -> Node:
        """Append a layer like another one, with other weights."""
        before = self.nodes[matrix.inputs[0]]
        depthwise = isinstance(matrix, DepthwiseConv)
        bounds = self.bounds[before.name]
        result = sum_of_products_type(kernel, bias, bounds, before.type, depthwise=depthwise)
        return self.add(replace(matrix, name=name, kernel=kernel, bias=bias, type=result))

    def add_per_channel(self, name: str, source: Node, kernel: Weights, bias: Weights) -> Node:
        """Append what multiplies each channel and adds to it: a depthwise convolution of one pixel.

        A vector becomes a sequence of one step for it.
        """
        vector = len(source.shape) == 1
        if vector:
            source = self.add(Reshape(f"{name}_step", (source.name,), (1, *source.shape), source.type))
        axes = len(source.shape) - 1
        shaped = Weights(kernel.codes.reshape(*(1,) * axes, -1), kernel.type)
        result = sum_of_products_type(shaped, bias, self.bounds[source.name], source.type, depthwise=True)
        made = DepthwiseConv(
            f"{name}_scaled" if vector else name,
            (source.name,),
            source.shape,
            result,
            shaped,
            bias,
            (1,) * axes,
            ((0, 0),) * axes,
        )
        node = self.add(made)
        return self.add(Reshape(name, (node.name,), source.shape[1:], node.type)) if vector else node

    def add_repeated(self, name: str, source: Node, times: int) -> Node:
        """Append what gives each channel so many times, for a depthwise convolution of several outputs a channel."""
        if times == 1:
            return source
        *spatial, channels = source.shape
        axes = tuple(range(len(source.shape)))
        repeats = (*(1,) * len(spatial), times)
        shape = (*spatial, channels * times)
        node = Rearrange(name, (source.name,), shape, plain(source.type), axes, (0,) * len(axes), repeats)
        return self.add(node)

    def needed_for(self, inputs: Sequence[str], outputs: Sequence[str]) -> tuple[Node, ...]:
        """Give the nodes that outputs depend on, in their order, behind all inputs in theirs."""
        needed, waiting = set(), [*outputs, *inputs]
        while waiting:
            name = waiting.pop()
            if name not in needed:
                needed.add(name)
                waiting += self.nodes[name].inputs
        others = (node for name, node in self.nodes.items() if name in needed and name not in inputs)
        return (*(self.nodes[name] for name in inputs), *others)

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
