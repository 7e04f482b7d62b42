"""Lower a QKeras model to the integer network: every quantizer becomes a type, every weight an integer.

What has no exact meaning in hardware (a scale that is no power of two, a quantizer with a random part, an unquantized
weight) is refused with a code and the fix, never approximated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from siliconv.errors import NetworkError
from siliconv.quantize.fixed_point import FixedPoint, Overflow, Rounding, exact_codes, narrowest
from siliconv.quantize.intervals import Bounds, node_bounds, sum_of_products_type
from siliconv.quantize.network import (
    AveragePool,
    Conv,
    Dense,
    Input,
    MaxPool,
    Network,
    Node,
    Padding,
    Requantize,
    Reshape,
    Weights,
)
from siliconv.quantize.quantized_functions import hard_type, table_behind
from siliconv.quantize.quantized_weights import is_scaled, scaled_weights

INPUT_NAME = "network_input"
"""Name of the input node; hls4ml reserves plain "input"."""

PIXEL = FixedPoint(signed=False, width=8, integer=0)
"""The type of image pixels: k/256 for k = 0 to 255."""


def lower(
    model: Any, *, name: str, input_type: FixedPoint = PIXEL, metadata: Mapping[str, Any] | None = None
) -> Network:
    """Translate a QKeras model into an integer network with proven types.

    Parameters
    ----------
    model
        A functional tf_keras model with one input and one output.
    name
        Name of the network (a C identifier).
    input_type
        Type of the input; images arrive as k/256.
    metadata
        Facts for people, kept with the network.

    Raises
    ------
    NetworkError
        ``LOWER-...`` with the layer and the fix where something has no exact integer meaning.
    """
    graph = _Graph()
    for layer in model.layers:
        kinds = [kind.__name__ for kind in type(layer).__mro__]
        if "InputLayer" in kinds:
            node: Node = graph.add(Input(INPUT_NAME, (), tuple(model.input_shape[1:]), input_type))
        else:
            lowerer = next((_LOWERERS[kind] for kind in kinds if kind in _LOWERERS), None)
            if lowerer is None:
                raise NetworkError(
                    "LOWER-LAYER",
                    f"a layer of kind {kinds[0]} has no exact integer meaning here",
                    where=f"layer '{layer.name}'",
                    fix="use its quantized counterpart, one of " + ", ".join(sorted(_LOWERERS)),
                )
            node = lowerer(layer, graph.sources(layer), graph)
        graph.output_of[layer.name] = node.name
    return Network(name, tuple(graph.nodes.values()), dict(metadata or {}))


def lowered_kinds() -> frozenset[str]:
    """Give the class names of the Keras layers that have an exact integer meaning here."""
    return frozenset(_LOWERERS)


def quantizer_type(quantizer: Any, *, where: str) -> FixedPoint:
    """Give the fixed-point type that a QKeras quantizer rounds to.

    Raises
    ------
    NetworkError
        ``LOWER-ALPHA``, ``LOWER-STOCHASTIC``, ``LOWER-QUANTIZER`` where there is none.
    """
    kinds = [kind.__name__ for kind in type(quantizer).__mro__]
    to_type = next((_QUANTIZER_TYPES[kind] for kind in kinds if kind in _QUANTIZER_TYPES), None)
    if to_type is None:
        raise NetworkError(
            "LOWER-QUANTIZER",
            "no quantizer" if quantizer is None else f"the quantizer {kinds[0]} has no fixed-point type",
            where=where,
            fix="use " + " or ".join(sorted(_QUANTIZER_TYPES)),
        )
    refuse_chance(quantizer, where)
    return to_type(quantizer, where)


def refuse_chance(quantizer: Any, where: str) -> None:
    """Raise ``LOWER-STOCHASTIC`` for a quantizer with a random part."""
    if getattr(quantizer, "use_stochastic_rounding", False) or getattr(quantizer, "qnoise_factor", 1.0) != 1.0:
        raise NetworkError(
            "LOWER-STOCHASTIC",
            f"the quantizer {quantizer} is not deterministic",
            where=where,
            fix="use use_stochastic_rounding=False and qnoise_factor=1",
        )


def _bits_type(quantizer: Any, where: str) -> FixedPoint:
    # alpha=None behaves as 1 in quantized_bits but not in every layer that adopts it (qkeras #129), so it is refused.
    if quantizer.alpha is None or isinstance(quantizer.alpha, str) or float(quantizer.alpha) != 1.0:
        raise NetworkError(
            "LOWER-ALPHA",
            f"the quantizer scales by alpha={quantizer.alpha!r}",
            where=where,
            fix="use alpha=1 and choose the integer bits instead, or alpha='auto_po2' for a kernel",
        )
    sign = bool(quantizer.keep_negative)
    return FixedPoint(
        signed=sign,
        width=int(quantizer.bits),
        integer=int(quantizer.integer) + sign,
        rounding=Rounding.RND_CONV,
        overflow=Overflow.SAT_SYM if quantizer.symmetric and sign else Overflow.SAT,
    )


def _relu_type(quantizer: Any, where: str) -> FixedPoint:
    if quantizer.negative_slope or quantizer.use_sigmoid:
        raise NetworkError(
            "LOWER-QUANTIZER",
            f"{quantizer} with a slope or a sigmoid",
            where=where,
            fix="use quantized_relu(bits, integer), with or without relu_upper_bound",
        )
    return FixedPoint(False, int(quantizer.bits), int(quantizer.integer), Rounding.RND_CONV, Overflow.SAT)


_QUANTIZER_TYPES: dict[str, Callable[[Any, str], FixedPoint]] = {
    "quantized_bits": _bits_type,
    "quantized_relu": _relu_type,
    "quantized_tanh": hard_type,
    "quantized_sigmoid": hard_type,
}


@dataclass
class _Graph:
    """The nodes so far, their proven bounds, and which node stands for the output of which layer."""

    nodes: dict[str, Node] = field(default_factory=dict)
    bounds: dict[str, Bounds] = field(default_factory=dict)
    output_of: dict[str, str] = field(default_factory=dict)

    def add(self, node: Node) -> Node:
        sources = tuple(self.nodes[name] for name in node.inputs)
        self.bounds[node.name] = node_bounds(node, sources, tuple(self.bounds[name] for name in node.inputs))
        self.nodes[node.name] = node
        return node

    def sources(self, layer: Any) -> tuple[Node, ...]:
        inbound = layer.inbound_nodes[0].inbound_layers
        before = inbound if isinstance(inbound, list) else [inbound]
        return tuple(self.nodes[self.output_of[layer.name]] for layer in before)


def _lower_convolution(layer: Any, sources: tuple[Node, ...], graph: _Graph) -> Node:
    if layer.data_format != "channels_last" or set(layer.dilation_rate) != {1} or layer.groups != 1:
        raise NetworkError(
            "LOWER-CONV",
            "a convolution with channels first, dilation or groups",
            where=f"layer '{layer.name}'",
            fix="use channels_last, dilation 1 and one group",
        )
    (source,) = sources
    kernel, bias = _weights(layer)
    strides = tuple(layer.strides)
    padding, spatial = _geometry(layer, source, kernel.codes.shape[:-2], strides)
    result = sum_of_products_type(kernel, bias, graph.bounds[source.name], source.type)
    shape = (*spatial, kernel.codes.shape[-1])
    node = graph.add(Conv(layer.name, (source.name,), shape, result, kernel, bias, strides, padding))
    return _lower_own_activation(layer, node, graph)


def _lower_dense(layer: Any, sources: tuple[Node, ...], graph: _Graph) -> Node:
    (source,) = sources
    kernel, bias = _weights(layer)
    result = sum_of_products_type(kernel, bias, graph.bounds[source.name], source.type)
    shape = (*source.shape[:-1], kernel.codes.shape[-1])
    node = graph.add(Dense(layer.name, (source.name,), shape, result, kernel, bias))
    return _lower_own_activation(layer, node, graph)


def _lower_own_activation(layer: Any, node: Node, graph: _Graph) -> Node:
    activation = layer.activation
    if activation is None or getattr(activation, "__name__", "") == "linear":
        return node
    return _add_requantize(f"{layer.name}_activation", activation, node, graph)


def _lower_activation(layer: Any, sources: tuple[Node, ...], graph: _Graph) -> Node:
    return _add_requantize(layer.name, layer.quantizer, sources[0], graph)


def _add_requantize(name: str, quantizer: Any, source: Node, graph: _Graph) -> Node:
    kind = quantizer_type(quantizer, where=f"activation '{name}'")
    relu = any(parent.__name__ == "quantized_relu" for parent in type(quantizer).__mro__)
    table = table_behind(name, quantizer, kind)
    if table is None:
        return graph.add(Requantize(name, (source.name,), source.shape, kind, relu))
    return graph.add(table(graph.add(Requantize(f"{name}_input", (source.name,), source.shape, kind, relu))))


def _lower_max_pool(layer: Any, sources: tuple[Node, ...], graph: _Graph) -> Node:
    (source,) = sources
    window, strides = tuple(layer.pool_size), tuple(layer.strides)
    padding, spatial = _geometry(layer, source, window, strides)
    shape = (*spatial, source.shape[-1])
    return graph.add(MaxPool(layer.name, (source.name,), shape, plain(source.type), window, strides, padding))


def _lower_average_pool(layer: Any, sources: tuple[Node, ...], graph: _Graph) -> Node:
    window, strides = tuple(layer.pool_size), tuple(layer.strides)
    padding, spatial = _geometry(layer, sources[0], window, strides)
    return _add_average(layer.name, sources[0], window, strides, padding, (*spatial, sources[0].shape[-1]), graph)


def _lower_global_average(layer: Any, sources: tuple[Node, ...], graph: _Graph) -> Node:
    (source,) = sources
    window = source.shape[:-1]
    no_padding = ((0, 0),) * len(window)
    shape = tuple(layer.output_shape[1:])
    return _add_average(layer.name, source, window, window, no_padding, shape, graph)


def _add_average(
    name: str,
    source: Node,
    window: tuple[int, ...],
    strides: tuple[int, ...],
    padding: Padding,
    shape: tuple[int, ...],
    graph: _Graph,
) -> Node:
    count = int(np.prod(window))
    padded = any(sum(pair) for pair in padding)
    if count & (count - 1) or padded:
        raise NetworkError(
            "LOWER-AVERAGE",
            f"an average over a window of {count} elements{' with padding' if padded else ''}",
            where=f"layer '{name}'",
            fix="use a window whose number of elements is a power of two, without padding",
        )
    fraction = source.type.fraction + count.bit_length() - 1
    bounds = Bounds(*(bound * count for bound in graph.bounds[source.name]))
    result = narrowest(bounds.interval, fraction)
    return graph.add(AveragePool(name, (source.name,), shape, result, window, strides, padding))


def _lower_flatten(layer: Any, sources: tuple[Node, ...], graph: _Graph) -> Node:
    (source,) = sources
    return graph.add(Reshape(layer.name, (source.name,), (int(np.prod(source.shape)),), plain(source.type)))


def _lower_identity(layer: Any, sources: tuple[Node, ...], graph: _Graph) -> Node:
    return sources[0]


def _weights(layer: Any) -> tuple[Weights, Weights]:
    kernel = _integer_weights(layer.kernel, layer.kernel_quantizer_internal, f"kernel of layer '{layer.name}'")
    if layer.use_bias:
        return kernel, _integer_weights(layer.bias, layer.bias_quantizer_internal, f"bias of layer '{layer.name}'")
    return kernel, Weights(np.zeros(kernel.codes.shape[-1], dtype=np.int64), FixedPoint(True, 1, 1))


def _integer_weights(variable: Any, quantizer: Any, where: str) -> Weights:
    if is_scaled(quantizer):
        refuse_chance(quantizer, where)
        return scaled_weights(np.asarray(quantizer(variable.numpy())), quantizer, where)
    kind = quantizer_type(quantizer, where=where)
    values = np.asarray(quantizer(variable.numpy()))
    return Weights(exact_codes(values, plain(kind), where=where), plain(kind))


def plain(kind: FixedPoint) -> FixedPoint:
    """Give the same bits without rounding and overflow modes, for a tensor that is never converted into the type."""
    return FixedPoint(kind.signed, kind.width, kind.integer)


def same_padding(shape: tuple[int, ...], window: tuple[int, ...], strides: tuple[int, ...]) -> Padding:
    """Give Keras' 'same' padding, a (before, after) pair for each spatial axis; the odd one comes after."""
    pairs = []
    for size, extent, stride in zip(shape, window, strides, strict=True):
        total = max((-(-size // stride) - 1) * stride + extent - size, 0)
        pairs.append((total // 2, total - total // 2))
    return tuple(pairs)


def _geometry(
    layer: Any, source: Node, window: tuple[int, ...], strides: tuple[int, ...]
) -> tuple[Padding, tuple[int, ...]]:
    """Give the padding and the spatial shape of the output of a layer that slides a window."""
    spatial = source.shape[:-1]
    padding = same_padding(spatial, window, strides) if layer.padding == "same" else ((0, 0),) * len(window)
    out = tuple(
        (size + sum(pair) - extent) // stride + 1
        for size, pair, extent, stride in zip(spatial, padding, window, strides, strict=True)
    )
    return padding, out


_LOWERERS: dict[str, Callable[[Any, tuple[Node, ...], _Graph], Node]] = {
    "QConv1D": _lower_convolution,
    "QConv2D": _lower_convolution,
    "QDense": _lower_dense,
    "QActivation": _lower_activation,
    "MaxPooling1D": _lower_max_pool,
    "MaxPooling2D": _lower_max_pool,
    "AveragePooling1D": _lower_average_pool,
    "AveragePooling2D": _lower_average_pool,
    "GlobalAveragePooling1D": _lower_global_average,
    "GlobalAveragePooling2D": _lower_global_average,
    "Flatten": _lower_flatten,
    "Dropout": _lower_identity,
    "SeededDropout": _lower_identity,
}
