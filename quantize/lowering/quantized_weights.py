"""The integers behind weights: of one fixed-point type, of scaled quantizers, and of weights without a quantizer.

`binary`, `ternary` and `quantized_po2`, and the scale for each channel that `alpha='auto_po2'` finds: the values are
exact multiples of the smallest scale, so the kernel is brought to that one. No scale is left at run time. A weight
without a quantizer is a binary fraction as it is; few bits are taken exactly, and many are refused.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from siliconv.errors import NetworkError
from siliconv.network.fixed_point import FixedPoint, Interval, exact_codes, narrowest, plain
from siliconv.network.graph import Weights
from siliconv.quantize.lowering.exact_classes import exact_class, quantizer_in_words
from siliconv.quantize.lowering.quantized_functions import is_real_function
from siliconv.quantize.lowering.quantizer_types import is_sign, quantizer_type, refuse_noise

WIDEST = 16
"""Bits of a weight that is taken as it is; those of a bias, which is only added, may be `WIDEST_BIAS`."""
WIDEST_BIAS = 32

WIDEST_SCALED = 40
"""Bits of a scaled value: float32's 24, and those by which the smallest lies below the largest."""

FLOAT32_SIGNIFICAND = 24
"""Bits of a number in float32, in which QKeras computes."""

_WIDEST_SPREAD = 48
"""Bits from the largest to the smallest of scaled weights: their products still fit a sum of 62 bits."""


def integer_weights(values: Any, quantizer: Any, where: str, *, widest: int = WIDEST) -> Weights:
    """Give the integers of weights as their quantizer makes them.

    Parameters
    ----------
    values
        The unquantized weights.
    quantizer
        QKeras' quantizer; None for weights that have none.
    where
        What they are, for errors.
    widest
        Bits that weights without a quantizer may take.

    Raises
    ------
    NetworkError
        ``LOWER-ALPHA``, ``LOWER-STOCHASTIC``, ``LOWER-QUANTIZER`` where there is no exact form.
    """
    floats = np.asarray(values)
    if quantizer is None:
        return dyadic_weights(floats, where, widest=widest)
    if is_scaled(quantizer):
        refuse_noise(quantizer, where)
        found, scales = _scaled(floats, quantizer, where)
        if scales is None:
            return found
        raise no_power_of_two(quantizer, where)
    if _has_own_steps(quantizer):
        refuse_noise(quantizer, where)
        return dyadic_weights(quantized(floats, quantizer), where, widest=max(widest, int(quantizer.bits)))
    kind = plain(quantizer_type(quantizer, where=where))
    values = quantized(floats, quantizer)
    if kind.width - kind.signed > FLOAT32_SIGNIFICAND and float(values.max(initial=0.0)) > kind.codes.high * kind.step:
        raise NetworkError(
            "LOWER-QUANTIZER",
            f"{quantizer_in_words(quantizer)} gives {values.max():g}, beyond its largest value: float32 has 24 bits",
            where=where,
            fix="use at most 24 bits",
        )
    return Weights(exact_codes(values, kind, where=where), kind)


def _has_own_steps(quantizer: Any) -> bool:
    """Whether a quantizer gives few values that are no type's; as weights they are taken as they are."""
    kind = exact_class(quantizer)
    if kind == "quantized_relu":
        return bool(quantizer.negative_slope or quantizer.use_sigmoid)
    return kind == "quantized_sigmoid" or is_real_function(quantizer)


def channel_weights(values: Any, quantizer: Any, where: str) -> tuple[Weights, NDArray[np.float64] | None]:
    """Give integers, and for each output channel the scale that is left where that is no power of two."""
    if not is_scaled(quantizer):
        return integer_weights(values, quantizer, where), None
    refuse_noise(quantizer, where)
    return _scaled(np.asarray(values), quantizer, where)


def quantized(values: NDArray[np.floating], quantizer: Any) -> NDArray[np.floating]:
    """Give what a quantizer makes of weights, without the rounding of QKeras' ``x + (q - x)``."""
    exact = copy.copy(quantizer)
    if hasattr(exact, "use_ste"):
        exact.use_ste = False
    found: NDArray[np.floating] = np.asarray(exact(values))
    for name in ("scale",):
        if hasattr(exact, name):
            setattr(quantizer, name, getattr(exact, name))
    return found


def dyadic_weights(values: NDArray[np.floating], where: str, *, widest: int = WIDEST) -> Weights:
    """Give the integers of numbers as they are: every floating-point number is a binary fraction.

    Raises
    ------
    NetworkError
        ``LOWER-QUANTIZER`` where that takes more than so many bits.
    """
    exact = np.asarray(values, dtype=np.float64)
    mantissas, exponents = np.frexp(exact[exact != 0])
    if not mantissas.size:
        return Weights(np.zeros(exact.shape, dtype=np.int64), FixedPoint(True, 1, 1))
    whole = (np.abs(mantissas) * 2.0**53).astype(np.int64)
    zeros = np.array([(int(one) & -int(one)).bit_length() - 1 for one in whole])
    fraction = int((53 - exponents - zeros).max())
    bits = int(exponents.max()) + fraction + 1
    if bits > widest:
        raise NetworkError(
            "LOWER-QUANTIZER",
            f"no quantizer, and its numbers take {bits} bits to be held exactly",
            where=where,
            fix="say how they are quantized: quantize: {unquantized: {weights: 8}}; or use quantized_bits",
        )
    codes = np.rint(exact * 2.0**fraction).astype(np.int64)
    return Weights(codes, narrowest(Interval(min(int(codes.min()), -1), int(codes.max())), fraction))


