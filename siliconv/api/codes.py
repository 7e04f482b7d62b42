"""Arrays of a user's as the codes of a network's input: exactly, or refused; those that choose its type are rounded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from siliconv.errors import DataError
from siliconv.models.data.data_config import InputConfig
from siliconv.models.data.input_choice import choose_input, look_at
from siliconv.models.data.number_type import PIXELS, NumberType
from siliconv.network.fixed_point import Codes
from siliconv.network.graph import Network, Node
from siliconv.network.rows import input_rows, joined
from siliconv.quantize.recipe import Recipe

Inputs = NDArray[Any] | Sequence[NDArray[Any]] | Mapping[str, NDArray[Any]]
"""An array of a network's input; of several inputs a list in their order, or a dictionary by their names."""

_SHOWN = 3


def as_codes(images: Inputs, network: Network) -> Codes:
    """Give the codes of inputs, (n, *input shape), int64; those of several as rows.

    Parameters
    ----------
    images
        (n, *input shape): integers are codes (an 8-bit pixel k), floating-point numbers are values (k/256). Of several
        inputs a list of such arrays in their order, or a dictionary by their names.
    network
        The network that takes them.

    Raises
    ------
    DataError
        ``INPUT-COUNT`` for another number of arrays than inputs, ``INPUT-SHAPE``, ``INPUT-TYPE`` for what is no
        number, ``INPUT-VALUE`` for values that its type does not have.
    """
    if len(network.inputs) == 1 and not isinstance(images, Mapping):
        return _codes_of(np.asarray(images), network.inputs[0], network)
    names = [input_name(node) for node in network.inputs]
    given = in_order(images, names, f"the inputs of network '{network.name}'")
    arrays = [_codes_of(one, node, network) for one, node in zip(given, network.inputs, strict=True)]
    if len({len(one) for one in arrays}) > 1:
        raise DataError(
            "INPUT-SHAPE",
            f"arrays of {', '.join(str(len(one)) for one in arrays)} examples",
            where=f"the inputs of network '{network.name}'",
            fix="pass as many examples of each input",
        )
    return input_rows(network, arrays)


def in_order(images: Inputs, names: Sequence[str], where: str) -> list[NDArray[Any]]:
    """Give the arrays of several inputs in their order, or raise `DataError` ``INPUT-COUNT``."""
    if isinstance(images, Mapping):
        if set(images) == set(names):
            return [np.asarray(images[name]) for name in names]
    elif isinstance(images, list | tuple) and len(images) == len(names):
        return [np.asarray(one) for one in images]
    raise DataError(
        "INPUT-COUNT",
        f"arrays for {', '.join(sorted(images))}" if isinstance(images, Mapping) else f"{len(images)} arrays",
        where=where,
        fix="pass a list of arrays, or a dictionary of arrays, for " + ", ".join(names),
    )


def input_name(node: Node) -> str:
    """Give the name that an input has for people: its node is called like it with ``_in`` behind."""
    return node.name.removesuffix("_in")


def _codes_of(images: NDArray[Any], entry: Node, network: Network) -> Codes:
    values = np.asarray(images)
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
    inputs: Inputs | None, stated: InputConfig | None, recipe: Recipe, names: Sequence[str] = ()
) -> tuple[Codes, NumberType]:
    """Give the codes of inputs that choose the type of a network's input, and the type.

    Parameters
    ----------
    inputs
        (n, *input shape): pixels where they are uint8 and nothing is stated. Of several inputs a list of arrays in the
        order of the model's, or a dictionary; all get one type.
    stated
        What is said of the type.
    recipe
        How a type is chosen.
    names
        Of several inputs.

    Raises
    ------
    DataError
        ``DATA-CALIBRATION`` where there are none, or no numbers; ``DATA-RANGE`` for NaN and infinity.
    """
    values = np.asarray(inputs) if inputs is not None and len(names) < 2 else np.empty(0)
    if inputs is not None and len(names) > 1:
        values = joined(in_order(inputs, names, "calibration"))
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
