"""Random chains of convolutions, poolings and dense layers, as image classifiers are."""

from __future__ import annotations

import random

from network_builder import NetworkBuilder

from siliconv.network.fixed_point import FixedPoint
from siliconv.network.graph import Network


def drawn_chain(seed: int) -> Network:
    """Draw a network with random sizes and widths, always the same one for a seed."""
    draw = random.Random(seed)
    size = draw.choice([8, 12, 16, 24])
    image = FixedPoint(False, draw.choice([6, 8, 8, 10]), 0)
    builder = NetworkBuilder((size, size, draw.choice([1, 2, 3, 4])), input_type=image, seed=seed)
    bits, kept = draw.randint(3, 8), draw.randint(3, 8)
    for _ in range(draw.choice([1, 2, 2, 3])):
        window = draw.choice([(3, 3), (3, 3), (1, 1), (5, 5)])
        padding = draw.choice(["same", "same", "valid"]) if builder.last.shape[0] > 5 else "same"
        builder.conv(draw.choice([4, 6, 8, 12, 16, 24]), window, padding=padding, width=bits).relu(kept)
        if builder.last.shape[0] >= 4:
            builder = draw.choice([builder.max_pool, builder.max_pool, builder.average_pool])(2, 2)
    builder = builder.global_average() if draw.random() < 0.4 else builder.flatten()
    if draw.random() < 0.5:
        builder.dense(draw.choice([16, 24, 32]), width=bits).relu(kept)
    return builder.dense(draw.choice([2, 5, 10]), width=bits).network(f"random_{seed}")
