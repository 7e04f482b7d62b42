"""Names of classes are drawn as they are written: a dollar begins no formula."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from siliconv.models.answers.evaluation import evaluate
from siliconv.models.pictures import confusion_picture, image_sheet, in_picture, prediction_grid

NAMES = ("$x_{$", "a$b$c", r"\$", "$$", r"$\frac{$")


def test_every_picture_takes_every_name(tmp_path: Path) -> None:
    logits = np.eye(len(NAMES))
    labels = np.arange(len(NAMES))
    confusion_picture(evaluate(logits, labels, NAMES), tmp_path / "confusion.png")
    pixels = np.zeros((len(NAMES), 4, 4, 1), np.uint8)
    prediction_grid(pixels, labels, {"float": logits}, NAMES, tmp_path / "grid.png")
    image_sheet([("plain", pixels)], tmp_path / "sheet.png")
    assert len(list(tmp_path.glob("*.png"))) == 3


@pytest.mark.parametrize("name", NAMES)
def test_nothing_of_a_name_is_read_as_a_formula(name: str) -> None:
    from matplotlib.text import Text

    assert Text()._preprocess_math(in_picture(name))[1] is False  # type: ignore[attr-defined]
