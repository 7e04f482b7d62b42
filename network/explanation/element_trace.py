"""The exact integer trace of one element: what is multiplied, added, rounded or chosen on the way to it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import singledispatch
from typing import Any

import numpy as np

from siliconv.network import graph as ir
from siliconv.network.fixed_point import Codes, FixedPoint, requantize
from siliconv.network.intervals import average_sum_type, prove

Index = tuple[int, ...]


@dataclass(frozen=True)
class Term:
    """One term of a sum: where its input stands, the codes, the product, and the sum so far (codes of the result)."""

    at: Index
    input: int
    weight: int | None
    product: int
    partial: int


@dataclass(frozen=True)
class ElementTrace:
    """How one element comes about.

    Parameters
    ----------
    node, kind, index
        Whose element, what kind of node, where in its tensor.
    types
        By role: ``input``, ``weight``, ``bias``, ``accumulator``, ``result``.
    terms
        What is added or chosen from; the bias comes first, at no place.
    steps
        The rest in words.
    code, value
        The result, as a code of its type and in real units.
    """

    node: str
    kind: str
    index: Index
    types: Mapping[str, str]
    terms: tuple[Term, ...]
    steps: tuple[str, ...]
    code: int
    value: float

    def as_json(self) -> dict[str, Any]:
        """Return it as plain lists and numbers."""
        return asdict(self)


def trace_element(
    network: ir.Network, tensors: Mapping[str, Codes], name: str, vector: int, index: Index
) -> ElementTrace:
    """Trace one element.

    Parameters
    ----------
    network
        The integer network.
    tensors
        Codes by node name, (n, *shape), of all nodes (`siliconv.network.reference.run`).
    name
        The node.
    vector, index
        Which input, and where in the node's tensor.
    """
    node = network.by_name[name]
    sources = network.sources(node)
    inputs = tuple(tensors[source.name][vector] for source in sources)
    types = {"result": str(node.type), **({"input": str(sources[0].type)} if sources else {})}
    if isinstance(node, ir.Matrix):
        types |= {"weight": str(node.kernel.type), "bias": str(node.bias.type), "accumulator": str(node.type)}
    if isinstance(node, ir.AveragePool):
        types["accumulator"] = str(average_sum_type(node, sources[0], prove(network)[sources[0].name]))
    terms = tuple(_terms(node, sources, inputs, index))
    code = int(tensors[name][vector][index])
    steps = tuple(_steps(node, sources, inputs, index, terms))
    return ElementTrace(name, type(node).__name__, index, types, terms, steps, code, code * node.type.step)


@singledispatch
def _terms(node: ir.Node, sources: tuple[ir.Node, ...], inputs: tuple[Codes, ...], index: Index) -> Iterator[Term]:
    """Yield what is added or chosen from."""
    raise NotImplementedError(f"no element trace for {type(node).__name__}")


@_terms.register(ir.Input)
@_terms.register(ir.Concatenate)
@_terms.register(ir.Requantize)
@_terms.register(ir.Rearrange)
@_terms.register(ir.Reshape)
@_terms.register(ir.Pad)
@_terms.register(ir.Table)
def _(node: ir.Node, sources: tuple[ir.Node, ...], inputs: tuple[Codes, ...], index: Index) -> Iterator[Term]:
    # One element is moved or converted: there is nothing to add or to choose from.
    return iter(())


@_terms.register(ir.Conv)
@_terms.register(ir.DepthwiseConv)
@_terms.register(ir.Dense)
def _(node: ir.Matrix, sources: tuple[ir.Node, ...], inputs: tuple[Codes, ...], index: Index) -> Iterator[Term]:
    places = node.type.fraction - sources[0].type.fraction - node.kernel.type.fraction
    bias = int(node.bias.codes[index[-1]])
    partial = bias << (node.type.fraction - node.bias.type.fraction)
    yield Term((), 1, bias, bias, partial)
    for at, where in multiplied(node, sources[0], index):
        value, weight = int(inputs[0][at]), int(node.kernel.codes[where])
        partial += (value * weight) << places
        yield Term(at, value, weight, value * weight, partial)


@_terms.register(ir.MaxPool)
@_terms.register(ir.AveragePool)
def _(
    node: ir.MaxPool | ir.AveragePool, sources: tuple[ir.Node, ...], inputs: tuple[Codes, ...], index: Index
) -> Iterator[Term]:
    places = node.type.fraction - sources[0].type.fraction
    partial: int | None = None
    for _, spatial in _window(index[:-1] or (0,) * len(node.window), node, sources[0].shape):
        at = (*spatial, index[-1])
        value = int(inputs[0][at])
        if isinstance(node, ir.AveragePool):
            partial = (partial or 0) + (value << places)
        else:
            partial = value if partial is None else max(partial, value)
        yield Term(at, value, None, value, partial)


@_terms.register
def _(node: ir.Add, sources: tuple[ir.Node, ...], inputs: tuple[Codes, ...], index: Index) -> Iterator[Term]:
    partial = 0
    for source, codes in zip(sources, inputs, strict=True):
        partial += int(codes[index]) << (node.type.fraction - source.type.fraction)
        yield Term(index, int(codes[index]), None, int(codes[index]), partial)


@_terms.register
def _(node: ir.Pairwise, sources: tuple[ir.Node, ...], inputs: tuple[Codes, ...], index: Index) -> Iterator[Term]:
    one, other = (int(codes[index]) for codes in inputs)
    if node.operation == "multiply":
        places = node.type.fraction - sources[0].type.fraction - sources[1].type.fraction
        yield Term(index, one, other, one * other, (one * other) << places)
        return
    first, second = (
        code << (node.type.fraction - source.type.fraction) for code, source in zip((one, other), sources, strict=True)
    )
    result = {"subtract": first - second, "maximum": max(first, second), "minimum": min(first, second)}
    yield Term(index, one, None, one, first)
    yield Term(index, other, None, other, result[node.operation])


@_terms.register
def _(node: ir.Softmax, sources: tuple[ir.Node, ...], inputs: tuple[Codes, ...], index: Index) -> Iterator[Term]:
    logits = inputs[0][index[:-1]]
    partial = 0
    for number, code in enumerate(logits):
        exponential = _exponential(node, int(logits.max()) - int(code))
        partial += exponential
        yield Term((*index[:-1], number), int(code), None, exponential, partial)


def _exponential(node: ir.Softmax, below: int) -> int:
    """Give the entry for a logit by how many codes it is below the largest."""
    return int(node.exponential.codes[min(below, node.exponential.codes.size - 1)])


@singledispatch
def _steps(
    node: ir.Node, sources: tuple[ir.Node, ...], inputs: tuple[Codes, ...], index: Index, terms: tuple[Term, ...]
) -> Iterator[str]:
    """Say in words what happens to the terms, or to the one element that is converted."""
    yield from ()


@_steps.register
def _(
    node: ir.AveragePool, sources: tuple[ir.Node, ...], inputs: tuple[Codes, ...], index: Index, terms: tuple[Term, ...]
) -> Iterator[str]:
    yield f"sum {terms[-1].partial} divided by {len(terms)} elements, towards zero"


@_steps.register
def _(
    node: ir.Pairwise, sources: tuple[ir.Node, ...], inputs: tuple[Codes, ...], index: Index, terms: tuple[Term, ...]
) -> Iterator[str]:
    words = {"subtract": "less", "multiply": "times", "maximum": "or if larger", "minimum": "or if smaller"}
    yield f"code {inputs[0][index]} of the first input {words[node.operation]} code {inputs[1][index]} of the second"


@_steps.register
def _(
    node: ir.Rearrange, sources: tuple[ir.Node, ...], inputs: tuple[Codes, ...], index: Index, terms: tuple[Term, ...]
) -> Iterator[str]:
    at = {axis: places[place] for axis, places, place in zip(node.order, node.places, index, strict=True)}
    yield f"the element at {tuple(at[axis] for axis in range(len(at)))} of the input"


@_steps.register
def _(
    node: ir.Requantize, sources: tuple[ir.Node, ...], inputs: tuple[Codes, ...], index: Index, terms: tuple[Term, ...]
) -> Iterator[str]:
    yield conversion_in_words(int(inputs[0][index]), sources[0].type, node.type, relu=node.relu)


@_steps.register
def _(
    node: ir.Table, sources: tuple[ir.Node, ...], inputs: tuple[Codes, ...], index: Index, terms: tuple[Term, ...]
) -> Iterator[str]:
    code, lowest = int(inputs[0][index]), sources[0].type.codes.low
    yield f"input code {code} reads entry {code - lowest} of {node.table.codes.size}: {node.table.codes[code - lowest]}"


@_steps.register
def _(
    node: ir.Softmax, sources: tuple[ir.Node, ...], inputs: tuple[Codes, ...], index: Index, terms: tuple[Term, ...]
) -> Iterator[str]:
    below, total = max(term.input for term in terms) - terms[index[-1]].input, terms[-1].partial
    exponential, size = terms[index[-1]].product, node.reciprocal.codes.size
    places = total.bit_length() - 1
    entry = (total >> (places - (size.bit_length() - 1))) - size
    reciprocal = int(node.reciprocal.codes[entry])
    shift = places + node.reciprocal.type.fraction - node.type.fraction
    yield f"{below} codes below the largest logit: exponential {exponential}; all exponentials together {total}"
    yield f"the sum's leading one is bit {places}, the bits behind it read reciprocal {entry} of {size}: {reciprocal}"
    yield f"{exponential} * {reciprocal} = {exponential * reciprocal}, rounded and shifted right by {shift} bits"


@dataclass(frozen=True)
class Conversion:
    """One code on its way into a type.

    ``code``: after relu; ``exact``: its value; ``places``: bits dropped; ``rest``: what they hold.
    """

    code: int
    exact: float
    places: int
    rest: int

    @property
    def is_tie(self) -> bool:
        """Whether the value lies in the middle between two of the type's."""
        return self.places > 0 and 2 * self.rest == 1 << self.places

    def is_outside(self, to: FixedPoint) -> bool:
        """Whether the value is beyond the ends of a type."""
        return not to.reachable.low * to.step <= self.exact <= to.reachable.high * to.step


