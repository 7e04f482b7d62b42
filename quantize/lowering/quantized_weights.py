"""The integers behind QKeras quantizers whose values are multiples of powers of two, but of no single given type.

`binary`, `ternary` and `quantized_po2`, and the scale for each channel that `alpha='auto_po2'` finds: the values are
exact multiples of the smallest scale, so the kernel is brought to that one. No scale is left at run time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from siliconv.errors import NetworkError
from siliconv.network.fixed_point import Interval, narrowest
from siliconv.network.graph import Weights
from siliconv.quantize.lowering.exact_classes import exact_class


def is_scaled(quantizer: Any) -> bool:
    """Say whether a quantizer is one of these."""
    return _steps_of(quantizer) is not None


def scaled_weights(values: NDArray[np.floating], quantizer: Any, where: str) -> Weights:
    """Give the integers of weights that such a quantizer has just computed.

    Raises
    ------
    NetworkError
        ``LOWER-ALPHA`` for a scale that is no power of two.
    """
    steps_of = _steps_of(quantizer)
    assert steps_of is not None
    if isinstance(getattr(quantizer, "alpha", None), str) and quantizer.alpha != "auto_po2":
        raise _refusal(quantizer, where)
    steps = np.asarray(steps_of(quantizer), dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        exponents = np.log2(steps)
    # QKeras' float32 power of two may be off by a unit of its last place.
    if not np.all(np.isfinite(exponents)) or np.any(np.abs(exponents - np.rint(exponents)) > 1e-5):
        raise _refusal(quantizer, where)
    powers = np.rint(exponents).astype(np.int64)
    # So may x + (q - x), which is how QKeras passes the gradient through.
    codes = np.rint(np.asarray(values, dtype=np.float64) / 2.0**powers).astype(np.int64)
    fraction = int(-powers.min())
    codes = codes << (powers + fraction)
    kind = narrowest(Interval(min(int(codes.min()), -1), int(codes.max())), fraction)
    return Weights(codes, kind)


def _steps_of(quantizer: Any) -> Callable[[Any], Any] | None:
    exact = exact_class(quantizer)
    if exact is None or (exact == "quantized_bits" and not _finds_its_scale(quantizer)):
        return None
    return _STEPS.get(exact)


def _finds_its_scale(quantizer: Any) -> bool:
    return isinstance(quantizer.alpha, str) and quantizer.alpha == "auto_po2"


def _refusal(quantizer: Any, where: str) -> NetworkError:
    return NetworkError(
        "LOWER-ALPHA",
        f"{quantizer} scales by something else than powers of two",
        where=where,
        fix="use alpha='auto_po2', or a power of two as alpha",
    )


_STEPS: dict[str, Callable[[Any], Any]] = {
    "binary": lambda quantizer: quantizer.scale,
    "ternary": lambda quantizer: quantizer.scale,
    "quantized_po2": lambda quantizer: 2.0**quantizer._min_exp,
    # Its scale is of the whole range of 2**integer, in steps of which there are 2**(bits - 1).
    "quantized_bits": lambda quantizer: (
        np.asarray(quantizer.scale) * 2.0 ** (int(quantizer.integer) - quantizer.bits + bool(quantizer.keep_negative))
    ),
}
"""The step of each value, by the quantizer that has just computed it."""
