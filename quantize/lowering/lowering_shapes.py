"""Lower the layers without weights: pooling, sums and joins of branches, padding, flattening."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from siliconv.errors import NetworkError
from siliconv.network import graph as ir
from siliconv.network.fixed_point import narrowest, plain
from siliconv.network.intervals import Bounds
from siliconv.network.windows import real_elements
from siliconv.quantize.lowering.lowering_graph import LoweringGraph, geometry

Lowerer = Callable[[Any, tuple[ir.Node, ...], LoweringGraph], ir.Node]


def _lower_max_pool(layer: Any, sources: tuple[ir.Node, ...], graph: LoweringGraph) -> ir.Node:
    (source,) = sources
    window, strides = tuple(layer.pool_size), tuple(layer.strides)
    padding, spatial = geometry(layer, source, window, strides)
    shape = (*spatial, source.shape[-1])
    return graph.add(ir.MaxPool(layer.name, (source.name,), shape, plain(source.type), window, strides, padding))


def _lower_global_max(layer: Any, sources: tuple[ir.Node, ...], graph: LoweringGraph) -> ir.Node:
    (source,) = sources
    window, shape = source.shape[:-1], tuple(layer.output_shape[1:])
    no_padding = ((0, 0),) * len(window)
    return graph.add(ir.MaxPool(layer.name, (source.name,), shape, plain(source.type), window, window, no_padding))


def _lower_average_pool(layer: Any, sources: tuple[ir.Node, ...], graph: LoweringGraph) -> ir.Node:
    (source,) = sources
    window, strides = tuple(layer.pool_size), tuple(layer.strides)
    padding, spatial = geometry(layer, source, window, strides)
    return _add_average(layer, source, window, strides, padding, (*spatial, source.shape[-1]), graph)


def _lower_global_average(layer: Any, sources: tuple[ir.Node, ...], graph: LoweringGraph) -> ir.Node:
    (source,) = sources
    window = source.shape[:-1]
    no_padding = ((0, 0),) * len(window)
    return _add_average(layer, source, window, window, no_padding, tuple(layer.output_shape[1:]), graph)


def _add_average(
    layer: Any,
    source: ir.Node,
    window: ir.Shape,
    strides: ir.Shape,
    padding: ir.Padding,
    shape: ir.Shape,
    graph: LoweringGraph,
) -> ir.Node:
    counts = real_elements(source.shape[:-1], window, strides, padding)
    # A layer of ours says to how many places it truncates (siliconv.quantize.qkeras.average_pooling).
    fraction = getattr(layer, "fraction", None)
    if fraction is None:
        if np.any(counts & (counts - 1)):
            raise NetworkError(
                "LOWER-AVERAGE",
                f"an average over {int(counts.max())} elements, which no binary fraction holds",
                where=f"layer '{layer.name}'",
                fix="put QActivation right before it, so that its last place is known and it can be truncated there; or"
                " use QAveragePooling2D with an average_quantizer",
            )
        fraction = source.type.fraction + int(counts.max()).bit_length() - 1
    places = fraction - source.type.fraction
    if places < 0:
        raise NetworkError(
            "LOWER-AVERAGE",
            f"an average with {-places} fractional bits fewer than its input",
            where=f"layer '{layer.name}'",
            fix="calibrate again: the layers before it have other types now",
        )
    # An average lies among its terms, and so does its truncation.
    bounds = Bounds(*(bound << places for bound in graph.bounds[source.name]))
    result = narrowest(bounds.interval, fraction)
    return graph.add(ir.AveragePool(layer.name, (source.name,), shape, result, window, strides, padding))


def _lower_add(layer: Any, sources: tuple[ir.Node, ...], graph: LoweringGraph) -> ir.Node:
    return _merged(ir.Add, layer, sources, graph)


def _lower_concatenate(layer: Any, sources: tuple[ir.Node, ...], graph: LoweringGraph) -> ir.Node:
    axes = len(sources[0].shape)
    axis = layer.axis - 1 if layer.axis > 0 else axes + layer.axis
    if not 0 <= axis < axes:
        raise NetworkError(
            "LOWER-CONCATENATE",
            f"inputs joined along axis {layer.axis}, that of the batch or none",
            where=f"layer '{layer.name}'",
            fix="join them along their channels: axis=-1",
        )
    if axis == axes - 1:
        return _merged(ir.Concatenate, layer, sources, graph)
    return _joined_along(axis, layer, sources, graph)


def _joined_along(axis: int, layer: Any, sources: tuple[ir.Node, ...], graph: LoweringGraph) -> ir.Node:
    """Join along a spatial axis: each input where it stands, among zeros, and all of them added."""
    total, before, placed = sum(source.shape[axis] for source in sources), 0, []
    for number, source in enumerate(sources):
        after = total - before - source.shape[axis]
        padding = tuple((before, after) if other == axis else (0, 0) for other in range(len(source.shape) - 1))
        shape = (*source.shape[:axis], total, *source.shape[axis + 1 :])
        name = f"{layer.name}_place{number}"
        placed.append(graph.add(ir.Pad(name, (source.name,), shape, plain(source.type), padding)))
        before += source.shape[axis]
    return _merged(ir.Add, layer, tuple(placed), graph)


def _merged(kind: type[ir.Node], layer: Any, sources: tuple[ir.Node, ...], graph: LoweringGraph) -> ir.Node:
    """Merge two at a time, as hardware does; the last node has the layer's name."""
    merged = sources[0]
    for number, source in enumerate(sources[1:], start=1):
        name = layer.name if number == len(sources) - 1 else f"{layer.name}_part{number}"
        channels = merged.shape[-1] + source.shape[-1] if kind is ir.Concatenate else merged.shape[-1]
        node = kind(name, (merged.name, source.name), (*merged.shape[:-1], channels), merged.type)
        merged = graph.add_narrowest(node, max(merged.type.fraction, source.type.fraction))
    return merged


