"""The design of an integer network with the depth that each of its FIFOs gets: searched, asked for, or hls4ml's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from siliconv.errors import FirmwareError, WorkSaysNoError
from siliconv.hardware.stream.fifo_depths import SHALLOWEST, check_depths, smallest_depths
from siliconv.hardware.stream.stalls import depths_that_bear_stalls
from siliconv.hardware.stream.stream_graph import StreamGraph
from siliconv.hls.configuration import HlsConfig
from siliconv.hls.conversion.firmware_form import firmware_form
from siliconv.hls.conversion.layer_settings import plan_layers
from siliconv.hls.design.design import Design, ForkLayer, Layer, PaddingLayer
from siliconv.hls.design.design_of_nodes import design_of_nodes
from siliconv.hls.design.hardware_layers import PADDING_SUFFIX, Settings
from siliconv.hls.fifo.pipeline_stages import pipeline_stages
from siliconv.hls.fifo.stream_actors import stream_graph
from siliconv.network.graph import Network, Node


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
        ``FIFO-DEADLOCK`` where depths that were asked for stop the stream, ``FIFO-STALL`` where they may.
    """
    plan = {layer.name: layer for layer in plan_layers(network, config)}
    nodes = firmware_form(network, config.io_type).nodes
    settings = Settings(config, plan)
    return sized_design(network.name, nodes, settings, ends=network.ends, search_fifos=search_fifos)


def sized_design(
    name: str, nodes: Sequence[Node], settings: Settings, *, ends: Sequence[str] = (), search_fifos: bool = True
) -> Design:
    """Describe nodes in the order of the data, inputs first, `ends` as in `design_of_nodes`; see `design_of`."""
    design, config = design_of_nodes(name, nodes, settings, ends), settings.config
    if config.io_type != "io_stream":
        return design
    return _with_fifos(design, config) if search_fifos else _with_shallow_fifos(design, config)


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


def _with_fifos(design: Design, config: HlsConfig) -> Design:
    """Give the design with the depth of each FIFO: smallest or hls4ml's, or what is asked for."""
    graph = stream_graph(design)
    depths = _smallest(graph, design) if config.fifo_depths == "smallest" else {}
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
        _check_stalls(graph.with_depths(depths), design)
    return replace(design, layers=tuple(replace(layer, fifo_depth=depths.get(layer.name)) for layer in design.layers))


def _smallest(graph: StreamGraph, design: Design) -> dict[str, int]:
    """Give depths that cost no cycle, and with which no pipeline that stalls as a whole stops another."""
    return depths_that_bear_stalls(graph, pipeline_stages(graph, design), smallest_depths(graph).depths)


def _check_stalls(graph: StreamGraph, design: Design) -> None:
    """Refuse depths with which a pipeline that stalls as a whole can stop the stream, as the tool may build them."""
    asked = {fifo.name: fifo.depth for fifo in graph.fifos if fifo.depth is not None}
    borne = depths_that_bear_stalls(graph, pipeline_stages(graph, design), asked)
    if short := [name for name in asked if borne[name] > asked[name]]:
        raise WorkSaysNoError(
            "FIFO-STALL",
            "the stream may stop, where branches join, while pipelines keep words inside: "
            + ", ".join(f"{asked[name]} words in {name}" for name in short),
            where="hls.fifo_words",
            fix=f"at least {{{', '.join(f'{name}: {borne[name]}' for name in short)}}}, or let siliconv choose",
        )


def _with_shallow_fifos(design: Design, config: HlsConfig) -> Design:
    """Give the design with FIFOs as most are found to be; nothing is behind its last layer."""
    depth = SHALLOWEST if config.fifo_depths == "smallest" else None
    *before, last = design.layers
    shallow = (replace(layer, fifo_depth=config.fifo_words.get(layer.name, depth)) for layer in before)
    return replace(design, layers=(*shallow, last))


def _hls4ml_name(layer: Layer) -> str:
    if not isinstance(layer, PaddingLayer) or not layer.name.endswith(PADDING_SUFFIX):
        return layer.name
    return f"zp{len(layer.input.shape) - 1}d_{layer.name.removesuffix(PADDING_SUFFIX)}"
