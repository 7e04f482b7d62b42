"""The integer network: the one definition of what a network computes, bit by bit.

A graph of few node kinds over tensors of fixed-point codes. It holds no floating-point number. The meaning of every
node is written down in docs/integer_network.md and executed by `siliconv.network.reference`; the emulator and every
hardware back end are written from it and tested against it.

Arithmetic nodes (convolution, dense, pooling, sums, products) are exact: their output type holds every possible result.
Bits are lost only where a `Requantize`, `AveragePool`, `Table` or `Softmax` node says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import TypeVar

from siliconv.errors import NetworkError
from siliconv.network.fixed_point import Codes, FixedPoint

Shape = tuple[int, ...]
Padding = tuple[tuple[int, int], ...]


@dataclass(frozen=True, eq=False)
class Node:
    """What every node has: a name, the names of its inputs, and the shape and type of its output.

    Shapes are without the batch axis and channels last: ``(height, width, channels)``, ``(length, channels)``
    or ``(features,)``.
    """

    name: str
    inputs: tuple[str, ...]
    shape: Shape
    type: FixedPoint


@dataclass(frozen=True, eq=False)
class Input(Node):
    """The network's input: codes of its type."""


@dataclass(frozen=True, eq=False)
class Weights:
    """An integer tensor with its type."""

    codes: Codes
    type: FixedPoint


@dataclass(frozen=True, eq=False)
class Conv(Node):
    """Cross-correlation with zero padding, one or two spatial axes, plus bias. Exact.

    ``kernel``: (*window, input channels, output channels); ``bias``: (output channels,).
    """

    kernel: Weights
    bias: Weights
    strides: tuple[int, ...]
    padding: Padding

    @property
    def window(self) -> Shape:
        """Size of the kernel along each spatial axis."""
        return self.kernel.codes.shape[:-2]


@dataclass(frozen=True, eq=False)
class DepthwiseConv(Node):
    """Cross-correlation of each channel with a kernel of its own, plus bias. Exact.

    ``kernel``: (*window, channels); ``bias``: (channels,).
    """

    kernel: Weights
    bias: Weights
    strides: tuple[int, ...]
    padding: Padding

    @property
    def window(self) -> Shape:
        """Size of the kernel along each spatial axis."""
        return self.kernel.codes.shape[:-1]


@dataclass(frozen=True, eq=False)
class Dense(Node):
    """Matrix-vector product plus bias. Exact. ``kernel``: (inputs, outputs); ``bias``: (outputs,)."""

    kernel: Weights
    bias: Weights


@dataclass(frozen=True, eq=False)
class MaxPool(Node):
    """Maximum over a window; padding never wins. Exact, the type is the input's.

    A pooling that leaves one position may drop its spatial axes, as global pooling does: the shape is (channels,).
    """

    window: tuple[int, ...]
    strides: tuple[int, ...]
    padding: Padding


@dataclass(frozen=True, eq=False)
class AveragePool(Node):
    """Sum over a window, divided by the number of real (not padded) elements, truncated towards zero.

    The sum carries the fraction of the output type, so a window that is a power of two divides exactly when the
    output has enough fractional bits. A window as large as the input is global average pooling, which may drop its
    spatial axes.
    """

    window: tuple[int, ...]
    strides: tuple[int, ...]
    padding: Padding


@dataclass(frozen=True, eq=False)
class Add(Node):
    """Elementwise sum of two inputs, their binary points aligned. Exact."""


@dataclass(frozen=True, eq=False)
class Concatenate(Node):
    """Inputs joined along the channel axis, their binary points aligned. Exact."""


@dataclass(frozen=True, eq=False)
class Pairwise(Node):
    """A function of two inputs of equal shape, element by element, their binary points aligned. Exact.

    ``operation``: a key of `OPERATIONS`.
    """

    operation: str


OPERATIONS = ("subtract", "multiply", "maximum", "minimum")
"""What a `Pairwise` node computes of its first and its second input."""


