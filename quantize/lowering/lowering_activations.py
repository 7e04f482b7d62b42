"""Lower activations: what a quantizer or a function makes of a tensor, as requantizations, tables and their sums."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from fractions import Fraction
from math import ceil, log
from typing import Any

import numpy as np

from siliconv.errors import NetworkError
from siliconv.network import graph as ir
from siliconv.network.fixed_point import FixedPoint, Overflow, Rounding, plain
from siliconv.network.function_table import WIDEST_INPUT, function_codes, table_node
from siliconv.quantize.lowering.exact_classes import class_in_words, exact_class, quantizer_in_words
from siliconv.quantize.lowering.lowering_graph import LoweringGraph
from siliconv.quantize.lowering.lowering_relu import add_relu, add_relu6, before_bound, without_relu
from siliconv.quantize.lowering.model_graph import is_linear
from siliconv.quantize.lowering.quantized_functions import is_real_function, table_behind
from siliconv.quantize.lowering.quantized_weights import WIDEST_SCALED, dyadic_weights
from siliconv.quantize.lowering.quantizer_types import is_sign, quantizer_type, refuse_noise

ENDINGS = ("sigmoid", "softmax")
"""Functions of Keras that a network may end in: they become tables, behind the logits."""


def function_name(activation: Any) -> str | None:
    """Give the name of a function of Keras' or QKeras' own; None for a quantizer, or a function of anybody else's."""
    module = str(getattr(activation, "__module__", "")).split(".")
    name = getattr(activation, "__name__", None)
    known = module[0] in ("tf_keras", "keras", "tensorflow") or module[:2] == ["qkeras", "quantizers"]
    return str(name) if known and name is not None and not isinstance(activation, type) else None


def add_activation(name: str, activation: Any, source: ir.Node, graph: LoweringGraph) -> ir.Node:
    """Append the nodes of an activation; the last one has this name.

    Raises
    ------
    NetworkError
        ``LOWER-...`` for an activation that has no exact form.
    """
    if activation is None or is_linear(activation):
        return source
    function = function_name(activation)
    kind = exact_class(activation) if function is None else function
    if kind == "quantized_relu" and (source := without_relu(source, graph)) and activation.negative_slope:
        return _leaky(name, activation, source, graph)
    if is_sign(activation):
        kind = "sign"
    if is_real_function(activation):
        kind = "real"
    if kind == "quantized_bits" and _is_scaled(activation.alpha):
        kind = "scaled bits"
    add = _ADD.get(kind or "")
    if add is not None:
        refuse_noise(activation, f"activation '{name}'")
        return add(name, activation, source, graph)
    if function is not None:
        raise NetworkError(
            "LOWER-FUNCTION",
            f"the function {function} has no quantizer",
            where=f"activation '{name}'",
            fix="quantize it: QActivation with quantized_tanh or quantized_sigmoid; a network may end in a sigmoid or"
            " softmax",
        )
    return _add_requantize(name, activation, source, graph)


def _add_requantize(name: str, quantizer: Any, source: ir.Node, graph: LoweringGraph) -> ir.Node:
    kind = quantizer_type(quantizer, where=f"activation '{name}'")
    relu = exact_class(quantizer) == "quantized_relu"
    source = before_bound(kind, source, graph)
    source = without_relu(source, graph) if relu else source
    table = table_behind(name, quantizer, kind)
    if table is None:
        return graph.add(ir.Requantize(name, (source.name,), source.shape, kind, relu))
    return graph.add(table(graph.add(ir.Requantize(f"{name}_input", (source.name,), source.shape, kind, relu))))


def _sign(name: str, quantizer: Any, source: ir.Node, graph: LoweringGraph) -> ir.Node:
    """Plus or minus alpha: `binary`, and `quantized_bits` of one bit; zero counts as positive."""
    alpha = _given_alpha(name, quantizer)
    zero_or_one = getattr(quantizer, "use_01", not getattr(quantizer, "keep_negative", True))
    return add_sign(name, source, graph, 0.0 if zero_or_one else -alpha, alpha)


