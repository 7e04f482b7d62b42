"""One image to pixels: rotation, colours, sizes; the same from a file, its bytes or an array."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from siliconv.errors import DataError
from siliconv.models.data.data_config import Aspect
from siliconv.models.data.image_files import as_bytes, decode_image

COLOURS = np.random.default_rng(7).integers(0, 256, (6, 4, 3), np.uint8)


def _bytes(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)  # type: ignore[arg-type]
    return file.getvalue()


def test_file_bytes_and_array_give_the_same_pixels(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(_bytes(Image.fromarray(COLOURS)))
    for shape in ((6, 4, 3), (6, 4, 1), (3, 5, 3)):
        found = [decode_image(image, shape) for image in (path, str(path), path.read_bytes(), COLOURS)]
        assert found[0].shape == shape
        assert found[0].dtype == np.uint8
        assert all((found[0] == other).all() for other in found[1:])
    assert (decode_image(path, (6, 4, 3)) == COLOURS).all()


def test_exif_rotation_is_applied() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees clockwise to view
    turned = decode_image(_bytes(Image.fromarray(COLOURS), exif=exif), (4, 6, 3))
    assert (turned == np.rot90(COLOURS, -1)).all()


def test_transparent_pixels_are_white_and_opaque_ones_keep_their_colour() -> None:
    alpha = np.full((6, 4, 1), 255, np.uint8)
    alpha[0] = 0
    found = decode_image(_bytes(Image.fromarray(np.concatenate([COLOURS, alpha], axis=2))), (6, 4, 3))
    assert (found[0] == 255).all()
    assert (found[1:] == COLOURS[1:]).all()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "I;16", "F"])
@pytest.mark.parametrize("channels", [1, 3])
def test_every_pixel_format_is_read(mode: str, channels: int) -> None:
    grey = Image.fromarray(COLOURS).convert("L")
    picture = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257) if mode == "I;16" else grey
    if mode in ("P", "CMYK", "YCbCr"):
        picture = Image.fromarray(COLOURS).convert(mode)
    elif mode not in ("I;16", "L"):
        picture = picture.convert(mode)
    kind = "TIFF" if mode in ("CMYK", "YCbCr", "F") else "PNG"
    found = decode_image(_bytes(picture, kind), (6, 4, channels))
    assert found.std() > 1
    if mode in ("L", "LA", "RGB", "RGBA", "I;16", "F"):
        assert (found == np.asarray(grey)[:, :, np.newaxis]).all()


@pytest.mark.parametrize(("aspect", "left", "middle"), [("stretch", 0, 255), ("crop", 255, 255), ("pad", 0, 255)])
def test_aspect(aspect: Aspect, left: int, middle: int) -> None:
    """A white square in the middle of a black strip."""
    strip = np.zeros((8, 24, 3), np.uint8)
    strip[:, 8:16] = 255
    found = decode_image(strip, (24, 24, 3), aspect=aspect)
    assert found[12, 1, 0] == left
    assert found[12, 12, 0] == middle
    assert (found[0, 12, 0] == 0) == (aspect == "pad")


@pytest.mark.parametrize("damaged", [b"", b"no image", _bytes(Image.fromarray(COLOURS))[:60]])
def test_damaged_images_name_file_and_reason(tmp_path: Path, damaged: bytes) -> None:
    path = tmp_path / "broken.png"
    path.write_bytes(damaged)
    with pytest.raises(DataError, match=r"broken\.png") as found:
        decode_image(path, (8, 8, 3))
    assert found.value.code == "DATA-IMAGE"


def test_a_shape_that_no_image_has_is_refused() -> None:
    with pytest.raises(DataError, match="DATA-SHAPE"):
        decode_image(COLOURS, (8, 8, 2))


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (np.linspace(0, 1, 24, dtype=np.float32), "floating-point numbers between 0 and 1"),
        (np.arange(24, dtype=np.float32) % 2, "floating-point numbers between 0 and 1"),
        (np.arange(24, dtype=np.float32) + 0.5, "floating-point numbers between 0.5 and 23.5"),
        (np.arange(24, dtype=np.float32) * 20, "floating-point numbers between 0 and 460"),
        (np.full(24, np.nan, np.float32), "floating-point numbers between nan and nan"),
        (np.arange(24, dtype=np.int32) * 10, "32-bit numbers"),
        (np.arange(24, dtype=np.int32) * 5000, "32-bit numbers"),
    ],
)
def test_an_image_that_does_not_say_what_is_white_is_refused(values: np.ndarray, says: str) -> None:
    picture = Image.fromarray(values.reshape(6, 4))
    exif = Image.Exif()
    exif[0x0112] = 6
    for file in (_bytes(picture, "TIFF"), _bytes(picture, "TIFF", exif=exif)):
        with pytest.raises(DataError, match=says) as found:
            decode_image(file, (6, 4, 1))
        assert found.value.code == "DATA-IMAGE"


@pytest.mark.parametrize("kind", ["PNG", "PPM", "TIFF"])
def test_sixteen_bits_keep_their_upper_eight(kind: str) -> None:
    grey = np.asarray(Image.fromarray(COLOURS).convert("L"))
    picture = Image.fromarray(grey.astype(np.uint16) * 256 + 17)
    assert (decode_image(_bytes(picture, kind), (6, 4, 1))[:, :, 0] == grey).all()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([0.0, 0.5, 1.0]), [0, 128, 255]),
        (np.array([0.0, 7.0, 255.0]), [0, 7, 255]),
        (np.array([0, 1], np.int32), [0, 1]),
        (np.array([False, True]), [0, 255]),
        (np.array([0.0, 7.2]), None),
        (np.array([0.0, 254.5]), None),
        (np.array([0.0, np.nan]), None),
        (np.array([0.0, 256.0]), None),
        (np.array([-0.1, 0.5]), None),
        (np.array([0, 4095], np.uint16), None),
        (np.array([0, 1], np.complex64), None),
        (np.array(["a", "b"]), None),
    ],
)
def test_numbers_are_taken_as_what_they_are_or_refused(values: np.ndarray, expected: list[int] | None) -> None:
    if expected is not None:
        assert as_bytes([values], where="here")[0].tolist() == expected
        return
    with pytest.raises(DataError, match="DATA-RANGE"):
        as_bytes([values], where="here")


def test_the_splits_of_one_set_have_one_scale() -> None:
    """A dark split of whole numbers up to 1 is not taken for fractions, where another goes up to 255."""
    bright, dark = np.array([0.0, 255.0]), np.array([0.0, 1.0])
    assert [found.tolist() for found in as_bytes([bright, dark], where="here")] == [[0, 255], [0, 1]]
    assert [found.tolist() for found in as_bytes([dark, dark / 2], where="here")] == [[0, 255], [0, 128]]
    with pytest.raises(DataError, match=r"such as 0\.5"):
        as_bytes([bright, dark / 2], where="here")


def test_a_picture_that_is_not_there_is_not_called_damaged(tmp_path: Path) -> None:
    with pytest.raises(DataError) as raised:
        decode_image(tmp_path / "nowhere.png", (4, 4, 3))
    assert (raised.value.code, raised.value.what) == ("DATA-IMAGE", "there is no such file")
    assert raised.value.fix == "correct the path of the image"