def conversion(code: int, kind: FixedPoint, to: FixedPoint, *, relu: bool) -> Conversion:
    """Look at one code on its way from a type into another."""
    code = max(code, 0) if relu else code
    places = max(kind.fraction - to.fraction, 0)
    return Conversion(code, code * kind.step, places, code - ((code >> places) << places))


def conversion_in_words(code: int, kind: FixedPoint, to: FixedPoint, *, relu: bool) -> str:
    """Say how one code is brought into a type: what relu does, what is dropped, where it saturates."""
    said = f"code {code} of {kind}"
    if relu and code < 0:
        said += ", negative, becomes 0 by relu"
    found = conversion(code, kind, to, relu=relu)
    if found.places:
        said += f"; {found.places} bits dropped, {found.rest} of {1 << found.places}{', a tie' * found.is_tie}"
    if found.is_outside(to):
        said += f"; {found.exact:g} is outside of {to}"
    result = int(requantize(np.array([found.code], dtype=np.int64), kind.fraction, to)[0])
    return f"{said} -> {result}"


def multiplied(node: ir.Matrix, source: ir.Node, index: Index) -> Iterator[tuple[Index, Index]]:
    """Yield where each input of a sum of products stands in the source, and where its weight in the kernel."""
    kernel = node.kernel.codes
    if isinstance(node, ir.Dense):
        yield from (((*index[:-1], channel), (channel, index[-1])) for channel in range(kernel.shape[0]))
        return
    depthwise = isinstance(node, ir.DepthwiseConv)
    for offset, spatial in _window(index[:-1], node, source.shape):
        for channel in [index[-1]] if depthwise else range(source.shape[-1]):
            where = (*offset, channel) if depthwise else (*offset, channel, index[-1])
            yield (*spatial, channel), where


def _window(
    out: Index,
    node: ir.Conv | ir.DepthwiseConv | ir.MaxPool | ir.AveragePool,
    shape: tuple[int, ...],
) -> Iterator[tuple[Index, Index]]:
    """Yield the real (not padded) elements under a window: offset in the window, place in the source."""
    for offset in itertools.product(*(range(size) for size in node.window)):
        place = tuple(
            position * stride + k - before
            for position, stride, k, (before, _) in zip(out, node.strides, offset, node.padding, strict=True)
        )
        if all(0 <= at < size for at, size in zip(place, shape, strict=False)):
            yield offset, place