def add_sign(name: str, source: ir.Node, graph: LoweringGraph, negative: float, other: float) -> ir.Node:
    """Append a table of two values: one for negative inputs, one for zero and above."""
    # Rounding down and saturating leaves -2, -1 for what is negative.
    kind = FixedPoint(True, 2, 2, Rounding.TRN, Overflow.SAT)
    return _two_values(name, source, graph, kind, [negative, negative, other, other], relu=False)


def _positive(low: float) -> Callable[..., ir.Node]:
    """One for positive inputs, another value for zero and below, as QKeras' binary_tanh and binary_sigmoid."""

    def add(name: str, activation: Any, source: ir.Node, graph: LoweringGraph) -> ir.Node:
        # Saturating at the last place of the input leaves one code for all that is not positive.
        kind = FixedPoint(False, 2, 2 - source.type.fraction, Rounding.TRN, Overflow.SAT)
        return _two_values(name, source, graph, kind, [low, 1.0, 1.0, 1.0], relu=True)

    return add


def _two_values(
    name: str, source: ir.Node, graph: LoweringGraph, kind: FixedPoint, values: list[float], *, relu: bool
) -> ir.Node:
    rounded = graph.add(ir.Requantize(f"{name}_input", (source.name,), source.shape, kind, relu))
    # Entries begin with the lowest code; those of a signed type are written so.
    entries = dyadic_weights(np.array(values), f"activation '{name}'", widest=WIDEST_SCALED)
    return graph.add(ir.Table(name, (rounded.name,), source.shape, entries.type, entries, "sign"))


def _ternary(name: str, quantizer: Any, source: ir.Node, graph: LoweringGraph) -> ir.Node:
    """Minus alpha, zero, plus alpha: alpha beyond a threshold."""
    alpha, threshold = _given_alpha(name, quantizer), ternary_threshold(quantizer)
    # The first code at or beyond the threshold; the sign of zero is zero whatever the threshold.
    first = max(ceil(Fraction(threshold) * Fraction(2) ** source.type.fraction), 1)
    width = first.bit_length() + 1
    if width > WIDEST_INPUT:
        from siliconv.quantize.lowering.scaled_channels import ScaledChannels, add_thresholds

        one = np.ones(source.shape[-1])
        return add_thresholds(name, quantizer, ScaledChannels(source, one, 0.0 * one), graph)
    rounded = _saturated(name, source, graph, width)
    values = alpha * np.where(np.abs(_all_codes(rounded.type)) >= first, np.sign(_all_codes(rounded.type)), 0)
    entries = dyadic_weights(values, f"activation '{name}'", widest=WIDEST_SCALED)
    return graph.add(ir.Table(name, (rounded.name,), source.shape, entries.type, entries, "ternary"))


def ternary_threshold(quantizer: Any) -> float:
    """Give the threshold of `ternary` as QKeras compares with it, in float32."""
    threshold = quantizer.default_threshold if quantizer.threshold is None else quantizer.threshold
    return float(np.float32(threshold))


def _saturated(name: str, source: ir.Node, graph: LoweringGraph, width: int) -> ir.Node:
    """Cut the input to so many bits at its own last place: nothing is rounded, what is larger saturates."""
    if width > WIDEST_INPUT:
        raise NetworkError(
            "LOWER-FUNCTION",
            f"its input has steps of 2^{-source.type.fraction}, so that a table of it takes 2^{width} entries",
            where=f"activation '{name}'",
            fix=f"quantize what stands before it to fewer fractional bits: a table has at most 2^{WIDEST_INPUT}",
        )
    kind = FixedPoint(True, width, width - source.type.fraction, Rounding.TRN, Overflow.SAT)
    return graph.add(ir.Requantize(f"{name}_input", (source.name,), source.shape, kind, relu=False))


def _all_codes(kind: FixedPoint) -> np.ndarray:
    return np.arange(kind.codes.low, kind.codes.high + 1)


