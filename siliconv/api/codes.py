"""Arrays of a user's as the codes of a network's input: exactly, or refused."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from siliconv.errors import DataError
from siliconv.network.fixed_point import Codes
from siliconv.network.graph import Network

_SHOWN = 3


def as_codes(images: NDArray[Any], network: Network) -> Codes:
    """Give the codes of inputs, (n, *input shape), int64.

    Parameters
    ----------
    images
        (n, *input shape): integers are codes (an 8-bit pixel k), floating-point numbers are values (k/256).
    network
        The network that takes them.

    Raises
    ------
    DataError
        ``INPUT-SHAPE``, ``INPUT-TYPE`` for what is no number, ``INPUT-VALUE`` for values that its type does not have.
    """
    values, entry = np.asarray(images), network.input
    if values.shape[1:] != entry.shape or values.ndim == 0:
        raise DataError(
            "INPUT-SHAPE",
            f"an array of shape {values.shape}",
            where=f"the input of network '{network.name}'",
            fix=f"pass inputs of shape (n, {', '.join(map(str, entry.shape))})",
        )
    if values.dtype.kind not in "iufb":
        raise DataError(
            "INPUT-TYPE",
            f"an array of {values.dtype}",
            where=f"the input of network '{network.name}'",
            fix="pass integers (codes, such as 8-bit pixels) or floating-point values",
        )
    codes = values.astype(np.float64) / entry.type.step if values.dtype.kind == "f" else values
    low, high = entry.type.codes
    wrong = (codes < low) | (codes > high)
    if values.dtype.kind == "f":
        wrong |= codes != np.round(codes)  # NaN is no multiple of anything either
    if wrong.any():
        shown = ", ".join(f"{value:.8g}" for value in values[wrong][:_SHOWN].tolist())
        raise DataError(
            "INPUT-VALUE",
            f"{int(wrong.sum())} values that {entry.type} does not have, such as {shown}",
            where=f"the input of network '{network.name}'",
            fix=f"pass codes from {low} to {high} as integers, or values that are multiples of {entry.type.step:g}"
            " as floating-point numbers",
        )
    return codes.astype(np.int64)
