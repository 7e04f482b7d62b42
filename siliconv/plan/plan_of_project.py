"""The plan of a project's firmware: its layers as they are deployed, from the project file alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from siliconv.errors import NetworkError
from siliconv.hls.configuration import HlsConfig
from siliconv.hls.kinds import LayerKind
from siliconv.models.architectures import layers as kinds
from siliconv.models.architectures.architecture import (
    INPUT,
    Architecture,
    LayerNode,
    normal_form,
    output_activation,
)
from siliconv.models.architectures.folding import deployed_architecture
from siliconv.models.architectures.layers import Layer, pair
from siliconv.models.architectures.ports import as_logits, input_layer, logit_layers, port_layers, ports_of
from siliconv.models.architectures.shapes import Shape, moves_of, output_shape
from siliconv.models.data.input_choice import pixels_as
from siliconv.network import network_file
from siliconv.network.fixed_point import FixedPoint
from siliconv.network.graph import Network
from siliconv.plan.plan import Plan, PlannedLayer
from siliconv.plan.plan_of_network import plan_of_network
from siliconv.plan.taken_network import network_of_taken
from siliconv.project.project import ProjectConfig
from siliconv.quantize.input_type import fixed_point_of
from siliconv.quantize.recipe import Recipe

_MATRICES: dict[type[Layer], LayerKind] = {
    kinds.Conv2D: LayerKind.CONV2D,
    kinds.Conv1D: LayerKind.CONV1D,
    kinds.DepthwiseConv2D: LayerKind.DEPTHWISE2D,
    kinds.DepthwiseConv1D: LayerKind.DEPTHWISE1D,
    kinds.Dense: LayerKind.DENSE,
}


def plan_of(
    name: str, project: ProjectConfig, network: Network | None = None, input_type: FixedPoint | None = None
) -> Plan:
    """Plan the firmware of a project.

    Parameters
    ----------
    name
        Of the project.
    project
        Its file.
    network
        The integer network of an earlier build; left out of the plan where it is of other layers or bits.
    input_type
        Of the prepared data; as far as the project file says it by default, else that of pixels.

    Raises
    ------
    ModelError
        ``MODEL-...`` for an architecture that is impossible, or a QKeras model that cannot be taken.
    NetworkError
        ``LOWER-...`` for what in such a model has no exact form.
    """
    kind = input_type or stated_type(project)
    taken = network_of_taken(name, project, kind)
    if taken is not None:
        return replace(plan_of_network(name, taken, project.hls), input_type=kind)
    plan = plan_of_architecture(name, project.model.architecture, project.quantize, project.hls)
    plan = replace(plan, input_type=kind)
    return replace(plan, network=network) if network is not None and _is_of(network, plan) else plan


def stated_type(project: ProjectConfig) -> FixedPoint:
    """Give the type of the input as far as the project file says it; else that of its pixels."""
    stated = project.data.input
    numbers = stated.stated() if stated != "auto" else None
    return fixed_point_of(numbers or pixels_as(project.data.pixel_scale, project.data.pixel_bits).type)


def plan_of_architecture(name: str, architecture: Architecture, recipe: Recipe, hls: HlsConfig) -> Plan:
    """Plan the firmware of an architecture; for the rest see `plan_of`."""
    activation = output_activation(architecture)
    ends, ports = logit_layers(architecture), ports_of(architecture)
    counts = (max(len(ports.inputs), 1), len(ports.outputs))
    layers, board = planned_layers(architecture), hls.device
    return Plan(name, layers, activation, recipe, hls, board, ends=ends, ports=counts)


def read_network(build: Path) -> Network | None:
    """Read the integer network of a build, or give None where there is none that can be read."""
    try:
        return network_file.load(build / "network")
    except (NetworkError, OSError):
        return None


def planned_layers(architecture: Architecture) -> tuple[PlannedLayer, ...]:
    """Give the layers of an architecture as they are deployed, ending with the logits."""
    shapes: dict[str, Shape] = {INPUT: tuple(architecture.input_shape)}
    inputs_and_joins = port_layers(architecture)
    shapes |= {input_layer(name): tuple(shape) for name, shape in architecture.inputs.items()}
    source_of = {name: name for name in shapes}
    found = []
    for node in normal_form(as_logits(deployed_architecture(architecture))):
        if node.name in inputs_and_joins:  # no hardware: the ports of the core
            continue
        sources = tuple(source_of[name] for name in node.inputs)
        if isinstance(node.layer, kinds.Dropout):  # the identity
            source_of[node.name] = sources[0]
            continue
        inputs = tuple(shapes[name] for name in sources)
        shapes[node.name] = output_shape(node.layer, node.name, inputs)
        source_of[node.name] = node.name
        found.append(_planned(node, sources, inputs, shapes[node.name]))
    return tuple(found)


def _planned(node: LayerNode, sources: tuple[str, ...], inputs: tuple[Shape, ...], output: Shape) -> PlannedLayer:
    layer = node.layer
    window, strides, padding = _geometry(layer, inputs[0], output)
    return PlannedLayer(
        node.name,
        layer.kind,
        sources,
        inputs,
        output,
        matrix=_MATRICES.get(type(layer)),
        activation=layer.activation if isinstance(layer, kinds.Activation) else None,
        window=window,
        strides=strides,
        padding=padding,
        has_bias=getattr(layer, "use_bias", False),
        moves=moves_of(layer, node.name, inputs[0]) if isinstance(layer, kinds.Rearrange) else None,
        axis=layer.axis if isinstance(layer, kinds.Concatenate) else -1,
    )


def _geometry(layer: Layer, source: Shape, output: Shape) -> tuple[tuple[int, ...], ...]:
    """Give window, strides and what is padded in all, per spatial axis; empty where nothing slides."""
    axes = len(source) - 1
    if isinstance(layer, kinds.GlobalAveragePool | kinds.GlobalMaxPool):
        return source[:-1], source[:-1], (0,) * axes
    if isinstance(layer, kinds.ZeroPadding):
        return (), (), tuple(after - before for before, after in zip(source[:-1], output, strict=False))
    extent = getattr(layer, "kernel", getattr(layer, "pool", None))
    if extent is None:
        return (), (), ()
    stride = getattr(layer, "stride", None) or extent
    window, strides = pair(extent)[:axes], pair(stride)[:axes]
    same = getattr(layer, "padding", "valid") == "same"
    padding = tuple(
        max((after - 1) * step + width - before, 0) if same else 0
        for before, after, width, step in zip(source, output, window, strides, strict=False)
    )
    return window, strides, padding


def _is_of(network: Network, plan: Plan) -> bool:
    """Whether a network has the layers with weights of a plan, their shapes and bits, and no others."""
    found = {
        node.name: (node.kernel.codes.size, node.shape, node.bias.type.width, node.kernel.type.width)
        for node in network.matrices
    }
    if found.keys() != {layer.name for layer in plan.matrices}:
        return False
    for layer in plan.matrices:
        *same, width = found[layer.name]
        if same != [layer.products, layer.output, plan.bias_bits(layer)]:
            return False
        # Powers of two reach as far as the weights need, so their bits are known to be at most so many.
        levels, bits = plan.recipe.bits(layer.name).weights == "po2", plan.weight_bits(layer)
        if width > bits or (width < bits and not levels):
            return False
    return True
