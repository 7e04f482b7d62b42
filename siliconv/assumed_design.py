"""The design of a network that was not trained: its shapes are known, its types follow from the recipe, and its weights
are assumed.

The integer network has its types proven from real weights; what is assumed in their place stands in `ASSUMPTIONS`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import singledispatch
from math import ceil, log2, prod

from siliconv.hls.configuration import HlsConfig
from siliconv.hls.design import (
    Backend,
    Design,
    ElementwiseLayer,
    FixedType,
    GlobalPoolLayer,
    IoType,
    LayerKind,
    MatrixLayer,
    MergeLayer,
    PaddingLayer,
    PoolLayer,
    Tensor,
)
from siliconv.hls.design import Layer as DesignLayer
from siliconv.hls.fifo_depths import smallest_depths
from siliconv.hls.network_design import PADDING_SUFFIX, shift_register_words
from siliconv.hls.reuse_factors import legal_reuse_factors, smallest_legal
from siliconv.hls.stream_actors import stream_graph
from siliconv.models import layers as kinds
from siliconv.models.architecture import INPUT, Architecture, normal_form, output_activation, without_output_activation
from siliconv.models.layers import LayerBase, pair
from siliconv.models.shapes import output_shape
from siliconv.quantize import output_sigmoid
from siliconv.quantize.fixed_point import FixedPoint
from siliconv.quantize.lowering_graph import PIXEL, same_padding
from siliconv.quantize.recipe import Recipe
from siliconv.quantize.weight_levels import stored_bits

ASSUMPTIONS = (
    "not trained yet: no weight is zero, and all are spread over the bits of the recipe",
    "accumulators for weights of a quarter of the largest magnitude; training and lowering prove the real ones",
)
"""What is taken for granted, for people."""

# Bits that a sum of products needs less than if every weight were the largest.
_SPARE_BITS = 2
_ACTIVATION_INTEGER, _BIAS_INTEGER = 3, 3


def assumed_design(name: str, architecture: Architecture, recipe: Recipe, config: HlsConfig) -> Design:
    """Describe an architecture as its firmware would be, with assumed weights.

    Parameters
    ----------
    name
        Of the design.
    architecture
        The network.
    recipe
        Bits of weights, biases and activations.
    config
        Firmware settings; reuse factors and strategies by the names of the integer network.

    Raises
    ------
    ModelError
        For shapes that do not fit together.
    """
    builder = _Builder(recipe, config)
    builder.tensors[INPUT] = Tensor(tuple(architecture.input_shape), _fixed(PIXEL))
    for node in normal_form(without_output_activation(architecture)):
        sources = tuple(builder.flat[source] if source in builder.flat else builder.tensors[source].shape
                        for source in node.inputs)  # fmt: skip
        shape = output_shape(node.layer, node.name, sources)
        _add(node.layer, node.name, node.inputs, shape, builder)
    if output_activation(architecture) == "sigmoid":
        _add_sigmoid(builder)
    design = Design(
        name,
        tuple(builder.layers),
        part=config.part,
        clock_ns=config.clock_ns,
        backend=Backend.VIVADO if config.backend.startswith("Vivado") else Backend.VITIS,
        io_type=IoType(config.io_type),
        shift_register_words=shift_register_words(config),
    )
    if config.io_type != "io_stream" or config.fifo_depths == "hls4ml":
        return design
    depths = {**smallest_depths(stream_graph(design, builder.sources)).depths, **config.fifo_words}
    return replace(design, layers=tuple(replace(layer, fifo_depth=depths.get(layer.name)) for layer in design.layers))


@dataclass
class _Builder:
    """The layers so far, and which tensor each node of the architecture hands on.

    ``flat`` holds the shapes of flattened tensors: the stream itself stays as it is. ``producer`` is the layer that
    writes a node's stream, ``maker`` the layer of weights whose bits rule an activation.
    """

    recipe: Recipe
    config: HlsConfig
    layers: list[DesignLayer] = field(default_factory=list)
    tensors: dict[str, Tensor] = field(default_factory=dict)
    flat: dict[str, tuple[int, ...]] = field(default_factory=dict)
    producer: dict[str, str] = field(default_factory=dict)
    maker: dict[str, str] = field(default_factory=dict)
    sources: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def append(self, layer: DesignLayer, name: str, inputs: tuple[str, ...]) -> None:
        """Add the layer of a node; `inputs` are names of nodes."""
        self.layers.append(layer)
        self.sources[layer.name] = tuple(self.producer[source] for source in inputs if source in self.producer)
        self.producer[name] = layer.name
        self.tensors[name] = layer.output

    def alias(self, name: str, source: str) -> None:
        """Let a node hand on what its source does."""
        self.tensors[name] = self.tensors[source]
        for table in (self.producer, self.maker):
            if source in table:
                table[name] = table[source]
        if source in self.flat:
            self.flat[name] = self.flat[source]


@singledispatch
def _add(layer: LayerBase, name: str, inputs: tuple[str, ...], shape: tuple[int, ...], builder: _Builder) -> None:
    raise TypeError(type(layer))


@_add.register(kinds.Dropout)
@_add.register(kinds.BatchNormalization)
def _(layer: LayerBase, name: str, inputs: tuple[str, ...], shape: tuple[int, ...], builder: _Builder) -> None:
    builder.alias(name, inputs[0])


@_add.register
def _(layer: kinds.Flatten, name: str, inputs: tuple[str, ...], shape: tuple[int, ...], builder: _Builder) -> None:
    builder.alias(name, inputs[0])
    builder.flat[name] = shape


@_add.register(kinds.Conv1D)
@_add.register(kinds.Conv2D)
@_add.register(kinds.DepthwiseConv1D)
@_add.register(kinds.DepthwiseConv2D)
def _(layer: kinds.Conv2D, name: str, inputs: tuple[str, ...], shape: tuple[int, ...], builder: _Builder) -> None:
    one = len(shape) == 2
    window, strides = _sizes(layer.kernel, len(shape) - 1), _sizes(layer.stride, len(shape) - 1)
    depthwise = isinstance(layer, kinds.DepthwiseConv1D | kinds.DepthwiseConv2D)
    kind = {
        (True, False): LayerKind.CONV1D,
        (False, False): LayerKind.CONV2D,
        (True, True): LayerKind.DEPTHWISE1D,
        (False, True): LayerKind.DEPTHWISE2D,
    }[one, depthwise]
    before = builder.tensors[inputs[0]]
    pads = same_padding(before.shape[:-1], window, strides) if layer.padding == "same" else ((0, 0),) * len(window)
    padding = tuple(map(sum, pads))
    if builder.config.io_type == "io_stream" and any(padding):
        padded = (*(size + pad for size, pad in zip(before.shape, padding, strict=False)), before.channels)
        padder = PaddingLayer(name + PADDING_SUFFIX, before, Tensor(padded, before.type))
        builder.append(padder, padder.name, inputs)
        before, padding, inputs = padder.output, (0,) * len(padding), (padder.name,)
    builder.append(_matrix(name, before, shape, kind, builder, window, strides, padding), name, inputs)
    builder.maker[name] = name


@_add.register
def _(layer: kinds.Dense, name: str, inputs: tuple[str, ...], shape: tuple[int, ...], builder: _Builder) -> None:
    builder.append(_matrix(name, builder.tensors[inputs[0]], shape, LayerKind.DENSE, builder), name, inputs)
    builder.maker[name] = name


@_add.register
def _(layer: kinds.Activation, name: str, inputs: tuple[str, ...], shape: tuple[int, ...], builder: _Builder) -> None:
    before = builder.tensors[inputs[0]]
    bits = builder.recipe.bits(builder.maker.get(inputs[0], name)).activations or builder.recipe.activations
    signed = layer.activation == "tanh"
    after = Tensor(before.shape, FixedType(bits, _ACTIVATION_INTEGER, signed, rounds=True, saturates=True))
    builder.append(ElementwiseLayer(name, before, after, function=layer.activation), name, inputs)


@_add.register(kinds.MaxPool)
@_add.register(kinds.AveragePool)
def _(layer: kinds.MaxPool, name: str, inputs: tuple[str, ...], shape: tuple[int, ...], builder: _Builder) -> None:
    before = builder.tensors[inputs[0]]
    stride = layer.stride if layer.stride is not None else layer.pool
    window, strides = _sizes(layer.pool, len(shape) - 1), _sizes(stride, len(shape) - 1)
    average = isinstance(layer, kinds.AveragePool)
    after = Tensor(shape, _averaged(before.type, prod(window)) if average else before.type)
    builder.append(PoolLayer(name, before, after, window, strides, average), name, inputs)


@_add.register(kinds.GlobalAveragePool)
@_add.register(kinds.GlobalMaxPool)
def _(layer: LayerBase, name: str, inputs: tuple[str, ...], shape: tuple[int, ...], builder: _Builder) -> None:
    before = builder.tensors[inputs[0]]
    average = isinstance(layer, kinds.GlobalAveragePool)
    after = Tensor(shape, _averaged(before.type, before.pixels) if average else before.type)
    builder.append(GlobalPoolLayer(name, before, after, average=average), name, inputs)


@_add.register(kinds.Add)
@_add.register(kinds.Concatenate)
def _(layer: kinds.Add, name: str, inputs: tuple[str, ...], shape: tuple[int, ...], builder: _Builder) -> None:
    parts = [builder.tensors[source].type for source in inputs]
    widest = max(parts, key=lambda one: one.width)
    grown = int(isinstance(layer, kinds.Add))
    after = replace(widest, width=widest.width + grown, signed=any(one.signed for one in parts))
    merged = MergeLayer(name, builder.tensors[inputs[0]], Tensor(shape, after), layer.kind, len(inputs))
    builder.append(merged, name, inputs)


def _add_sigmoid(builder: _Builder) -> None:
    logit = builder.layers[-1]
    before = Tensor(logit.output.shape, _fixed(output_sigmoid.INPUT))
    after = Tensor(logit.output.shape, _fixed(output_sigmoid.OUTPUT))
    last = next(reversed(builder.producer))
    builder.append(
        ElementwiseLayer("sigmoid_input", logit.output, before, function="requantize"), "sigmoid_input", (last,)
    )
    entries = 1 << output_sigmoid.INPUT.width
    table = ElementwiseLayer("sigmoid", before, after, function="sigmoid", table_size=entries, table_type=after.type)
    builder.append(table, "sigmoid", ("sigmoid_input",))


def _matrix(
    name: str,
    before: Tensor,
    shape: tuple[int, ...],
    kind: LayerKind,
    builder: _Builder,
    window: tuple[int, ...] = (),
    strides: tuple[int, ...] = (),
    padding: tuple[int, ...] = (),
) -> MatrixLayer:
    bits, recipe, config = builder.recipe.bits(name), builder.recipe, builder.config
    inputs = before.size if kind is LayerKind.DENSE else prod(window) * (1 if kind.is_depthwise else before.channels)
    weights = stored_bits(bits.weights or recipe.weights)
    # Trained weights reach about four over the root of their number; the type covers them.
    reach = ceil(log2(4 / inputs**0.5)) + 1
    width = before.type.width + weights + max((inputs - 1).bit_length() - _SPARE_BITS, 1)
    fraction = before.type.width - before.type.integer + weights - reach
    result = FixedType(width, width - fraction)
    layer = MatrixLayer(
        name,
        before,
        Tensor(shape, result),
        kind=kind,
        weight=FixedType(weights, reach),
        bias=FixedType(bits.biases or recipe.biases, _BIAS_INTEGER),
        accumulator=result,
        kernel=window,
        stride=strides,
        padding=padding,
        strategy=config.strategy_of(name),
        parallelization_factor=config.parallelization_factors.get(name, 1),
    )
    legal = legal_reuse_factors(layer.n_in, layer.n_out, layer.strategy, kind=kind, io_type=config.io_type)
    chosen = config.reuse_factors.get(name) or smallest_legal(legal, layer.products, config.max_multipliers)
    return replace(layer, reuse_factor=chosen or 1)


def _sizes(size: kinds.Size, axes: int) -> tuple[int, ...]:
    """Give a size of a window along each axis."""
    return pair(size) if axes == 2 else (pair(size)[0],)


def _averaged(kind: FixedType, count: int) -> FixedType:
    """Return the type that an exact average over so many elements has."""
    return replace(kind, width=kind.width + (count - 1).bit_length(), rounds=False, saturates=False)


def _fixed(kind: FixedPoint) -> FixedType:
    return FixedType(kind.width, kind.integer, kind.signed)
