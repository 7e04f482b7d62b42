"""One image: from a file, its bytes or an array to unsigned 8-bit pixels of the network's input shape.

Training, prediction and the firmware's test vectors all come through `decode_image`, so they see the same
pixels.
"""

from __future__ import annotations

import io
import struct
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from siliconv.bounded_reading import ordinary
from siliconv.errors import DataError
from siliconv.models.data.data_config import Aspect

Shape = tuple[int, ...]
RawImage = Path | bytes | np.ndarray

PIXEL_SCALE = 256
"""A pixel of value k is k/256 for the network: the unsigned 8-bit fraction that the firmware's input is."""

MOST_PIXELS = 100_000_000
"""Of a picture that is decoded; Pillow itself warns from 89 million on, and takes up to 1.5 GB for twice as many."""

_MODES = {1: "L", 3: "RGB"}
_NO_WHITE = "and nothing says which of them is white; store it with 8 bits, or say data.input"
_WITH_16_BITS = ("PNG", "PPM")
"""Formats whose 16-bit images Pillow opens as numbers of 32 bits; they have none with more."""
# What Pillow raises, besides its own UnidentifiedImageError (an OSError), on damaged files of one format or
# another.
_DAMAGE = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    KeyError,
    IndexError,
    struct.error,
    Image.DecompressionBombError,
)


def to_fraction(pixels: np.ndarray) -> np.ndarray:
    """Return uint8 pixels k as the float32 fractions k/256 (exact)."""
    return pixels.astype(np.float32) / np.float32(PIXEL_SCALE)


def decode_image(image: RawImage | str, input_shape: Shape, *, aspect: Aspect = "stretch") -> np.ndarray:
    """Return an image as uint8 (height, width, channels) of `input_shape`.

    EXIF rotation is applied, transparency lies on white, colours become grey by ITU-R 601 luma where the network has
    one channel, 16-bit images keep their upper 8 bits; resizing is Pillow's bilinear filter, which averages when it
    shrinks. Nothing in a file of 32-bit or floating-point numbers says which of them is white, so these are refused,
    but for floating-point numbers that are 0 to 255 and whole.

    Parameters
    ----------
    image
        A file, the bytes of one, or an array: (h, w), (h, w, 1), (h, w, 3) or (h, w, 4) of uint8. An array
        that
        has `input_shape` already is returned as it is, whatever its number of axes (a waveform).
    input_shape
        (height, width, channels) with 1 or 3 channels; anything for arrays of that very shape.
    aspect
        How an image of another aspect is brought to size: `stretch`, `crop` (centre) or `pad` (black).

    Raises
    ------
    DataError
        ``DATA-IMAGE`` for a file that is no image or is damaged, ``DATA-SHAPE`` for shapes without a meaning.
    """
    if isinstance(image, np.ndarray) and image.shape == tuple(input_shape) and image.dtype == np.uint8:
        return image
    if len(input_shape) != 3 or input_shape[2] not in _MODES:
        raise DataError(
            "DATA-SHAPE",
            f"images cannot become {_text(input_shape)}",
            where="model.input_shape",
            fix="use height x width x 1 (grey) or height x width x 3 (RGB); other shapes need an .npz of that shape",
        )
    with opened(image) as picture:
        picture = _to_mode(picture, _MODES[input_shape[2]])
        pixels = np.asarray(to_size(picture, input_shape[1], input_shape[0], aspect))
    return pixels.reshape(input_shape)


@contextmanager
def opened(image: RawImage | str) -> Iterator[Image.Image]:
    """Open an image, turned as its EXIF data say; what goes wrong while it is used is a `DataError` ``DATA-IMAGE``."""
    try:
        with warnings.catch_warnings():
            # Pillow warns about odd metadata and large images; what cannot be decoded raises.
            warnings.simplefilter("ignore")
            yield _upright(_open(image))
    except FileNotFoundError as error:
        raise DataError(
            "DATA-IMAGE", "there is no such file", where=str(image), fix="correct the path of the image"
        ) from error
    except _DAMAGE as error:
        raise DataError(
            "DATA-IMAGE",
            f"the image cannot be decoded: {_reason(error)}",
            where=str(image) if isinstance(image, Path | str) else "an image",
            fix="open it in an image viewer; replace or remove it",
        ) from error


