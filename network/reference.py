"""The reference: executes an integer network exactly. Every other executor is tested against it.

Sums of products run on the floating-point matrix product where the proven bound of the accumulator fits its 53-bit
(or 24-bit) significand, because then every partial sum is an exact integer; else on 64-bit integers. Which road is
taken changes the time, never a bit.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import singledispatch

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from siliconv.errors import NetworkError
from siliconv.network import graph as ir
from siliconv.network.fixed_point import Codes, requantize
from siliconv.network.rows import Batch, input_rows, parts_of, row_shape

FLOAT32_SIGNIFICAND, FLOAT64_SIGNIFICAND = 24, 53


def run(network: ir.Network, codes: Batch, *, keep: Iterable[str] | None = None) -> dict[str, Codes]:
    """Compute the network's tensors for a batch of inputs.

    Parameters
    ----------
    network
        The integer network; its types are taken as proven (`siliconv.network.intervals.prove`).
    codes
        (batch, *input shape), codes of the input type, any integer array; a list of such arrays for several inputs, or
        their rows (`siliconv.network.rows`).
    keep
        Names of the nodes to return; all by default. Others are dropped as soon as nothing reads them.

    Returns
    -------
    Codes by node name, each (batch, *node shape), int64.

    Raises
    ------
    NetworkError
        ``INPUT-COUNT``, ``INPUT-SHAPE``, ``INPUT-TYPE`` or ``INPUT-RANGE`` if the codes are not of the network's
        inputs, ``NODE-UNKNOWN`` if a name to keep is none of the network's.
    """
    rows = input_rows(network, codes)
    check_input(network, rows)
    given = dict(zip((node.name for node in network.inputs), parts_of(network.inputs, rows), strict=True))
    wanted = set(network.by_name) if keep is None else check_names(network, keep)
    last_reader = {name: node.name for node in network.nodes for name in node.inputs}
    alive: dict[str, Codes] = {}
    for node in network.nodes:
        if isinstance(node, ir.Input):
            alive[node.name] = given[node.name].astype(np.int64)
            continue
        sources = network.sources(node)
        alive[node.name] = evaluate(node, sources, tuple(alive[source.name] for source in sources))
        for source in sources:
            if last_reader[source.name] == node.name and source.name not in wanted:
                alive.pop(source.name, None)
    return {name: tensor for name, tensor in alive.items() if name in wanted}


def run_batches(network: ir.Network, codes: Batch, name: str, batch: int = 32) -> Codes:
    """Compute one node's output for any number of inputs in bounded memory; (n, *node shape)."""
    rows = input_rows(network, codes)
    parts = [run(network, rows[start : start + batch], keep=[name])[name] for start in range(0, len(rows), batch)]
    return np.concatenate(parts) if parts else np.zeros((0, *network.by_name[name].shape), np.int64)


def check_names(network: ir.Network, names: Iterable[str]) -> set[str]:
    """Give the names as a set, or raise ``NODE-UNKNOWN`` if one is no node of the network."""
    wanted = set(names)
    if unknown := wanted - set(network.by_name):
        raise NetworkError(
            "NODE-UNKNOWN",
            f"no node is called {sorted(unknown)}",
            where=f"network '{network.name}'",
            fix="use one of " + ", ".join(network.by_name),
        )
    return wanted


def check_input(network: ir.Network, codes: NDArray[np.integer]) -> None:
    """Raise ``INPUT-SHAPE``, ``INPUT-TYPE`` or ``INPUT-RANGE`` unless codes are a batch of the input, or rows."""
    if codes.dtype.kind not in "iu":
        raise NetworkError(
            "INPUT-TYPE",
            f"inputs of type {codes.dtype}, the network reads integer codes",
            where=f"network '{network.name}'",
            fix="pass codes (pixels 0 to 255 for ufixed<8,0>), not values between 0 and 1",
        )
    if codes.shape[1:] != row_shape(network.inputs):
        raise NetworkError(
            "INPUT-SHAPE",
            f"inputs of shape {codes.shape[1:]}, the network reads "
            + " and ".join(str(node.shape) for node in network.inputs),
            where=f"network '{network.name}'",
            fix="resize the images to the network's input"
            if len(network.inputs) == 1
            else "pass a list of arrays, one for each of " + ", ".join(node.name for node in network.inputs),
        )
    for node, part in zip(network.inputs, parts_of(network.inputs, codes), strict=True):
        _check_range(network, node, part)


