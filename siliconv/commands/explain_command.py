"""The command `siliconv explain`: the first element in which two executions differ, its integer trace, the cause."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from siliconv.commands.options import JsonOption, ProjectArgument, open_project, print_json

if TYPE_CHECKING:
    from siliconv.actions.explain import Answer
    from siliconv.network.explanation.element_trace import ElementTrace, Term

SHOWN_TERMS = 12


def explain(
    project: ProjectArgument,
    between: Annotated[
        tuple[str, str],
        typer.Option("--between", metavar="A B", help="two of float, quantized, reference, firmware, rtl"),
    ] = ("quantized", "firmware"),
    json_output: JsonOption = False,
) -> int:
    """Show the first layer and element in which two executions differ, its exact integer trace, cause and fix.

    Exits 1 where they differ and should not. A float network differs by design; it is shown how much of that comes
    from weights and how much from activations.
    """
    answer = open_project(project).explain(*between)
    if json_output:
        print_json(answer.as_json())
    else:
        sys.stdout.write("".join(f"{line}\n" for line in lines(answer)))
    return int(not answer.explanation.equal and not answer.by_design)


def lines(answer: Answer) -> Iterator[str]:
    """Yield an answer in words."""
    found = answer.explanation
    one, other = found.between
    if found.equal or found.trace is None:
        values = sum(layer.values for layer in found.layers)
        yield f"{one} and {other} are equal: {found.vectors} vectors, {len(found.layers)} tensors, {values:,} values"
        return
    yield f"{one} and {other} differ first in layer '{found.layer}', element {_index(found.index or ())}"
    yield f"  vector  {found.vector} ({answer.origin})"
    for name, value in found.values.items():
        yield f"  {name:<10} {value!r}"
    yield from _trace(found.trace)
    for cause in found.causes:
        yield f"  cause   [{cause.code}] in the {cause.execution} execution: {cause.what}"
        yield f"  fix     {cause.fix}"
    yield "layers (values that differ, largest difference):"
    for layer in found.layers:
        yield f"  {layer.name:<24} {layer.differing:>9,} of {layer.values:>11,}  {layer.max_abs_difference:.6g}"
    if answer.contributions:
        yield "the largest difference of each layer, total = weights + bias + activations + float32 rounding:"
        for part in answer.contributions:
            yield (
                f"  {part.layer:<24} {part.total:+.5f} = {part.weights:+.5f} {part.bias:+.5f} {part.activations:+.5f} "
                f"{part.rounding:+.1e}"
            )


def _trace(trace: ElementTrace) -> Iterator[str]:
    types = ", ".join(f"{role} {kind}" for role, kind in trace.types.items())
    yield f"  trace   {trace.kind}; {types}"
    shown = trace.terms
    if len(shown) > SHOWN_TERMS:
        shown = (*shown[: SHOWN_TERMS - 3], *shown[-3:])
    for number, term in enumerate(shown):
        if len(trace.terms) > SHOWN_TERMS and number == SHOWN_TERMS - 3:
            yield f"          ... {len(trace.terms) - SHOWN_TERMS:,} more, all in --json"
        yield f"          {_term(term)}"
    yield from (f"          {step}" for step in trace.steps)
    yield f"          result code {trace.code} = {trace.value!r}"


def _term(term: Term) -> str:
    where = f"input{_index(term.at)} = {term.input}" if term.at else "bias"
    product = "" if term.weight is None else f" * {term.weight} = {term.product}" if term.at else f" {term.weight}"
    return f"{where}{product}, together {term.partial}"


def _index(index: tuple[int, ...]) -> str:
    return "[" + ", ".join(str(i) for i in index) + "]"