def as_bytes(arrays: Sequence[np.ndarray], *, where: str) -> list[np.ndarray]:
    """Return the pixels of one set, which may be split, as uint8.

    Bytes and whole numbers 0..255 are pixels as they are, truth values 0 and 255. Floating-point numbers are fractions
    0..1 of 255 if all of the set lie there, and pixels if all are whole numbers 0..255.

    Raises
    ------
    DataError
        ``DATA-RANGE`` for values that are neither, or not finite.
    """
    floats = [values for values in arrays if values.dtype.kind == "f" and values.size]
    fractions = all(float(values.max()) <= 1.0 for values in floats)
    return [pixels_of(values, where=where, white=255.0 if fractions else 1.0) for values in arrays]


def as_bytes_array(values: np.ndarray, *, where: str) -> np.ndarray:
    """Return the pixels of an array as uint8; see `as_bytes`."""
    return as_bytes([values], where=where)[0]


def pixels_of(values: np.ndarray, *, where: str, white: float) -> np.ndarray:
    """Return the pixels of an array as uint8, where floating-point numbers are to be multiplied by `white` (1 or 255).

    Raises
    ------
    DataError
        As `as_bytes`.
    """
    if values.dtype == np.uint8:
        return values
    if values.dtype == np.bool_:
        return values.astype(np.uint8) * np.uint8(255)
    known = values.dtype.kind in "iuf"
    low, high = (float(values.min()), float(values.max())) if known and values.size else (0.0, 0.0)
    if not known or not (low >= 0.0 and high <= 255.0):
        raise DataError(
            "DATA-RANGE",
            f"pixels are {values.dtype}" + (f" between {low:g} and {high:g}" if known else ""),
            where=where,
            fix="store uint8 pixels (0..255), or fractions between 0 and 1",
        )
    if values.dtype.kind == "f" and white == 1.0 and (wrong := values != np.floor(values)).any():
        raise DataError(
            "DATA-RANGE",
            f"pixels are {values.dtype} between {low:g} and {high:g}, neither fractions up to 1 nor whole, such as "
            f"{values[wrong][0]:g}",
            where=where,
            fix="store uint8 pixels (0..255), or bring all values of the file to fractions between 0 and 1",
        )
    return np.floor(values.astype(np.float64) * (white if values.dtype.kind == "f" else 1.0) + 0.5).astype(np.uint8)


def _open(image: RawImage | str) -> Image.Image:
    if isinstance(image, np.ndarray):
        squeezed = image[..., 0] if image.ndim == 3 and image.shape[2] == 1 else image
        return Image.fromarray(as_bytes_array(squeezed, where="an image array"))
    picture = Image.open(io.BytesIO(image) if isinstance(image, bytes) else ordinary(Path(image)))
    if picture.width * picture.height > MOST_PIXELS:
        raise ValueError(f"it has {picture.width} x {picture.height} pixels, more than {MOST_PIXELS:,}")
    return picture


def _upright(picture: Image.Image) -> Image.Image:
    turned = ImageOps.exif_transpose(picture)
    turned.format = picture.format  # a turned copy has none
    return turned


def _to_mode(picture: Image.Image, mode: str) -> Image.Image:
    if picture.mode == "I" and picture.format not in _WITH_16_BITS:
        raise ValueError(f"its pixels are 32-bit numbers, {_NO_WHITE}")
    if picture.mode == "F":
        values = np.asarray(picture)
        pixels = (values >= 0) & (values <= 255) & (values == np.floor(values))
        if not pixels.all() or 0 < values.max() <= 1:
            shown = f"floating-point numbers between {values.min():g} and {values.max():g}"
            raise ValueError(f"its pixels are {shown}, {_NO_WHITE}")
    if picture.mode.startswith("I"):
        wide = np.asarray(picture)
        return _to_mode(Image.fromarray((wide.clip(0, 65535) >> 8).astype(np.uint8)), mode)
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        return Image.alpha_composite(white, picture).convert(mode)
    return picture.convert(mode)


def to_size(picture: Image.Image, width: int, height: int, aspect: Aspect) -> Image.Image:
    """Bring a picture to a size."""
    if picture.size == (width, height):
        return picture
    match aspect:
        case "crop":
            return ImageOps.fit(picture, (width, height), Image.Resampling.BILINEAR)
        case "pad":
            return ImageOps.pad(picture, (width, height), Image.Resampling.BILINEAR, color=None)
        case "stretch":
            return picture.resize((width, height), Image.Resampling.BILINEAR)


def _reason(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _text(shape: Shape) -> str:
    return "x".join(str(size) for size in shape)