def _scaled_bits(name: str, quantizer: Any, source: ir.Node, graph: LoweringGraph) -> ir.Node:
    """`quantized_bits` with a scale such as 1/255, by which QKeras multiplies in float32 what it has rounded."""
    alpha, where = _given_alpha(name, quantizer), f"activation '{name}'"
    unscaled = copy.copy(quantizer)
    unscaled.alpha = 1.0
    kind = quantizer_type(unscaled, where=where)
    if kind.width > WIDEST_INPUT:
        raise NetworkError(
            "LOWER-ALPHA",
            f"{quantizer_in_words(quantizer)} scales 2^{kind.width} values",
            where=where,
            fix=f"use alpha=1, or at most {WIDEST_INPUT} bits: a table holds each scaled value",
        )
    rounded = graph.add(ir.Requantize(f"{name}_input", (source.name,), source.shape, kind, relu=False))
    values = np.float32(alpha) * (_all_codes(kind) * kind.step).astype(np.float32)
    entries = dyadic_weights(values, where, widest=WIDEST_SCALED)
    return graph.add(ir.Table(name, (rounded.name,), source.shape, entries.type, entries, "scale"))


def _is_scaled(alpha: Any) -> bool:
    return isinstance(alpha, str) or not (alpha is None or np.all(np.equal(alpha, 1.0)))


def _given_alpha(name: str, quantizer: Any) -> float:
    if np.size(quantizer.alpha) > 1:
        raise NetworkError(
            "LOWER-ALPHA",
            f"{quantizer_in_words(quantizer)}, one for each channel",
            where=f"activation '{name}'",
            fix="use one number as alpha of an activation, and put the scales into the kernel behind it",
        )
    if isinstance(quantizer.alpha, str):
        raise NetworkError(
            "LOWER-ALPHA",
            f"{quantizer_in_words(quantizer)} finds its scale from the batch that it is given",
            where=f"activation '{name}'",
            fix="use a number as alpha of an activation",
        )
    return 1.0 if quantizer.alpha is None else float(np.float32(np.ravel(quantizer.alpha)[0]))


def _leaky(name: str, quantizer: Any, source: ir.Node, graph: LoweringGraph) -> ir.Node:
    """`quantized_relu` with a slope: the positive part, and a table of the rounded negative one."""
    where = f"activation '{name}'"
    refuse_noise(quantizer, where)
    bits, integer, slope = int(quantizer.bits) - 1, int(quantizer.integer), Fraction(float(quantizer.negative_slope))
    bounded = bool(quantizer.relu_upper_bound) and not quantizer.is_quantized_clip
    if bits < 1 or quantizer.use_sigmoid or bounded:
        raise NetworkError(
            "LOWER-QUANTIZER",
            f"{quantizer_in_words(quantizer)} with a slope and "
            + ("one bit" if bits < 1 else "a sigmoid or an upper bound"),
            where=where,
            fix="use quantized_relu(bits, integer, negative_slope=...) of two bits or more",
        )
    up = FixedPoint(False, bits, integer, Rounding.RND_CONV, Overflow.SAT)
    return add_sloped_relu(name, source, graph, up, slope, lowest=slope * 2**bits)


def add_sloped_relu(
    name: str, source: ir.Node, graph: LoweringGraph, up: FixedPoint, slope: Fraction, *, lowest: Fraction
) -> ir.Node:
    """Append a ReLU whose slope below zero is a power of two: the positive part, and a table of the negative one.

    Parameters
    ----------
    name, source, graph
        Of the node that is the sum of both, what it reads, and where it is appended.
    up
        Unsigned type of the positive part; the negative one has its step.
    slope
        A power of two.
    lowest
        How many steps the negative part reaches below zero.
    """
    positive = graph.add(ir.Requantize(f"{name}_positive", (source.name,), source.shape, up, relu=True))
    # The slope is a power of two, so rounding slope * x is rounding x to coarser or finer steps.
    shift = int(np.log2(float(slope)))
    width = max(ceil(lowest) - 1, 1).bit_length() + 1
    down = FixedPoint(True, width, width - (up.fraction + shift), Rounding.RND_CONV, Overflow.SAT)
    rounded = graph.add(ir.Requantize(f"{name}_input", (source.name,), source.shape, down, relu=False))
    values = np.maximum(np.minimum(_all_codes(down), 0), -float(lowest)) * up.step
    entries = dyadic_weights(values, f"activation '{name}'", widest=WIDEST_INPUT + 8)
    negative = graph.add(
        ir.Table(f"{name}_negative", (rounded.name,), source.shape, entries.type, entries, "negative_slope")
    )
    both = ir.Add(name, (positive.name, negative.name), source.shape, positive.type)
    return graph.add_narrowest(both, max(positive.type.fraction, negative.type.fraction))


