"""The integer network: the one definition of what a network computes, bit by bit.

A graph of few node kinds over tensors of fixed-point codes. It holds no floating-point number. The meaning of every
node is written down in docs/integer_network.md and executed by `siliconv.network.reference`; the emulator and every
hardware back end are written from it and tested against it.

Arithmetic nodes (convolution, dense, pooling, sums, products) are exact: their output type holds every possible result.
Bits are lost only where a `Requantize`, `AveragePool`, `Table` or `Softmax` node says so.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
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
    """Nodes in topological order, the inputs first; the last one is the output, unless several are named.

    Parameters
    ----------
    name
        A C identifier: it names the firmware's top function.
    nodes
        Every input of a node stands before it; `Input` nodes stand before all others, in the order of the inputs.
    metadata
        Facts for people, such as the class names. Nothing computes with them.
    ends
        Names of the outputs, in their order; nothing for the last node alone.

    Raises
    ------
    NetworkError
        ``NETWORK-GRAPH`` if a name is used twice, an input does not stand before its node, or an output is
        none of the nodes behind the inputs.
    """

    name: str
    nodes: tuple[Node, ...]
    metadata: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    ends: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.ends and self.nodes and self.ends == (self.nodes[-1].name,):
            # The same network, written in the same way.
            object.__setattr__(self, "ends", ())
        seen: set[str] = set()
        for node in self.nodes:
            unknown = [name for name in node.inputs if name not in seen]
            if node.name in seen or unknown or isinstance(node, Input) == bool(node.inputs):
                raise NetworkError(
                    "NETWORK-GRAPH",
                    f"node '{node.name}' "
                    + (f"reads {unknown} that no node before it gives" if unknown else "is not well connected"),
                    where=f"network '{self.name}'",
                    fix="give every node a name of its own and list nodes in the order of the data",
                )
            seen.add(node.name)
        if len(self.nodes) < 2 or not isinstance(self.nodes[0], Input):
            raise self._refused("a network without an input or without anything after it", "start with an Input node")
        self._check_ends()

    def _check_ends(self) -> None:
        """Refuse inputs that stand behind other nodes, and outputs that are no nodes behind them."""
        inputs = self.inputs
        if inputs != tuple(node for node in self.nodes if isinstance(node, Input)):
            raise self._refused("an input that stands behind other nodes", "list the inputs first, in their order")
        names = {node.name for node in self.nodes} - {node.name for node in inputs}
        if len(self.ends) == 1:
            raise self._refused(f"the one output '{self.ends[0]}', which is not the last node", "list it last")
        if len(set(self.ends)) != len(self.ends) or not names.issuperset(self.ends):
            raise self._refused(
                f"the outputs {list(self.ends)}, not all of them nodes behind the inputs, each named once",
                "name nodes that compute something",
            )

    def _refused(self, what: str, fix: str) -> NetworkError:
        return NetworkError("NETWORK-GRAPH", what, where=f"network '{self.name}'", fix=fix)

    @cached_property
    def by_name(self) -> Mapping[str, Node]:
        """Nodes by their names."""
        return MappingProxyType({node.name: node for node in self.nodes})

    @property
    def inputs(self) -> tuple[Input, ...]:
        """The inputs, in their order."""
        return tuple(itertools.takewhile(lambda node: isinstance(node, Input), self.nodes))  # type: ignore[arg-type]

    @property
    def outputs(self) -> tuple[Node, ...]:
        """The outputs, in their order."""
        return tuple(self.by_name[name] for name in self.ends) or self.nodes[-1:]

    @property
    def input(self) -> Input:
        """The input of a network that has one; ``NETWORK-SEVERAL`` if there are several."""
        return self._only(self.inputs, "inputs")

    @property
    def output(self) -> Node:
        """The output of a network that has one; ``NETWORK-SEVERAL`` if there are several."""
        return self._only(self.outputs, "outputs")

    def _only(self, found: tuple[NodeT, ...], what: str) -> NodeT:
        if len(found) != 1:
            raise NetworkError(
                "NETWORK-SEVERAL",
                f"the network has {len(found)} {what} (" + ", ".join(node.name for node in found) + "), and here it "
                "takes one",
                where=f"network '{self.name}'",
                fix="the integer network, its emulator and firmware by hls4ml take several; for the rest, use a "
                "network of one input and one output",
            )
        return found[0]

    @property
    def logits(self) -> Node:
        """What the decision is made of in a network of one output, see `logits_of`."""
        return self.logits_of(self.output)

    @property
    def decisions(self) -> tuple[Node, ...]:
        """The logits of each output, in the order of the outputs."""
        return tuple(self.logits_of(output) for output in self.outputs)

    def logits_of(self, output: Node) -> Node:
        """Give the node before a sigmoid or softmax that an output is; the output where there is none.

        A network of nothing but such a function has no logits either.
        """
        node = output
        while (
            isinstance(node, Softmax)
            or (isinstance(node, Table) and node.function == "sigmoid")
            or (isinstance(node, Requantize) and not node.relu and node is not output)
        ):
            node = self.by_name[node.inputs[0]]
        return output if isinstance(node, Input) else node

    @property
    def matrices(self) -> tuple[Matrix, ...]:
        """The nodes that multiply by weights, in order."""
        return tuple(node for node in self.nodes if isinstance(node, Matrix))

    def sources(self, node: Node) -> tuple[Node, ...]:
        """Nodes that a node reads."""
        return tuple(self.by_name[name] for name in node.inputs)

    def behind(self, output: Node, *nodes: Node) -> Network:
        """Give the network with further nodes, the last of which takes the place of an output."""
        ends = tuple(nodes[-1].name if name == output.name else name for name in self.ends)
        return replace(self, nodes=(*self.nodes, *nodes), ends=ends)

    def of_kind(self, kind: type[NodeT]) -> Iterator[NodeT]:
        """Nodes of one kind, in order."""
        return (node for node in self.nodes if isinstance(node, kind))
