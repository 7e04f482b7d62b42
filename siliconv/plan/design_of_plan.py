"""The design of a plan, for an estimate before anything is trained.

The layers are those that lowering will make of the architecture, their types follow from the recipe, and the hardware
is that of the same nodes once they are trained. What is assumed in place of weights stands in `ASSUMPTIONS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, isfinite, log2, prod

import numpy as np

from siliconv.errors import FirmwareError
from siliconv.hls.conversion.firmware_form import misses_rows
from siliconv.hls.conversion.layer_list import LayerDescription
from siliconv.hls.conversion.layer_settings import with_settings
from siliconv.hls.design.design import Design, Layer
from siliconv.hls.design.hardware_layers import Product, Settings, hardware_layers, product_layers
from siliconv.hls.fifo.sized_design import design_of, sized_design
from siliconv.hls.kinds import IoType, LayerKind
from siliconv.models.architectures.functions import relu_bound, sloped_relu
from siliconv.network import graph as ir
from siliconv.network import output_sigmoid, output_softmax
from siliconv.network.fixed_point import FixedPoint, Interval, Overflow, Rounding, narrowest, plain, types_made_in
from siliconv.network.table_types import FUNCTIONS, INPUT_BITS, table_input, table_output
from siliconv.network.windows import real_elements
from siliconv.plan.plan import INPUT, Plan, PlannedLayer
from siliconv.quantize.lowering.lowering import INPUT_NAME

ASSUMPTIONS = (
    "not trained yet: no weight is zero, and all are spread over the bits of the recipe",
    "accumulators for weights of a quarter of the largest magnitude; training and lowering prove the real ones",
)
"""What is taken for granted, for people."""

# Bits that a sum of products needs less than if every weight were the largest.
_SPARE_BITS = 2
_ACTIVATION_INTEGER, _BIAS_INTEGER = 3, 3


def planned_design(plan: Plan, *, search_fifos: bool = True) -> Design:
    """Describe the network of an earlier build where the plan has one, else the planned layers with assumed weights.

    Parameters
    ----------
    plan
        Layers, recipe and firmware settings.
    search_fifos
        As for `siliconv.hls.fifo.sized_design.design_of`.

    Raises
    ------
    FirmwareError
        As `siliconv.hls.fifo.sized_design.design_of`.
    NetworkError
        ``TYPE-WIDTH`` for sums of more bits than an integer network has.
    """
    if plan.network is not None:
        return design_of(plan.network, plan.hls, search_fifos=search_fifos)
    nodes = _planned_nodes(plan)
    described = {node.name: _described(node, nodes) for node in nodes.values()}
    layers = with_settings(tuple(nodes.values()), described, plan.hls)
    settings = Settings(plan.hls, {layer.name: layer for layer in layers})
    return sized_design(plan.name, tuple(nodes.values()), settings, search_fifos=search_fifos)


@dataclass(frozen=True, eq=False)
class _PlannedProduct(ir.Node):
    """A convolution, depthwise convolution or dense layer whose weights are not known."""

    product: Product


@hardware_layers.register
def _(node: _PlannedProduct, sources: tuple[ir.Node, ...], settings: Settings) -> list[Layer]:
    return product_layers(node, sources[0], node.product, settings)


def _described(node: ir.Node, nodes: Mapping[str, ir.Node]) -> LayerDescription:
    """Describe what settings are chosen by: the matrix-vector product in a node."""
    if not isinstance(node, _PlannedProduct):
        return LayerDescription({}, {})
    n_in = prod(node.product.window) * nodes[node.inputs[0]].shape[-1]
    return LayerDescription({}, {}, (n_in, node.shape[-1]), node.product.kind)


def _planned_nodes(plan: Plan) -> dict[str, ir.Node]:
    """Give the nodes that lowering will make, by name, in the order of the data."""
    made = {layer.name for layer in plan.layers}
    inputs = {
        source: ir.Input(INPUT_NAME if source == INPUT else source, (), shape, plan.input_type)
        for layer in plan.layers
        for source, shape in zip(layer.sources, layer.inputs, strict=True)
        if source not in made
    }
    nodes: dict[str, ir.Node] = {image.name: image for image in inputs.values()}
    for layer in plan.layers:
        make = _product if layer.matrix is not None else _MAKERS.get(layer.kind)
        if make is None:
            raise _no_hardware(layer, f"a layer of kind {layer.kind}")
        sources = tuple(inputs[name] if name in inputs else nodes[name] for name in layer.sources)
        with types_made_in(layer.name):
            nodes |= {node.name: node for node in make(layer, sources, plan)}
    ends = plan.ends or {next(reversed(nodes)): plan.output_activation or ""}
    for name, function in ends.items():
        behind = {"sigmoid": _sigmoid, "softmax": _softmax}.get(function)
        if behind is not None and name in nodes:
            before = f"{name}_" if plan.ends else ""
            nodes |= {node.name: node for node in behind(nodes[name], f"{before}{function}")}
    return nodes


def _product(layer: PlannedLayer, sources: Sequence[ir.Node], plan: Plan) -> list[ir.Node]:
    assert layer.matrix is not None  # the caller looked
    (source,), window, padding = sources, layer.window, _sides(layer)
    inputs = prod(window) * (1 if layer.matrix.is_depthwise else source.shape[-1])
    bits = plan.weight_bits(layer)
    # Trained weights reach about four over the root of their number; the type covers them.
    weight = FixedPoint(True, bits, ceil(log2(4 / inputs**0.5)) + 1)
    bias = FixedPoint(True, plan.bias_bits(layer), _BIAS_INTEGER if layer.has_bias else 1)
    width = source.type.width + bits + max((inputs - 1).bit_length() - _SPARE_BITS, 1)
    fraction = source.type.fraction + weight.fraction
    finer = max(bias.fraction - fraction, 0)
    kind = FixedPoint(True, width + finer, width - fraction)
    stream = plan.io_type is IoType.STREAM
    if stream and misses_rows(window, layer.strides, depthwise=layer.matrix.is_depthwise):
        (above, below), *across = padding
        window, padding = (2, *window[1:]), ((above, below + 1), *across)
    product = Product(layer.matrix, weight, bias, window, layer.strides, padding)
    if layer.matrix is LayerKind.DENSE:
        product = Product(layer.matrix, weight, bias)
    return [_PlannedProduct(layer.name, (source.name,), layer.output, kind, product)]


def _activation(layer: PlannedLayer, sources: Sequence[ir.Node], plan: Plan) -> list[ir.Node]:
    (source,) = sources
    bits = plan.recipe.bits(source.name).activations or plan.recipe.activations
    function = layer.activation or "relu"
    if function in FUNCTIONS:
        return _table(layer.name, source, function, table_input(function), table_output(function, bits))
    if function == "softmax":
        return _softmax(source, layer.name)
    bound, slope = relu_bound(function), sloped_relu(function)
    if slope == 1.0:
        kind = FixedPoint(True, bits, _ACTIVATION_INTEGER + 1, Rounding.RND_CONV, Overflow.SAT)
        return [ir.Requantize(layer.name, (source.name,), source.shape, kind, relu=False)]
    if slope is not None:
        return _sloped(layer.name, source, bits, slope)
    if bound is None:
        # Where the values of other functions lie is known from the data only.
        integer = _ACTIVATION_INTEGER + 1
        index, entries = (
            FixedPoint(True, width, integer, Rounding.RND_CONV, Overflow.SAT) for width in (INPUT_BITS, bits)
        )
        return _table(layer.name, source, function, index, entries)
    kind = FixedPoint(False, bits, _ACTIVATION_INTEGER, Rounding.RND_CONV, Overflow.SAT)
    if not isfinite(bound):
        return [ir.Requantize(layer.name, (source.name,), source.shape, kind, relu=True)]
    rounded = ir.Requantize(f"{layer.name}_input", (source.name,), source.shape, kind, relu=True)
    entries_of = _entries(bits, plain(kind))
    return [rounded, ir.Table(layer.name, (rounded.name,), source.shape, entries_of.type, entries_of, function)]


def _sloped(name: str, source: ir.Node, bits: int, slope: float) -> list[ir.Node]:
    """A ReLU with a slope that is a power of two, as lowering makes it."""
    up = FixedPoint(False, bits - 1, _ACTIVATION_INTEGER, Rounding.RND_CONV, Overflow.SAT)
    down = FixedPoint(True, bits, bits - up.fraction - round(log2(slope)), Rounding.RND_CONV, Overflow.SAT)
    positive = ir.Requantize(f"{name}_positive", (source.name,), source.shape, up, relu=True)
    rounded = ir.Requantize(f"{name}_input", (source.name,), source.shape, down, relu=False)
    kind = FixedPoint(True, bits, _ACTIVATION_INTEGER + 1)
    entries = _entries(bits, kind)
    negative = ir.Table(f"{name}_negative", (rounded.name,), source.shape, kind, entries, "negative_slope")
    return [positive, rounded, negative, ir.Add(name, (positive.name, negative.name), source.shape, kind)]


def _max_pool(layer: PlannedLayer, sources: Sequence[ir.Node], plan: Plan) -> list[ir.Node]:
    (source,) = sources
    kind = plain(source.type)
    return [ir.MaxPool(layer.name, (source.name,), layer.output, kind, layer.window, layer.strides, _sides(layer))]


def _average_pool(layer: PlannedLayer, sources: Sequence[ir.Node], plan: Plan) -> list[ir.Node]:
    (source,), window, padding = sources, layer.window, _sides(layer)
    counts = real_elements(source.shape[:-1], window, layer.strides, padding)
    places = (int(counts.max()) - 1).bit_length()
    fraction = source.type.fraction + places
    kind = narrowest(_codes(source, fraction), fraction)
    return [ir.AveragePool(layer.name, (source.name,), layer.output, kind, window, layer.strides, padding)]


def _add(layer: PlannedLayer, sources: Sequence[ir.Node], plan: Plan) -> list[ir.Node]:
    return _merged(ir.Add, layer, sources)


def _concatenate(layer: PlannedLayer, sources: Sequence[ir.Node], plan: Plan) -> list[ir.Node]:
    if layer.axis == -1:
        return _merged(ir.Concatenate, layer, sources)
    placed: list[ir.Node] = []
    before, total = 0, layer.output[layer.axis]
    for number, source in enumerate(sources):
        after = total - before - source.shape[layer.axis]
        padding = tuple((before, after) if axis == layer.axis else (0, 0) for axis in range(len(source.shape) - 1))
        shape = (*source.shape[: layer.axis], total, *source.shape[layer.axis + 1 :])
        placed.append(ir.Pad(f"{layer.name}_place{number}", (source.name,), shape, plain(source.type), padding))
        before += source.shape[layer.axis]
    return [*placed, *_merged(ir.Add, layer, placed)]


def _pairs(layer: PlannedLayer, sources: Sequence[ir.Node], plan: Plan) -> list[ir.Node]:
    """Bring tensors together two at a time, as lowering does."""
    nodes: list[ir.Node] = []
    merged, multiplies = sources[0], layer.kind == "multiply"
    for number, source in enumerate(sources[1:], start=1):
        name = layer.name if number == len(sources) - 1 else f"{layer.name}_part{number}"
        fraction = max(merged.type.fraction, source.type.fraction)
        one, other = (_codes(node, node.type.fraction if multiplies else fraction) for node in (merged, source))
        if multiplies:
            products = [a * b for a in one for b in other]
            fraction, reached = merged.type.fraction + source.type.fraction, Interval(min(products), max(products))
        elif layer.kind == "subtract":
            reached = Interval(one.low - other.high, one.high - other.low)
        else:
            reached = Interval(min(one.low, other.low), max(one.high, other.high))
        kind = narrowest(reached, fraction)
        merged = ir.Pairwise(name, (merged.name, source.name), merged.shape, kind, layer.kind)
        nodes.append(merged)
    return nodes


def _rearranged(layer: PlannedLayer, sources: Sequence[ir.Node], plan: Plan) -> list[ir.Node]:
    (source,), moves = sources, layer.moves
    assert moves is not None  # the plan has them for this kind
    inputs = (source.name,)
    return [
        ir.Rearrange(layer.name, inputs, layer.output, plain(source.type), moves.order, moves.before, moves.repeats)
    ]


def _merged(make: type[ir.Add | ir.Concatenate], layer: PlannedLayer, sources: Sequence[ir.Node]) -> list[ir.Node]:
    """Merge two at a time, as lowering does."""
    nodes: list[ir.Node] = []
    merged = sources[0]
    for number, source in enumerate(sources[1:], start=1):
        name = layer.name if number == len(sources) - 1 else f"{layer.name}_part{number}"
        fraction = max(merged.type.fraction, source.type.fraction)
        one, other = (_codes(node, fraction) for node in (merged, source))
        reached = Interval(min(one.low, other.low), max(one.high, other.high))
        channels = merged.shape[-1] + source.shape[-1]
        if make is ir.Add:
            reached, channels = Interval(one.low + other.low, one.high + other.high), merged.shape[-1]
        shape = (*merged.shape[:-1], channels)
        merged = make(name, (merged.name, source.name), shape, narrowest(reached, fraction))
        nodes.append(merged)
    return nodes


def _pad(layer: PlannedLayer, sources: Sequence[ir.Node], plan: Plan) -> list[ir.Node]:
    (source,) = sources
    return [ir.Pad(layer.name, (source.name,), layer.output, plain(source.type), _sides(layer))]


def _flatten(layer: PlannedLayer, sources: Sequence[ir.Node], plan: Plan) -> list[ir.Node]:
    (source,) = sources
    return [ir.Reshape(layer.name, (source.name,), layer.output, plain(source.type))]


_MAKERS: Mapping[str, Callable[[PlannedLayer, Sequence[ir.Node], Plan], list[ir.Node]]] = {
    "activation": _activation,
    "max_pool": _max_pool,
    "global_max_pool": _max_pool,
    "average_pool": _average_pool,
    "global_average_pool": _average_pool,
    "add": _add,
    "concatenate": _concatenate,
    "zero_padding": _pad,
    "flatten": _flatten,
    "reshape": _flatten,
    "rearrange": _rearranged,
    **dict.fromkeys(("subtract", "multiply", "maximum", "minimum"), _pairs),
}


def _sigmoid(logits: ir.Node, name: str = "sigmoid") -> list[ir.Node]:
    return _table(name, logits, "sigmoid", output_sigmoid.INPUT, output_sigmoid.OUTPUT)


def _softmax(logits: ir.Node, name: str = "softmax") -> list[ir.Node]:
    rounded = ir.Requantize(
        f"{name}_input",
        (logits.name,),
        logits.shape,
        output_softmax.input_type(max(logits.type.integer, 1)),
        relu=False,
    )
    exponentials = _entries(output_softmax.STEP_BITS + output_softmax.FURTHEST_BITS, output_softmax.EXPONENTIAL)
    reciprocals = _entries(output_softmax.INDEX_BITS, output_softmax.RECIPROCAL)
    result = ir.Softmax(name, (rounded.name,), logits.shape, output_softmax.OUTPUT, exponentials, reciprocals)
    return [rounded, result]


def _table(name: str, source: ir.Node, function: str, inputs: FixedPoint, outputs: FixedPoint) -> list[ir.Node]:
    rounded = ir.Requantize(f"{name}_input", (source.name,), source.shape, inputs, relu=False)
    entries = _entries(inputs.width, plain(outputs))
    return [rounded, ir.Table(name, (rounded.name,), source.shape, entries.type, entries, function)]


def _entries(bits: int, kind: FixedPoint) -> ir.Weights:
    """Give a table of the right size; the hardware is the same whatever is in it."""
    return ir.Weights(np.zeros(1 << bits, dtype=np.int64), kind)


def _codes(node: ir.Node, fraction: int) -> Interval:
    """Give the codes of a node with so many fractional bits, at least its own."""
    low, high = node.type.reachable
    places = fraction - node.type.fraction
    return Interval(low << places, high << places)


def _sides(layer: PlannedLayer) -> ir.Padding:
    """Give the padding before and after each axis; the odd one comes after."""
    return tuple((total // 2, total - total // 2) for total in layer.padding)


def _no_hardware(layer: PlannedLayer, what: str) -> FirmwareError:
    return FirmwareError(
        "ESTIMATE-NODE",
        f"no hardware model for {what}",
        where=f"layer '{layer.name}'",
        fix="use layers that have firmware",
    )
