"""Arrays of a user's as the codes of a network's input: exactly, or refused; those that choose its type are rounded."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from siliconv.errors import DataError
from siliconv.models.data.data_config import InputConfig
from siliconv.models.data.input_choice import choose_input, look_at
from siliconv.models.data.number_type import PIXELS, NumberType
from siliconv.network.fixed_point import Codes
from siliconv.network.graph import Network
from siliconv.quantize.recipe import Recipe

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


def calibration_codes(
    inputs: NDArray[Any] | None, stated: InputConfig | None, recipe: Recipe
) -> tuple[Codes, NumberType]:
    """Give the codes of inputs that choose the type of a network's input, and the type.

    Parameters
    ----------
    inputs
        (n, *input shape): pixels where they are uint8 and nothing is stated.
    stated
        What is said of the type.
    recipe
        How a type is chosen.

    Raises
    ------
    DataError
        ``DATA-CALIBRATION`` where there are none, or no numbers; ``DATA-RANGE`` for NaN and infinity.
    """
    values = np.asarray(inputs) if inputs is not None else np.empty(0)
    if values.size == 0 or values.dtype.kind not in "biuf":
        raise DataError(
            "DATA-CALIBRATION",
            f"an array of {values.dtype}" if values.size else "no inputs to measure the ranges of the activations on",
            where="calibration",
            fix="pass a few hundred training inputs, (n, *input shape): uint8 pixels or other numbers",
        )
    if values.dtype == np.uint8 and (stated is None or stated.stated() == PIXELS):
        return values.astype(np.int64), PIXELS
    whole = values.dtype.kind in "biu"
    seen = look_at([values], values.size, 1.0, whole=whole, where="calibration")
    percentile = recipe.percentile if recipe.calibration == "percentile" else None
    kind = choose_input(stated or InputConfig(), seen, percentile).type
    return kind.encode(values)[0].astype(np.int64), kind
