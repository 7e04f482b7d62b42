"""Corner vectors: inputs that images never are, to drive every layer to the ends of its range."""

from __future__ import annotations

import numpy as np

from siliconv.network.fixed_point import Codes
from siliconv.network.graph import Network


def corner_vectors(network: Network, *, seed: int = 0) -> dict[str, Codes]:
    """Give input codes by what they are: each value has the shape of one input, int64.

    All lowest, all highest, all zero, one element alone, a checkerboard of the extremes, random over the whole
    range, and random extremes.
    """
    shape, (low, high) = network.input.shape, network.input.type.codes
    random = np.random.default_rng(seed)
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
