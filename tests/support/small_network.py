"""A network of one dense layer, built as a user would build one of their own."""

import numpy as np

from siliconv.network import graph as ir
from siliconv.network.fixed_point import FixedPoint, Overflow, Rounding
from siliconv.network.intervals import node_bounds, sum_of_products_type

PIXEL = FixedPoint(False, 8, 0)


def small_network(units: int = 3) -> ir.Network:
    random = np.random.default_rng(3)
    entry = ir.Input("pixels", (), (4,), PIXEL)
    kernel = ir.Weights(random.integers(-8, 8, (4, units)), FixedPoint(True, 4, 1))
    bias = ir.Weights(random.integers(-8, 8, units), FixedPoint(True, 4, 1))
    kind = sum_of_products_type(kernel, bias, node_bounds(entry, (), ()), PIXEL)
    dense = ir.Dense("dense", ("pixels",), (units,), kind, kernel, bias)
    relu = FixedPoint(False, 5, 1, Rounding.RND_CONV, Overflow.SAT)
    return ir.Network("small", (entry, dense, ir.Requantize("relu", ("dense",), (units,), relu, relu=True)))
