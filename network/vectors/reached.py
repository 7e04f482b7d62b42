"""How much of its proven range each accumulator reached on some inputs; the rest rests on the proof alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from siliconv.network import graph as ir
from siliconv.network.fixed_point import Codes, Interval
from siliconv.network.intervals import Bounds, prove

ENOUGH = 0.5
"""Share of an end of a range below which the best that was found is told."""


@dataclass(frozen=True)
class Reached:
    """The range of a node's values: what is proven, and what some vectors reached, in units of its last place.

    Parameters
    ----------
    name
        The node.
    kind
        Its kind.
    requantized
        Whether its values are rounded into another type behind it.
    step
        The value of one unit.
    proven_low, proven_high
        No value and no partial sum can leave them.
    low, high
        The least and the largest value on the vectors.
    """

    name: str
    kind: str
    requantized: bool
    step: float
    proven_low: int
    proven_high: int
    low: int
    high: int

    @property
    def share_low(self) -> float:
        """Share of the lower end that was reached; all of it where it is not below zero."""
        return min(max(self.low / self.proven_low, 0.0), 1.0) if self.proven_low < 0 else 1.0

    @property
    def share_high(self) -> float:
        """Share of the upper end that was reached; all of it where it is not above zero."""
        return min(max(self.high / self.proven_high, 0.0), 1.0) if self.proven_high > 0 else 1.0

    def merged(self, other: Reached) -> Reached:
        """Give what the vectors of both reached."""
        return Reached(**{**asdict(self), "low": min(self.low, other.low), "high": max(self.high, other.high)})

    def lines(self) -> Iterator[str]:
        """Say of each end that was not reached by half what was found, and what is proven."""
        for end, share, found, proven in (
            ("lower", self.share_low, self.low, self.proven_low),
            ("upper", self.share_high, self.high, self.proven_high),
        ):
            if share < ENOUGH:
                yield (
                    f"{self.name}: {share:.0%} of the {end} end reached, {found * self.step:.6g} of the proven "
                    f"{proven * self.step:.6g}"
                )

    def as_json(self) -> dict[str, Any]:
        """Return the fields by name, and the shares."""
        return asdict(self)


def accumulators(network: ir.Network) -> tuple[ir.Node, ...]:
    """Give the nodes that sum, and those whose values are requantized: what has a proven range worth reaching."""
    read = {node.inputs[0] for node in network.of_kind(ir.Requantize)}
    sums = ir.Conv | ir.DepthwiseConv | ir.Dense | ir.AveragePool | ir.Add | ir.Pairwise
    return tuple(
        node
        for node in network.nodes
        if not isinstance(node, ir.Input) and (isinstance(node, sums) or node.name in read)
    )


def reached(
    network: ir.Network, traced: Mapping[str, Codes], bounds: Mapping[str, Bounds] | None = None
) -> tuple[Reached, ...]:
    """Compare the values of accumulators with their proven ranges.

    Parameters
    ----------
    network
        The network.
    traced
        Codes of the accumulators by name, (n, *shape).
    bounds
        Its proven bounds, where they are known already.
    """
    proven = bounds if bounds is not None else prove(network)
    read = {node.inputs[0] for node in network.of_kind(ir.Requantize)}
    found = []
    for node in accumulators(network):
        interval = proven[node.name].interval
        seen = Interval(int(traced[node.name].min()), int(traced[node.name].max()))
        found.append(Reached(node.name, type(node).__name__, node.name in read, node.type.step, *interval, *seen))
    return tuple(found)
