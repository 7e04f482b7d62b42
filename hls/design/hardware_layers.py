"""The hardware that each node of the integer network becomes, as the estimator and the stream model see it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import singledispatch
from typing import NamedTuple

from siliconv.errors import FirmwareError
from siliconv.hls import weight_statistics
from siliconv.hls.configuration import HlsConfig
from siliconv.hls.conversion.layer_list import convolution_kind
from siliconv.hls.conversion.layer_settings import FirmwareLayer
from siliconv.hls.design.design import (
    ElementwiseLayer,
    FixedType,
    GlobalPoolLayer,
    Layer,
    MatrixLayer,
    MergeLayer,
    PaddingLayer,
    PoolLayer,
    ResizeLayer,
    SoftmaxLayer,
    Tensor,
)
from siliconv.hls.kinds import LayerKind
from siliconv.hls.weight_statistics import WeightStatistics
from siliconv.network import graph as ir
from siliconv.network.fixed_point import FixedPoint, Overflow, Rounding

PADDING_SUFFIX = "_padding"
"""hls4ml pads a stream in a layer of its own, before the convolution."""


class Settings(NamedTuple):
    """What the firmware's layers are made with: the configuration, and what follows from it for each layer."""

    config: HlsConfig
    plan: Mapping[str, FirmwareLayer]


class Product(NamedTuple):
    """A product with weights: its kind, types, and geometry; `weights` None where they are not known."""

    kind: LayerKind
    weight: FixedPoint
    bias: FixedPoint
    window: ir.Shape = ()
    strides: ir.Shape = ()
    padding: ir.Padding = ()
    weights: WeightStatistics | None = None


@singledispatch
def hardware_layers(node: ir.Node, sources: tuple[ir.Node, ...], settings: Settings) -> list[Layer]:
    """Give the layers that compute a node, in the order of the stream; the last has the node's name.

    Parameters
    ----------
    node
        A node of the integer network.
    sources
        The nodes whose streams it reads.
    settings
        What the firmware is made with.

    Raises
    ------
    FirmwareError
        ``ESTIMATE-NODE`` for a node that no template computes.
    """
    raise FirmwareError(
        "ESTIMATE-NODE",
        f"no hardware model for a {type(node).__name__} node",
        where=f"node '{node.name}'",
        fix="use layers that have firmware",
    )


@hardware_layers.register(ir.Conv)
@hardware_layers.register(ir.DepthwiseConv)
def _(node: ir.Conv | ir.DepthwiseConv, sources: tuple[ir.Node, ...], settings: Settings) -> list[Layer]:
    product = _product(node, convolution_kind(node), node.window, node.strides, node.padding)
    return product_layers(node, sources[0], product, settings)


@hardware_layers.register
def _(node: ir.Dense, sources: tuple[ir.Node, ...], settings: Settings) -> list[Layer]:
    return product_layers(node, sources[0], _product(node, LayerKind.DENSE), settings)


@hardware_layers.register(ir.MaxPool)
@hardware_layers.register(ir.AveragePool)
def _(node: ir.MaxPool | ir.AveragePool, sources: tuple[ir.Node, ...], settings: Settings) -> list[Layer]:
    (source,) = sources
    average, padded = isinstance(node, ir.AveragePool), any(sum(pair) for pair in node.padding)
    if node.window == source.shape[:-1] and not padded:
        return [GlobalPoolLayer(node.name, _tensor(source), _tensor(node), average=average)]
    before = tuple(pair[0] for pair in node.padding)
    return [PoolLayer(node.name, _tensor(source), _tensor(node), node.window, node.strides, average, before)]


@hardware_layers.register(ir.Add)
@hardware_layers.register(ir.Concatenate)
@hardware_layers.register(ir.Pairwise)
def _(node: ir.Add | ir.Concatenate | ir.Pairwise, sources: tuple[ir.Node, ...], settings: Settings) -> list[Layer]:
    function = node.operation if isinstance(node, ir.Pairwise) else type(node).__name__.lower()
    return [MergeLayer(node.name, _tensor(sources[0]), _tensor(node), function=function, inputs=len(sources))]


