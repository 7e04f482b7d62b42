"""The design of a network's nodes with their firmware settings, before its FIFOs are sized."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from siliconv.errors import FirmwareError
from siliconv.hls.backends import family_of
from siliconv.hls.configuration import SHIFT_REGISTER_WORDS, HlsConfig
from siliconv.hls.conversion.flattening import flattened_apart, is_flattening
from siliconv.hls.conversion.layer_settings import check_weight_memory
from siliconv.hls.design.design import Design, ForkLayer, Layer
from siliconv.hls.design.hardware_layers import Settings, hardware_layers
from siliconv.hls.kinds import IoType
from siliconv.network.graph import Input, Node


def design_of_nodes(name: str, nodes: Sequence[Node], settings: Settings, ends: Collection[str] = ()) -> Design:
    """Describe nodes in the order of the data, inputs first; FIFOs are as deep as hls4ml makes them.

    `ends`: names of the outputs where there are several, of which one that is read inside as well is copied.

    Raises
    ------
    FirmwareError
        ``ESTIMATE-BACKEND`` for a back end without a model, ``ESTIMATE-NODE`` for a node that no template computes,
        ``FIFO-MEMORY`` as `shift_register_words`, ``WEIGHT-MEMORY`` for weights that are bound where the back end has
        no such binding.
    """
    check_weight_memory(settings.config)
    config, by_name = settings.config, {node.name: node for node in nodes}
    apart = flattened_apart(nodes, config.io_type)
    layers: list[Layer] = []
    inputs: dict[str, tuple[str, ...]] = {}
    for node in nodes:
        if isinstance(node, Input) or (is_flattening(node) and node.name not in apart):
            continue
        sources = _stream_sources(node, by_name, apart)
        found = hardware_layers(node, sources, settings)
        layers += found
        inputs[found[0].name] = tuple(source.name for source in sources)
    if config.io_type == "io_stream":
        layers = _with_copies(layers, inputs, ends)
    return Design(
        name,
        tuple(layers),
        part=config.part,
        clock_ns=config.clock_ns,
        backend=family_of(config.backend),
        io_type=IoType(config.io_type),
        shift_register_words=shift_register_words(config),
        inputs={
            reader: tuple(source for source in sources if not isinstance(by_name[source], Input))
            for reader, sources in inputs.items()
        },
    )


def _with_copies(layers: Sequence[Layer], inputs: Mapping[str, Sequence[str]], ends: Collection[str]) -> list[Layer]:
    """Put a layer for each copy of a stream that several layers read before the first of its readers.

    An output is a reader as well; its copy leaves the core.
    """
    readers: dict[str, list[Layer]] = {}
    for layer in layers:
        for source in inputs.get(layer.name, ()):
            readers.setdefault(source, []).append(layer)
    found: list[Layer] = []
    for layer in layers:
        for source in inputs.get(layer.name, ()):
            if len(readers[source]) + (source in ends) > 1 and layer is readers[source][0]:
                found += [
                    ForkLayer(f"{source}->{one.name}", layer.input, layer.input, writer=source, reader=one.name)
                    for one in readers[source]
                ]
        found.append(layer)
    return found


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


def _stream_sources(node: Node, by_name: Mapping[str, Node], apart: Collection[str]) -> tuple[Node, ...]:
    """Give the nodes whose streams a node reads: flattening leaves a stream as it is."""
    found = []
    for name in node.inputs:
        source = by_name[name]
        while is_flattening(source) and source.name not in apart:
            source = by_name[source.inputs[0]]
        found.append(source)
    return tuple(found)
