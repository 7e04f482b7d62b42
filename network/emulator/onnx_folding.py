"""Fold neighbouring pixels of an image into channels, so that a convolution over few channels wastes less time.

Four pixels of three channels are one pixel of twelve channels: the same bytes in memory, channels last. A convolution
with stride 1 over them gives four pixels of output at once, with a kernel in which each weight stands four times among
zeros. It multiplies more, and gathers and requantizes far less: the lecture's first convolution takes 0.16 instead of
0.30 ms an image.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from siliconv.network.fixed_point import Codes
from siliconv.network.graph import Padding

FACTORS = (4, 2)
MOST_CHANNELS = 16
"""Folded channels beyond this gain nothing: the kernel is as fast as it gets."""


class Folded(NamedTuple):
    """A convolution over folded pixels: kernel (rows, columns, channels, outputs), bias, padding, and the factor."""

    kernel: Codes
    bias: Codes
    padding: Padding
    factor: int


def fold(kernel: Codes, bias: Codes, padding: Padding, strides: tuple[int, ...], width: int) -> Folded:
    """Fold a convolution as far as it pays; the factor is 1 where it does not.

    Parameters
    ----------
    kernel
        (rows, columns, channels, outputs).
    bias
        (outputs,).
    padding, strides
        Of rows and columns.
    width
        Columns of the input; the output must have as many for the fold to be possible.
    """
    rows, columns, channels, outputs = kernel.shape
    before, after = padding[1]
    if strides[1] == 1 and before + after == columns - 1:
        for factor in FACTORS:
            if width % factor == 0 and channels * factor <= MOST_CHANNELS:
                groups_before = -(-before // factor)
                groups_after = (factor - 1 + after) // factor
                shape = (rows, groups_before + 1 + groups_after, factor, channels, factor, outputs)
                folded = np.zeros(shape, dtype=np.int64)
                for out in range(factor):
                    for column in range(columns):
                        group, pixel = divmod(out + column - before, factor)
                        folded[:, group + groups_before, pixel, :, out] = kernel[:, column]
                flat = folded.reshape(rows, shape[1], factor * channels, factor * outputs)
                return Folded(flat, np.tile(bias, factor), (padding[0], (groups_before, groups_after)), factor)
    return Folded(kernel, bias, padding, 1)
