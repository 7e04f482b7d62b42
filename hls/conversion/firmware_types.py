"""The types that generated sources state, read back from the disk and compared with the integer network's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from siliconv.network import graph as ir
from siliconv.network.fixed_point import FixedPoint, Overflow, Rounding
from siliconv.network.intervals import average_sum_type, prove

_TYPEDEF = re.compile(r"^typedef\s+(?P<type>.+?)\s+(?P<name>\w+);", re.MULTILINE)
_MODES = r"(?:,A[PC]_(?P<rounding>\w+),A[PC]_(?P<overflow>\w+)(?:,0)?)?>"
_FIXED = (
    re.compile(r"ap_(?P<unsigned>u?)fixed<(?P<width>\d+),(?P<integer>-?\d+)" + _MODES),
    re.compile(r"ac_fixed<(?P<width>\d+),(?P<integer>-?\d+),(?:true|(?P<unsigned>false))" + _MODES),
)
_TRACE = re.compile(r'nnet::save_layer_output<(?P<type>\w+)>\([\w.]+, "(?P<layer>\w+)"')


@dataclass(frozen=True)
class StatedType:
    """A type in the sources: whose it is, what it is for, and what the network says it must be.

    ``role`` is ``result``, ``accum``, ``weight`` or ``bias``; ``name`` is that of its definition.
    """

    layer: str
    role: str
    name: str
    stated: FixedPoint
    expected: FixedPoint
    passes: bool = False
    """Whether its layer passes codes on as they are, so that the modes of rounding and overflow mean nothing."""

    @property
    def lost_bits(self) -> tuple[int, int]:
        """Bits missing at the top and at the bottom; negative where there are more than needed."""
        top = self.expected.integer - self.expected.signed - (self.stated.integer - self.stated.signed)
        if self.expected.signed and not self.stated.signed:
            top += 1  # an unsigned type has no place for the sign
        return top, self.expected.fraction - self.stated.fraction

    @property
    def is_enough(self) -> bool:
        """Whether it is the network's type; an accumulator may have more bits."""
        if self.role != "accum":
            return self.stated == self.expected
        top, bottom = self.lost_bits
        return top <= 0 and bottom <= 0

    @property
    def is_kept(self) -> bool:
        """Whether it is enough, or has the network's bits where nothing is converted into it."""
        bits = (self.stated.signed, self.stated.width, self.stated.integer)
        same_bits = bits == (self.expected.signed, self.expected.width, self.expected.integer)
        return self.is_enough or (self.passes and same_bits)


def read_types(project: Path) -> dict[str, FixedPoint]:
    """Give the fixed-point types of `defines.h` by their names; of arrays and streams the element's."""
    path = project / "firmware" / "defines.h"
    found = {}
    for match in _TYPEDEF.finditer(path.read_text(encoding="utf-8")):
        kind = parse_hls_type(match["type"])
        if kind is not None:
            found[match["name"]] = kind
    return found


def parse_hls_type(text: str) -> FixedPoint | None:
    """Read an `ap_fixed` or `ac_fixed` type in C++ text, or None where there is none."""
    found = (pattern.search(text.replace(" ", "")) for pattern in _FIXED)
    match = next((match for match in found if match), None)
    if match is None:
        return None
    rounding, overflow = match["rounding"] or "TRN", match["overflow"] or "WRAP"
    return FixedPoint(
        not match["unsigned"], int(match["width"]), int(match["integer"]), Rounding(rounding), Overflow(overflow)
    )


def stated_types(project: Path, network: ir.Network) -> tuple[StatedType, ...]:
    """Compare the types that sources state with those that the network proves, in the order of the network.

    Parameters
    ----------
    project
        A generated project.
    network
        The integer network it was made from.
    """
    types, results = read_types(project), _result_names(project, network.name)
    bounds = prove(network)
    found: list[StatedType] = []
    for node in network.nodes:
        expected: dict[str, FixedPoint] = {}
        if isinstance(node, ir.Matrix):
            expected = {"weight": node.kernel.type, "bias": node.bias.type, "accum": node.type}
        elif isinstance(node, ir.AveragePool):
            source = network.sources(node)[0]
            expected = {"accum": average_sum_type(node, source, bounds[source.name])}
        elif isinstance(node, ir.MaxPool):
            expected = {"accum": node.type}
        for role, kind in expected.items():
            name = f"{node.name}_{role}_t"
            if name in types:
                found.append(StatedType(node.name, role, name, types[name], kind))
        name = results.get(node.name, "")
        if name in types:
            passes = isinstance(node, ir.Reshape | ir.Pad)
            found.append(StatedType(node.name, "result", name, types[name], node.type, passes))
    return tuple(found)


def state_one_bit_types(project: Path, network: ir.Network) -> None:
    """Give the types of one bit in sources of `ac_fixed` their one bit.

    hls4ml writes two, for a library of oneAPI that has no narrower ones; the one that comes with a project has.
    """
    path = project / "firmware" / "defines.h"
    wrong = {
        one.name
        for one in stated_types(project, network)
        if (one.expected.width, one.stated.width) == (1, 2)
        and (one.expected.signed, one.expected.integer) == (one.stated.signed, one.stated.integer)
    }

    def stated(match: re.Match[str]) -> str:
        return match[0].replace("ac_fixed<2,", "ac_fixed<1,", 1) if match["name"] in wrong else match[0]

    if wrong:
        path.write_text(_TYPEDEF.sub(stated, path.read_text(encoding="utf-8")), encoding="utf-8")


def _result_names(project: Path, top: str) -> Mapping[str, str]:
    """Give the C++ name of the result type of each layer, from the traces in the top function."""
    text = (project / "firmware" / f"{top}.cpp").read_text(encoding="utf-8")
    return {match["layer"]: match["type"] for match in _TRACE.finditer(text)}


def explain_type(one: StatedType) -> str:
    """Say in words what a stated type loses."""
    top, bottom = one.lost_bits
    if top > 0:
        return f"{top} integer bits too few"
    if bottom > 0:
        return f"{bottom} fractional bits too few"
    if one.stated.rounding is not one.expected.rounding:
        return f"rounding {one.stated.rounding} in place of {one.expected.rounding}"
    if one.stated.overflow is not one.expected.overflow:
        return f"overflow {one.stated.overflow} in place of {one.expected.overflow}"
    return "another type"
