"""Where two executions of a network differ first, and why.

An execution is what a float model, a QKeras model, the reference or the firmware gave for the same inputs, layer by
layer. The reference is the judge: whoever differs from it is asked for the cause, with the element's exact integer
trace in hand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from siliconv.network import reference
from siliconv.network.explanation.comparison import Comparison, compare_values
from siliconv.network.explanation.element_trace import ElementTrace, Index, trace_element
from siliconv.network.fixed_point import Codes, to_values
from siliconv.network.graph import Input, Network, Node
from siliconv.network.rows import Batch, input_rows

REFERENCE = "reference"

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Cause:
    """Why an execution differs: a stable code, whose fault it is, what happened, and the fix in one line."""

    code: str
    execution: str
    what: str
    fix: str


@dataclass(frozen=True, eq=False)
class Place:
    """The element in question.

    Parameters
    ----------
    network, node, vector, index
        Which element of which tensor for which input.
    tensors
        The reference's codes of all nodes.
    trace
        How the reference comes to its value.
    found
        The value of the execution that is asked.
    """

    network: Network
    node: Node
    vector: int
    index: Index
    tensors: Mapping[str, Codes]
    trace: ElementTrace
    found: float

    @property
    def sources(self) -> tuple[Node, ...]:
        """The nodes that this one reads."""
        return self.network.sources(self.node)

    @property
    def input_code(self) -> int:
        """The code that a node of one input element (requantization, table) reads."""
        return int(self.tensors[self.sources[0].name][self.vector][self.index])


@dataclass(frozen=True, eq=False)
class Execution:
    """One execution: its name, its values by node (n, *shape), and who can say why one of them is as it is."""

    name: str
    values: Mapping[str, Values]
    causes: Callable[[Place], Iterator[Cause]] = field(default=lambda place: iter(()))


@dataclass(frozen=True)
class Explanation:
    """What was found.

    Parameters
    ----------
    between
        The two executions.
    vectors
        Inputs that were compared.
    layers
        Every tensor that both have, in the order of the network.
    layer, vector, index
        The first element in which they differ; None where they are equal.
    values
        Its value in both executions and in the reference.
    trace
        How the reference comes to it.
    causes
        Why, the most certain first.
    """

    between: tuple[str, str]
    vectors: int
    layers: tuple[Comparison, ...]
    layer: str | None = None
    vector: int | None = None
    index: Index | None = None
    values: Mapping[str, float] = field(default_factory=dict)
    trace: ElementTrace | None = None
    causes: tuple[Cause, ...] = ()

    @property
    def equal(self) -> bool:
        """Whether the executions are the same in every element."""
        return self.layer is None

    def as_json(self) -> dict[str, Any]:
        """Return it as plain lists and numbers."""
        return {"equal": self.equal, **asdict(self)}


def reference_execution(network: Network, tensors: Mapping[str, Codes]) -> Execution:
    """Give the reference as an execution."""
    return Execution(REFERENCE, {name: to_values(codes, network.by_name[name].type) for name, codes in tensors.items()})


def explain(network: Network, codes: Batch, one: Execution, other: Execution) -> Explanation:
    """Find the first element in which two executions differ, in the order of the layers, and the cause.

    Parameters
    ----------
    network
        The integer network.
    codes
        The inputs, (n, *input shape); a list or rows of several.
    one, other
        What they gave for these inputs.
    """
    codes = input_rows(network, codes)
    tensors = reference.run(network, codes)
    shared = [node for node in network.nodes if node.name in one.values and node.name in other.values]
    layers = tuple(compare_values(node.name, one.values[node.name], other.values[node.name]) for node in shared)
    between = (one.name, other.name)
    first = next((layer for layer in layers if layer.differing), None)
    if first is None or first.first is None:
        return Explanation(between, len(codes), layers)
    node, vector, index = network.by_name[first.name], first.first.vector, first.first.index
    trace = trace_element(network, tensors, node.name, vector, index)
    exact = trace.value
    values = {one.name: first.first.one, other.name: first.first.other, REFERENCE: exact}
    causes: list[Cause] = []
    for execution in (one, other):
        found = float(execution.values[node.name][vector][index])
        if execution.name != REFERENCE and found != exact:
            place = Place(network, node, vector, index, tensors, trace, found)
            causes += list(execution.causes(place)) or [_unknown(place, execution.name)]
    return Explanation(between, len(codes), layers, node.name, vector, index, values, trace, tuple(causes))


def input_cause(place: Place, execution: str) -> Iterator[Cause]:
    """Yield the cause where an execution was given another input than the network."""
    if not isinstance(place.node, Input):
        return
    scaled = place.found / place.node.type.step
    off_grid = scaled != round(scaled)
    said = "is no multiple of its step" if off_grid else f"is code {scaled:g}, not {place.trace.code}"
    yield Cause(
        "INPUT-NOT-QUANTIZED",
        execution,
        f"the input {place.found:.9g} {said}, {place.node.type.step:g}: it was not quantized to {place.node.type}",
        "give pixels as k/256 (siliconv.models.data.image_files.to_fraction), not as k/255 or unscaled",
    )


def _unknown(place: Place, execution: str) -> Cause:
    return Cause(
        "UNKNOWN",
        execution,
        f"{place.found!r} where the exact value is {place.trace.value!r}, with types and weights as they should be",
        "the sources or the model compute something else in this layer: write or build them again",
    )
