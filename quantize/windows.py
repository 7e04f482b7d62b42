"""Sliding windows over an image: how many real elements each of them covers."""

from __future__ import annotations

from functools import reduce

import numpy as np

from siliconv.quantize.fixed_point import Codes
from siliconv.quantize.network import Padding, Shape


def real_elements(spatial: Shape, window: Shape, strides: Shape, padding: Padding) -> Codes:
    """Count the elements under every window that are not padding.

    Parameters
    ----------
    spatial
        Shape of the image without its channels.
    window, strides, padding
        As in `siliconv.quantize.network.AveragePool`.

    Returns
    -------
    (*output positions, 1), int64: one count for all channels.
    """
    counts = []
    for size, extent, stride, (before, after) in zip(spatial, window, strides, padding, strict=True):
        starts = np.arange((size + before + after - extent) // stride + 1) * stride - before
        counts.append(np.minimum(starts + extent, size) - np.maximum(starts, 0))
    return np.asarray(reduce(np.multiply.outer, counts), dtype=np.int64)[..., None]
