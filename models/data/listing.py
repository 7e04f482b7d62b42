"""What every source of images gives before the first is decoded: labels, given splits, and how to
read them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from siliconv.models.data.image_files import RawImage

SPLIT_ALIASES = {
    "train": 0,
    "training": 0,
    "val": 1,
    "valid": 1,
    "validation": 1,
    "test": 2,
    "testing": 2,
}


@dataclass(frozen=True, eq=False)
class Listing:
    """The images of a source before any of them is decoded.

    Parameters
    ----------
    class_names
        Names of the classes, by number.
    labels
        Class number of each image, (n,).
    given
        0, 1, 2 where the source itself says train, val or test, `UNASSIGNED` elsewhere, (n,).
    name
        Returns what to call image i in a message.
    images
        Yields the raw images of these ascending numbers, one at a time.
    """

    class_names: tuple[str, ...]
    labels: np.ndarray
    given: np.ndarray
    name: Callable[[int], str]
    images: Callable[[np.ndarray], Iterator[RawImage]]
