"""Augmentation: each change does what its name says, seeded, within the pixels' type, and only where
asked.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from siliconv.errors import ModelError
from siliconv.legacy_keras import tensorflow
from siliconv.models.data.augmentation import AugmentConfig, augmentation_sheet, augmenter
from siliconv.models.pictures import image_sheet

RANDOM = np.random.default_rng(11)
IMAGES = RANDOM.integers(0, 256, (32, 12, 16, 3), np.uint8)
EACH: dict[str, object] = {
    "flip": True,
    "flip_vertical": True,
    "rotation": 30.0,
    "translation": 0.2,
    "resizing": 0.2,
    "central_crop": 0.6,
    "random_crop": 0.6,
    "crop_box": (0.25, 0.25, 0.5, 0.5),
    "brightness": 0.2,
    "contrast": 0.5,
    "erase": 0.4,
}


def _augment(images: np.ndarray, seed: int = 1, **options: object) -> np.ndarray:
    change = augmenter(AugmentConfig.model_validate(options), images.shape[1:])
    assert change is not None
    found: np.ndarray = change(images, tensorflow().constant([seed, 3], tensorflow().int64)).numpy()
    assert found.dtype == np.uint8
    assert found.shape == images.shape
    return found


def test_nothing_configured_is_no_augmentation() -> None:
    assert augmenter(AugmentConfig(), (8, 8, 3)) is None


@pytest.mark.parametrize("name", EACH)
def test_l12_every_change_is_seeded_and_changes_something(name: str) -> None:
    one = _augment(IMAGES, **{name: EACH[name]})
    assert (one == _augment(IMAGES, **{name: EACH[name]})).all()
    assert (one != IMAGES).any()
    if name != "crop_box":
        assert (one != _augment(IMAGES, seed=2, **{name: EACH[name]})).any()


@pytest.mark.parametrize(("name", "axis"), [("flip", 2), ("flip_vertical", 1)])
def test_flips_mirror_about_half_of_the_images_exactly(name: str, axis: int) -> None:
    found = _augment(IMAGES, **{name: True})
    mirrored = [(new == np.flip(old, axis - 1)).all() for new, old in zip(found, IMAGES, strict=True)]
    kept = [(new == old).all() for new, old in zip(found, IMAGES, strict=True)]
    assert all(a != b for a, b in zip(mirrored, kept, strict=True))
    assert 6 < sum(mirrored) < 26


def _ramp(axis: int) -> np.ndarray:
    """Images whose value is 10 times the row (axis 0) or column (axis 1), in a frame that no small
    map leaves.
    """
    values = 10 * np.arange(21) + 20
    plane = np.broadcast_to(values[:, None] if axis == 0 else values, (21, 21))
    return np.broadcast_to(plane[None, :, :, None], (64, 21, 21, 1)).astype(np.uint8)


@pytest.mark.parametrize("axis", [0, 1])
def test_translation_moves_up_to_its_share(axis: int) -> None:
    moved = _augment(_ramp(axis), translation=0.2)[:, 10, 10, 0].astype(int) - 120
    assert -43 <= moved.min() < -30
    assert 30 < moved.max() <= 43


@pytest.mark.parametrize(
    ("option", "low", "high"),
    [({"resizing": 0.25}, 0.8, 4 / 3), ({"central_crop": 0.5}, 0.5, 1.0), ({"random_crop": 0.5}, 0.5, 1.0)],
)
def test_crops_and_resizing_change_the_scale_as_configured(option: dict[str, float], low: float, high: float) -> None:
    found = _augment(_ramp(1), **option).astype(float)[:, 10, :, 0]
    slope = (found[:, 12] - found[:, 8]) / 40
    assert low - 0.03 <= slope.min() < low + 0.1
    assert high - 0.1 < slope.max() <= high + 0.03


def test_a_random_crop_stays_inside_the_image() -> None:
    """With a bright centre and a dark rim, what is mirrored at the edge would show two rims."""
    found = _augment(_ramp(1), random_crop=0.5).astype(float)[:, 10, :, 0]
    assert (np.diff(found, axis=1) >= 0).all()


def test_the_crop_box_is_the_box_brought_to_size() -> None:
    columns, rows = (_augment(_ramp(axis), crop_box=(0.0, 0.5, 0.5, 0.5)).astype(float)[0, :, :, 0] for axis in (1, 0))
    assert columns[10, 10] == pytest.approx(120 + 21 * 10 / 4, abs=2)
    assert rows[10, 10] == pytest.approx(120 - 21 * 10 / 4, abs=2)
    assert columns[10, 12] - columns[10, 8] == pytest.approx(20, abs=2)


def test_rotation_turns_about_the_centre() -> None:
    found = _augment(_ramp(1), rotation=90.0).astype(float)[:, :, :, 0]
    assert abs(found[:, 10, 10] - 120).max() <= 1
    across = (found[:, 10, 12] - found[:, 10, 8]) / 40
    down = (found[:, 12, 10] - found[:, 8, 10]) / 40
    assert np.hypot(across, down) == pytest.approx(np.ones(64), abs=0.06)
    assert across.min() < 0.2
    assert down.min() < -0.8
    assert down.max() > 0.8


def test_brightness_adds_and_contrast_stretches_around_the_mean() -> None:
    grey = RANDOM.integers(100, 156, (64, 8, 8, 1), np.uint8)
    added = _augment(grey, brightness=0.2).astype(int) - grey
    assert (np.ptp(added, axis=(1, 2, 3)) <= 1).all()
    assert added.min() < -40
    assert 40 < added.max() <= 51
    stretched = _augment(grey, contrast=0.5).astype(float)
    assert stretched.mean(axis=(1, 2, 3)) == pytest.approx(grey.mean(axis=(1, 2, 3)), abs=1)
    factor = stretched.std(axis=(1, 2, 3)) / grey.std(axis=(1, 2, 3))
    assert 0.48 < factor.min() < 0.6
    assert 1.4 < factor.max() < 1.52


def test_erasing_paints_a_box_on_about_half_of_the_images() -> None:
    white = np.full((200, 16, 16, 1), 255, np.uint8)
    share = (_augment(white, erase=0.5) == 128).mean(axis=(1, 2, 3))
    assert 0.35 < (share > 0).mean() < 0.65
    assert share.max() <= 0.3


def test_what_cannot_be_configured_is_refused() -> None:
    with pytest.raises(ModelError, match="AUGMENT-SHAPE"):
        augmenter(AugmentConfig(flip=True), (128, 1))
    with pytest.raises(ModelError, match="AUGMENT-BOX"):
        augmenter(AugmentConfig(crop_box=(0.5, 0.5, 0.6, 0.5)), (8, 8, 1))
    for wrong in ({"flip": "perhaps"}, {"rotation": 400}, {"hue": 0.1}, {"contrast": 1.5}):
        with pytest.raises(ValidationError):
            AugmentConfig.model_validate(wrong)


def test_l12_the_sheet_shows_the_same_image_under_each(tmp_path: Path) -> None:
    config = AugmentConfig.model_validate(EACH)
    sheet = augmentation_sheet(config, IMAGES[0])
    assert [name for name, _ in sheet] == [
        "original",
        *(name.replace("_", " ") for name in EACH),
        "all together",
    ]
    assert all((images == IMAGES[0]).all() for name, images in sheet if name == "original")
    assert all((images != IMAGES[0]).any() for name, images in sheet if name != "original")
    assert image_sheet(sheet, tmp_path / "sheet.png").stat().st_size > 1000
    assert len(augmentation_sheet(AugmentConfig(), IMAGES[0])) == 1
