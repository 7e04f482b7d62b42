"""8-bit pixels that the network sees with fewer bits."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from siliconv.errors import DataError
from siliconv.models.data.data_config import DataConfig
from siliconv.models.data.datasets import prepare
from siliconv.models.data.image_store import open_dataset
from siliconv.models.data.input_choice import pixels_as
from siliconv.models.data.number_type import NumberType

PIXELS = np.arange(256, dtype=np.uint8)


def test_three_bits_by_hand():
    """31/256 is nearest to 1/8 = 32/256; 16/256 is a tie, to the even 0; 48/256 one to 2; 255/256 becomes 7/8."""
    codes = pixels_as("0..1", 3).codes_of_pixels(PIXELS)
    assert {pixel: int(codes[pixel]) for pixel in (0, 15, 16, 17, 31, 48, 255)} == {
        0: 0,
        15: 0,
        16: 0,
        17: 1,
        31: 1,
        48: 2,
        255: 7,
    }


@pytest.mark.parametrize("scale", ["0..1", "0..255", "-1..1"])
@pytest.mark.parametrize("bits", range(2, 9))
def test_rounded_values_are_the_nearest_of_the_type(scale, bits):
    exact, few = pixels_as(scale), pixels_as(scale, bits)
    values = exact.type.decode(exact.codes_of_pixels(PIXELS)).astype(np.float64)
    codes = few.codes_of_pixels(PIXELS)
    rounded = few.type.decode(codes)
    assert codes.dtype == few.type.dtype
    assert (codes == few.type.encode(values)[0]).all()
    assert np.abs(rounded - np.clip(values, *few.type.ends)).max() <= few.type.step / 2
    assert few.type.integer == exact.type.integer


def test_digits_of_three_bits_are_prepared_as_such(tmp_path):
    summary = prepare(DataConfig(pixel_bits=3), (8, 8, 1), tmp_path / "few")
    prepare(DataConfig(), (8, 8, 1), tmp_path / "all")
    few, whole = open_dataset(tmp_path / "few"), open_dataset(tmp_path / "all")
    assert few.input == NumberType(False, 3, 0)
    assert "rounded to 3 bits" in summary.input.in_words
    assert (few.test.read(slice(None)) == few.input.encode(whole.test.values(slice(None)))[0]).all()
    assert set(np.unique(few.test.read(slice(None)))) == set(range(8))


def test_numbers_have_no_pixel_bits(tmp_path):
    np.savez(tmp_path / "n.npz", x=np.random.default_rng(0).normal(size=(40, 3)), y=np.arange(40) % 2)
    config = DataConfig(source="npz", path=tmp_path / "n.npz", pixel_bits=4)
    with pytest.raises(DataError, match="no 8-bit pixels"):
        prepare(config, (3,), tmp_path / "data")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"input": {"bits": 3, "integer": 0, "signed": False}}, "pixel_bits: 3"),
        ({"source": "folder", "pixel_bits": 3, "input": {"bits": 8, "integer": 8, "signed": False}}, "leave one"),
        ({"pixel_bits": 1, "pixel_scale": "-1..1"}, "2 bits"),
        ({"pixel_bits": 9}, "less than or equal to 8"),
    ],
)
def test_what_says_two_things_is_refused(fields, said):
    with pytest.raises(ValidationError, match=said):
        DataConfig(**fields)