def is_scaled(quantizer: Any) -> bool:
    """Say whether the values of a quantizer are multiples of powers of two, but of no single given type."""
    return _steps_of(quantizer) is not None


def _scaled(values: NDArray[np.floating], quantizer: Any, where: str) -> tuple[Weights, NDArray[np.float64] | None]:
    """Give the integers of such weights, and the scales of the channels where they are no powers of two."""
    steps_of = _steps_of(quantizer)
    assert steps_of is not None
    found = quantized(values, quantizer).astype(np.float64)
    steps = np.asarray(steps_of(quantizer, found), dtype=np.float64)
    if not np.all(np.isfinite(steps)) or np.any(steps <= 0):
        # A channel of zeros has no scale; its codes are zero in any.
        steps = np.where(np.isfinite(steps) & (steps > 0), steps, 1.0)
    exponents = np.log2(steps)
    # So may x + (q - x), which is how QKeras passes the gradient through.
    codes = np.rint(found / steps).astype(np.int64)
    # QKeras' float32 power of two may be off by a unit of its last place.
    if np.any(np.abs(exponents - np.rint(exponents)) > 1e-5):
        if np.size(steps) > 1 and np.size(steps) != steps.shape[-1]:
            raise no_power_of_two(quantizer, where)  # they differ along other axes than the channels
        scales = np.broadcast_to(steps, (*(1,) * (values.ndim - 1), values.shape[-1])).reshape(-1)
        kind = narrowest(Interval(min(int(codes.min()), -1), int(codes.max())), 0)
        return Weights(codes, kind), scales
    powers = np.broadcast_to(np.rint(exponents).astype(np.int64), codes.shape)
    least = int(powers[codes != 0].min()) if np.any(codes) else 0
    most = int((powers + np.ceil(np.log2(np.maximum(np.abs(codes), 1))).astype(np.int64)).max())
    if most - least > _WIDEST_SPREAD:
        raise NetworkError(
            "LOWER-WIDTH",
            f"{quantizer_in_words(quantizer)} makes weights from 2^{least} to 2^{most}, which take "
            f"{most - least + 2} bits together",
            where=where,
            fix=f"use fewer bits for the exponent: {_WIDEST_SPREAD + 2} bits hold all weights of a layer here",
        )
    codes = np.where(codes != 0, codes << np.where(codes != 0, powers - least, 0), 0)
    return Weights(codes, narrowest(Interval(min(int(codes.min()), -1), int(codes.max())), -least)), None


def _steps_of(quantizer: Any) -> Callable[[Any, Any], Any] | None:
    exact = exact_class(quantizer)
    if exact is None or (exact == "quantized_bits" and not _has_steps(quantizer)):
        return None
    return _STEPS.get(exact)


def _has_steps(quantizer: Any) -> bool:
    """Whether the steps of `quantized_bits` are found, differ by channel, or are those of a sign."""
    return is_sign(quantizer) or isinstance(quantizer.alpha, str) or np.size(quantizer.alpha) > 1


def no_power_of_two(quantizer: Any, where: str) -> NetworkError:
    """Give the error for a scale that no fixed-point type holds: ``LOWER-ALPHA``."""
    return NetworkError(
        "LOWER-ALPHA",
        f"{quantizer_in_words(quantizer)} scales by something else than powers of two",
        where=where,
        fix="use alpha=1 or another power of two, or alpha='auto_po2'",
    )


def _bits_steps(quantizer: Any, values: Any) -> Any:
    scale = np.asarray(1.0 if quantizer.scale is None else quantizer.scale)
    if is_sign(quantizer):
        return scale
    # Its scale is of the whole range of 2**integer, in steps of which there are 2**(bits - 1).
    return scale * 2.0 ** (int(quantizer.integer) - quantizer.bits + bool(quantizer.keep_negative))


def _least_power(quantizer: Any, values: Any) -> Any:
    """Give the smallest power of two that is there: the smallest that the bits allow may be none that a float holds."""
    return np.abs(values[values != 0]).min(initial=np.inf)


_STEPS: dict[str, Callable[[Any, Any], Any]] = {
    "binary": lambda quantizer, values: quantizer.scale,
    "ternary": lambda quantizer, values: quantizer.scale,
    "quantized_po2": _least_power,
    "quantized_relu_po2": _least_power,
    "quantized_bits": _bits_steps,
}
"""The step of each value, by the quantizer that has just computed the values."""
