"""Sliding windows over an image: how many real elements each of them covers."""

from __future__ import annotations

from functools import reduce

import numpy as np

from siliconv.network.fixed_point import Codes
from siliconv.network.graph import Padding, Shape


def real_elements(spatial: Shape, window: Shape, strides: Shape, padding: Padding) -> Codes:
    """Count the elements under every window that are not padding.

    Parameters
    ----------
    spatial
        Shape of the image without its channels.
    window, strides, padding
        As in `siliconv.network.graph.AveragePool`.

    Returns
    -------
    (*output positions, 1), int64: one count for all channels.
    """
    counts = []
    for size, extent, stride, (before, after) in zip(spatial, window, strides, padding, strict=True):
        starts = np.arange((size + before + after - extent) // stride + 1) * stride - before
        counts.append(np.minimum(starts + extent, size) - np.maximum(starts, 0))
    return np.asarray(reduce(np.multiply.outer, counts), dtype=np.int64)[..., None]


def same_padding(shape: tuple[int, ...], window: tuple[int, ...], strides: tuple[int, ...]) -> Padding:
    """Give Keras' 'same' padding, a (before, after) pair for each spatial axis; the odd one comes after."""
    pairs = []
    for size, extent, stride in zip(shape, window, strides, strict=True):
        total = max((-(-size // stride) - 1) * stride + extent - size, 0)
        pairs.append((total // 2, total - total // 2))
    return tuple(pairs)