def _check_range(network: ir.Network, node: ir.Input, codes: NDArray[np.integer]) -> None:
    if codes.size and (codes.min() < node.type.codes.low or codes.max() > node.type.codes.high):
        raise NetworkError(
            "INPUT-RANGE",
            f"input codes from {codes.min()} to {codes.max()} are outside {node.type}",
            where=f"network '{network.name}'",
            fix="pass codes of the input type (pixels 0 to 255 for ufixed<8,0>)",
        )


@singledispatch
def evaluate(node: ir.Node, sources: tuple[ir.Node, ...], inputs: tuple[Codes, ...]) -> Codes:
    """Compute one node for a batch; inputs and result are codes with a leading batch axis."""
    raise NotImplementedError(f"no reference for {type(node).__name__}")


@evaluate.register
def _(node: ir.Conv, sources: tuple[ir.Node, ...], inputs: tuple[Codes, ...]) -> Codes:
    kernel = node.kernel.codes
    windows = _windows(inputs[0], node.window, node.strides, node.padding, fill=0)
    # (batch, *out, channels, *window) -> rows of (*window, channels), the order of the kernel
    spatial = kernel.ndim - 2
    rows = np.moveaxis(windows, spatial + 1, -1)
    shape = rows.shape[: spatial + 1]
    sums = _matmul(rows.reshape(-1, np.prod(kernel.shape[:-1])), kernel.reshape(-1, kernel.shape[-1]), node)
    return _add_bias(sums.reshape(*shape, kernel.shape[-1]), node, sources[0])


@evaluate.register
def _(node: ir.DepthwiseConv, sources: tuple[ir.Node, ...], inputs: tuple[Codes, ...]) -> Codes:
    kernel = node.kernel.codes
    windows = _windows(inputs[0], node.window, node.strides, node.padding, fill=0)
    axes = tuple(range(-(kernel.ndim - 1), 0))
    return _add_bias((windows * np.moveaxis(kernel, -1, 0)).sum(axis=axes), node, sources[0])


@evaluate.register
def _(node: ir.Dense, sources: tuple[ir.Node, ...], inputs: tuple[Codes, ...]) -> Codes:
    sums = _matmul(inputs[0].reshape(-1, inputs[0].shape[-1]), node.kernel.codes, node)
    return _add_bias(sums.reshape(*inputs[0].shape[:-1], node.kernel.codes.shape[-1]), node, sources[0])


@evaluate.register
def _(node: ir.MaxPool, sources: tuple[ir.Node, ...], inputs: tuple[Codes, ...]) -> Codes:
    lowest = int(sources[0].type.codes.low)
    windows = _windows(inputs[0], node.window, node.strides, node.padding, fill=lowest)
    return windows.max(axis=tuple(range(-len(node.window), 0))).reshape(-1, *node.shape)


