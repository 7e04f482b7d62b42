"""Batches of networks with several inputs or outputs: lists of arrays at the doors, one array of rows inside.

The batch of a network with one input is an array, (n, *input shape). With several inputs it is a list of such arrays
in the order of `Network.inputs`; what cuts batches, stores or hashes them takes one array of rows instead, (n, values):
the codes of all inputs one behind the other, each flattened. Outputs are handled in the same way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from siliconv.counting import counted
from siliconv.errors import NetworkError
from siliconv.network.fixed_point import Codes, to_values
from siliconv.network.graph import Network, Node, Shape

Batch = NDArray[Any] | Sequence[NDArray[Any]]
"""Inputs of a network: an array of one input or of rows, or a list of arrays, one an input."""


def row_shape(nodes: Sequence[Node]) -> Shape:
    """Give the shape of one entry of a batch: that of one input (or output), or the values of several."""
    return nodes[0].shape if len(nodes) == 1 else (sum(prod(node.shape) for node in nodes),)


def input_rows(network: Network, batch: Batch) -> NDArray[Any]:
    """Give a batch of a network's inputs as one array, (n, *`row_shape`).

    Raises
    ------
    NetworkError
        ``INPUT-COUNT`` for another number of arrays than inputs, ``INPUT-SHAPE`` for arrays that do not fit.
    """
    if isinstance(batch, np.ndarray):
        return batch
    nodes, arrays = network.inputs, [np.asarray(one) for one in batch]
    if len(arrays) != len(nodes):
        raise NetworkError(
            "INPUT-COUNT",
            f"{counted(len(arrays), 'array')} for {counted(len(nodes), 'input')}",
            where=f"network '{network.name}'",
            fix="pass one array for each of " + ", ".join(node.name for node in nodes),
        )
    for node, one in zip(nodes, arrays, strict=True):
        if one.shape[1:] != node.shape or one.ndim == 0 or len(one) != len(arrays[0]):
            raise NetworkError(
                "INPUT-SHAPE",
                f"an array of shape {one.shape} for the input '{node.name}'",
                where=f"network '{network.name}'",
                fix=f"pass arrays of one length, this one of the shape (n, {', '.join(map(str, node.shape))})",
            )
    return joined(arrays)


def joined(arrays: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Put arrays of the same entries, (n, *shape) each, beside each other as rows; a single one stays as it is."""
    if len(arrays) == 1:
        return arrays[0]
    kinds = {array.dtype for array in arrays}
    flat = [array.reshape(len(array), prod(array.shape[1:])) for array in arrays]
    if len(kinds) > 1 and all(kind.kind in "iu" for kind in kinds):
        flat = [array.astype(np.int64) for array in flat]
    return np.concatenate(flat, axis=1)


def parts_of(nodes: Sequence[Node], rows: NDArray[Any]) -> tuple[NDArray[Any], ...]:
    """Take rows apart again: an array (n, *shape) for each input (or output); a single one stays as it is."""
    if len(nodes) == 1:
        return (rows,)
    ends = np.cumsum([prod(node.shape) for node in nodes])[:-1]
    parts = np.split(rows, ends, axis=1)
    return tuple(part.reshape(len(rows), *node.shape) for part, node in zip(parts, nodes, strict=True))


def values_of(nodes: Sequence[Node], rows: Codes) -> NDArray[np.float64]:
    """Give the real values of codes, in the same form: those of inputs or outputs."""
    return joined([to_values(part, node.type) for part, node in zip(parts_of(nodes, rows), nodes, strict=True)])


def rows_of(nodes: Sequence[Node], tensors: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
    """Give what was computed of some nodes, by name, as one array."""
    return joined([tensors[node.name] for node in nodes])


def ends_of(nodes: Sequence[Node]) -> tuple[Codes, Codes]:
    """Give the lowest and the highest code of each place in an entry of a batch, int64 in its shape."""
    low, high = (
        joined([np.full((1, *node.shape), node.type.codes[end], dtype=np.int64) for node in nodes])[0] for end in (0, 1)
    )
    return low, high
