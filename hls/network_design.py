"""The design of an integer network with its firmware settings: what the estimator sees of a project."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import singledispatch

from siliconv.errors import FirmwareError
from siliconv.hls import weight_statistics
from siliconv.hls.configuration import HlsConfig
from siliconv.hls.conversion import plan_layers
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
from siliconv.hls.fifo_depths import smallest_depths
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
        ``ESTIMATE-NODE`` for a node that no template computes, ``REUSE-...`` as in the conversion.
    """
    reuse = {layer.name: layer.reuse_factor for layer in plan_layers(network, config)}
    layers: list[Layer] = []
    for node in network.nodes:
        if not isinstance(node, Input | Reshape):
            layers += _layers(node, _stream_source(node, network), config, reuse)
    design = Design(
        network.name,
        tuple(layers),
        part=config.part,
        clock_ns=config.clock_ns,
        backend=Backend(config.backend),
        io_type=IoType(config.io_type),
    )
    if config.io_type != "io_stream" or config.fifo_depths == "hls4ml":
        return design
    depths = smallest_depths(stream_graph(design)).depths
    return replace(design, layers=tuple(replace(layer, fifo_depth=depths.get(layer.name)) for layer in layers))


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
def _layers(node: Node, source: Node, config: HlsConfig, reuse: Mapping[str, int]) -> list[Layer]:
    raise FirmwareError(
        "ESTIMATE-NODE",
        f"no hardware model for a {type(node).__name__} node",
        where=f"node '{node.name}'",
        fix="use layers that have firmware",
    )


@_layers.register
def _(node: Conv, source: Node, config: HlsConfig, reuse: Mapping[str, int]) -> list[Layer]:
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
    return [*layers, _matrix(node, before, kind, config, reuse, window, node.strides, padding)]


@_layers.register
def _(node: Dense, source: Node, config: HlsConfig, reuse: Mapping[str, int]) -> list[Layer]:
    return [_matrix(node, _tensor(source), LayerKind.DENSE, config, reuse)]


@_layers.register(MaxPool)
@_layers.register(AveragePool)
def _(node: MaxPool | AveragePool, source: Node, config: HlsConfig, reuse: Mapping[str, int]) -> list[Layer]:
    average = isinstance(node, AveragePool)
    if average and node.window == source.shape[:-1]:
        return [GlobalPoolLayer(node.name, _tensor(source), _tensor(node), average=True)]
    return [PoolLayer(node.name, _tensor(source), _tensor(node), node.window, node.strides, average)]


@_layers.register
def _(node: Requantize, source: Node, config: HlsConfig, reuse: Mapping[str, int]) -> list[Layer]:
    function = "relu" if node.relu else "requantize"
    return [ElementwiseLayer(node.name, _tensor(source), _tensor(node), function=function)]


@_layers.register
def _(node: Table, source: Node, config: HlsConfig, reuse: Mapping[str, int]) -> list[Layer]:
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
    reuse: Mapping[str, int],
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
        reuse_factor=reuse[node.name],
        strategy=config.strategy,
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
