"""The values that each tensor of an integer network takes on real inputs, beside what its type holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from siliconv.network.fixed_point import Codes
from siliconv.network.graph import Network

QUANTILES = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True)
class ValueRange:
    """Magnitudes of a tensor's values that are not zero.

    Parameters
    ----------
    name, type
        The node and its type.
    step, limit
        Of the type: the value of one code, and the largest magnitude.
    quantiles
        Magnitudes at `QUANTILES`, the least and the largest included; empty where all values are zero.
    zeros
        Share of the values that are zero.
    at_limit
        Share of the values at the type's ends, where it saturates.
    """

    name: str
    type: str
    step: float
    limit: float
    quantiles: tuple[float, ...]
    zeros: float
    at_limit: float


def value_ranges(network: Network, traced: Mapping[str, Codes]) -> tuple[ValueRange, ...]:
    """Summarize traced codes, (n, *shape) by node name, in the order of the network."""
    return tuple(
        _range(network, name, traced[name]) for name in (node.name for node in network.nodes) if name in traced
    )


def _range(network: Network, name: str, codes: Codes) -> ValueRange:
    kind = network.by_name[name].type
    low, high = kind.codes
    magnitudes = np.abs(codes[codes != 0]) * kind.step
    quantiles = np.quantile(magnitudes, QUANTILES) if magnitudes.size else ()
    # The lower end of an unsigned type is zero, where nothing saturates.
    ends = (codes == high) | (codes == low) if kind.signed else codes == high
    return ValueRange(
        name,
        str(kind),
        kind.step,
        max(high, -low) * kind.step,
        tuple(float(value) for value in quantiles),
        float(np.mean(codes == 0)),
        float(np.mean(ends)),
    )
