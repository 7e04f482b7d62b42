"""How many multipliers and DSP blocks a layer takes.

A fully unrolled product keeps only the constants that need a multiplier; a shared one needs
`products / reuse factor` of them, rounded up (`multiplier_limit` and `block_factor` in nnet_dense_latency.h
and nnet_dense_resource.h).
"""

from __future__ import annotations

from functools import singledispatch
from math import ceil, prod

from siliconv.hls.design.design import Design, ElementwiseLayer, FixedType, Layer, MatrixLayer, MergeLayer, SoftmaxLayer
from siliconv.hls.kinds import Backend, IoType, Strategy
from siliconv.hls.weight_statistics import WeightStatistics, typical

# A DSP48 multiplies 27 x 18 bits signed (UltraScale, UG579; 25 x 18 in series 7, UG479).
_DSP_WIDE, _DSP_NARROW = 27, 18
# Widths from which the scheduler takes a DSP rather than logic, read off published reports: Vivado HLS 2019.2 takes one
# for 16 x 6 bits and none for 10 x 8, Vitis HLS 2023 none for 16 x 6 and 10 x 10 and one for 16 x 8 and 12 x 8.
_DSP_FROM_BITS = 20
_DSP_FROM_NARROWER = {Backend.VIVADO: 5, Backend.VITIS: 7}
_DSP_FROM_WIDER = 11
# Widths from which a block is sure, and the share of narrower constants for which Vivado HLS may take logic.
_SURE_BITS, _DOUBTFUL_SHARE = 8, 0.9
# Periods from which multiplication and addition fit into one.
_FUSING_NS = 8.0


def weight_statistics(layer: MatrixLayer) -> WeightStatistics:
    """Return the counts of a layer's weights; where unknown, those of typical trained weights."""
    if layer.weights is not None:
        return layer.weights
    return typical(
        layer.products,
        inputs=layer.n_in,
        fraction=layer.weight.width - layer.weight.integer,
        width=layer.weight.width,
    )


def is_unrolled(layer: MatrixLayer) -> bool:
    """Whether every product has its own hardware, so that constants simplify it."""
    if layer.strategy in (Strategy.LATENCY, Strategy.DISTRIBUTED_ARITHMETIC):
        return True
    return layer.reuse_factor == 1 and not layer.weights_outside