@evaluate.register
def _(node: ir.AveragePool, sources: tuple[ir.Node, ...], inputs: tuple[Codes, ...]) -> Codes:
    axes = tuple(range(-len(node.window), 0))
    sums = _windows(inputs[0], node.window, node.strides, node.padding, fill=0).sum(axis=axes)
    ones = np.ones((1, *inputs[0].shape[1:-1], 1), dtype=np.int64)
    count = _windows(ones, node.window, node.strides, node.padding, fill=0).sum(axis=axes)
    sums = sums << (node.type.fraction - sources[0].type.fraction)
    return (np.sign(sums) * (np.abs(sums) // count)).reshape(-1, *node.shape)


@evaluate.register
def _(node: ir.Add, sources: tuple[ir.Node, ...], inputs: tuple[Codes, ...]) -> Codes:
    first, second = _aligned(node, sources, inputs)
    return first + second


@evaluate.register
def _(node: ir.Concatenate, sources: tuple[ir.Node, ...], inputs: tuple[Codes, ...]) -> Codes:
    return np.concatenate(_aligned(node, sources, inputs), axis=-1)


@evaluate.register
def _(node: ir.Pairwise, sources: tuple[ir.Node, ...], inputs: tuple[Codes, ...]) -> Codes:
    if node.operation == "multiply":
        places = node.type.fraction - sources[0].type.fraction - sources[1].type.fraction
        return (inputs[0] * inputs[1]) << places
    first, second = _aligned(node, sources, inputs)
    if node.operation == "subtract":
        return first - second
    return np.maximum(first, second) if node.operation == "maximum" else np.minimum(first, second)


@evaluate.register
def _(node: ir.Rearrange, sources: tuple[ir.Node, ...], inputs: tuple[Codes, ...]) -> Codes:
    codes = inputs[0].transpose(0, *(axis + 1 for axis in node.order))
    for axis, places in enumerate(node.places, start=1):
        codes = codes.take(places, axis=axis)
    return codes


@evaluate.register
def _(node: ir.Requantize, sources: tuple[ir.Node, ...], inputs: tuple[Codes, ...]) -> Codes:
    codes = np.maximum(inputs[0], 0) if node.relu else inputs[0]
    return requantize(codes, sources[0].type.fraction, node.type)


@evaluate.register
def _(node: ir.Reshape, sources: tuple[ir.Node, ...], inputs: tuple[Codes, ...]) -> Codes:
    return inputs[0].reshape(-1, *node.shape)


@evaluate.register
def _(node: ir.Pad, sources: tuple[ir.Node, ...], inputs: tuple[Codes, ...]) -> Codes:
    return np.pad(inputs[0], ((0, 0), *node.padding, (0, 0)))


@evaluate.register
def _(node: ir.Table, sources: tuple[ir.Node, ...], inputs: tuple[Codes, ...]) -> Codes:
    return node.table.codes[inputs[0] - sources[0].type.codes.low]


@evaluate.register
def _(node: ir.Softmax, sources: tuple[ir.Node, ...], inputs: tuple[Codes, ...]) -> Codes:
    below = inputs[0].max(axis=-1, keepdims=True) - inputs[0]
    exponentials = node.exponential.codes[np.minimum(below, node.exponential.codes.size - 1)]
    total = exponentials.sum(axis=-1, keepdims=True)
    index_bits = node.reciprocal.codes.size.bit_length() - 1
    # Exact: a sum is far below 2**53.
    places = np.frexp(total.astype(np.float64))[1].astype(np.int64) - 1
    index = (total >> (places - index_bits)) - node.reciprocal.codes.size
    shift = places + node.reciprocal.type.fraction - node.type.fraction
    quotient = (exponentials * node.reciprocal.codes[index] + (np.int64(1) << (shift - 1))) >> shift
    return np.minimum(quotient, node.type.codes.high)


def _windows(
    codes: Codes, window: tuple[int, ...], strides: tuple[int, ...], padding: ir.Padding, *, fill: int
) -> Codes:
    """View the windows that a kernel slides over: (batch, *out, channels, *window)."""
    spatial = tuple(range(1, len(window) + 1))
    padded = np.pad(codes, ((0, 0), *padding, (0, 0)), constant_values=fill)
    steps = (slice(None), *(slice(None, None, stride) for stride in strides))
    return sliding_window_view(padded, window, axis=spatial)[steps]


def _matmul(rows: Codes, kernel: Codes, node: ir.Conv | ir.Dense) -> Codes:
    """Multiply integer matrices exactly: (n, k) by (k, m)."""
    # The node's type holds every partial sum aligned to it, so its width bounds the unaligned sums as well.
    if node.type.width < FLOAT32_SIGNIFICAND:
        return (rows.astype(np.float32) @ kernel.astype(np.float32)).astype(np.int64)
    if node.type.width < FLOAT64_SIGNIFICAND:
        return (rows.astype(np.float64) @ kernel.astype(np.float64)).astype(np.int64)
    return rows @ kernel


def _add_bias(sums: Codes, node: ir.Conv | ir.Dense | ir.DepthwiseConv, source: ir.Node) -> Codes:
    places = node.type.fraction - source.type.fraction - node.kernel.type.fraction
    return (sums << places) + (node.bias.codes << (node.type.fraction - node.bias.type.fraction))


def _aligned(node: ir.Node, sources: tuple[ir.Node, ...], inputs: tuple[Codes, ...]) -> tuple[Codes, ...]:
    return tuple(
        codes << (node.type.fraction - source.type.fraction) for codes, source in zip(inputs, sources, strict=True)
    )
