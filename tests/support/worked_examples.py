"""The numbers that the lecture's slides compute: inputs, kernels and results."""

from __future__ import annotations

import numpy as np

SAMPLES = np.array([3, 2, 1, 7, 1, 2, 5, 4])[:, np.newaxis]
SAMPLES_KERNEL = np.array([1 / 4, 1, 3 / 4, 1 / 2])[:, np.newaxis, np.newaxis]
SAMPLES_CONVOLVED = [7, 9, 8]
"""With a stride of 2."""

_RED = [[156, 155, 156, 158, 158], [153, 154, 157, 159, 159], [149, 151, 155, 158, 159]]
_RED += [[146, 146, 149, 153, 158], [145, 143, 143, 148, 158]]
_GREEN = [[167, 166, 167, 169, 169], [164, 165, 168, 170, 170], [160, 162, 166, 169, 170]]
_GREEN += [[156, 156, 159, 163, 168], [155, 153, 153, 158, 168]]
_BLUE = [[163, 162, 163, 165, 165], [160, 161, 164, 166, 166], [156, 158, 162, 165, 166]]
_BLUE += [[155, 155, 158, 162, 167], [154, 152, 152, 157, 167]]
_KERNELS = [
    [[-1, -1, 1], [0, 1, -1], [0, 1, 1]],
    [[1, 0, 0], [1, -1, -1], [1, 0, -1]],
    [[0, 1, 1], [0, 1, 0], [1, -1, 1]],
]
IMAGE = np.stack([_RED, _GREEN, _BLUE], axis=-1)
IMAGE_KERNEL = np.moveaxis(np.array(_KERNELS), 0, -1)[..., np.newaxis]
IMAGE_FIRST = 308 - 498 + 164 + 1
"""The first element of the convolved image, with a bias of 1."""

MAXIMUM_OF = np.array([[3, 5, 1, 0], [7, 9, -6, -3], [2, 8, -2, 1], [4, -3, -4, 8]])[..., np.newaxis]
MAXIMUM = [[9, 1], [8, 8]]
AVERAGE_OF = np.array([[3, 5, 1, 0], [7, 9, -6, -3], [2, 8, -2, 6], [4, -3, -4, 8]])[..., np.newaxis]
AVERAGE = [[6, -2], [2.75, 2]]

_ONE = [[10, 255, 125, 0, 170, 100], [70, 255, 105, 25, 25, 70], [255, 0, 150, 0, 10, 10]]
_ONE += [[0, 255, 10, 10, 150, 20], [70, 15, 200, 100, 95, 0], [35, 25, 100, 20, 0, 60]]
_OTHER = [[100, 100, 100, 50, 100, 50], [95, 255, 100, 125, 125, 170], [80, 40, 10, 10, 125, 150]]
_OTHER += [[255, 30, 150, 20, 120, 125], [30, 30, 150, 100, 70, 70], [70, 30, 100, 200, 70, 95]]
ALIKE = np.array([_ONE, _OTHER])[..., np.newaxis]
ALIKE_MAXIMUM = [[255, 125, 170], [255, 150, 150], [70, 200, 95]]
"""Of both images."""