def multiplier_limit(layer: MatrixLayer) -> int:
    """Return how many multipliers the template allows the scheduler, in the template's integer arithmetic.

    `DIV_ROUNDUP(products, reuse_factor) - n_zeros / reuse_factor`; a depthwise convolution counts as if its
    matrix were full.
    """
    products = prod(layer.kernel) * layer.input.channels * layer.n_out if layer.kernel else layer.products
    statistics, reuse = weight_statistics(layer), max(layer.reuse_factor, 1)
    zeros = 0 if layer.kind.is_depthwise else max(statistics.n - statistics.nonzero, 0)
    return max(-(-products // reuse) - zeros // reuse, 1)


def multipliers(layer: MatrixLayer) -> float:
    """Return the multipliers that a layer keeps busy at once."""
    if layer.strategy is Strategy.DISTRIBUTED_ARITHMETIC:
        return 0.0
    pixels = layer.parallelization_factor
    if is_unrolled(layer):
        return pixels * min(weight_statistics(layer).multiplications, float(multiplier_limit(layer)))
    return float(pixels * ceil(layer.products / layer.reuse_factor))


def dsps_of_product(left: FixedType, right: FixedType, design: Design, *, constant: bool) -> float:
    """Return the DSP blocks of one multiplication.

    A constant is as wide as its value: trained weights stay below one, so its integer bits do not count.
    """
    if design.forced_multipliers == "fabric":
        return 0.0
    narrow = min(right.width, right.width - right.integer + 2) if constant else right.width
    narrow = max(narrow, 2)
    if design.forced_multipliers != "dsp" and not _is_worth_a_dsp(left.width, right.width, design):
        return 0.0
    return _tiles(left.width, narrow)


def _tiles(left: int, right: int) -> float:
    """Return the blocks that a product of two widths is put together from."""
    tiles = [
        ceil(max(a - 1, 1) / (_DSP_WIDE - 1)) * ceil(max(b - 1, 1) / (_DSP_NARROW - 1))
        for a, b in ((left, right), (right, left))
    ]
    return float(min(tiles))


def _is_worth_a_dsp(left: int, right: int, design: Design) -> bool:
    narrower, wider = sorted((left, right))
    least = _DSP_FROM_NARROWER[design.backend]
    return left + right >= _DSP_FROM_BITS and narrower >= least and wider >= _DSP_FROM_WIDER


def fusable(layer: Layer, design: Design) -> float:
    """Return the products of a reuse loop that are counted as logic and that the tool may still put into DSP blocks.

    Where a clock period holds a multiplication and an addition, Vitis HLS fuses both into one block, whatever their
    widths: 13 to 19 of 22 lanes of 6 bits at 30 ns, most lanes of 8 bits at 10 ns (public results); none at 5 ns.
    """
    if not isinstance(layer, MatrixLayer) or is_unrolled(layer) or design.forced_multipliers == "fabric":
        return 0.0
    is_logic = dsps_of_product(layer.input.type, layer.weight, design, constant=False) == 0
    fuses = design.backend is Backend.VITIS and design.clock_ns >= _FUSING_NS
    return multipliers(layer) if is_logic and fuses else 0.0


def seldom_dsps(layer: Layer, design: Design) -> float:
    """Return the DSP blocks of unrolled products that are counted and that the tool may make of logic instead.

    Vivado HLS takes a block for constants of few bits, and only for a share of them that no rule was found for (a
    twentieth to all in public results).
    """
    if not isinstance(layer, MatrixLayer) or not is_unrolled(layer) or design.forced_multipliers:
        return 0.0
    narrower = min(layer.input.type.width, layer.weight.width)
    doubtful = design.backend is Backend.VIVADO and narrower < _SURE_BITS
    return _DOUBTFUL_SHARE * dsps(layer, design) if doubtful else 0.0


def most_dsps(layer: MatrixLayer, design: Design) -> float:
    """Return the DSP blocks of a layer if every product that is no shift takes as many as its widths need."""
    tiles = max(_tiles(layer.input.type.width, layer.weight.width), 1.0)
    if not is_unrolled(layer):
        return multipliers(layer) * tiles
    if layer.strategy is Strategy.DISTRIBUTED_ARITHMETIC:
        return 0.0
    statistics = weight_statistics(layer)
    products = min(statistics.nonzero - statistics.powers_of_two, float(multiplier_limit(layer)))
    return layer.parallelization_factor * products * tiles


@singledispatch
def dsps(layer: Layer, design: Design) -> float:
    """Return the DSP blocks of a layer; layers without a product have none."""
    return 0.0


@dsps.register
def _(layer: MatrixLayer, design: Design) -> float:
    constant = is_unrolled(layer)
    each = dsps_of_product(layer.input.type, layer.weight, design, constant=constant)
    return multipliers(layer) * each


@dsps.register
def _(layer: ElementwiseLayer, design: Design) -> float:
    if layer.function != "normalize":
        return 0.0
    lanes = layer.input.size if design.io_type is IoType.PARALLEL else layer.input.channels
    needed = float(lanes)
    if layer.weights is not None and layer.weights.n:
        needed = lanes * layer.weights.multiplications / layer.weights.n
    limit = ceil(layer.input.size / max(layer.reuse_factor, 1))
    return min(needed, float(limit)) * dsps_of_product(layer.input.type, layer.input.type, design, constant=True)


@dsps.register
def _(layer: MergeLayer, design: Design) -> float:
    if layer.function != "multiply":
        return 0.0
    lanes = layer.input.size if design.io_type is IoType.PARALLEL else layer.input.channels
    return lanes * dsps_of_product(layer.input.type, layer.input.type, design, constant=False)


@dsps.register
def _(layer: SoftmaxLayer, design: Design) -> float:
    if design.forced_multipliers == "fabric":
        return 0.0
    # One product of exponential and inverse for each class; hls4ml's in Vivado HLS runs them one after the other.
    stream = design.io_type is IoType.STREAM
    if layer.tables and stream:
        return float(layer.input.channels)
    return 1.0 if stream and design.backend is Backend.VIVADO else float(layer.input.size)