def _line(name: str, activation: Any, source: ir.Node, graph: LoweringGraph) -> ir.Node:
    """QKeras' straight lines with two ends, without a quantizer: exact on the grid of their input."""
    function = str(activation.__name__)
    integer, places = _LINES[function]
    rounded = _saturated(name, source, graph, max(source.type.fraction, 0) + integer)
    signed = function.endswith("tanh")
    width = max(rounded.type.fraction, 0) + places + 1 + signed
    output = FixedPoint(signed, width, 1 + signed, Rounding.RND_CONV, Overflow.SAT)
    return graph.add(table_node(name, rounded, function, output))


_LINES = {"hard_tanh": (2, 0), "hard_sigmoid": (2, 1), "smooth_tanh": (3, 3), "smooth_sigmoid": (3, 4)}
"""Integer bits of the input beyond which they are constant, and the fractional bits that they add."""


def _real(name: str, quantizer: Any, source: ir.Node, graph: LoweringGraph) -> ir.Node:
    """`quantized_tanh` and `quantized_sigmoid` of the true functions: a table over all that does not saturate."""
    function = "tanh" if exact_class(quantizer) == "quantized_tanh" else "sigmoid"
    bits, where = int(quantizer.bits), f"activation '{name}'"
    if bits < 2:
        raise NetworkError(
            "LOWER-QUANTIZER",
            f"{quantizer_in_words(quantizer)} has one bit",
            where=where,
            fix="use two bits or more, or binary",
        )
    # Beyond this, both functions round to their last code.
    reach = (bits + 2) * log(2) / (2 if function == "tanh" else 1)
    integer = max(ceil(np.log2(reach)), 0) + 1
    rounded = _saturated(name, source, graph, max(source.type.fraction + integer, 2))
    overflow = Overflow.SAT_SYM if function == "tanh" and quantizer.symmetric else Overflow.SAT
    output = FixedPoint(function == "tanh", bits, int(function == "tanh"), Rounding.RND_CONV, overflow)
    codes = function_codes(function, rounded.type, output)
    if function == "sigmoid" and quantizer.symmetric:
        codes = np.maximum(codes, 1)
    entries = ir.Weights(codes, plain(output))
    return graph.add(ir.Table(name, (rounded.name,), source.shape, entries.type, entries, f"quantized_{function}"))


def _refused_power(name: str, quantizer: Any, source: ir.Node, graph: LoweringGraph) -> ir.Node:
    raise NetworkError(
        "LOWER-QUANTIZER",
        f"the activation {class_in_words(quantizer)} rounds in the logarithm",
        where=f"activation '{name}'",
        fix="use quantized_relu or quantized_bits for activations; powers of two are for kernels",
    )


_ADD: Mapping[str, Callable[[str, Any, ir.Node, LoweringGraph], ir.Node]] = {
    "relu": add_relu,
    "relu6": add_relu6,
    "sign": _sign,
    "scaled bits": _scaled_bits,
    "binary": _sign,
    "ternary": _ternary,
    "binary_tanh": _positive(-1.0),
    "binary_sigmoid": _positive(0.0),
    "hard_tanh": _line,
    "hard_sigmoid": _line,
    "smooth_tanh": _line,
    "smooth_sigmoid": _line,
    "real": _real,
    "quantized_po2": _refused_power,
    "quantized_relu_po2": _refused_power,
}
"""By the name of QKeras' class, or of a function."""
