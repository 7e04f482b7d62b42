"""The `data` section of a project: where the data come from, what numbers they are, how they are split."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field, model_validator

from siliconv.bounded_reading import SECTION, BoundedPath
from siliconv.models.data.number_type import MOST_BITS, PIXELS, NumberType

SourceKind = Literal["digits", "folder", "npz", "npy", "hdf5", "csv", "generated", "tfds"]
Aspect = Literal["stretch", "crop", "pad"]
PixelScale = Literal["0..1", "0..255", "-1..1"]


class InputConfig(BaseModel):
    """The fixed-point type of the network's input; what is left out is chosen from the training data."""

    model_config = SECTION

    bits: int | None = Field(
        default=None,
        ge=1,
        le=MOST_BITS,
        description="bits of each number; left out: as many as whole numbers need, 16 for others",
    )
    integer: int | None = Field(
        default=None,
        ge=-64,
        le=64,
        description="bits before the binary point, the sign included; left out: as the recipe chooses others",
    )
    signed: bool | None = Field(default=None, description="whether there are negative numbers; left out: as found")

    @model_validator(mode="after")
    def _has_a_value(self) -> InputConfig:
        if self.signed and self.bits == 1:
            raise ValueError("a signed number has two bits at least")
        return self

    def stated(self) -> NumberType | None:
        """Give the type where all of it is said."""
        if self.bits is None or self.integer is None or self.signed is None:
            return None
        return NumberType(self.signed, self.bits, self.integer)


class DataConfig(BaseModel):
    """Where the images, waveforms or features come from, what numbers they are, and how they are split."""

    model_config = SECTION

    source: SourceKind = Field(
        default="digits",
        description="digits (built in), folder (class = folder name), npz, npy, hdf5, csv, generated (by name), "
        "tfds (TensorFlow Datasets)",
    )
    path: BoundedPath | None = Field(
        default=None, description="The folder of images or the file of arrays; for tfds its data folder, if any"
    )
    x: str | tuple[str, ...] | dict[str, str | tuple[str, ...]] | None = Field(
        default=None,
        description="Name of the inputs in the file: an array, /path in HDF5, columns of a table; found when left out; "
        "of several inputs by name: {input: name}",
    )
    y: str | tuple[str, ...] | dict[str, str | tuple[str, ...]] | None = Field(
        default=None,
        description="Name of the labels or targets likewise; for npy the file beside; of several outputs by name: "
        "{output: name}",
    )
    name: str | None = Field(
        default=None, description="tfds: name of the data set, such as celeb_a; generated: jets, calorimeter, waveforms"
    )
    label: str | None = Field(
        default=None,
        description="tfds: the label's key or attribute, such as Male for celeb_a; 'label' when left out",
    )
    input: Literal["auto"] | InputConfig = Field(
        default="auto",
        description="auto: 8-bit pixels of images, else a type chosen from the training data; or its bits, integer, "
        "signed",
    )
    scale: float = Field(
        default=1.0,
        gt=0.0,
        le=1e30,
        description="Numbers that are no pixels are multiplied by it first, such as 0.000244140625 (1/4096)",
    )
    pixel_scale: PixelScale = Field(
        default="0..1",
        description="What 8-bit pixels are for the network: 0..1 (k/256), 0..255 (k), -1..1 (k/128 - 1)",
    )
    pixel_bits: int = Field(
        default=8,
        ge=1,
        le=8,
        description="Bits of a pixel for the network: 8-bit pixels are rounded to so many",
    )
    standardize: bool = Field(
        default=False,
        description="Put a layer in front of the network that brings each feature (or channel) to mean 0, deviation 1",
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

    @model_validator(mode="after")
    def _says_what_pixels_are_once(self) -> DataConfig:
        stated = self.input.stated() if self.input != "auto" else PIXELS
        if self.source in ("digits", "tfds") and stated != PIXELS:
            raise ValueError(f"{self.source} are 8-bit pixels; write pixel_bits: 3 for fewer bits, in place of input:")
        if self.pixel_bits != 8 and stated != PIXELS:
            raise ValueError("pixel_bits is for 8-bit pixels, and input: makes numbers of them; leave one of them out")
        if self.pixel_bits == 1 and self.pixel_scale == "-1..1":
            raise ValueError("pixels of -1 to 1 have a sign, so 2 bits at least")
        return self


_SOURCES: Mapping[str, SourceKind] = {
    ".npz": "npz",
    ".npy": "npy",
    ".h5": "hdf5",
    ".hdf5": "hdf5",
    ".csv": "csv",
    ".tsv": "csv",
}
FILES_OF_DATA = ".npz, .npy, .h5, .hdf5, .csv, .tsv"


def source_of(path: Path) -> SourceKind | None:
    """Give the source that a folder of images or a file of arrays is, by its name; None for nothing that is read."""
    return "folder" if path.is_dir() else _SOURCES.get(path.suffix.lower()) if path.is_file() else None
