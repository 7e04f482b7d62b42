"""The plan of a network that is there already: its layers are the nodes of the integer network."""

from __future__ import annotations

from siliconv.hls.configuration import HlsConfig
from siliconv.hls.kinds import LayerKind
from siliconv.network import graph as ir
from siliconv.network.graph import Network
from siliconv.plan.plan import INPUT, Plan, PlannedLayer
from siliconv.quantize.recipe import Recipe

_KINDS: dict[type[ir.Node], str] = {
    ir.Conv: "conv",
    ir.DepthwiseConv: "depthwise_conv",
    ir.Dense: "dense",
    ir.MaxPool: "max_pool",
    ir.AveragePool: "average_pool",
    ir.Add: "add",
    ir.Concatenate: "concatenate",
    ir.Requantize: "requantize",
    ir.Table: "table",
    ir.Reshape: "flatten",
    ir.Pad: "zero_padding",
}


def plan_of_network(name: str, network: Network, hls: HlsConfig) -> Plan:
    """Plan the firmware of a network that was taken as it is: nothing of it is assumed."""
    before = _before(network)
    layers = tuple(_planned(node, network) for node in network.nodes if node.inputs and node.name in before)
    recipe = Recipe(train=None)
    ports = (len(network.inputs), len(network.outputs))
    return Plan(name, layers, None, recipe, hls, hls.device, network, taken=True, ports=ports)


def _before(network: Network) -> frozenset[str]:
    """Give the names of the nodes up to the logits of all outputs."""
    needed = {node.name for node in network.decisions}
    for node in reversed(network.nodes):
        needed |= set(node.inputs) if node.name in needed else set()
    return frozenset(needed)


def kind_in_words(node: ir.Node) -> str:
    """Give what a node is called in summaries: the kind of a layer, with its axes."""
    if isinstance(node, ir.Pairwise):
        return node.operation
    kind = _KINDS.get(type(node), type(node).__name__.lower())
    return f"{kind}{len(node.window)}d" if isinstance(node, ir.Conv | ir.DepthwiseConv) else kind


def _planned(node: ir.Node, network: Network) -> PlannedLayer:
    sources, several = network.sources(node), len(network.inputs) > 1
    window = tuple(getattr(node, "window", ()))
    padding = getattr(node, "padding", ())
    has_bias = isinstance(node, ir.Matrix) and bool(node.bias.codes.any())
    return PlannedLayer(
        node.name,
        kind_in_words(node),
        tuple(source.name if source.inputs or several else INPUT for source in sources),
        tuple(source.shape for source in sources),
        node.shape,
        matrix=_matrix(node),
        window=window,
        strides=tuple(getattr(node, "strides", ())),
        padding=tuple(sum(pair) for pair in padding),
        has_bias=has_bias,
    )


def _matrix(node: ir.Node) -> LayerKind | None:
    if isinstance(node, ir.Dense):
        return LayerKind.DENSE
    if isinstance(node, ir.Conv):
        return LayerKind.CONV2D if len(node.window) == 2 else LayerKind.CONV1D
    if isinstance(node, ir.DepthwiseConv):
        return LayerKind.DEPTHWISE2D if len(node.window) == 2 else LayerKind.DEPTHWISE1D
    return None
