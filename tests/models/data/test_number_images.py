"""Folders of images whose pixels are numbers: every bit kept, and 8-bit brightness where nothing is stated."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from siliconv.errors import DataError
from siliconv.models.data.data_config import DataConfig, InputConfig
from siliconv.models.data.datasets import prepare
from siliconv.models.data.image_store import open_dataset
from siliconv.models.data.number_images import decode_numbers
from siliconv.models.data.number_type import PIXELS, NumberType

RANDOM = np.random.default_rng(7)
SIXTEEN = RANDOM.integers(0, 65536, (12, 6, 8)).astype(np.uint16)
REAL = RANDOM.normal(0, 3, (12, 6, 8)).astype(np.float32)


def folder_of(images: np.ndarray, folder: Path, ending: str) -> Path:
    for number, image in enumerate(images):
        place = folder / ("even" if number % 2 == 0 else "odd")
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(place / f"{number:02d}.{ending}")
    return folder


def stored(folder: Path, **config) -> tuple[np.ndarray, NumberType]:
    settings = DataConfig(source="folder", path=folder, validation=0.0, test=0.0, **config)
    summary = prepare(settings, (6, 8, 1), folder.parent / "store")
    return open_dataset(folder.parent / "store").train.values(slice(None))[..., 0], summary.input.type


@pytest.mark.parametrize("ending", ["png", "tiff"])
def test_sixteen_bits_are_kept_where_a_type_is_stated(tmp_path, ending):
    folder = folder_of(SIXTEEN, tmp_path / "images", ending)
    values, kind = stored(folder, input=InputConfig(bits=16, integer=16, signed=False))
    assert kind == NumberType(False, 16, 16)
    assert (np.sort(values.ravel()) == np.sort(SIXTEEN.ravel())).all()
    assert (values[0] == SIXTEEN[0]).all()


def test_floating_point_pixels_are_rounded_to_the_type_that_is_chosen(tmp_path):
    values, kind = stored(folder_of(REAL, tmp_path / "images", "tiff"), input=InputConfig(bits=18))
    assert (kind.signed, kind.bits) == (True, 18)
    assert (np.sort(values.ravel()) == np.sort(kind.decode(kind.encode(REAL)[0]).ravel())).all()


def test_without_a_type_images_are_pixels_of_eight_bits(tmp_path):
    values, kind = stored(folder_of(SIXTEEN, tmp_path / "images", "png"))
    assert kind == PIXELS
    assert (values[0] == (SIXTEEN[0] >> 8) / np.float32(256)).all()


def test_another_size_is_brought_to_it_with_numbers_in_between(tmp_path):
    Image.fromarray(REAL[0]).save(tmp_path / "one.tiff")
    found = decode_numbers(tmp_path / "one.tiff", (3, 4, 1))
    assert found.shape == (3, 4, 1)
    assert REAL[0].min() <= found.min() < found.max() <= REAL[0].max()
    assert not np.isin(found, np.round(found)).all()


def test_colours_and_damage_are_refused_by_name(tmp_path):
    Image.fromarray(np.zeros((6, 8, 3), np.uint8)).save(tmp_path / "colour.png")
    with pytest.raises(DataError, match="one channel"):
        decode_numbers(tmp_path / "colour.png", (6, 8, 1))
    (tmp_path / "bad.png").write_bytes(b"nothing")
    with pytest.raises(DataError, match="DATA-IMAGE"):
        decode_numbers(tmp_path / "bad.png", (6, 8, 1))
    with pytest.raises(DataError, match="DATA-SHAPE"):
        decode_numbers(tmp_path / "colour.png", (6, 8))
    assert decode_numbers(tmp_path / "colour.png", (6, 8, 3)).shape == (6, 8, 3)
