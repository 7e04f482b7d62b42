"""How far a score that was measured on some examples can be from that of all examples there are."""

from __future__ import annotations

import numpy as np

_Z = 1.959964
"""Of the normal distribution: 95 % lie within so many deviations."""

_FEWEST = 30
"""Examples from which on a mean is taken to be normally distributed."""


def accuracy_interval(accuracy: float, images: int) -> tuple[float, float]:
    """Give the 95 % interval of an accuracy that was measured on so many images (Wilson 1927)."""
    centre = accuracy + _Z * _Z / (2 * images)
    spread = _Z * (accuracy * (1 - accuracy) / images + _Z * _Z / (4 * images * images)) ** 0.5
    scale = 1 + _Z * _Z / images
    return max((centre - spread) / scale, 0.0), min((centre + spread) / scale, 1.0)


def mean_interval(values: np.ndarray) -> tuple[float, float] | None:
    """Give the 95 % interval of the mean of values of single examples, (n,); None of fewer than 30.

    By the central limit theorem: values with a few very large ones need more examples than that.
    """
    if len(values) < _FEWEST:
        return None
    spread = _Z * float(values.std(ddof=1)) / len(values) ** 0.5
    return float(values.mean()) - spread, float(values.mean()) + spread
