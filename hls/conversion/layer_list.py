"""Describe an integer network as the list of layers that hls4ml builds its graph from.

Each description carries hls4ml's attributes and, apart from them, the precision of every tensor: hls4ml infers nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import singledispatch
from typing import Any

import numpy as np
from numpy.typing import NDArray

from siliconv.errors import FirmwareError
from siliconv.hls.kinds import LayerKind
from siliconv.network import graph as ir
from siliconv.network.fixed_point import FixedPoint, Rounding, to_values
from siliconv.network.intervals import Bounds, average_sum_type
from siliconv.network.structure import softmax_shifts

# Our own layers (`siliconv.hls.conversion.own_layers`) stand here by name: this module needs no hls4ml.


@dataclass(frozen=True)
class LayerDescription:
    """One hls4ml layer: its attributes, its types, and the matrix-vector product in it, if there is one."""

    attributes: dict[str, Any]
    precision: dict[str, str]
    product: tuple[int, int] | None = None
    """Inputs and outputs of the matrix-vector product that the reuse factor divides."""
    kind: LayerKind | None = None
    """What kind of layer that product belongs to."""

    @property
    def weights(self) -> int:
        """Weights of that product, 0 without one."""
        if self.product is None or self.kind is None:
            return 0
        n_in, n_out = self.product
        return n_in if self.kind.is_depthwise else n_in * n_out


@singledispatch
def describe(node: ir.Node, sources: tuple[ir.Node, ...], bounds: Mapping[str, Bounds]) -> LayerDescription:
    """Describe one node.

    Parameters
    ----------
    node
        A node of the integer network.
    sources
        The nodes it reads.
    bounds
        Proven bounds of every node (`siliconv.network.intervals.prove`).

    Raises
    ------
    FirmwareError
        ``FIRMWARE-LAYER`` where there is no hls4ml template for the node.
    """
    raise FirmwareError(
        "FIRMWARE-LAYER",
        f"no hls4ml template for a {type(node).__name__} node",
        where=f"node '{node.name}'",
        fix="use another layer, or the integer network without firmware",
    )


@describe.register
def _(node: ir.Input, sources: tuple[ir.Node, ...], bounds: Mapping[str, Bounds]) -> LayerDescription:
    attributes = attributes_of("InputLayer", node, input_shape=list(node.shape))
    return LayerDescription(attributes, {"result": str(node.type)})


@describe.register
def _(node: ir.Conv, sources: tuple[ir.Node, ...], bounds: Mapping[str, Bounds]) -> LayerDescription:
    channels, filters = node.kernel.codes.shape[-2:]
    attributes = attributes_of(
        f"Conv{len(node.window)}D",
        node,
        n_chan=channels,
        n_filt=filters,
        **_sizes("in", sources[0].shape),
        **_sizes("out", node.shape),
        **_window("filt", node),
        **weights_of(node.kernel, node.bias),
    )
    product = (int(np.prod(node.window)) * channels, filters)
    return LayerDescription(attributes, product_types(node), product, convolution_kind(node))


@describe.register
def _(node: ir.DepthwiseConv, sources: tuple[ir.Node, ...], bounds: Mapping[str, Bounds]) -> LayerDescription:
    channels = node.kernel.codes.shape[-1]
    weights = weights_of(node.kernel, node.bias)
    attributes = attributes_of(
        f"DepthwiseConv{len(node.window)}D",
        node,
        n_chan=channels,
        n_filt=channels,
        depth_multiplier=1,
        depthwise_data=weights.pop("weight_data")[..., None],
        depthwise_quantizer=weights.pop("weight_quantizer"),
        **weights,
        **_sizes("in", sources[0].shape),
        **_sizes("out", node.shape),
        **_window("filt", node),
    )
    product = (int(np.prod(node.window)) * channels, channels)
    return LayerDescription(attributes, product_types(node), product, convolution_kind(node))


@describe.register
def _(node: ir.Dense, sources: tuple[ir.Node, ...], bounds: Mapping[str, Bounds]) -> LayerDescription:
    n_in, n_out = node.kernel.codes.shape
    attributes = attributes_of("Dense", node, n_in=n_in, n_out=n_out, **weights_of(node.kernel, node.bias))
    return LayerDescription(attributes, product_types(node), (n_in, n_out), LayerKind.DENSE)


@describe.register
def _(node: ir.MaxPool, sources: tuple[ir.Node, ...], bounds: Mapping[str, Bounds]) -> LayerDescription:
    return LayerDescription(_pooling("Max", node, sources[0]), types_of(node, accum=node.type))


@describe.register
def _(node: ir.AveragePool, sources: tuple[ir.Node, ...], bounds: Mapping[str, Bounds]) -> LayerDescription:
    (source,) = sources
    # The template divides the sum in the accumulator's type, so the accumulator carries the result's fraction.
    accumulator = average_sum_type(node, source, bounds[source.name])
    return LayerDescription(_pooling("Average", node, source), types_of(node, accum=accumulator))


@describe.register
def _(node: ir.Add, sources: tuple[ir.Node, ...], bounds: Mapping[str, Bounds]) -> LayerDescription:
    return LayerDescription(attributes_of("Merge", node, op="add"), types_of(node))


@describe.register
def _(node: ir.Concatenate, sources: tuple[ir.Node, ...], bounds: Mapping[str, Bounds]) -> LayerDescription:
    if len(sources) != 2:
        raise FirmwareError(
            "FIRMWARE-CONCATENATE",
            f"{len(sources)} inputs, hls4ml joins two at a time",
            where=f"node '{node.name}'",
            fix="join two of them first, and the result with the next",
        )
    attributes = attributes_of("Concatenate", node, op=f"concatenate{len(node.shape)}d", axis=-1)
    return LayerDescription(attributes, types_of(node))


@describe.register
def _(node: ir.Pairwise, sources: tuple[ir.Node, ...], bounds: Mapping[str, Bounds]) -> LayerDescription:
    return LayerDescription(attributes_of("Merge", node, op=node.operation), types_of(node))


@describe.register
def _(node: ir.Rearrange, sources: tuple[ir.Node, ...], bounds: Mapping[str, Bounds]) -> LayerDescription:
    missing = 3 - len(node.shape)
    if missing < 0:
        raise FirmwareError(
            "FIRMWARE-LAYER",
            f"a tensor of {len(node.shape)} axes in another order",
            where=f"node '{node.name}'",
            fix="use at most three axes",
        )
    # Fewer axes count as an image of one row.
    by_axis = {
        "in": (*(1,) * missing, *sources[0].shape),
        "out": (*(1,) * missing, *node.shape),
        "order": (*range(missing), *(axis + missing for axis in node.order)),
        "before": (*(0,) * missing, *node.before),
        "repeat": (*(1,) * missing, *node.repeats),
    }
    sizes = {f"{name}_{axis}": size for name, sizes in by_axis.items() for axis, size in enumerate(sizes)}
    attributes = attributes_of("RearrangeLayer", node, output_shape=node.shape, **sizes)
    return LayerDescription(attributes, types_of(node))


@describe.register
def _(node: ir.Pad, sources: tuple[ir.Node, ...], bounds: Mapping[str, Bounds]) -> LayerDescription:
    attributes = attributes_of(
        f"ZeroPadding{len(node.padding)}D",
        node,
        n_chan=node.shape[-1],
        **_sizes("in", sources[0].shape),
        **_sizes("out", node.shape),
        **_sides(node.padding),
    )
    return LayerDescription(attributes, types_of(node))


@describe.register
def _(node: ir.Requantize, sources: tuple[ir.Node, ...], bounds: Mapping[str, Bounds]) -> LayerDescription:
    source, n_in = sources[0].type, int(np.prod(node.shape))
    dropped = source.fraction - node.type.fraction
    if dropped > source.width and node.type.rounding is not Rounding.TRN:
        wide = FixedPoint(source.signed, dropped + 1, dropped + 1 - source.fraction)
        attributes = attributes_of("WideRequantize", node, n_in=n_in, relu=node.relu, output_shape=node.shape)
        return LayerDescription(attributes, types_of(node, wide=wide))
    attributes = attributes_of("Activation", node, activation="relu" if node.relu else "linear", n_in=n_in)
    return LayerDescription(attributes, {"result": str(node.type)})


@describe.register
def _(node: ir.Reshape, sources: tuple[ir.Node, ...], bounds: Mapping[str, Bounds]) -> LayerDescription:
    if len(node.shape) > 1:
        return words_of_another_length(node)
    return LayerDescription(attributes_of("Reshape", node, target_shape=list(node.shape)), types_of(node))


@describe.register
def _(node: ir.Table, sources: tuple[ir.Node, ...], bounds: Mapping[str, Bounds]) -> LayerDescription:
    by_bits = table_by_raw_bits(node, sources[0])
    attributes = attributes_of(
        "TableLayer",
        node,
        output_shape=node.shape,
        n_in=int(np.prod(node.shape)),
        index_width=sources[0].type.width,
        table_size=by_bits.size,
        table_data=by_bits,
    )
    return LayerDescription(attributes, types_of(node, table=node.table.type))


@describe.register
def _(node: ir.Softmax, sources: tuple[ir.Node, ...], bounds: Mapping[str, Bounds]) -> LayerDescription:
    classes, (_, most) = node.shape[-1], softmax_shifts(node, node.shape[-1])
    largest = int(node.exponential.codes.max())
    product = largest * int(node.reciprocal.codes.max())
    attributes = attributes_of(
        "SoftmaxTables",
        node,
        output_shape=node.shape,
        n_in=int(np.prod(node.shape)),
        n_classes=classes,
        exponential_size=node.exponential.codes.size,
        index_bits=node.reciprocal.codes.size.bit_length() - 1,
        sum_width=(largest * classes).bit_length(),
        # Half a unit is added before the shift.
        product_width=max(product.bit_length(), most) + 1,
        product_shift=node.reciprocal.type.fraction - node.type.fraction,
        exponential_data=to_values(node.exponential.codes, node.exponential.type),
        reciprocal_data=to_values(node.reciprocal.codes, node.reciprocal.type),
    )
    return LayerDescription(
        attributes, types_of(node, exponential=node.exponential.type, reciprocal=node.reciprocal.type)
    )


def words_of_another_length(node: ir.Node) -> LayerDescription:
    """Describe a reshaping by our own layer, which gathers a stream into words of another length."""
    attributes = attributes_of("ReshapeWords", node, output_shape=node.shape, n_in=int(np.prod(node.shape)))
    return LayerDescription(attributes, types_of(node))


def attributes_of(class_name: str, node: ir.Node, **others: Any) -> dict[str, Any]:
    return {
        "class_name": class_name,
        "name": node.name,
        "inputs": list(node.inputs),
        "data_format": "channels_last",
        "trace": True,
        **others,
    }


def weights_of(kernel: ir.Weights, bias: ir.Weights) -> dict[str, Any]:
    return {
        "weight_data": to_values(kernel.codes, kernel.type),
        "bias_data": to_values(bias.codes, bias.type),
        "use_bias": True,
        "weight_quantizer": None,
        "bias_quantizer": None,
    }


def convolution_kind(node: ir.Conv | ir.DepthwiseConv) -> LayerKind:
    """Give the kind of a convolution's matrix-vector product."""
    return LayerKind(f"{'depthwise' if isinstance(node, ir.DepthwiseConv) else 'conv'}{len(node.window)}d")


