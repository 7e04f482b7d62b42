"""Why the firmware differs from the integer network in an element: the types and weights that its sources state.

The element is computed again with the types that stand in the sources. What gives the firmware's value is the cause.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from siliconv.hls.conversion.firmware_types import StatedType, explain_type, stated_types
from siliconv.hls.conversion.weight_headers import read_headers, wrong_numbers
from siliconv.hls.evidence.edits import trusted_manifest
from siliconv.network import graph as ir
from siliconv.network.explanation.element_trace import conversion
from siliconv.network.explanation.first_difference import Cause, Execution, Place, Values, input_cause
from siliconv.network.fixed_point import Codes, FixedPoint, requantize
from siliconv.network.rows import parts_of

FIRMWARE = "firmware"

_WRITE_WEIGHTS_AGAIN = "write the sources again: siliconv run --force"
_WRITE_AGAIN = f"{_WRITE_WEIGHTS_AGAIN}; keep the type that the network proves"
_WRITE_TABLE_AGAIN = f"{_WRITE_WEIGHTS_AGAIN}; the table is data of the network, not computed by the compiler"


def firmware_execution(project: Path, network: ir.Network, values: Mapping[str, Values], inputs: Values) -> Execution:
    """Give what a firmware computed as an execution.

    Parameters
    ----------
    project
        Its sources.
    network
        The network it was made from.
    values
        Real values by node, (n, *shape) (`siliconv.hls.csim.csim.simulate_values`).
    inputs
        The values it was given, rows of several inputs.
    """
    given = zip(network.inputs, parts_of(network.inputs, inputs), strict=True)
    return Execution(
        FIRMWARE,
        {**{node.name: part for node, part in given}, **values},
        lambda place: firmware_causes(project, place),
    )


def firmware_causes(project: Path, place: Place) -> Iterator[Cause]:
    """Yield why the firmware has another value than the network."""
    yield from input_cause(place, FIRMWARE)
    types = {one.role: one for one in stated_types(project, place.network) if one.layer == place.node.name}
    yield from _edited_numbers(project, place)
    if isinstance(place.node, ir.Conv | ir.DepthwiseConv | ir.Dense | ir.AveragePool):
        yield from _accumulation(types, place)
    elif isinstance(place.node, ir.Requantize):
        yield from _conversion(types, place)
    elif isinstance(place.node, ir.Table):
        yield from _table(place)


def _accumulation(types: Mapping[str, StatedType], place: Place) -> Iterator[Cause]:
    accumulator, result = types.get("accum"), types.get("result")
    predicted = _computed_again(types, place)
    sure = predicted == place.found
    if accumulator is not None and not accumulator.is_enough:
        top, bottom = accumulator.lost_bits
        step = _first_outside(accumulator.stated, place)
        how = "; computed again with it, the element has the firmware's value" if sure else ""
        if top > 0 and step is not None:
            number, partial = step
            yield Cause(
                "ACCUMULATOR-OVERFLOW",
                FIRMWARE,
                f"the accumulator {accumulator.stated} overflows at bit {accumulator.stated.width}: the sum reaches "
                f"{partial:g} with term {number} of {len(place.trace.terms)}, its range ends at "
                f"{_end(accumulator.stated, partial):g}; {accumulator.expected} is needed{how}",
                _WRITE_AGAIN,
            )
        elif bottom > 0:
            yield Cause(
                "ACCUMULATOR-TRUNCATION",
                FIRMWARE,
                f"the accumulator {accumulator.stated} drops {bottom} bits of each product; {accumulator.expected} "
                f"keeps{how}",
                _WRITE_AGAIN,
            )
    for role in ("weight", "bias"):
        one = types.get(role)
        if one is not None and not one.is_enough:
            yield Cause(
                "WEIGHT-TYPE",
                FIRMWARE,
                f"the {role}s are {one.stated}, not {one.expected}: {explain_type(one)}",
                _WRITE_AGAIN,
            )
    if result is not None and not result.is_enough:
        yield Cause(
            "RESULT-TYPE",
            FIRMWARE,
            f"the sum is brought into {result.stated}, not {result.expected}: {explain_type(result)}",
            _WRITE_AGAIN,
        )


def _conversion(types: Mapping[str, StatedType], place: Place) -> Iterator[Cause]:
    result = types.get("result")
    if result is None or result.is_enough:
        return
    assert isinstance(place.node, ir.Requantize)
    kind, expected, stated = place.sources[0].type, result.expected, result.stated
    found = conversion(place.input_code, kind, expected, relu=place.node.relu)
    if found.is_outside(stated) and (stated.overflow is not expected.overflow or stated.integer != expected.integer):
        code_of_cause, said = "SATURATION", f"{found.exact:g} is outside of {stated}, which makes {place.found:g} of it"
    elif stated.rounding is not expected.rounding:
        code_of_cause = "ROUNDING-TIE" if found.is_tie else "ROUNDING-MODE"
        where = "in the middle of two values" if found.is_tie else f"{found.rest} of {1 << found.places} above a value"
        taken = f"{stated.rounding} takes {place.found:g}, {expected.rounding} {place.trace.value:g}"
        said = f"{found.exact!r} lies {where}; {taken}"
    else:
        code_of_cause, said = "RESULT-TYPE", explain_type(result)
    yield Cause(
        code_of_cause,
        FIRMWARE,
        f"the sources state {stated}, the network {expected}: {said}",
        _WRITE_AGAIN,
    )


def _table(place: Place) -> Iterator[Cause]:
    assert isinstance(place.node, ir.Table)
    table, lowest = place.node.table, place.sources[0].type.codes.low
    entry = place.input_code - lowest
    code = place.found / table.type.step
    steps = [other - entry for other in np.flatnonzero(table.codes == code)]
    if steps:
        nearest = min(steps, key=abs)
        said = f"the firmware reads the entry {nearest:+d} steps away"
    else:
        said = f"the firmware has {code:g} in that place, which is no entry of the network's table"
    yield Cause(
        "TABLE-STEP",
        FIRMWARE,
        f"entry {entry} of the {place.node.function} table is {table.codes[entry]}; {said}",
        _WRITE_TABLE_AGAIN,
    )


def _edited_numbers(project: Path, place: Place) -> Iterator[Cause]:
    """Yield weights and tables in the headers that are not those of the network, in the order they were written in."""
    manifest = trusted_manifest(project)
    network, name = manifest.form(place.network), place.node.name
    code, fix = (
        ("WEIGHTS", _WRITE_WEIGHTS_AGAIN) if isinstance(place.node, ir.Matrix) else ("TABLE-STEP", _WRITE_TABLE_AGAIN)
    )
    for header in read_headers(project, network):
        if header.layer == name:
            for said in wrong_numbers(header, network, manifest.orders.get(header.path.name)):
                yield Cause(code, FIRMWARE, said, fix)


def _computed_again(types: Mapping[str, StatedType], place: Place) -> float | None:
    """Compute the element with the types of the sources, or give None where one is not known."""
    accumulator, result = types.get("accum"), types.get("result")
    if accumulator is None or result is None:
        return None
    total = before = 0
    for term in place.trace.terms:
        product = term.partial - before
        before = term.partial
        total = _converted(
            total + _converted(product, place.node.type.fraction, accumulator.stated), None, accumulator.stated
        )
    if isinstance(place.node, ir.AveragePool):
        total = int(np.sign(total)) * (abs(total) // len(place.trace.terms))
    code = _converted(total, accumulator.stated.fraction, result.stated)
    return code * result.stated.step


def _sum_fraction(place: Place) -> int:
    return place.node.type.fraction


def _converted(code: int, fraction: int | None, to: FixedPoint) -> int:
    """Bring a code into a type; without a fraction it has the type's own."""
    codes: Codes = np.array([code], dtype=np.int64)
    return int(requantize(codes, to.fraction if fraction is None else fraction, to)[0])


def _first_outside(stated: FixedPoint, place: Place) -> tuple[int, float] | None:
    """Give the first term with which the sum leaves a type, counted from 1, and the sum in real units."""
    step = 2.0**-place.node.type.fraction
    for number, term in enumerate(place.trace.terms, start=1):
        value = term.partial * step
        if not stated.codes.low * stated.step <= value <= stated.codes.high * stated.step:
            return number, value
    return None


def _end(stated: FixedPoint, partial: float) -> float:
    return (stated.codes.high if partial > 0 else stated.codes.low) * stated.step
