"""How far an accuracy that was measured on some images can be from that of all images."""

from __future__ import annotations

_Z = 1.959964
"""Of the normal distribution: 95 % lie within so many deviations."""


def accuracy_interval(accuracy: float, images: int) -> tuple[float, float]:
    """Give the 95 % interval of an accuracy that was measured on so many images (Wilson 1927)."""
    centre = accuracy + _Z * _Z / (2 * images)
    spread = _Z * (accuracy * (1 - accuracy) / images + _Z * _Z / (4 * images * images)) ** 0.5
    scale = 1 + _Z * _Z / images
    return max((centre - spread) / scale, 0.0), min((centre + spread) / scale, 1.0)
