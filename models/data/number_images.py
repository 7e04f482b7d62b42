"""Image files whose pixels are numbers, not 8-bit brightness: 16-bit and floating-point PNG, TIFF and PGM files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from siliconv.errors import DataError
from siliconv.models.data.data_config import Aspect
from siliconv.models.data.image_files import Shape, opened, to_size

_NUMBERS = ("I;16", "I;16B", "I;16L", "I", "F", "L")


def decode_numbers(path: Path, shape: Shape, *, aspect: Aspect = "stretch") -> np.ndarray:
    """Return the pixels of an image file as they are stored, float32 (height, width, channels).

    One of another size is brought to it as 8-bit images are, with numbers between the pixels.

    Raises
    ------
    DataError
        ``DATA-IMAGE`` for a file that is no image, is damaged, or has other channels; ``DATA-SHAPE`` for shapes that no
        image has.
    """
    if len(shape) != 3 or shape[2] not in (1, 3):
        raise DataError(
            "DATA-SHAPE",
            f"images cannot become {' x '.join(map(str, shape))}",
            where="model.input_shape",
            fix="use height x width x 1 or height x width x 3; other shapes come from arrays (.npz, .npy, HDF5)",
        )
    height, width, channels = shape
    with opened(path) as picture:
        if channels == 1 and picture.mode not in _NUMBERS:
            raise ValueError(f"it has the mode {picture.mode}, and the network takes one channel of numbers")
        if channels == 3 and picture.mode != "RGB":
            raise ValueError(f"it has the mode {picture.mode}, and the network takes red, green and blue")
        parts = [picture] if channels == 1 else list(picture.split())
        layers = [Image.fromarray(np.asarray(part).astype(np.float32)) for part in parts]
        sized = [np.asarray(to_size(layer, width, height, aspect)) for layer in layers]
    return np.stack(sized, axis=-1).astype(np.float32)


class NumberImages:
    """Image files as a column of numbers, decoded a few at a time.

    Parameters
    ----------
    path
        Gives the file of image i.
    count
        How many there are.
    shape
        Of one input.
    aspect
        As for `decode_numbers`.
    """

    def __init__(self, path: Callable[[int], Path], count: int, shape: Shape, aspect: Aspect) -> None:
        self._path, self._shape, self._aspect = path, shape, aspect
        self.shape = (count, *shape)
        self.dtype = np.dtype(np.float32)

    def read(self, start: int, stop: int) -> np.ndarray:
        """Decode these images."""
        found = [decode_numbers(self._path(number), self._shape, aspect=self._aspect) for number in range(start, stop)]
        return np.stack(found) if found else np.zeros((0, *self._shape), np.float32)
