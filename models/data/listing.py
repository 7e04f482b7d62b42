"""What every source of images gives before the first is decoded: labels, given splits, and how to
read them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from siliconv.models.answers.right_answers import RightAnswers
from siliconv.models.data.columns import Rows
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
    """The examples of a source before any of them is decoded.

    Parameters
    ----------
    answers
        The right answers.
    given
        0, 1, 2 where the source itself says train, val or test, `UNASSIGNED` elsewhere, (n,).
    name
        Returns what to call image i in a message.
    images
        Yields the raw images of these ascending numbers, one at a time.
    numbers
        The examples where they are no images but arrays of real numbers of the input's shape; `images` is not used.
    doubt
        What speaks against reading the examples as pixels, in a sentence.
    """

    answers: RightAnswers
    given: np.ndarray
    name: Callable[[int], str]
    images: Callable[[np.ndarray], Iterator[RawImage]]
    numbers: Rows | None = None
    doubt: str | None = None

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes, by number."""
        return self.answers.names

    @property
    def labels(self) -> np.ndarray:
        """The right answers, one entry an example."""
        return self.answers.values

    def __len__(self) -> int:
        return len(self.given)