@dataclass(frozen=True, eq=False)
class Rearrange(Node):
    """Elements in another order, left out or repeated: axes are swapped, then cropped, then repeated. Exact.

    Axis ``a`` of the output is axis ``order[a]`` of the input; of its places those from ``before[a]`` on are kept, each
    ``repeats[a]`` times, as many as the shape says.
    """

    order: tuple[int, ...]
    before: tuple[int, ...]
    repeats: tuple[int, ...]

    @property
    def places(self) -> tuple[tuple[int, ...], ...]:
        """For each axis of the output, which place of the swapped input stands at each of its places."""
        axes = zip(self.shape, self.before, self.repeats, strict=True)
        return tuple(tuple(before + at // repeats for at in range(size)) for size, before, repeats in axes)


@dataclass(frozen=True, eq=False)
class Requantize(Node):
    """Bring the input into another type: negative values to zero first if `relu`, then round, then overflow."""

    relu: bool


@dataclass(frozen=True, eq=False)
class Reshape(Node):
    """The same elements, row-major, in another shape (flatten is one)."""


@dataclass(frozen=True, eq=False)
class Pad(Node):
    """Zeros around the spatial axes."""

    padding: Padding


@dataclass(frozen=True, eq=False)
class Table(Node):
    """A function of one element by look-up: entry ``i`` belongs to input code ``lowest code + i``.

    ``table``: one entry for every code of the input type.
    """

    table: Weights
    function: str = field(default="table")


@dataclass(frozen=True, eq=False)
class Softmax(Node):
    """Shares of the exponentials along the last axis, by a table of exponentials and one of reciprocals.

    ``exponential``: entry ``d`` belongs to an input code ``d`` below the largest, the last one to all that are further
    below. ``reciprocal``: entry ``i`` of ``2**B`` belongs to a sum whose ``B`` bits behind the leading one are ``i``.
    """

    exponential: Weights
    reciprocal: Weights


Matrix = Conv | DepthwiseConv | Dense
"""What multiplies by weights: each has a kernel and a bias."""

KINDS: dict[str, type[Node]] = {kind.__name__: kind for kind in Node.__subclasses__()}
"""Every node kind by its name, which is also its name in a saved network."""

NodeT = TypeVar("NodeT", bound=Node)


@dataclass(frozen=True, eq=False)
class Network:
    """Nodes in topological order; the last one is the output.

    Parameters
    ----------
    name
        A C identifier: it names the firmware's top function.
    nodes
        Every input of a node stands before it.
    metadata
        Facts for people, such as the class names. Nothing computes with them.

    Raises
    ------
    NetworkError
        ``NETWORK-GRAPH`` if a name is used twice or an input does not stand before its node.
    """

    name: str
    nodes: tuple[Node, ...]
    metadata: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        seen: set[str] = set()
        for node in self.nodes:
            unknown = [name for name in node.inputs if name not in seen]
            if node.name in seen or unknown or isinstance(node, Input) == bool(node.inputs):
                raise NetworkError(
                    "NETWORK-GRAPH",
                    f"node '{node.name}' "
                    + (f"reads {unknown} that stand nowhere before it" if unknown else "is not well connected"),
                    where=f"network '{self.name}'",
                    fix="give every node a name of its own and list nodes in the order of the data",
                )
            seen.add(node.name)
        if len(self.nodes) < 2 or not isinstance(self.nodes[0], Input):
            raise NetworkError(
                "NETWORK-GRAPH",
                "a network without an input or without anything after it",
                where=f"network '{self.name}'",
                fix="start with one Input node",
            )

    @cached_property
    def by_name(self) -> Mapping[str, Node]:
        """Nodes by their names."""
        return MappingProxyType({node.name: node for node in self.nodes})

    @property
    def input(self) -> Node:
        """The input node."""
        return self.nodes[0]

    @property
    def output(self) -> Node:
        """The last node."""
        return self.nodes[-1]

    @property
    def logits(self) -> Node:
        """The node before a final sigmoid or softmax: what the decision is made of; the output where there is none.

        A network of nothing but such a function has no logits either.
        """
        node = self.output
        while (
            isinstance(node, Softmax)
            or (isinstance(node, Table) and node.function == "sigmoid")
            or (isinstance(node, Requantize) and not node.relu and node is not self.output)
        ):
            node = self.by_name[node.inputs[0]]
        return self.output if isinstance(node, Input) else node

    @property
    def matrices(self) -> tuple[Matrix, ...]:
        """The nodes that multiply by weights, in order."""
        return tuple(node for node in self.nodes if isinstance(node, Matrix))

    def sources(self, node: Node) -> tuple[Node, ...]:
        """Nodes that a node reads."""
        return tuple(self.by_name[name] for name in node.inputs)

    def of_kind(self, kind: type[NodeT]) -> Iterator[NodeT]:
        """Nodes of one kind, in order."""
        return (node for node in self.nodes if isinstance(node, kind))
