"""The design of an integer network with its firmware settings: what the estimator sees of a project."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from siliconv.errors import FirmwareError
from siliconv.hardware.stream.fifo_depths import SHALLOWEST, check_depths, smallest_depths
from siliconv.hls.backends import family_of
from siliconv.hls.configuration import SHIFT_REGISTER_WORDS, HlsConfig
from siliconv.hls.conversion.firmware_form import firmware_form
from siliconv.hls.conversion.layer_settings import plan_layers
from siliconv.hls.design.design import Design, ForkLayer, Layer, PaddingLayer
from siliconv.hls.design.hardware_layers import PADDING_SUFFIX, Settings, hardware_layers
from siliconv.hls.fifo.stream_actors import stream_graph
from siliconv.hls.kinds import IoType
from siliconv.network.graph import Input, Network, Node, Reshape


def design_of(network: Network, config: HlsConfig, *, search_fifos: bool = True) -> Design:
    """Describe a network with the reuse factors and FIFO depths that its firmware has.

    Parameters
    ----------
    network
        With proven types.
    config
        What the firmware is made with.
    search_fifos
        Whether the smallest FIFO depths are searched for where they are asked for, which may take a second; two words
        each otherwise.

    Raises
    ------
    FirmwareError
        ``ESTIMATE-BACKEND`` for a back end without a model, ``ESTIMATE-NODE`` for a node that no template computes,
        ``REUSE-...`` as in the conversion, ``FIFO-LAYER`` for a depth of a FIFO that is not there.
    WorkSaysNoError
        ``FIFO-DEADLOCK`` where depths that were asked for stop the stream.
    """
    plan = {layer.name: layer for layer in plan_layers(network, config)}
    nodes = firmware_form(network, config.io_type).nodes
    return design_of_nodes(network.name, nodes, Settings(config, plan), search_fifos=search_fifos)


def design_of_nodes(name: str, nodes: Sequence[Node], settings: Settings, *, search_fifos: bool = True) -> Design:
    """Describe nodes in the order of the data, the input first; for the rest see `design_of`."""
    config, by_name = settings.config, {node.name: node for node in nodes}
    layers: list[Layer] = []
    inputs: dict[str, tuple[str, ...]] = {}
    for node in nodes:
        if isinstance(node, Input | Reshape):
            continue
        sources = _stream_sources(node, by_name)
        found = hardware_layers(node, sources, settings)
        layers += found
        inputs[found[0].name] = tuple(source.name for source in sources)
    if config.io_type == "io_stream":
        layers = _with_copies(layers, inputs)
    design = Design(
        name,
        tuple(layers),
        part=config.part,
        clock_ns=config.clock_ns,
        backend=family_of(config.backend),
        io_type=IoType(config.io_type),
        shift_register_words=shift_register_words(config),
        inputs={
            reader: tuple(source for source in sources if source != nodes[0].name) for reader, sources in inputs.items()
        },
    )
    if config.io_type != "io_stream":
        return design
    return _with_fifos(design, config) if search_fifos else _with_shallow_fifos(design, config)


def _with_fifos(design: Design, config: HlsConfig) -> Design:
    """Give the design with the depth of each FIFO: smallest or hls4ml's, or what is asked for."""
    graph = stream_graph(design)
    depths = smallest_depths(graph).depths if config.fifo_depths == "smallest" else {}
    if unknown := sorted(set(config.fifo_words) - {fifo.name for fifo in graph.fifos}):
        raise FirmwareError(
            "FIFO-LAYER",
            f"a depth for '{unknown[0]}', behind which there is no FIFO",
            where="hls.fifo_words",
            fix="use one of " + ", ".join(fifo.name for fifo in graph.fifos),
        )
    if config.fifo_words:
        depths = {**depths, **config.fifo_words}
        check_depths(graph.with_depths(depths))
    return replace(design, layers=tuple(replace(layer, fifo_depth=depths.get(layer.name)) for layer in design.layers))


def _with_shallow_fifos(design: Design, config: HlsConfig) -> Design:
    """Give the design with FIFOs as most are found to be; nothing is behind its last layer."""
    depth = SHALLOWEST if config.fifo_depths == "smallest" else None
    *before, last = design.layers
    shallow = (replace(layer, fifo_depth=config.fifo_words.get(layer.name, depth)) for layer in before)
    return replace(design, layers=(*shallow, last))


def _with_copies(layers: Sequence[Layer], inputs: Mapping[str, Sequence[str]]) -> list[Layer]:
    """Put a layer for each copy of a stream that several layers read before the first of its readers."""
    readers: dict[str, list[Layer]] = {}
    for layer in layers:
        for source in inputs.get(layer.name, ()):
            readers.setdefault(source, []).append(layer)
    found: list[Layer] = []
    for layer in layers:
        for source in inputs.get(layer.name, ()):
            if len(readers[source]) > 1 and layer is readers[source][0]:
                found += [
                    ForkLayer(f"{source}->{one.name}", layer.input, layer.input, writer=source, reader=one.name)
                    for one in readers[source]
                ]
        found.append(layer)
    return found


def fifo_depths(design: Design) -> dict[str, int]:
    """Give the depths in words that a design states, by the hls4ml layer that writes into the FIFO.

    The copies of a stream that several layers read are called ``writer->reader``.
    """
    named = {layer.name: _hls4ml_name(layer) for layer in design.layers}
    return {
        f"{layer.writer}->{named[layer.reader]}"
        if isinstance(layer, ForkLayer)
        else named[layer.name]: layer.fifo_depth
        for layer in design.layers
        if layer.fifo_depth is not None
    }


def shift_register_words(config: HlsConfig) -> int:
    """Give the words up to which FIFOs are bound to shift registers, 0 where the tool decides.

    Raises
    ------
    FirmwareError
        ``FIFO-MEMORY`` where the back end has no such binding.
    """
    if config.fifo_memory == "auto":
        return 0
    if config.backend != "Vitis" or config.io_type != "io_stream":
        raise FirmwareError(
            "FIFO-MEMORY",
            f"no FIFOs that could be bound to shift registers with {config.backend} and {config.io_type}",
            where="hls.fifo_memory",
            fix="use fifo_memory: auto, or backend: Vitis with io_type: io_stream",
        )
    return SHIFT_REGISTER_WORDS


def _hls4ml_name(layer: Layer) -> str:
    if not isinstance(layer, PaddingLayer) or not layer.name.endswith(PADDING_SUFFIX):
        return layer.name
    return f"zp{len(layer.input.shape) - 1}d_{layer.name.removesuffix(PADDING_SUFFIX)}"


def _stream_sources(node: Node, by_name: Mapping[str, Node]) -> tuple[Node, ...]:
    """Give the nodes whose streams a node reads: flattening leaves a stream as it is."""
    found = []
    for name in node.inputs:
        source = by_name[name]
        while isinstance(source, Reshape):
            source = by_name[source.inputs[0]]
        found.append(source)
    return tuple(found)
