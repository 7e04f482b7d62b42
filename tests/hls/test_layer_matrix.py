"""Every layer kind x padding x stride x type class, in both ways of passing tensors, for each back end: exact.

One network holds all cases, each a branch of its own from a trunk of requantizations, so that one compilation serves
them all; every branch is traced and compared.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import partial
from itertools import product

import numpy as np
import pytest
from layer_cases import TYPES, Cases, assert_every_case_exact, padding_of

from siliconv.hls.configuration import HlsConfig
from siliconv.network import graph as ir
from siliconv.network.fixed_point import FixedPoint, Overflow, Rounding, plain
from siliconv.network.function_table import table_node
from siliconv.network.intervals import sum_of_products_type
from siliconv.network.output_softmax import OUTPUT, _exponentials, _reciprocals

pytestmark = pytest.mark.usefixtures("compiler")
SLOW = pytest.mark.slow  # streams of one back end of each library of numbers, and one rank, are in make test


def add_windows(cases: Cases, windows, kinds) -> None:
    """Add convolutions and poolings: paddings x strides, the type classes in turn."""
    types = list(TYPES)
    combinations = product(kinds, ("same", "valid"), windows)
    for number, (kind, mode, (window, strides)) in enumerate(combinations):
        source = cases.source(types[number % len(types)])
        padding = padding_of(mode, source, window, strides)
        name = f"c{number}_{kind}_{mode}"
        if kind in ("conv", "depthwise"):
            cases.convolve(name, source, window, strides, padding, depthwise=kind == "depthwise")
        else:
            cases.pool(ir.MaxPool if kind == "max" else ir.AveragePool, name, source, window, strides, padding)


def add_others(cases: Cases) -> None:
    """Add what has no window: global pooling, merges, padding, tables, requantizations, dense layers."""
    one, other = cases.source("signed"), cases.source("integer")
    axes = len(one.shape) - 1
    whole, none = one.shape[:-1], ((0, 0),) * axes
    for kind in ("unsigned", "signed"):
        source = cases.source(kind)
        cases.pool(ir.MaxPool, f"largest_{kind}", source, whole, whole, none, (source.shape[-1],))
        cases.pool(ir.AveragePool, f"mean_{kind}", source, whole, whole, none, (source.shape[-1],))
    cases.merge(ir.Add, "sum", one, other)
    cases.merge(ir.Concatenate, "both", other, cases.graph.nodes["sum"])
    padded = ((1, 2),) if axes == 1 else ((1, 2), (0, 3))
    cases.add(ir.Pad, "padded", [cases.source("fraction")], plain(TYPES["fraction"]), padded)
    logits = cases.source("signed")
    tables = (_exponentials(Fraction(1, 4)), _reciprocals())
    cases.add(ir.Softmax, "softmax", [logits], OUTPUT, *tables)
    for function, output in (("tanh", FixedPoint(True, 6, 1)), ("sigmoid", FixedPoint(False, 6, 0))):
        source = cases.source("signed")
        cases.graph.add(table_node(function, source, function, replace(output, rounding=Rounding.RND_CONV)))
    # More bits dropped than there are: the headers of ap_fixed abort there unless they truncate.
    for rounding in Rounding:
        source = cases.source("fraction")
        far = FixedPoint(True, 3, 9, rounding, Overflow.SAT)
        cases.add(ir.Requantize, f"far_{rounding.value.lower()}", [source], far, False)
    flat = cases.source("unsigned")
    size = int(np.prod(flat.shape))
    flattened = cases.graph.add(ir.Reshape("flattened", (flat.name,), (size,), plain(flat.type)))
    kernel, bias = cases.weights(size, 3), cases.weights(3)
    result = sum_of_products_type(kernel, bias, cases.graph.bounds[flat.name], flat.type)
    cases.add(ir.Dense, "dense", [flattened], result, kernel, bias)
    # A flattened image that two layers read.
    cases.add(ir.Dense, "second_dense", [flattened], result, kernel, bias)


def add_pairs(cases: Cases) -> None:
    """Add the functions of two tensors, of signed and of unsigned types."""
    for operation in ir.OPERATIONS:
        cases.pair(operation, cases.source("signed"), cases.source("fraction"))
        cases.pair(operation, cases.source("unsigned"), cases.source("integer"), "_unsigned")


def add_rearranged(cases: Cases) -> None:
    """Add what moves elements: cropped, repeated, with swapped axes, in words of another length."""
    source = cases.source("signed")
    axes = len(source.shape)
    straight = tuple(range(axes))
    once = (1,) * axes
    cropped = (*(size - 3 for size in source.shape[:-1]), source.shape[-1])
    cases.rearrange("cropped", source, cropped, straight, (*(1, 2)[: axes - 1], 0), once)
    repeats = (*(2, 3)[: axes - 1], 1)
    larger = tuple(size * times for size, times in zip(source.shape, repeats, strict=True))
    cases.rearrange("repeated", cases.source("unsigned"), larger, straight, (0,) * axes, repeats)
    small = (*(3 for _ in cropped[:-1]), 4)
    both = (*(1,) * (axes - 1), 1), (*(1,) * (axes - 1), 4)
    cases.rearrange("one_channel", cases.source("signed"), small, straight, both[0], both[1])
    for number, order in enumerate([straight[::-1], (*straight[1:], 0), (*straight[:-2], *straight[:-3:-1])]):
        swapped = tuple(source.shape[axis] for axis in order)
        cases.rearrange(f"swapped{number}", cases.source("signed"), swapped, order, (0,) * axes, once)
    image = cases.source("integer")
    size = int(np.prod(image.shape))
    # A flattened image that is taken word by word, and one that is joined.
    vector = cases.graph.add(ir.Reshape("vector", (image.name,), (size,), plain(image.type)))
    cases.add(ir.Requantize, "function_of_a_vector", [vector], TYPES["unsigned"], True)
    cases.merge(ir.Concatenate, "joined_vectors", vector, cases.graph.nodes["function_of_a_vector"])
    row = cases.graph.add(ir.Reshape("row", (image.name,), (1, size), plain(image.type)))
    cases.pool(ir.MaxPool, "row_end", row, (1,), (1,), ((0, 0),), (size,))
    wide = cases.source("signed")
    shape = (size // 2, 1, 2) if axes == 2 else (source.shape[0] * 2, size // source.shape[0] // 2)
    cases.graph.add(ir.Reshape("other_shape", (wide.name,), shape, plain(wide.type)))


def two_dimensions() -> ir.Network:
    cases = Cases((7, 6, 2))
    add_windows(cases, [((3, 3), (1, 1)), ((3, 2), (2, 2)), ((1, 1), (2, 2)), ((1, 3), (2, 1))], ("conv", "depthwise"))
    add_windows_from = [((3, 3), (1, 1)), ((3, 3), (2, 2)), ((2, 3), (2, 3)), ((2, 2), (3, 1))]
    add_windows(cases, add_windows_from, ("max", "average"))
    add_others(cases)
    return cases.network()


def one_dimension() -> ir.Network:
    cases = Cases((11, 2))
    add_windows(cases, [((3,), (1,)), ((4,), (2,)), ((1,), (2,))], ("conv", "depthwise"))
    add_windows(cases, [((3,), (1,)), ((3,), (2,)), ((2,), (2,)), ((2,), (3,))], ("max", "average"))
    add_others(cases)
    return cases.network()


def pairs_and_moves(*shape: int) -> ir.Network:
    cases = Cases(shape)
    add_pairs(cases)
    add_rearranged(cases)
    return cases.network()


NETWORKS = {
    "2-D": two_dimensions,
    "1-D": one_dimension,
    "pairs-2-D": partial(pairs_and_moves, 7, 6, 2),
    "pairs-1-D": partial(pairs_and_moves, 11, 2),
}


@pytest.mark.long
@pytest.mark.parametrize(
    "network",
    [pytest.param(make, id=name, marks=SLOW if name.endswith("1-D") else ()) for name, make in NETWORKS.items()],
)
@pytest.mark.parametrize(
    "backend", ["Vitis", pytest.param("Vivado", marks=SLOW), "Quartus", pytest.param("Catapult", marks=SLOW)]
)
@pytest.mark.parametrize("io_type", ["io_stream", pytest.param("io_parallel", marks=SLOW)])
def test_every_case_is_exact(network, backend, io_type, tmp_path):
    assert_every_case_exact(network(), HlsConfig(backend=backend, io_type=io_type, part="xc7z020clg400-1"), tmp_path)