def product_types(node: ir.Matrix) -> dict[str, str]:
    return types_of(node, weight=node.kernel.type, bias=node.bias.type, accum=node.type)


def table_by_raw_bits(node: ir.Table, source: ir.Node) -> NDArray[np.float64]:
    """Give the values of a table in the order of its input's raw bits: 0, 1, ..., then the negative codes upwards."""
    by_code, lowest = to_values(node.table.codes, node.table.type), source.type.codes.low
    return np.concatenate([by_code[-lowest:], by_code[:-lowest]])


def types_of(node: ir.Node, **others: FixedPoint) -> dict[str, str]:
    return {"result": str(node.type), **{name: str(kind) for name, kind in others.items()}}


def _pooling(operation: str, node: ir.MaxPool | ir.AveragePool, source: ir.Node) -> dict[str, Any]:
    """Describe a pooling by hls4ml's template for it, or by ours where that one refuses it or is not exact."""
    rank, channels = len(node.window), source.shape[-1]
    if any(sum(pair) for pair in node.padding) or (node.window != node.strides and node.window != source.shape[:-1]):
        return _window_pool(node, source, average=operation == "Average")
    if node.window == source.shape[:-1]:
        keepdims = len(node.shape) > 1
        sizes = _input_sizes(source.shape)
        return attributes_of(f"Global{operation}Pooling{rank}D", node, n_filt=channels, keepdims=keepdims, **sizes)
    out = {"n_out": node.shape[0]} if rank == 1 else _sizes("out", node.shape)
    window = _window("pool", node)
    return attributes_of(
        f"{operation}Pooling{rank}D", node, n_filt=channels, **_input_sizes(source.shape), **out, **window
    )


