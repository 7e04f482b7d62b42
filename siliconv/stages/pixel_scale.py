"""Whether a model that guesses no better than chance was trained on pixels of another scale."""

from __future__ import annotations

from typing import Any

import numpy as np

from siliconv.models.data.data_config import PixelScale
from siliconv.models.data.image_store import Dataset, LoadedImages, spread
from siliconv.models.data.input_choice import pixels_as
from siliconv.models.data.number_type import PIXELS
from siliconv.models.training.scoring import Judge

_IMAGES, _DEVIATIONS, _BETTER = 512, 2.0, 0.2
_SCALES: tuple[PixelScale, ...] = ("0..1", "0..255", "-1..1")


def other_scale(model: Any, dataset: Dataset, judge: Judge, accuracy: float) -> tuple[PixelScale, float] | None:
    """Give the scale of pixels with which a classifier at chance level is far better, and its accuracy, if any.

    Parameters
    ----------
    model
        The float network, which gives logits.
    dataset
        8-bit images with classes.
    judge
        What it is asked.
    accuracy
        Of the test images as they are prepared.
    """
    if judge.task != "classification" or not _are_bytes(dataset) or not len(dataset.test):
        return None
    chosen = spread(len(dataset.test), _IMAGES)
    codes, labels = dataset.test.read(chosen), dataset.test.labels[chosen]
    commonest = float(np.bincount(labels).max()) / len(chosen)
    if accuracy > commonest + _DEVIATIONS * (commonest * (1 - commonest) / len(chosen)) ** 0.5:
        return None
    pixels = (codes.astype(np.int16) - (dataset.summary.input.offset or 0)).astype(np.uint8)
    images = LoadedImages(pixels, labels, dataset.class_names)
    found = []
    for scale in _SCALES:
        choice = pixels_as(scale)
        logits = np.asarray(model(choice.type.decode(choice.codes_of_pixels(pixels)), training=False))
        found.append((judge.score(logits, images).value, scale))
    best, scale = max(found)
    return (scale, best) if best > max(commonest, accuracy) + _BETTER else None


def _are_bytes(dataset: Dataset) -> bool:
    """Whether the pixels can be had back from their codes."""
    return dataset.summary.input.is_pixels and dataset.input.bits == PIXELS.bits
