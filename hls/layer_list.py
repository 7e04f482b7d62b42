"""Describe an integer network as the list of layers that hls4ml builds its graph from.

Each description carries hls4ml's attributes and, apart from them, the precision of every tensor: hls4ml infers nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import singledispatch
from typing import Any

import numpy as np

from siliconv.errors import FirmwareError
from siliconv.hls.design import LayerKind
from siliconv.quantize.fixed_point import FixedPoint, to_values
from siliconv.quantize.intervals import Bounds, average_sum_type
from siliconv.quantize.network import (
    AveragePool,
    Conv,
    Dense,
    Input,
    MaxPool,
    Node,
    Requantize,
    Reshape,
    Table,
    Weights,
)

TABLE_LAYER = "TableLayer"
"""Our layer for table functions (`siliconv.hls.table_layer`), by name: this module needs no hls4ml."""


@dataclass(frozen=True)
class LayerDescription:
    """One hls4ml layer: its attributes, its types, and the matrix-vector product in it, if there is one."""

    attributes: dict[str, Any]
    precision: dict[str, str]
    product: tuple[int, int] | None = None
    """Inputs and outputs of the matrix-vector product that the reuse factor divides."""
    kind: LayerKind | None = None
    """What kind of layer that product belongs to."""


@singledispatch
def describe(node: Node, sources: tuple[Node, ...], bounds: Mapping[str, Bounds]) -> LayerDescription:
    """Describe one node.

    Parameters
    ----------
    node
        A node of the integer network.
    sources
        The nodes it reads.
    bounds
        Proven bounds of every node (`siliconv.quantize.intervals.prove`).

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
def _(node: Input, sources: tuple[Node, ...], bounds: Mapping[str, Bounds]) -> LayerDescription:
    attributes = _attributes("InputLayer", node, input_shape=list(node.shape))
    return LayerDescription(attributes, {"result": str(node.type)})


@describe.register
def _(node: Conv, sources: tuple[Node, ...], bounds: Mapping[str, Bounds]) -> LayerDescription:
    window, channels, filters = node.kernel.codes.shape[:-2], *node.kernel.codes.shape[-2:]
    attributes = _attributes(
        f"Conv{len(window)}D",
        node,
        n_chan=channels,
        n_filt=filters,
        **_sizes("in", sources[0].shape),
        **_sizes("out", node.shape),
        **_window("filt", window, node.strides, node.padding),
        **_weights(node.kernel, node.bias),
    )
    kind = LayerKind.CONV1D if len(window) == 1 else LayerKind.CONV2D
    product = (int(np.prod(window)) * channels, filters)
    return LayerDescription(attributes, _product_types(node), product, kind)


@describe.register
def _(node: Dense, sources: tuple[Node, ...], bounds: Mapping[str, Bounds]) -> LayerDescription:
    n_in, n_out = node.kernel.codes.shape
    attributes = _attributes("Dense", node, n_in=n_in, n_out=n_out, **_weights(node.kernel, node.bias))
    return LayerDescription(attributes, _product_types(node), (n_in, n_out), LayerKind.DENSE)


@describe.register
def _(node: MaxPool, sources: tuple[Node, ...], bounds: Mapping[str, Bounds]) -> LayerDescription:
    attributes = _pooling("MaxPooling", node, sources[0])
    return LayerDescription(attributes, _types(node, accum=node.type))


@describe.register
def _(node: AveragePool, sources: tuple[Node, ...], bounds: Mapping[str, Bounds]) -> LayerDescription:
    (source,) = sources
    if node.window == source.shape[:-1]:
        attributes = _attributes(
            f"GlobalAveragePooling{len(node.window)}D",
            node,
            n_filt=source.shape[-1],
            keepdims=len(node.shape) > 1,
            **_input_sizes(source.shape),
        )
    else:
        attributes = _pooling("AveragePooling", node, source)
    # The template divides the sum in the accumulator's type, so the accumulator carries the result's fraction.
    return LayerDescription(attributes, _types(node, accum=average_sum_type(node, source, bounds[source.name])))