def _window_pool(node: ir.MaxPool | ir.AveragePool, source: ir.Node, *, average: bool) -> dict[str, Any]:
    """Describe a pooling by our own template."""
    return attributes_of("WindowPool", node, **window_sizes(node, source), average=average)


def window_sizes(
    node: ir.MaxPool | ir.AveragePool | ir.DepthwiseConv, source: ir.Node
) -> dict[str, int | tuple[int, ...]]:
    """Give what our own templates want to know of a window; they take one dimension as an image of one row."""
    row = (1,) * (2 - len(node.window))
    in_height, in_width = (*row, *source.shape[:-1])
    height, width = (*row, *node.window)
    down, across = (*row, *node.strides)
    out_height, out_width = (*row, *(node.shape[:-1] or (1,) * len(node.window)))
    top, left = (*(0 for _ in row), *(before for before, _ in node.padding))
    return {
        "output_shape": node.shape,
        "in_height": in_height,
        "in_width": in_width,
        "out_height": out_height,
        "out_width": out_width,
        "n_chan": source.shape[-1],
        "window_height": height,
        "window_width": width,
        "stride_height": down,
        "stride_width": across,
        "pad_top": top,
        "pad_left": left,
    }


def _input_sizes(shape: tuple[int, ...]) -> dict[str, int]:
    """Sizes as pooling layers call them: `n_in` in one dimension."""
    return {"n_in": shape[0]} if len(shape) == 2 else _sizes("in", shape)


def _sizes(prefix: str, shape: tuple[int, ...]) -> dict[str, int]:
    return {f"{prefix}_{axis}": size for axis, size in zip(_axes(len(shape) - 1), shape, strict=False)}


def _window(prefix: str, node: ir.Conv | ir.DepthwiseConv | ir.MaxPool | ir.AveragePool) -> dict[str, Any]:
    found: dict[str, Any] = {"padding": "same" if any(sum(pair) for pair in node.padding) else "valid"}
    for axis, size, stride in zip(_axes(len(node.window)), node.window, node.strides, strict=True):
        found |= {f"{prefix}_{axis}": size, f"stride_{axis}": stride}
    return found | _sides(node.padding)


def _sides(padding: tuple[tuple[int, int], ...]) -> dict[str, int]:
    """Give the padding by the name of each side."""
    sides = (("left", "right"),) if len(padding) == 1 else (("top", "bottom"), ("left", "right"))
    return {
        f"pad_{name}": pad
        for names, pair in zip(sides, padding, strict=True)
        for name, pad in zip(names, pair, strict=True)
    }


def _axes(rank: int) -> tuple[str, ...]:
    return ("width",) if rank == 1 else ("height", "width")
