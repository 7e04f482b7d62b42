"""The design of an integer network with its firmware settings: what the estimator sees of a project."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import singledispatch

from siliconv.errors import FirmwareError
from siliconv.hls import weight_statistics
from siliconv.hls.configuration import HlsConfig
from siliconv.hls.conversion import FirmwareLayer, plan_layers
from siliconv.hls.design import (
    Backend,
    Design,
    ElementwiseLayer,
    FixedType,
    GlobalPoolLayer,
    IoType,
    Layer,
    LayerKind,
    MatrixLayer,
    PaddingLayer,
    PoolLayer,
    Tensor,
)
from siliconv.hls.fifo_depths import check_depths, smallest_depths
from siliconv.hls.stream_actors import stream_graph
from siliconv.quantize.fixed_point import FixedPoint, Overflow, Rounding
from siliconv.quantize.network import (
    AveragePool,
    Conv,
    Dense,
    Input,
    MaxPool,
    Network,
    Node,
    Requantize,
    Reshape,
    Table,
)

PADDING_SUFFIX = "_padding"
"""hls4ml pads a stream in a layer of its own, before the convolution."""


def design_of(network: Network, config: HlsConfig) -> Design:
    """Describe a network with the reuse factors and FIFO depths that its firmware has.

    Raises
    ------
    FirmwareError
        ``ESTIMATE-NODE`` for a node that no template computes, ``REUSE-...`` as in the conversion, ``FIFO-LAYER``
        for a depth of a FIFO that is not there.
    WorkSaysNoError
        ``FIFO-DEADLOCK`` where depths that were asked for stop the stream.
    """
    plan = {layer.name: layer for layer in plan_layers(network, config)}
    layers: list[Layer] = []
    for node in network.nodes:
        if not isinstance(node, Input | Reshape):
            layers += _layers(node, _stream_source(node, network), config, plan)
    design = Design(
        network.name,
        tuple(layers),
        part=config.part,
        clock_ns=config.clock_ns,
        backend=Backend(config.backend),
        io_type=IoType(config.io_type),
    )
    return _with_fifos(design, config) if config.io_type == "io_stream" else design


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


def fifo_depths(design: Design) -> dict[str, int]:
    """Give the depths in words that a design states, by the name of the hls4ml layer that writes into the FIFO."""
    return {_hls4ml_name(layer): layer.fifo_depth for layer in design.layers if layer.fifo_depth is not None}


def _hls4ml_name(layer: Layer) -> str:
    if not isinstance(layer, PaddingLayer):
        return layer.name
    return f"zp{len(layer.input.shape) - 1}d_{layer.name.removesuffix(PADDING_SUFFIX)}"


def _stream_source(node: Node, network: Network) -> Node:
    """Give the node whose stream a node reads: flattening leaves the stream as it is."""
    source = network.sources(node)[0]
    while isinstance(source, Reshape):
        source = network.sources(source)[0]
    return source


@singledispatch
def _layers(node: Node, source: Node, config: HlsConfig, plan: Mapping[str, FirmwareLayer]) -> list[Layer]:
    raise FirmwareError(
        "ESTIMATE-NODE",
        f"no hardware model for a {type(node).__name__} node",
        where=f"node '{node.name}'",
        fix="use layers that have firmware",
    )


@_layers.register
def _(node: Conv, source: Node, config: HlsConfig, plan: Mapping[str, FirmwareLayer]) -> list[Layer]:
    before, padding = _tensor(source), tuple(sum(pair) for pair in node.padding)
    layers: list[Layer] = []
    if config.io_type == "io_stream" and any(padding):
        # A stream is padded by a layer of its own, which hls4ml puts before the convolution.
        spatial = zip(source.shape[:-1], padding, strict=True)
        padded = Tensor((*(size + pad for size, pad in spatial), source.shape[-1]), before.type)
        layers.append(PaddingLayer(node.name + PADDING_SUFFIX, before, padded))
        before, padding = padded, (0,) * len(padding)
    window = node.kernel.codes.shape[:-2]
    kind = LayerKind.CONV1D if len(window) == 1 else LayerKind.CONV2D
    return [*layers, _matrix(node, before, kind, config, plan, window, node.strides, padding)]


@_layers.register
def _(node: Dense, source: Node, config: HlsConfig, plan: Mapping[str, FirmwareLayer]) -> list[Layer]:
    return [_matrix(node, _tensor(source), LayerKind.DENSE, config, plan)]


@_layers.register(MaxPool)
@_layers.register(AveragePool)
def _(node: MaxPool | AveragePool, source: Node, config: HlsConfig, plan: Mapping[str, FirmwareLayer]) -> list[Layer]:
    average = isinstance(node, AveragePool)
    if average and node.window == source.shape[:-1]:
        return [GlobalPoolLayer(node.name, _tensor(source), _tensor(node), average=True)]
    return [PoolLayer(node.name, _tensor(source), _tensor(node), node.window, node.strides, average)]


@_layers.register
def _(node: Requantize, source: Node, config: HlsConfig, plan: Mapping[str, FirmwareLayer]) -> list[Layer]:
    function = "relu" if node.relu else "requantize"
    return [ElementwiseLayer(node.name, _tensor(source), _tensor(node), function=function)]


@_layers.register
def _(node: Table, source: Node, config: HlsConfig, plan: Mapping[str, FirmwareLayer]) -> list[Layer]:
    return [
        ElementwiseLayer(
            node.name,
            _tensor(source),
            _tensor(node),
            function=node.function,
            table_size=node.table.codes.size,
            table_type=_fixed_type(node.table.type),
        )
    ]


def _matrix(
    node: Conv | Dense,
    before: Tensor,
    kind: LayerKind,
    config: HlsConfig,
    plan: Mapping[str, FirmwareLayer],
    window: tuple[int, ...] = (),
    strides: tuple[int, ...] = (),
    padding: tuple[int, ...] = (),
) -> MatrixLayer:
    return MatrixLayer(
        node.name,
        before,
        _tensor(node),
        kind=kind,
        weight=_fixed_type(node.kernel.type),
        bias=_fixed_type(node.bias.type),
        accumulator=_fixed_type(node.type),
        kernel=window,
        stride=strides,
        padding=padding,
        reuse_factor=plan[node.name].reuse_factor,
        strategy=plan[node.name].strategy or config.strategy,
        parallelization_factor=plan[node.name].parallelization_factor,
        weights=weight_statistics.from_integers(node.kernel.codes),
    )


def _tensor(node: Node) -> Tensor:
    return Tensor(node.shape, _fixed_type(node.type))


def _fixed_type(kind: FixedPoint) -> FixedType:
    return FixedType(
        kind.width,
        kind.integer,
        kind.signed,
        rounds=kind.rounding not in (Rounding.TRN, Rounding.TRN_ZERO),
        saturates=kind.overflow is not Overflow.WRAP,
    )