@describe.register
def _(node: Requantize, sources: tuple[Node, ...], bounds: Mapping[str, Bounds]) -> LayerDescription:
    attributes = _attributes(
        "Activation", node, activation="relu" if node.relu else "linear", n_in=int(np.prod(node.shape))
    )
    return LayerDescription(attributes, {"result": str(node.type)})


@describe.register
def _(node: Reshape, sources: tuple[Node, ...], bounds: Mapping[str, Bounds]) -> LayerDescription:
    attributes = _attributes("Reshape", node, target_shape=list(node.shape))
    return LayerDescription(attributes, _types(node))


@describe.register
def _(node: Table, sources: tuple[Node, ...], bounds: Mapping[str, Bounds]) -> LayerDescription:
    codes = sources[0].type.codes
    by_code = to_values(node.table.codes, node.table.type)
    # Raw bits count 0, 1, ..., then the negative codes from the lowest up.
    by_bits = np.concatenate([by_code[-codes.low :], by_code[: -codes.low]])
    attributes = _attributes(
        TABLE_LAYER,
        node,
        n_in=int(np.prod(node.shape)),
        index_width=sources[0].type.width,
        table_size=by_bits.size,
        table_data=by_bits,
    )
    return LayerDescription(attributes, _types(node, table=node.table.type))


def _attributes(class_name: str, node: Node, **others: Any) -> dict[str, Any]:
    return {
        "class_name": class_name,
        "name": node.name,
        "inputs": list(node.inputs),
        "data_format": "channels_last",
        "trace": True,
        **others,
    }


def _weights(kernel: Weights, bias: Weights) -> dict[str, Any]:
    return {
        "weight_data": to_values(kernel.codes, kernel.type),
        "bias_data": to_values(bias.codes, bias.type),
        "use_bias": True,
        "weight_quantizer": None,
        "bias_quantizer": None,
    }


def _product_types(node: Conv | Dense) -> dict[str, str]:
    return _types(node, weight=node.kernel.type, bias=node.bias.type, accum=node.type)


def _types(node: Node, **others: FixedPoint) -> dict[str, str]:
    return {"result": str(node.type), **{name: str(kind) for name, kind in others.items()}}


def _pooling(name: str, node: MaxPool | AveragePool, source: Node) -> dict[str, Any]:
    sizes = _input_sizes(source.shape)
    out = {"n_out": node.shape[0]} if len(node.window) == 1 else _sizes("out", node.shape)
    return _attributes(
        f"{name}{len(node.window)}D",
        node,
        n_filt=source.shape[-1],
        **sizes,
        **out,
        **_window("pool", node.window, node.strides, node.padding),
    )


def _input_sizes(shape: tuple[int, ...]) -> dict[str, int]:
    """Sizes as pooling layers call them: `n_in` in one dimension."""
    return {"n_in": shape[0]} if len(shape) == 2 else _sizes("in", shape)


def _sizes(prefix: str, shape: tuple[int, ...]) -> dict[str, int]:
    return {f"{prefix}_{axis}": size for axis, size in zip(_axes(len(shape) - 1), shape, strict=False)}


def _window(
    prefix: str, window: tuple[int, ...], strides: tuple[int, ...], padding: tuple[tuple[int, int], ...]
) -> dict[str, Any]:
    found: dict[str, Any] = {"padding": "same" if any(sum(pair) for pair in padding) else "valid"}
    sides = (("left", "right"),) if len(window) == 1 else (("top", "bottom"), ("left", "right"))
    for axis, size, stride, pair, names in zip(_axes(len(window)), window, strides, padding, sides, strict=True):
        found |= {f"{prefix}_{axis}": size, f"stride_{axis}": stride}
        found |= {f"pad_{name}": pad for name, pad in zip(names, pair, strict=True)}
    return found


def _axes(rank: int) -> tuple[str, ...]:
    return ("width",) if rank == 1 else ("height", "width")