def _lower_pairs(operation: str) -> Lowerer:
    def lower(layer: Any, sources: tuple[ir.Node, ...], graph: LoweringGraph) -> ir.Node:
        if len({source.shape for source in sources}) > 1:
            raise NetworkError(
                "LOWER-SHAPES",
                f"inputs of the shapes {[source.shape for source in sources]}",
                where=f"layer '{layer.name}'",
                fix="repeat the smaller one, so that all have one shape",
            )
        merged = sources[0]
        for number, source in enumerate(sources[1:], start=1):
            name = layer.name if number == len(sources) - 1 else f"{layer.name}_part{number}"
            node = ir.Pairwise(name, (merged.name, source.name), merged.shape, merged.type, operation)
            places = (merged.type.fraction, source.type.fraction)
            merged = graph.add_narrowest(node, sum(places) if operation == "multiply" else max(places))
        return merged

    return lower


def _lower_rearranged(layer: Any, sources: tuple[ir.Node, ...], graph: LoweringGraph) -> ir.Node:
    (source,) = sources
    shape = tuple(size * times for size, times in zip(layer.sizes, layer.repeats, strict=True))
    moves = (layer.order, layer.before, layer.repeats)
    return graph.add(ir.Rearrange(layer.name, (source.name,), shape, plain(source.type), *moves))


def _lower_padding(layer: Any, sources: tuple[ir.Node, ...], graph: LoweringGraph) -> ir.Node:
    (source,) = sources
    axes = len(source.shape) - 1
    pairs = tuple(layer.padding) if axes == 2 else (layer.padding,)
    padding = tuple((int(before), int(after)) for before, after in pairs)
    spatial = (size + before + after for size, (before, after) in zip(source.shape, padding, strict=False))
    return graph.add(ir.Pad(layer.name, (source.name,), (*spatial, source.shape[-1]), plain(source.type), padding))


def _lower_flatten(layer: Any, sources: tuple[ir.Node, ...], graph: LoweringGraph) -> ir.Node:
    (source,) = sources
    return graph.add(ir.Reshape(layer.name, (source.name,), (int(np.prod(source.shape)),), plain(source.type)))


def _lower_reshape(layer: Any, sources: tuple[ir.Node, ...], graph: LoweringGraph) -> ir.Node:
    (source,) = sources
    return graph.add(ir.Reshape(layer.name, (source.name,), tuple(layer.output_shape[1:]), plain(source.type)))


def _lower_identity(layer: Any, sources: tuple[ir.Node, ...], graph: LoweringGraph) -> ir.Node:
    return sources[0]


SHAPE_LOWERERS: Mapping[str, Lowerer] = {
    "MaxPooling1D": _lower_max_pool,
    "MaxPooling2D": _lower_max_pool,
    "GlobalMaxPooling1D": _lower_global_max,
    "GlobalMaxPooling2D": _lower_global_max,
    "AveragePooling1D": _lower_average_pool,
    "AveragePooling2D": _lower_average_pool,
    "GlobalAveragePooling1D": _lower_global_average,
    "GlobalAveragePooling2D": _lower_global_average,
    "Add": _lower_add,
    "Concatenate": _lower_concatenate,
    "ZeroPadding1D": _lower_padding,
    "ZeroPadding2D": _lower_padding,
    "Flatten": _lower_flatten,
    "Reshape": _lower_reshape,
    "RearrangedElements": _lower_rearranged,
    **{name: _lower_pairs(name.lower()) for name in ("Subtract", "Multiply", "Maximum", "Minimum")},
    "Dropout": _lower_identity,
}
"""By the name of the Keras layer's class."""
