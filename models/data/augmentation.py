"""Online augmentation: other versions of the training images, made per batch and seeded, never of validation
or test.

All geometry (flip, rotation, translation, resizing, crops) is one affine map a image, so an image is
interpolated
once; the map that does nothing, or only flips, returns the very pixels.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, Field

from siliconv.bounded_reading import SECTION
from siliconv.errors import ModelError
from siliconv.legacy_keras import tensorflow
from siliconv.models.data.image_files import Shape

Augment = Callable[[Any, Any], Any]
"""(uint8 batch, seed of two integers) -> uint8 batch, in TensorFlow."""

SHEET_ROWS = 4
"""Versions of the image on the augmentation sheet."""

Share = Annotated[float, Field(ge=0.0, le=1.0)]


class AugmentConfig(BaseModel):
    """How far each training image is changed, at random; everything is off by default."""

    model_config = SECTION

    flip: bool = Field(default=False, description="Mirror left and right, every second image")
    flip_vertical: bool = Field(default=False, description="Mirror top and bottom, every second image")
    rotation: float = Field(default=0.0, ge=0.0, le=180.0, description="Turn by up to so many degrees")
    translation: Share = Field(default=0.0, description="Move by up to this share of height and width")
    resizing: float = Field(
        default=0.0, ge=0.0, lt=1.0, description="Enlarge or shrink by up to this share (0.1: 0.9 to 1.1)"
    )
    central_crop: float = Field(
        default=1.0,
        gt=0.0,
        le=1.0,
        description="Keep a central part of at least this share, brought back to size",
    )
    random_crop: float = Field(
        default=1.0,
        gt=0.0,
        le=1.0,
        description="Keep a box anywhere, its sides at least this share, brought to size",
    )
    crop_box: tuple[Share, Share, Share, Share] | None = Field(
        default=None,
        description="Keep the box [top, left, height, width], as shares, brought to size: every image",
    )
    brightness: Share = Field(default=0.0, description="Add up to this share of full scale")
    contrast: float = Field(
        default=0.0,
        ge=0.0,
        lt=1.0,
        description="Stretch around the mean by up to this share (0.2: 0.8 to 1.2)",
    )
    erase: Share = Field(
        default=0.0,
        description="Paint a grey box over the image, its sides up to this share, every second image",
    )


def augmenter(config: AugmentConfig, shape: Shape) -> Augment | None:
    """Return the function that changes a batch as configured, or None when nothing is configured.

    Raises
    ------
    ModelError
        ``AUGMENT-SHAPE`` for inputs that are no images, ``AUGMENT-BOX`` for a box that leaves the image.
    """
    if config == AugmentConfig():
        return None
    if len(shape) != 3:
        raise ModelError(
            "AUGMENT-SHAPE",
            f"augmentation changes images; the inputs have shape {tuple(shape)}",
            where="train.augmentation",
            fix="leave the augmentation out",
        )
    _check_box(config)
    tf = tensorflow()
    geometric = any(
        getattr(config, name) != AugmentConfig.model_fields[name].default
        for name in AugmentConfig.model_fields
        if name not in ("brightness", "contrast", "erase")
    )

    def augment(pixels: Any, seed: Any) -> Any:
        count = tf.shape(pixels)[0]
        # One column a random decision, uniform in [-1, 1): which columns exist does not depend on the
        # settings,
        # so switching one change on leaves the others as they were.
        draw = tf.unstack(tf.random.stateless_uniform((count, 16), seed, -1.0, 1.0), axis=1)
        images = tf.cast(pixels, tf.float32)
        if geometric:
            images = _warp(images, _affine(config, draw, shape))
        if config.contrast > 0.0:
            mean = tf.reduce_mean(images, axis=(1, 2), keepdims=True)
            images = (images - mean) * _column(1.0 + config.contrast * draw[10]) + mean
        if config.brightness > 0.0:
            images += _column(255.0 * config.brightness * draw[11])
        if config.erase > 0.0:
            images = _erase(images, config.erase, draw[12:16], shape)
        return tf.cast(tf.clip_by_value(tf.floor(images + 0.5), 0.0, 255.0), tf.uint8)

    return augment


def augmentation_sheet(config: AugmentConfig, pixels: np.ndarray, *, seed: int = 1) -> list[tuple[str, np.ndarray]]:
    """Return (name, images) for the picture of one image under each configured change, and under all of them.

    Parameters
    ----------
    config
        The augmentation of a training.
    pixels
        One uint8 image, (height, width, channels).
    seed
        The same seed gives the same sheet.
    """
    tf = tensorflow()
    configured = [
        name for name in AugmentConfig.model_fields if getattr(config, name) != getattr(AugmentConfig(), name)
    ]
    singles = [(name.replace("_", " "), AugmentConfig(**{name: getattr(config, name)})) for name in configured]
    sheet = [("original", np.stack([pixels] * SHEET_ROWS))]
    for name, one in [*singles, ("all together", config)] if configured else []:
        change = augmenter(one, pixels.shape)
        if change is not None:
            repeated = tf.constant(sheet[0][1])
            sheet.append((name, change(repeated, tf.constant([seed, 0], tf.int64)).numpy()))
    return sheet


def _check_box(config: AugmentConfig) -> None:
    if config.crop_box is None:
        return
    top, left, height, width = config.crop_box
    if height <= 0.0 or width <= 0.0 or top + height > 1.0 or left + width > 1.0:
        raise ModelError(
            "AUGMENT-BOX",
            f"the box {list(config.crop_box)} is empty or leaves the image",
            where="train.augmentation.crop_box",
            fix="write [top, left, height, width] as shares with top + height <= 1 and left + width <= 1",
        )


def _affine(config: AugmentConfig, draw: list[Any], shape: Shape) -> tuple[Any, ...]:
    """Return the map from an output pixel to the input pixel it shows, about the centre: (a, b, x, c,
    d, y).
    """
    tf = tensorflow()
    height, width = float(shape[0]), float(shape[1])
    flip_x = tf.where(draw[0] < 0.0, -1.0, 1.0) if config.flip else tf.ones_like(draw[0])
    flip_y = tf.where(draw[1] < 0.0, -1.0, 1.0) if config.flip_vertical else tf.ones_like(draw[1])
    angle = draw[2] * (config.rotation * math.pi / 180.0)
    # A central crop of share f, or a box of it, is an enlargement by 1/f.
    central = 1.0 - (1.0 - config.central_crop) * (draw[3] + 1.0) / 2.0
    box = 1.0 - (1.0 - config.random_crop) * (draw[4] + 1.0) / 2.0
    scale = central * box / (1.0 + config.resizing * draw[5])
    x = width * (config.translation * draw[6] + (1.0 - box) / 2.0 * draw[8])
    y = height * (config.translation * draw[7] + (1.0 - box) / 2.0 * draw[9])
    scale_x, scale_y = scale, scale
    if config.crop_box is not None:
        top, left, box_height, box_width = config.crop_box
        scale_y, scale_x = scale * box_height, scale * box_width
        y = y + height * (top + box_height / 2.0 - 0.5)
        x = x + width * (left + box_width / 2.0 - 0.5)
    cosine, sine = tf.cos(angle), tf.sin(angle)
    return (
        flip_x * scale_x * cosine,
        -flip_y * scale_x * sine,
        x,
        flip_x * scale_y * sine,
        flip_y * scale_y * cosine,
        y,
    )


def _warp(images: Any, affine: tuple[Any, ...]) -> Any:
    """Apply the maps, bilinear; what lies outside is the image mirrored at its edge."""
    tf = tensorflow()
    a, b, x, c, d, y = affine
    size = tf.shape(images)[1:3]
    middle_y, middle_x = tf.unstack((tf.cast(size, tf.float32) - 1.0) / 2.0)
    zero = tf.zeros_like(a)
    rows = [
        a,
        b,
        x + middle_x - a * middle_x - b * middle_y,
        c,
        d,
        y + middle_y - c * middle_x - d * middle_y,
        zero,
        zero,
    ]
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=tf.stack(rows, axis=1),
        output_shape=size,
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="REFLECT",
    )


def _erase(images: Any, share: float, draw: list[Any], shape: Shape) -> Any:
    tf = tensorflow()
    centre_y, centre_x, side_y, side_x = draw
    rows = tf.linspace(-1.0, 1.0, shape[0])[tf.newaxis, :, tf.newaxis, tf.newaxis]
    columns = tf.linspace(-1.0, 1.0, shape[1])[tf.newaxis, tf.newaxis, :, tf.newaxis]
    # Half of the sides are negative: no box.
    half_y, half_x = _column(tf.where(side_x < 0.0, -1.0, tf.abs(side_y) * share)), _column(side_x * share)
    inside = (tf.abs(rows - _column(centre_y)) < half_y) & (tf.abs(columns - _column(centre_x)) < half_x)
    return tf.where(inside, 128.0, images)


def _column(values: Any) -> Any:
    return values[:, tensorflow().newaxis, tensorflow().newaxis, tensorflow().newaxis]
