"""The fixed-point types that QKeras quantizers round to; what has none is refused with a code and the fix."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from siliconv.errors import NetworkError
from siliconv.network.fixed_point import FixedPoint, Overflow, Rounding
from siliconv.quantize.lowering.exact_classes import class_in_words, exact_class, quantizer_in_words
from siliconv.quantize.lowering.quantized_functions import hard_type


def quantizer_type(quantizer: Any, *, where: str) -> FixedPoint:
    """Give the fixed-point type that a QKeras quantizer rounds to.

    Raises
    ------
    NetworkError
        ``LOWER-ALPHA``, ``LOWER-STOCHASTIC``, ``LOWER-QUANTIZER`` where there is none.
    """
    to_type = _QUANTIZER_TYPES.get(exact_class(quantizer) or "")
    if to_type is None:
        raise NetworkError(
            "LOWER-QUANTIZER",
            "no quantizer"
            if quantizer is None
            else f"the quantizer {class_in_words(quantizer)} has no fixed-point type",
            where=where,
            fix="use " + " or ".join(sorted(_QUANTIZER_TYPES)),
        )
    refuse_noise(quantizer, where)
    return to_type(quantizer, where)


def refuse_noise(quantizer: Any, where: str) -> None:
    """Raise ``LOWER-STOCHASTIC`` for a quantizer that lets a share of the unquantized value through.

    Stochastic rounding changes no prediction: QKeras rounds to nearest but in training. Only its `binary` gives another
    shape then.
    """
    if float(getattr(quantizer, "qnoise_factor", 1.0)) != 1.0:
        raise NetworkError(
            "LOWER-STOCHASTIC",
            f"the quantizer {quantizer_in_words(quantizer)} lets a share of the unquantized value through",
            where=where,
            fix="use qnoise_factor=1, which is what a finished training ends with",
        )
    if exact_class(quantizer) == "binary" and quantizer.use_stochastic_rounding:
        raise NetworkError(
            "LOWER-STOCHASTIC",
            f"the quantizer {quantizer_in_words(quantizer)} gives a tensor of another shape in QKeras' own prediction",
            where=where,
            fix="use binary without use_stochastic_rounding",
        )


def is_sign(quantizer: Any) -> bool:
    """Whether `quantized_bits` has no bit but the sign: QKeras makes plus and minus one of it."""
    if exact_class(quantizer) != "quantized_bits":
        return False
    return int(quantizer.bits) - bool(quantizer.keep_negative) < 1


def power_of_two(value: float) -> int | None:
    """Give the exponent of a power of two; None for any other number."""
    mantissa, exponent = np.frexp(value)
    return int(exponent) - 1 if mantissa == 0.5 else None


def _bits_type(quantizer: Any, where: str) -> FixedPoint:
    # alpha=None is 1 here. As a kernel's it would be 'auto_po2': QKeras' layers set that when they are made.
    alpha = 1.0 if quantizer.alpha is None else quantizer.alpha
    shift = power_of_two(float(np.ravel(alpha)[0])) if not isinstance(alpha, str) and np.size(alpha) == 1 else None
    if shift is None:
        raise NetworkError(
            "LOWER-ALPHA",
            f"the quantizer scales by alpha={quantizer.alpha!r}",
            where=where,
            fix="use alpha=1 (or another power of two), or alpha='auto_po2' for a kernel",
        )
    sign = bool(quantizer.keep_negative)
    if is_sign(quantizer):
        raise NetworkError(
            "LOWER-QUANTIZER",
            f"{quantizer_in_words(quantizer)} has no bit but the sign: QKeras makes plus and minus one of it, "
            "or one and zero",
            where=where,
            fix="use quantized_bits of two bits or more",
        )
    return FixedPoint(
        signed=sign,
        width=int(quantizer.bits),
        integer=int(quantizer.integer) + sign + shift,
        rounding=Rounding.RND_CONV,
        overflow=Overflow.SAT_SYM if quantizer.symmetric and sign else Overflow.SAT,
    )


def _relu_type(quantizer: Any, where: str) -> FixedPoint:
    if quantizer.negative_slope or quantizer.use_sigmoid:
        raise NetworkError(
            "LOWER-QUANTIZER",
            f"{quantizer_in_words(quantizer)} with a slope or a sigmoid",
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
