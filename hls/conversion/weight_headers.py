"""The headers with the weights and tables that synthesis compiles: C simulation reads them, and so do we."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from siliconv.errors import FirmwareError
from siliconv.hls.conversion.layer_list import table_by_raw_bits
from siliconv.network import graph as ir
from siliconv.network.fixed_point import Codes, FixedPoint, to_values

READER = "weights_from_header.h"
WEIGHTS = Path("firmware", "weights")

_LOAD = re.compile(r'nnet::load_weights_from_txt<(?P<type>\w+), (?P<size>\d+)>\((?P<name>\w+), "\w+\.txt"\);')
_ARRAY = re.compile(r"(?P<type>\w+)_t (?P<name>\w+)\[(?P<size>\d+)\] = \{(?P<numbers>[^}]*)\}")


@dataclass(frozen=True)
class WeightHeader:
    """An array that synthesis compiles: whose it is, what it is for, and its numbers in the order of the file.

    ``role`` is ``weight``, ``bias``, ``table``, ``exponential`` or ``reciprocal``.
    """

    path: Path
    layer: str
    role: str
    size: int
    numbers: NDArray[np.float64]


def read_in_simulation(source: Path, weights: Path) -> None:
    """Let the top function read the headers when the simulation starts, in place of hls4ml's text files.

    The arrays of a header are compiled by synthesis alone: the constructors of a large one take g++ too long.
    """
    text = source.read_text(encoding="utf-8")
    if _LOAD.search(text):
        text = _LOAD.sub(r'simulation::read_weights<\g<type>, \g<size>>(\g<name>, "\g<name>.h");', text)
        include = f'#include "parameters.h"\n#ifndef __SYNTHESIS__\n#include "simulation/{READER}"\n#endif\n'
        source.write_text(text.replace('#include "parameters.h"\n', include, 1), encoding="utf-8")
    for unread in weights.glob("*.txt"):
        unread.unlink()


def read_headers(project: Path, network: ir.Network) -> tuple[WeightHeader, ...]:
    """Read the headers of a project that hold weights or tables of a network's nodes, in the order of their names."""
    found = []
    for path in sorted((project / WEIGHTS).glob("*.h")):
        match = _ARRAY.search(path.read_text(encoding="utf-8", errors="replace"))
        layer, _, role = match["type"].rpartition("_") if match else ("", "", "")
        if match is None or layer not in network.by_name:
            continue
        try:
            numbers = np.array([float(number) for number in match["numbers"].split(",")])
        except ValueError:
            numbers = np.empty(0)
        found.append(WeightHeader(path, layer, role, int(match["size"]), numbers))
    return tuple(found)


def network_arrays(network: ir.Network) -> dict[tuple[str, str], tuple[Codes, FixedPoint]]:
    """Give the codes and types of all weights and tables by node and role; a table by its input's raw bits."""
    found: dict[tuple[str, str], tuple[Codes, FixedPoint]] = {}
    for node in network.nodes:
        if isinstance(node, ir.Matrix):
            found[node.name, "weight"] = node.kernel.codes, node.kernel.type
            found[node.name, "bias"] = node.bias.codes, node.bias.type
        elif isinstance(node, ir.Table):
            values = table_by_raw_bits(node, network.sources(node)[0])
            found[node.name, "table"] = np.rint(values / node.table.type.step).astype(np.int64), node.table.type
        elif isinstance(node, ir.Softmax):
            found[node.name, "exponential"] = node.exponential.codes, node.exponential.type
            found[node.name, "reciprocal"] = node.reciprocal.codes, node.reciprocal.type
    return found


def order_of(header: WeightHeader, network: ir.Network) -> list[int] | None:
    """Give the order of the axes in which a template wants a tensor; None where it is no order of axes.

    Raises
    ------
    FirmwareError
        ``FIRMWARE-WEIGHTS`` where its numbers are not the network's in any order.
    """
    codes, kind = network_arrays(network)[header.layer, header.role]
    for axes in itertools.permutations(range(codes.ndim)):
        if np.array_equal(expected_numbers(codes, kind, list(axes)), header.numbers):
            return list(axes)
    if not np.array_equal(_by_size(codes, kind, header.numbers.size), np.sort(header.numbers)):
        raise FirmwareError(
            "FIRMWARE-WEIGHTS",
            f"hls4ml wrote other {header.role}s than the network has",
            where=f"layer '{header.layer}', {header.path}",
            fix="this is a defect of the conversion: report it with the project file",
        )
    return None


def expected_numbers(codes: Codes, kind: FixedPoint, axes: list[int]) -> NDArray[np.float64]:
    """Give the numbers of a tensor in the order of a header."""
    values: NDArray[np.float64] = to_values(codes, kind).transpose(axes).ravel()
    return values


def _by_size(codes: Codes, kind: FixedPoint, size: int) -> NDArray[np.float64]:
    """Give the numbers of a tensor by their size, with the zeros by which Quartus fills blocks of a power of two."""
    values = to_values(codes, kind).ravel()
    return np.sort(np.concatenate([values, np.zeros(max(size - values.size, 0))]))


def as_written(project: Path, network: ir.Network) -> list[dict[str, Any]]:
    """Describe the headers of a project that was just written, for its manifest; raises as `order_of`."""
    return [
        {"file": one.path.name, "layer": one.layer, "role": one.role, "order": order_of(one, network)}
        for one in read_headers(project, network)
    ]


def wrong_numbers(header: WeightHeader, network: ir.Network, axes: list[int] | None) -> Iterator[str]:
    """Yield in words which number of a header is not the network's, the first one only."""
    arrays = network_arrays(network)
    if (header.layer, header.role) not in arrays:
        return
    codes, kind = arrays[header.layer, header.role]
    name, found = f"{WEIGHTS / header.path.name}", header.numbers
    filled = axes is None and found.size > codes.size
    if found.size != header.size or (found.size != codes.size and not filled):
        yield f"{name}: {found.size} numbers for {header.size}, the {header.role} of {header.layer} has {codes.size}"
        return
    expected = expected_numbers(codes, kind, axes) if axes is not None else _by_size(codes, kind, found.size)
    wrong = np.flatnonzero((found if axes is not None else np.sort(found)) != expected)
    if wrong.size:
        first = int(wrong[0])
        values = (
            f"{(found if axes is not None else np.sort(found))[first]:.12g}, the network's is {expected[first]:.12g}"
        )
        where = f"number {first}" if axes is not None else f"number {first} in order of size"
        more = f" ({wrong.size} numbers differ)" if wrong.size > 1 else ""
        yield f"{name}: {where} of the {header.role} of {header.layer} is {values}{more}"