@hardware_layers.register
def _(node: ir.Rearrange, sources: tuple[ir.Node, ...], settings: Settings) -> list[Layer]:
    in_order = node.order == tuple(range(len(node.order)))
    images = len(node.shape) > 2
    rows = 1 if in_order or not images else sources[0].shape[0]
    before, repeats = (node.before[0], node.repeats[0]) if images and in_order else (0, 1)
    return [ResizeLayer(node.name, _tensor(sources[0]), _tensor(node), held_rows=rows, before=before, repeats=repeats)]


@hardware_layers.register
def _(node: ir.Reshape, sources: tuple[ir.Node, ...], settings: Settings) -> list[Layer]:
    return [ResizeLayer(node.name, _tensor(sources[0]), _tensor(node))]


@hardware_layers.register
def _(node: ir.Pad, sources: tuple[ir.Node, ...], settings: Settings) -> list[Layer]:
    return [PaddingLayer(node.name, _tensor(sources[0]), _tensor(node))]


@hardware_layers.register
def _(node: ir.Requantize, sources: tuple[ir.Node, ...], settings: Settings) -> list[Layer]:
    function = "relu" if node.relu else "requantize"
    return [ElementwiseLayer(node.name, _tensor(sources[0]), _tensor(node), function=function)]


@hardware_layers.register
def _(node: ir.Table, sources: tuple[ir.Node, ...], settings: Settings) -> list[Layer]:
    return [
        ElementwiseLayer(
            node.name,
            _tensor(sources[0]),
            _tensor(node),
            function=node.function,
            table_size=node.table.codes.size,
            table_type=_fixed_type(node.table.type),
        )
    ]


@hardware_layers.register
def _(node: ir.Softmax, sources: tuple[ir.Node, ...], settings: Settings) -> list[Layer]:
    tables = tuple((one.codes.size, one.type.width) for one in (node.exponential, node.reciprocal))
    return [SoftmaxLayer(node.name, _tensor(sources[0]), _tensor(node), tables=tables)]


def product_layers(node: ir.Node, source: ir.Node, product: Product, settings: Settings) -> list[Layer]:
    """Give the layers of a node that multiplies by weights: in a stream, its padding is a layer of its own before it.

    Parameters
    ----------
    node
        Its type is that of the accumulator and of what is handed on.
    source
        The node whose stream it reads.
    product
        Geometry and weights.
    settings
        What the firmware is made with.
    """
    before, padding = _tensor(source), tuple(sum(pair) for pair in product.padding)
    layers: list[Layer] = []
    if settings.config.io_type == "io_stream" and any(padding):
        spatial = zip(source.shape[:-1], padding, strict=True)
        padded = Tensor((*(size + pad for size, pad in spatial), source.shape[-1]), before.type)
        layers.append(PaddingLayer(node.name + PADDING_SUFFIX, before, padded))
        before, padding = padded, (0,) * len(padding)
    planned = settings.plan[node.name]
    matrix = MatrixLayer(
        node.name,
        before,
        _tensor(node),
        kind=product.kind,
        weight=_fixed_type(product.weight),
        bias=_fixed_type(product.bias),
        accumulator=_fixed_type(node.type),
        kernel=product.window,
        stride=product.strides,
        padding=padding,
        reuse_factor=planned.reuse_factor,
        strategy=planned.strategy or settings.config.strategy,
        parallelization_factor=planned.parallelization_factor,
        weights=product.weights,
        weights_outside=planned.weights_outside,
        weight_memory=settings.config.weight_memory,
    )
    return [*layers, matrix]


def _product(
    node: ir.Matrix,
    kind: LayerKind,
    window: ir.Shape = (),
    strides: ir.Shape = (),
    padding: ir.Padding = (),
) -> Product:
    weights = weight_statistics.from_integers(node.kernel.codes)
    return Product(kind, node.kernel.type, node.bias.type, window, strides, padding, weights)


def _tensor(node: ir.Node) -> Tensor:
    return Tensor(node.shape, _fixed_type(node.type))


def _fixed_type(kind: FixedPoint) -> FixedType:
    return FixedType(
        kind.width,
        kind.integer,
        kind.signed,
        rounds=kind.rounding not in (Rounding.TRN, Rounding.TRN_ZERO),
        saturates=kind.overflow is not Overflow.WRAP,
    )
