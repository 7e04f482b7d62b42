"""Latency and initiation interval of each layer, from the loops of hls4ml's templates. Units are cycles.

Sources, hls4ml 1.3.0: nnet_conv2d_stream.h, nnet_conv_stream.h, nnet_dense_stream.h, nnet_dense_latency.h,
nnet_dense_resource.h, nnet_pooling_stream.h, nnet_padding_stream.h, nnet_activation_stream.h, in
templates/vivado and templates/vitis. The few cycles that a tool adds around a loop are named below with
where they were read.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import singledispatch
from math import ceil, log2, prod

from siliconv.hardware.devices import family_of
from siliconv.hls.design.design import (
    Design,
    ElementwiseLayer,
    GlobalPoolLayer,
    Layer,
    MatrixLayer,
    PaddingLayer,
    PoolLayer,
    ResizeLayer,
    SoftmaxLayer,
    UnknownLayer,
)
from siliconv.hls.estimate.memory import table_is_computed
from siliconv.hls.estimate.multipliers import dsps_of_product, is_unrolled, multiplier_limit, weight_statistics
from siliconv.hls.kinds import Backend, IoType, Strategy

# Reading, window and writing around the product of one output pixel, without the stages of the product's last step
# (reports: reuse factor + 5 in Vitis HLS 2024.2 at 30 ns, + 5 or 6 in Vivado HLS 2019.2 at 5 ns; 11 in all for products
# of several DSPs).
_PIXEL_OVERHEAD, _WIDE_PIXEL_OVERHEAD = 4, 11
READ_NS = 2.0
"""Nanoseconds that reading a memory or a stream takes, besides what is done with the word."""
# What a pixel takes that completes no window (the shortest iteration in the same reports).
_FILLING = {Backend.VIVADO: 3, Backend.VITIS: 4}
# Multiplication and addition of the last step, and leaving the loop (reports: rf + 1 .. 2 and wrapper).
_REUSE_OVERHEAD = 2
LOOP_OVERHEAD = {Backend.VIVADO: 3, Backend.VITIS: 2}
"""Cycles to fill and drain a pipelined loop over the pixels."""
# Above this many steps Vivado HLS no longer unrolls the index table and divides at run time (10000 steps
# run at one a cycle, 39200 at 21, 307200 at 24: a divider of the step counter's width).
_LONGEST_INDEX_TABLE, _DIVIDER_OVERHEAD = 16384, 5
# Part of the adder tree that follows the last of the products that share few multipliers.
_AFTER_SHARING = 0.6


@dataclass(frozen=True)
class Cycles:
    """The longest latency and initiation interval of a layer for one image."""

    latency: int
    interval: int


@singledispatch
def schedule(layer: Layer, design: Design) -> Cycles:
    """Return the cycles of a layer; the default passes one pixel a cycle."""
    if design.io_type is IoType.PARALLEL:
        return Cycles(0, 1)
    return _loop(layer.output.pixels, 1, design)


@schedule.register
def _(layer: UnknownLayer, design: Design) -> Cycles:
    return Cycles(0, 1)


@schedule.register
def _(layer: MatrixLayer, design: Design) -> Cycles:
    if layer.kind.is_convolution:
        if design.io_type is IoType.STREAM:
            return _stream_convolution(layer, design)
        return _parallel_convolution(layer, design)
    product = matrix_vector(layer, design)
    if design.io_type is IoType.PARALLEL:
        return product
    words = layer.input.pixels
    if words == 1 and product.interval == 1 and design.backend is Backend.VIVADO:
        return Cycles(product.latency + 1, 1)
    total = (words + 2 if words > 1 else 1) + product.latency + (_PREPARE if words > 1 else 0)
    return Cycles(total, total)


_PREPARE = 2


@schedule.register
def _(layer: PoolLayer, design: Design) -> Cycles:
    if design.io_type is IoType.PARALLEL:
        # Averages divide; Vivado HLS builds a divider, Vitis HLS a multiplication.
        slow = layer.average and layer.counts_vary and design.backend is Backend.VIVADO
        return Cycles(layer.output.type.width + 5 if slow else 0, 1)
    return _loop(prod(layer.raster), 1, design)


@schedule.register
def _(layer: GlobalPoolLayer, design: Design) -> Cycles:
    if design.io_type is IoType.PARALLEL:
        levels = ceil(log2(max(layer.input.pixels, 2)))
        return Cycles(max(levels - 1, 0), 1)
    return _loop(layer.input.pixels, 1, design)


@schedule.register
def _(layer: ElementwiseLayer, design: Design) -> Cycles:
    table = layer.function in ("sigmoid", "tanh", "elu", "selu", "softplus", "softsign")
    slow_rounding = layer.output.type.rounds and design.usable_clock_ns < 3.5
    depth = 2 if table else int(slow_rounding)
    if design.io_type is IoType.PARALLEL:
        return Cycles(depth, 1)
    pixels = layer.input.pixels
    lanes = 1
    if layer.function == "normalize" and layer.reuse_factor > 1 and design.backend is Backend.VIVADO:
        # Few multipliers are shared by the channels of a pixel.
        limit = ceil(layer.input.size / layer.reuse_factor)
        lanes = min(layer.reuse_factor, ceil(layer.input.channels / limit) + (5 if pixels > 1 else 0))
    if pixels == 1:
        latency = max(lanes - 1, depth + int(layer.output.type.rounds))
        pipelined = lanes == 1 and design.backend is Backend.VIVADO
        return Cycles(latency, 1 if pipelined else max(latency, 1))
    return _loop(pixels, lanes, design)


@schedule.register
def _(layer: SoftmaxLayer, design: Design) -> Cycles:
    classes = layer.input.size
    if table_is_computed(layer):
        latency = layer.table_size + 4 * ceil(log2(max(classes, 2))) + classes
        return Cycles(latency, latency)
    levels = ceil(log2(max(classes, 2)))
    if design.io_type is IoType.PARALLEL:
        if family_of(design.part).add_ns > design.usable_clock_ns / 2:
            # Slow logic: one or two stages a level of the maximum's tree and of the sum's.
            each = 2.0 if design.usable_clock_ns > 4 else 3.5
            # Products made of logic are not pipelined as a DSP block is.
            last = 4 if design.forced_multipliers == "fabric" else 6
            return Cycles(last + round(each * levels), 1)
        return Cycles(4 if design.backend is Backend.VIVADO else 3 + levels // 2, 1)
    if layer.tables:
        # All classes of a pixel at once, a pixel a cycle.
        latency = 5 + ceil(log2(max(layer.input.channels, 2))) + layer.input.pixels - 1
        return Cycles(latency, latency)
    latency = 2 * classes + 4 if design.backend is Backend.VIVADO else 5 + levels
    return Cycles(latency, latency)


@schedule.register
def _(layer: PaddingLayer, design: Design) -> Cycles:
    grown = [b - a for a, b in zip(layer.input.shape[:-1], layer.output.shape[:-1], strict=False)]
    # The loops over two or more padding pixels of a row are not merged with the row's own.
    rows = layer.input.shape[0] if len(grown) == 2 and grown[-1] > 2 else 0
    cycles = _loop(layer.output.pixels, 1, design)
    extra = 4 * rows + (8 if rows else 0)
    return Cycles(cycles.latency + extra, cycles.interval + extra)


@schedule.register
def _(layer: ResizeLayer, design: Design) -> Cycles:
    if design.io_type is IoType.PARALLEL:
        return Cycles(0, 1)
    if layer.held_rows is not None:
        return _loop(layer.input.pixels + layer.output.pixels, 1, design)
    return _loop(max(layer.input.pixels, layer.output.pixels), 1, design)


def matrix_vector(layer: MatrixLayer, design: Design) -> Cycles:
    """Return the cycles of one matrix-vector product."""
    if is_unrolled(layer):
        depth = tree_depth(layer, design)
        sharing = layer.reuse_factor > 1 and layer.strategy is Strategy.LATENCY
        busy = ceil(weight_statistics(layer).multiplications / multiplier_limit(layer)) if sharing else 1
        # Those that the scheduler takes from the fabric are not limited.
        if not _uses_multipliers(layer, design):
            busy = 1
        latency = max(depth, busy + ceil(_AFTER_SHARING * depth)) if busy > 2 else depth
        return Cycles(latency, max(min(layer.reuse_factor, latency + 1), 1))
    steps = layer.reuse_factor
    each = 1
    if steps > max(layer.n_in, _LONGEST_INDEX_TABLE) and design.backend is Backend.VIVADO:
        each = steps.bit_length() + _DIVIDER_OVERHEAD
    latency = steps * each + _REUSE_OVERHEAD
    return Cycles(latency, steps * each)


def tree_depth(layer: MatrixLayer, design: Design) -> int:
    """Return the pipeline stages of the unrolled products and their adder tree.

    Either the delays of multiplier and tree levels fill stages of one usable clock period, or, on slow
    logic, whole levels do.
    """
    family, period = family_of(design.part), design.usable_clock_ns
    nonzero = weight_statistics(layer).nonzero / max(layer.n_out, 1)
    levels = ceil(log2(max(nonzero, 1.0)))
    multiplies = _uses_multipliers(layer, design)
    delay = (family.multiply_ns if multiplies else 0.0) + levels * family.add_ns
    flowing = ceil(delay / period) - 1
    pipelined = 2 if design.forced_multipliers == "fabric" else 3
    first = pipelined if multiplies and family.multiply_ns > period else 0
    stepping = first + ceil(levels / max(int(period / family.add_ns), 1)) - 1
    return max(flowing, stepping, 0)


def _uses_multipliers(layer: MatrixLayer, design: Design) -> bool:
    if layer.strategy is Strategy.DISTRIBUTED_ARITHMETIC or weight_statistics(layer).multiplications < 0.25:
        return False
    if design.forced_multipliers == "fabric":
        return True
    return dsps_of_product(layer.input.type, layer.weight, design, constant=True) > 0


@dataclass(frozen=True)
class PixelCycles:
    """Cycles of a line-buffer convolution for an input pixel that only fills its window, and for one that
    also completes an output pixel; and those of the pipeline behind the last.
    """

    filling: int
    completing: int
    drain: int = 0


def pixel_cycles(layer: MatrixLayer, design: Design) -> PixelCycles:
    """Return what each input pixel of a streaming convolution takes.

    With a reuse loop only a completed window pays for the product (the `if` around the product in
    compute_output_buffer); a pipelined loop takes every pixel alike.
    """
    product = matrix_vector(layer, design)
    inlined = layer.kind.is_depthwise or not any(size > 1 for size in layer.kernel)
    if not is_unrolled(layer):
        wide = dsps_of_product(layer.input.type, layer.weight, design, constant=False) > 1
        overhead = _WIDE_PIXEL_OVERHEAD if wide else _PIXEL_OVERHEAD + _last_stages(design)
        return PixelCycles(_FILLING[design.backend], layer.reuse_factor + overhead)
    if design.backend is Backend.VIVADO and layer.strategy is Strategy.RESOURCE and not inlined:
        # Vivado's template pipelines the loop over the pixels for the Latency strategy alone: each waits for its whole
        # product (a published Vivado HLS 2020.1 report: 10 to 13 cycles for 27 to 144 inputs at 5 ns).
        return PixelCycles(_FILLING[design.backend], product.latency + _PIXEL_OVERHEAD + _last_stages(design))
    if design.backend is Backend.VITIS and not inlined:
        # compute_output_buffer is not inlined: the next pixel waits for its window registers.
        stages = max(product.latency, 1)
        interval = stages + 2 + int(stages >= 3)
    elif layer.reuse_factor > 1:
        interval = min(layer.reuse_factor, product.latency + (3 if not inlined else 1))
    else:
        interval = 1
    interval = max(interval, 1)
    return PixelCycles(interval, interval, product.latency)


def busy_cycles(layer: Layer, design: Design) -> int:
    """Return the cycles in which a layer is busy with one image: of a stream, only completed windows pay for a product.

    The slowest layer's are those from image to image in a long stream, where branches do not wait for each other.
    """
    if design.io_type is IoType.STREAM and isinstance(layer, MatrixLayer) and layer.kind.is_convolution:
        each, completed = pixel_cycles(layer, design), layer.output.pixels
        return max(layer.input.pixels - completed, 0) * each.filling + completed * each.completing
    return schedule(layer, design).interval


def has_rounded_interval(layer: Layer, design: Design) -> bool:
    """Whether a layer's cycles a pixel are a small whole number that a stage more or less changes by one.

    Vitis HLS' unrolled convolutions of a stream: 2 to 7 cycles a pixel in published reports, and no rule gives each.
    """
    return (
        isinstance(layer, MatrixLayer)
        and layer.kind.is_convolution
        and design.backend is Backend.VITIS
        and design.io_type is IoType.STREAM
        and is_unrolled(layer)
    )


def _last_stages(design: Design) -> int:
    """Return the cycles of the last step of a product: weight, multiplication, addition."""
    family = family_of(design.part)
    return ceil((READ_NS + family.multiply_ns + family.add_ns) / design.usable_clock_ns)


def _stream_convolution(layer: MatrixLayer, design: Design) -> Cycles:
    """Return the cycles of a line-buffer convolution as the tool states them: the longest for every pixel."""
    each, pixels = pixel_cycles(layer, design), layer.input.pixels
    if each.filling != each.completing:
        return Cycles(pixels * each.completing + 1, pixels * each.completing + 1)
    return _loop(pixels, each.completing, design, drain=each.drain)


def _parallel_convolution(layer: MatrixLayer, design: Design) -> Cycles:
    """Return the cycles of an im2col convolution: one pass for each partition of the output pixels."""
    product = matrix_vector(layer, design)
    partitions = ceil(layer.output.pixels / layer.parallelization_factor)
    if all(size == 1 for size in layer.kernel) and layer.strategy is Strategy.LATENCY:
        # nnet::pointwise_conv_1d computes all pixels in `reuse factor` parts.
        return Cycles(product.latency + layer.reuse_factor - 1, layer.reuse_factor)
    if layer.strategy is Strategy.LATENCY:
        total = (partitions - 1) * layer.reuse_factor + product.latency
        return Cycles(total, partitions * layer.reuse_factor)
    total = partitions * max(product.interval, 1) + 3
    return Cycles(total, total)


def _loop(pixels: int, each: int, design: Design, drain: int = 0) -> Cycles:
    total = pixels * each + LOOP_OVERHEAD[design.backend] + drain // 2
    return Cycles(total, total)
