"""Softmaxes at the edges of their tables: of one entry, and behind codes that lie further apart than 32 bits say."""

import numpy as np

from siliconv.network import graph as ir
from siliconv.network.fixed_point import FixedPoint, Overflow, Rounding

WIDE = 34
"""Fractional bits by which two codes of the input lie a multiple of 2**32 apart."""


def small_softmaxes(places: int) -> ir.Network:
    """Give a softmax of one exponential and one reciprocal, and one of two each, of codes with so many places."""
    logits = ir.Input("logits", (), (5, 3), FixedPoint(True, 2, 2))
    fine = ir.Requantize("fine", ("logits",), logits.shape, FixedPoint(True, 2 + places, 2), relu=False)
    shares = FixedPoint(False, 6, 0, Rounding.RND, Overflow.SAT)
    nodes: list[ir.Node] = [logits, fine]
    for name, exponentials, reciprocals in (("of_one", [9], [200]), ("of_two", [9, 2], [250, 170])):
        exponential = ir.Weights(np.array(exponentials, np.int64), FixedPoint(False, 8, 8))
        reciprocal = ir.Weights(np.array(reciprocals, np.int64), FixedPoint(False, 8, 0))
        nodes.append(ir.Softmax(name, ("fine",), logits.shape, shares, exponential, reciprocal))
    nodes.append(ir.Concatenate("both", ("of_one", "of_two"), (5, 6), FixedPoint(False, 6, 0)))
    return ir.Network("net", tuple(nodes))
