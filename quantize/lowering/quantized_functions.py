"""Activations of QKeras that are a requantization with a table behind it, exactly.

`quantized_tanh` and `quantized_sigmoid` are straight lines with two ends, as QKeras computes them by default. The hard
tanh is a requantization by itself. The hard sigmoid, ``x / 2 + 1 / 2`` on a grid of ``2**-bits``, depends on x only
through x rounded to ``2**(1 - bits)`` (ties go to even either way: half of the grid's size is even), and a table of
``2**bits`` entries adds the half. A `quantized_relu` with an upper bound is a table of minima.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from siliconv import legacy_keras
from siliconv.errors import NetworkError
from siliconv.network.fixed_point import FixedPoint, Overflow, Rounding, plain
from siliconv.network.function_table import table_node
from siliconv.network.graph import Node, Table, Weights
from siliconv.quantize.lowering.exact_classes import exact_class, quantizer_in_words


def is_real_function(quantizer: Any) -> bool:
    """Whether a quantizer rounds the true tanh or sigmoid, and not QKeras' straight line."""
    if exact_class(quantizer) == "quantized_tanh":
        return bool(quantizer.use_real_tanh)
    if exact_class(quantizer) == "quantized_sigmoid":
        return bool(quantizer.use_real_sigmoid)
    return False


def hard_type(quantizer: Any, where: str) -> FixedPoint:
    """Give the type that the input of `quantized_tanh` and `quantized_sigmoid` is rounded to.

    Raises
    ------
    NetworkError
        ``LOWER-QUANTIZER`` for other functions than QKeras' hard ones, and for a sigmoid of one bit.
    """
    quantizers = legacy_keras.qkeras().quantizers
    real = getattr(quantizer, "use_real_tanh", False) or getattr(quantizer, "use_real_sigmoid", False)
    if real or quantizers._sigmoid is not quantizers.hard_sigmoid or int(quantizer.bits) < 2:
        raise NetworkError(
            "LOWER-QUANTIZER",
            f"{quantizer_in_words(quantizer)} with another function than the hard one, or one bit",
            where=where,
            fix="use two bits or more, leave use_real_... at False and qkeras.set_internal_sigmoid at 'hard'",
        )
    overflow = Overflow.SAT_SYM if quantizer.symmetric else Overflow.SAT
    return FixedPoint(True, int(quantizer.bits), 1, Rounding.RND_CONV, overflow)


def table_behind(name: str, quantizer: Any, kind: FixedPoint) -> Callable[[Node], Table] | None:
    """Give what makes the table behind a requantization into `kind`; None where there is nothing left to do.

    Raises
    ------
    NetworkError
        ``LOWER-BOUND`` for an upper bound that is no value of the type.
    """
    exact = exact_class(quantizer)
    if exact == "quantized_sigmoid":
        output = FixedPoint(False, kind.width, 0, Rounding.RND_CONV, Overflow.SAT)
        return lambda source: table_node(name, source, "hard_sigmoid", output)
    # To QKeras a bound of 0 is none.
    if exact != "quantized_relu" or quantizer.is_quantized_clip or not quantizer.relu_upper_bound:
        return None
    bound = float(quantizer.relu_upper_bound) / kind.step
    if bound >= kind.codes.high:
        return None
    if bound != round(bound):
        raise NetworkError(
            "LOWER-BOUND",
            f"the upper bound {quantizer.relu_upper_bound} is no multiple of the step {kind.step}",
            where=f"activation '{name}'",
            fix="use a multiple of the step as relu_upper_bound, or more bits",
        )
    text = f"relu({float(quantizer.relu_upper_bound)!r})"
    entries = Weights(np.minimum(np.arange(kind.codes.high + 1), int(bound)), plain(kind))
    return lambda source: Table(name, (source.name,), source.shape, entries.type, entries, text)
