"""Whether arrays of a file hold the pixels of images, and what floating-point ones are multiplied by to be some."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from siliconv.models.data.columns import Column, Rows
from siliconv.models.data.data_config import DataConfig
from siliconv.models.data.image_files import Shape
from siliconv.models.data.number_type import PIXELS

_DARK = 128
"""Pixels of a whole data set reach the upper half of 0 to 255."""


def stored_pixels(config: DataConfig, columns: Sequence[Column], input_shape: Shape) -> tuple[float | None, str | None]:
    """Give what floating-point numbers are multiplied by to be pixels (255 or 1); None where the arrays hold none.

    Bytes are pixels. In images, so are whole numbers 0..255, truth values, and fractions 0..1. Beside it, what speaks
    against pixels: whole numbers of a wider type than bytes that never reach half of 255 may be counts.
    """
    kinds = [column.dtype for column in columns]
    if config.input != "auto" and config.input.stated() != PIXELS:
        return None, None
    if config.scale != 1.0:
        return None, None
    if all(kind == np.uint8 for kind in kinds):
        return 1.0, None
    if len(input_shape) != 3 or any(kind.kind not in "biuf" for kind in kinds):
        return None, None
    largest, largest_count, whole = 0.0, 0.0, True
    for column in columns:
        for block in Rows([column], column.shape[1:]).blocks(np.arange(column.shape[0])):
            if column.dtype.kind == "b" or not block.size:
                continue
            low, high = float(block.min()), float(block.max())
            if not (low >= 0.0 and high <= 255.0):
                return None, None
            if column.dtype.kind == "f":
                largest = max(largest, high)
                whole = whole and bool((block == np.floor(block)).all())
            else:
                largest_count = max(largest_count, high)
    fractions = largest <= 1.0
    if not fractions and not whole:
        return None, None
    brightest = max(largest_count, 0.0 if fractions else largest)
    doubt = None
    if 0 < brightest < _DARK and config.input == "auto" and config.pixel_scale == "0..1":
        types = " and ".join(sorted({str(kind) for kind in kinds if kind.kind in "iuf"}))
        doubt = (
            f"the inputs are whole numbers of 0 to {brightest:g} ({types}), read as 8-bit pixels: none reaches half of "
            "255"
        )
    return 255.0 if fractions else 1.0, doubt
