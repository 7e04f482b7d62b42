"""Corner vectors: inputs that images never are, to drive every layer to the ends of its range."""

from __future__ import annotations

import numpy as np

from siliconv.network.fixed_point import Codes
from siliconv.network.graph import Input, Network
from siliconv.network.rows import joined


def corner_vectors(network: Network, *, seed: int = 0) -> dict[str, Codes]:
    """Give input codes by what they are: each value has the shape of one input, int64; of several, they are rows.

    All lowest, all highest, all zero, one element alone, a checkerboard of the extremes, random over the whole
    range, and random extremes. Of several inputs, also each alone at its highest.
    """
    random = np.random.default_rng(seed)
    each = [_corners_of(node, random) for node in network.inputs]
    names = dict.fromkeys(name for corners in each for name in corners)
    found = {name: _row([corners.get(name, corners["all zero"]) for corners in each]) for name in names}
    for number, node in enumerate(network.inputs if len(each) > 1 else ()):
        alone = [corners["all highest" if one == number else "all zero"] for one, corners in enumerate(each)]
        found[f"input {node.name} alone"] = _row(alone)
    return found


def _row(parts: list[Codes]) -> Codes:
    row: Codes = joined([part[np.newaxis] for part in parts])[0]
    return row


def _corners_of(node: Input, random: np.random.Generator) -> dict[str, Codes]:
    shape, (low, high) = node.shape, node.type.codes
    one_hot = np.zeros(shape, dtype=np.int64)
    one_hot[tuple(size // 2 for size in shape)] = high
    spatial = np.indices(shape).sum(axis=0)
    corners = {
        "all zero": np.zeros(shape, dtype=np.int64),
        "all highest": np.full(shape, high, dtype=np.int64),
        "one element alone": one_hot,
        "checkerboard": np.where(spatial % 2 == 0, high, low).astype(np.int64),
        "random": random.integers(low, high, size=shape, endpoint=True),
        "random extremes": random.choice(np.array([low, high]), size=shape),
    }
    if low < 0:
        corners["all lowest"] = np.full(shape, low, dtype=np.int64)
    return corners
