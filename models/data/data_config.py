"""The `data` section of a project: where images come from, how they are split and brought to size."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from siliconv.bounded_reading import SECTION, BoundedPath

SourceKind = Literal["digits", "folder", "npz", "tfds"]
Aspect = Literal["stretch", "crop", "pad"]


class DataConfig(BaseModel):
    """Where the images come from and how they are split."""

    model_config = SECTION

    source: SourceKind = Field(
        default="digits",
        description="digits (built in), folder (class = folder name), npz, or tfds (TensorFlow Datasets)",
    )
    path: BoundedPath | None = Field(
        default=None, description="The folder of images or the .npz file; for tfds its data folder, if any"
    )
    name: str | None = Field(default=None, description="tfds: name of the data set, such as celeb_a")
    label: str | None = Field(
        default=None,
        description="tfds: the label's key or attribute, such as Male for celeb_a; 'label' when left out",
    )
    validation: float = Field(
        default=0.1,
        ge=0.0,
        le=0.5,
        description="Share taken for validation where the source has no such split",
    )
    test: float = Field(
        default=0.2, ge=0.0, le=0.5, description="Share taken for testing where the source has no such split"
    )
    seed: int = Field(default=1, ge=0, lt=2**31, description="Which reproducible, stratified split is taken")
    aspect: Aspect = Field(
        default="stretch",
        description="An image of another aspect is stretched, cropped at its centre, or padded with black",
    )
    limit: int | None = Field(
        default=None,
        ge=1,
        le=2**31 - 1,
        description="Take at most this many images, stratified by class; all when left out",
    )
