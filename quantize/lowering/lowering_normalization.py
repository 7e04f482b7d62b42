"""Lower batch normalization behind quantized layers: few bits and a bias, or thresholds where only signs are taken."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from siliconv.errors import NetworkError
from siliconv.network import graph as ir
from siliconv.network.fixed_point import Interval, narrowest, plain
from siliconv.network.function_table import WIDEST_INPUT
from siliconv.quantize.lowering.lowering_graph import LoweringGraph
from siliconv.quantize.lowering.quantized_weights import (
    WIDEST,
    WIDEST_BIAS,
    WIDEST_SCALED,
    dyadic_weights,
    quantized,
)
from siliconv.quantize.lowering.quantizer_types import power_of_two
from siliconv.quantize.lowering.scaled_channels import ScaledChannels

_SHOWN = 4


def scale_and_offset(layer: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give s and t of ``s * x + t`` for each channel, as Keras and QKeras compute them, in float32."""
    one = np.float32(1.0)
    deviation = np.sqrt(_moment(layer, "variance") + np.float32(layer.epsilon))
    scale = (one / deviation) * (_moment(layer, "gamma") if layer.scale else one)
    # The product is exact in float64; rounded, it would be another bias than the mean's own.
    offset = -_moment(layer, "mean").astype(np.float64) * scale.astype(np.float64)
    return scale.astype(np.float64), offset + (_moment(layer, "beta").astype(np.float64) if layer.center else 0.0)


def _moment(layer: Any, name: str) -> NDArray[np.float32]:
    variable = getattr(layer, f"moving_{name}" if name in ("mean", "variance") else name)
    values = np.asarray(variable, dtype=np.float32)
    if getattr(layer, f"{name}_quantizer", None):
        values = quantized(values, getattr(layer, f"{name}_quantizer_internal")).astype(np.float32)
    return values


def lower_normalization(layer: Any, sources: tuple[ir.Node, ...], graph: LoweringGraph) -> ir.Node:
    """Append a batch normalization whose scales take few bits, or keep it for the signs behind it.

    Raises
    ------
    NetworkError
        ``LOWER-NORMALIZATION`` for other scales, which it shows.
    """
    (source,) = sources
    if list(layer.axis) != [len(source.shape)]:
        raise NetworkError(
            "LOWER-NORMALIZATION",
            f"it normalizes axis {list(layer.axis)} and not the last one, the channels",
            where=f"layer '{layer.name}'",
            fix="use axis=-1",
        )
    scale, offset = scale_and_offset(layer)
    before = graph.scaled_source(layer)
    if before is not None:
        scale, offset = scale * before.scale, scale * before.offset + offset
        source = before.node
    if before is None and takes_few_bits(scale):
        return _exact(layer, source, scale, offset, graph)
    if graph.only_signs_behind(layer):
        graph.scaled[layer.name] = ScaledChannels(source, scale, offset)
        return source
    shown = ", ".join(f"{one:.6g}" for one in scale[:_SHOWN]) + (", ..." if len(scale) > _SHOWN else "")
    raise NetworkError(
        "LOWER-NORMALIZATION",
        f"its scales are no powers of two and take more than {WIDEST} bits, so that no fixed-point type holds what it "
        f"gives: {shown}",
        where=f"layer '{layer.name}'",
        fix="train with QConv2DBatchnorm, or let siliconv fold and quantize it again: model: {fold: fine_tune}",
    )


def takes_few_bits(scale: NDArray[np.floating]) -> bool:
    """Whether scales are powers of two, however far apart, or take no more bits than weights may."""
    if None not in [power_of_two(abs(one)) for one in np.ravel(scale)]:
        return True
    try:
        dyadic_weights(scale, "scale", widest=WIDEST)
    except NetworkError:
        return False
    return True


def _exact(
    layer: Any, source: ir.Node, scale: NDArray[np.float64], offset: NDArray[np.float64], graph: LoweringGraph
) -> ir.Node:
    kernel = dyadic_weights(scale, f"scale of layer '{layer.name}'", widest=WIDEST_BIAS)
    bias = dyadic_weights(offset, f"offset of layer '{layer.name}'", widest=WIDEST_BIAS)
    if not isinstance(source, ir.Matrix) or kernel.codes.size != source.kernel.codes.shape[-1]:
        return graph.add_per_channel(layer.name, source, kernel, bias)
    codes = source.kernel.codes * kernel.codes
    places = source.kernel.type.fraction + kernel.type.fraction
    folded = ir.Weights(codes, narrowest(Interval(min(int(codes.min()), -1), int(codes.max())), places))
    own = source.bias.codes * kernel.codes
    own_places, places = source.bias.type.fraction + kernel.type.fraction, bias.type.fraction
    finest = max(own_places, places)
    total = (own << (finest - own_places)) + (bias.codes << (finest - places))
    sum_of_both = ir.Weights(total, narrowest(Interval(min(int(total.min()), -1), int(total.max())), finest))
    return graph.add_matrix_like(source, layer.name, folded, sum_of_both)


def lower_rescaling(layer: Any, sources: tuple[ir.Node, ...], graph: LoweringGraph) -> ir.Node:
    """Append Keras' Rescaling: exact by few bits; else a table of what float32 makes of each code.

    Raises
    ------
    NetworkError
        ``LOWER-NORMALIZATION`` where neither is possible.
    """
    (source,), where = sources, f"layer '{layer.name}'"
    channels = source.shape[-1]
    scale, offset = (np.broadcast_to(np.float32(one), (channels,)) for one in (layer.scale, layer.offset))
    if takes_few_bits(scale):
        return _exact(layer, source, scale.astype(np.float64), offset.astype(np.float64), graph)
    alike = np.ptp(scale) == 0 and np.ptp(offset) == 0
    if not alike or source.type.width > WIDEST_INPUT:
        shown = ", ".join(f"{one:.6g}" for one in dict.fromkeys(scale[:_SHOWN]))
        raise NetworkError(
            "LOWER-NORMALIZATION",
            f"it multiplies {source.type.width} bits by {shown}, which takes more than {WIDEST} bits"
            + ("" if alike else " and differs from channel to channel"),
            where=where,
            fix=f"scale by a power of two, such as 1/256; or by one number, behind a quantizer of {WIDEST_INPUT} bits",
        )
    kind = plain(source.type)
    codes = np.arange(kind.codes.low, kind.codes.high + 1)
    values = (codes * kind.step).astype(np.float32) * scale[0] + offset[0]
    entries = dyadic_weights(values, where, widest=WIDEST_SCALED)
    read = graph.add(ir.Requantize(f"{layer.name}_input", (source.name,), source.shape, kind, relu=False))
    return graph.add(ir.Table(layer.name, (read.name,), source.shape, entries.type, entries, "scale"))
