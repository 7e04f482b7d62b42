"""A small network of two inputs and two outputs, for tests of what executes it."""

import numpy as np

from siliconv.network import graph as ir
from siliconv.network.fixed_point import FixedPoint, Overflow, Rounding
from siliconv.network.intervals import Bounds, sum_of_products_type

PIXELS, NUMBERS = FixedPoint(False, 8, 0), FixedPoint(True, 12, 4)


def crossing() -> ir.Network:
    """Give a network that joins an image and a vector: one output is also read inside."""
    rng = np.random.default_rng(3)
    image, vector = ir.Input("image", (), (4, 4, 2), PIXELS), ir.Input("vector", (), (3,), NUMBERS)
    few, bias = FixedPoint(True, 6, 1), FixedPoint(True, 8, 2)

    def weights(kind, *shape):
        return ir.Weights(rng.integers(kind.codes.low, kind.codes.high, shape, endpoint=True), kind)

    def ends(kind, channels):
        return Bounds(np.full(channels, kind.codes.low), np.full(channels, kind.codes.high))

    kernel, offset = weights(few, 3, 3, 2, 3), weights(bias, 3)
    wide = sum_of_products_type(kernel, offset, ends(PIXELS, 2), PIXELS)
    conv = ir.Conv("conv", ("image",), (2, 2, 3), wide, kernel, offset, (1, 1), ((0, 0), (0, 0)))
    small_type = FixedPoint(True, 8, 3, Rounding.RND_CONV, Overflow.SAT)
    small = ir.Requantize("small", ("conv",), (2, 2, 3), small_type, False)
    flat = ir.Reshape("flat", ("small",), (12,), FixedPoint(True, 8, 3))
    kernels = [weights(few, 12, 3), weights(few, 3, 3)]
    offsets = [weights(bias, 3), weights(bias, 3)]
    sides = [
        sum_of_products_type(kernels[0], offsets[0], ends(small_type, 12), small_type),
        sum_of_products_type(kernels[1], offsets[1], ends(NUMBERS, 3), NUMBERS),
    ]
    one = ir.Dense("of_image", ("flat",), (3,), sides[0], kernels[0], offsets[0])
    other = ir.Dense("of_vector", ("vector",), (3,), sides[1], kernels[1], offsets[1])
    fraction, integer = max(side.fraction for side in sides), max(side.integer for side in sides) + 1
    total = ir.Add("sum", ("of_image", "of_vector"), (3,), FixedPoint(True, integer + fraction, integer))
    return ir.Network("crossing", (image, vector, conv, small, flat, one, other, total), ends=("sum", "small"))
