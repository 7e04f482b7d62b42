"""Inputs on disk as raw integers, one fixed-size record each: any number of them in flat memory.

A data set is a folder: ``train.u8``, ``val.u8``, ``test.u8`` hold the pixels (uint8, row by row, channels last), or
``train.i16`` and the like the codes of other numbers, ``*.labels.npy`` the right answers, ``dataset.json`` everything
else. Records are read with `os.pread`: a
memory map
would count every page it ever touched as memory of the process.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from siliconv.bounded_reading import UnreadableError, as_kind, in_words, read_json
from siliconv.errors import DAMAGE, DataError
from siliconv.models.answers.task import AnswerPart, Task
from siliconv.models.data.image_files import Shape
from siliconv.models.data.input_choice import InputChoice
from siliconv.models.data.number_type import PIXELS, NumberType

SPLITS = ("train", "val", "test")
_FORMAT = 2
_SUMMARY_BYTES = 256 << 20
_READ_BYTES = 256 << 20


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Labelled inputs of one split, on disk: images, or other arrays of numbers.

    Parameters
    ----------
    path
        The file of codes, ``.u8`` for pixels.
    shape
        Shape of one input, such as (64, 64, 3).
    labels
        The right answer of each, see `siliconv.models.answers.right_answers.RightAnswers`.
    class_names
        Names of the classes, by number (or of labels, or of targets).
    input
        What the codes mean.
    """

    path: Path
    shape: Shape
    labels: np.ndarray
    class_names: tuple[str, ...]
    input: NumberType = PIXELS

    def __len__(self) -> int:
        return len(self.labels)

    def values(self, indices: Sequence[int] | np.ndarray | slice) -> np.ndarray:
        """Return the inputs of these numbers as the network sees them, float32 (n, *shape), exact."""
        return self.input.decode(self.read(indices))

    def read(self, indices: Sequence[int] | np.ndarray | slice) -> np.ndarray:
        """Return the codes of the inputs of these numbers, (n, *shape), in the order asked for."""
        if isinstance(indices, slice):
            start, stop, step = indices.indices(len(self))
            if step == 1:
                return self._read_run(start, max(stop - start, 0))
            chosen = np.arange(start, stop, step)
        else:
            chosen = np.asarray(indices, np.int64)
        size = prod(self.shape) * self.input.dtype.itemsize
        pixels = np.empty((len(chosen), *self.shape), self.input.dtype)
        if not len(chosen):
            return pixels
        if chosen.min() < 0 or chosen.max() >= len(self):
            outside = f"image numbers must lie in 0..{len(self) - 1}"
            raise IndexError(outside)
        record = pixels.reshape(len(chosen), -1)
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            for position, index in enumerate(chosen):
                if os.preadv(descriptor, [record[position].data], int(index) * size) != size:
                    raise self._too_short()
        finally:
            os.close(descriptor)
        return pixels

    def _read_run(self, start: int, count: int) -> np.ndarray:
        """Read neighbours at once."""
        size = prod(self.shape) * self.input.dtype.itemsize
        codes = np.empty((count, *self.shape), self.input.dtype)
        if count:
            into, done = memoryview(codes.reshape(-1).view(np.uint8)), 0  # type: ignore[arg-type]
            descriptor = os.open(self.path, os.O_RDONLY)
            try:
                while done < count * size:
                    got = os.preadv(descriptor, [into[done : done + _READ_BYTES]], start * size + done)
                    if not got:
                        raise self._too_short()
                    done += got
            finally:
                os.close(descriptor)
        return codes

    def subset(self, indices: np.ndarray) -> LoadedImages:
        """Return these images, loaded, with the same interface."""
        return LoadedImages(self.read(indices), self.labels[indices], self.class_names, self.input)

    def _too_short(self) -> DataError:
        return DataError(
            "DATA-STORE",
            "the prepared images are damaged: the file is shorter than its labels say",
            where=str(self.path),
            fix="prepare the data again",
        )


@dataclass(frozen=True, eq=False)
class LoadedImages:
    """Labelled images in memory, with the interface of `ImageSet`: for tests, notebooks and small subsets."""

    pixels: np.ndarray
    labels: np.ndarray
    class_names: tuple[str, ...]
    input: NumberType = PIXELS

    @property
    def shape(self) -> Shape:
        """Shape of one image."""
        return self.pixels.shape[1:]

    def __len__(self) -> int:
        return len(self.labels)

    def values(self, indices: Sequence[int] | np.ndarray | slice) -> np.ndarray:
        """Return the images of these numbers as the network sees them, float32 (n, *shape), exact."""
        return self.input.decode(self.read(indices))

    def read(self, indices: Sequence[int] | np.ndarray | slice) -> np.ndarray:
        """Return the codes of the images of these numbers, uint8 for pixels, (n, *shape)."""
        return self.pixels[indices if isinstance(indices, slice) else np.asarray(indices, np.int64)]


Images = ImageSet | LoadedImages


@dataclass(frozen=True)
class Statistics:
    """Mean and deviation of each feature (the last axis of the inputs) over the training data."""

    means: tuple[float, ...]
    deviations: tuple[float, ...]

    @classmethod
    def from_json(cls, found: dict[str, Any] | None) -> Statistics | None:
        """Read the fields by name; None of nothing."""
        return cls(tuple(found["means"]), tuple(found["deviations"])) if found is not None else None

    @property
    def in_words(self) -> str:
        """For the line of a stage."""
        return (
            f"standardized in the network: means {min(self.means):.4g} to {max(self.means):.4g}, deviations "
            f"{min(self.deviations):.4g} to {max(self.deviations):.4g}"
        )


def statistics_of(images: Images) -> Statistics:
    """Compute mean and deviation of each feature, a block at a time."""
    count, sums, squares = 0, np.zeros(images.shape[-1]), np.zeros(images.shape[-1])
    block = max(1, _READ_BYTES // (16 * prod(images.shape)))
    shift = images.values(slice(0, 1)).reshape(-1, images.shape[-1])[:1].astype(np.float64)
    for start in range(0, len(images), block):
        values = images.values(slice(start, start + block)).astype(np.float64).reshape(-1, images.shape[-1]) - shift
        count, sums, squares = count + len(values), sums + values.sum(axis=0), squares + (values**2).sum(axis=0)
    means = sums / max(count, 1)
    deviations = np.sqrt(np.maximum(squares / max(count, 1) - means**2, 0.0))
    return Statistics(tuple((means + shift[0]).tolist()), tuple(deviations.tolist()))


@dataclass(frozen=True)
class DataSummary:
    """What `prepare` found: sizes, and everything that a user should know about the images.

    `counts` are those of the classes in each split, a single number where there are none; `class_names` those of labels
    or targets in other tasks. `left_out` names each file that was not used with the reason; `duplicates` counts images
    that occur, pixel for pixel, in two splits, and names a few. `input` is the type of the input, `task` what the
    network is asked, `statistics` those of the training inputs where the network standardizes them. `ports` are
    names and shapes of several inputs, `parts` what each of several outputs is asked.
    """

    shape: Shape
    class_names: tuple[str, ...]
    counts: dict[str, tuple[int, ...]]
    left_out: tuple[tuple[str, str], ...] = ()
    duplicates: int = 0
    duplicate_examples: tuple[tuple[str, str], ...] = field(default=())
    input: InputChoice = field(default=InputChoice())
    task: Task = "classification"
    statistics: Statistics | None = None
    ports: tuple[tuple[str, Shape], ...] = ()
    parts: tuple[AnswerPart, ...] = ()

    def size(self, split: str) -> int:
        """Give the number of examples of a split."""
        return sum(self.counts[split])

    def as_json(self) -> dict[str, Any]:
        """Return it as plain lists and numbers."""
        return {
            "format": _FORMAT,
            "shape": list(self.shape),
            "class_names": list(self.class_names),
            "counts": {split: list(counts) for split, counts in self.counts.items()},
            "left_out": [list(entry) for entry in self.left_out],
            "duplicates": self.duplicates,
            "duplicate_examples": [list(entry) for entry in self.duplicate_examples],
            "input": self.input.as_json(),
            "task": self.task,
            "statistics": asdict(self.statistics) if self.statistics is not None else None,
            **({"ports": [[name, list(shape)] for name, shape in self.ports]} if self.ports else {}),
            **({"parts": [asdict(part) for part in self.parts]} if self.parts else {}),
        }

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> DataSummary:
        """Read what `as_json` gave."""
        parts = found.get("parts", ())
        return cls(
            tuple(found["shape"]),
            tuple(found["class_names"]),
            {split: tuple(counts) for split, counts in found["counts"].items()},
            tuple((name, reason) for name, reason in found["left_out"]),
            found["duplicates"],
            tuple((one, other) for one, other in found["duplicate_examples"]),
            InputChoice.from_json(found["input"]),
            found["task"],
            Statistics(**{name: tuple(of) for name, of in found["statistics"].items()})
            if found["statistics"]
            else None,
            tuple((name, tuple(shape)) for name, shape in found.get("ports", ())),
            tuple(AnswerPart(**{**one, "shape": tuple(one["shape"]), "names": tuple(one["names"])}) for one in parts),
        )


@dataclass(frozen=True, eq=False)
class Dataset:
    """The three splits of a prepared data set."""

    train: Images
    val: Images
    test: Images
    summary: DataSummary

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes, by number; of labels or targets in other tasks."""
        return self.summary.class_names

    @property
    def task(self) -> Task:
        """What the network is asked."""
        return self.summary.task

    @property
    def input(self) -> NumberType:
        """What the codes of the inputs mean."""
        return self.summary.input.type


def open_dataset(folder: Path) -> Dataset:
    """Open what `prepare` wrote, or raise `DataError` ``DATA-STORE``."""
    try:
        summary = read_summary(folder)
        train, val, test = (_open_split(folder, split, summary) for split in SPLITS)
    except DAMAGE as error:
        raise DataError(
            "DATA-STORE",
            f"no prepared images can be opened: {in_words(error)}",
            where=str(folder),
            fix="prepare the data again",
        ) from error
    return Dataset(train, val, test, summary)


def read_summary(folder: Path) -> DataSummary:
    """Read what `prepare` found, or raise what is in `siliconv.bounded_reading.DAMAGE`."""
    found = read_json(folder / "dataset.json", most=_SUMMARY_BYTES)
    if found["format"] != _FORMAT:
        raise UnreadableError(f"format {found['format']} is not {_FORMAT}")
    return as_kind(DataSummary.from_json(found), DataSummary)


def _open_split(folder: Path, split: str, summary: DataSummary) -> ImageSet:
    labels = np.load(folder / f"{split}.labels.npy", allow_pickle=False)
    kind = summary.input.type
    path = folder / f"{split}.{_ending(kind)}"
    if path.stat().st_size != len(labels) * prod(summary.shape) * kind.dtype.itemsize:
        misfit = f"{path.name} has {path.stat().st_size} bytes for {len(labels)} labels"
        raise ValueError(misfit)
    return ImageSet(path, summary.shape, labels, summary.class_names, kind)


def _ending(kind: NumberType) -> str:
    """Give the ending of a file of codes: u8, i16 and so on."""
    return f"{kind.dtype.kind}{8 * kind.dtype.itemsize}"


class StoreWriter:
    """Appends images to the three splits; the folder becomes a data set when `finish` is called, not
    before.
    """

    def __init__(self, folder: Path, kind: NumberType = PIXELS) -> None:
        self._folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "dataset.json").unlink(missing_ok=True)
            self._files: dict[str, BinaryIO] = {
                split: (folder / f"{split}.{_ending(kind)}").open("wb") for split in SPLITS
            }
        except OSError as error:
            raise DataError(
                "DATA-WRITE",
                f"the prepared images cannot be written: {error.strerror or error}",
                where=str(folder),
                fix="choose a folder that can be written, with space for the images",
            ) from error

    def append(self, split: str, codes: np.ndarray) -> None:
        """Add one input, or several one after the other."""
        self._files[split].write(np.ascontiguousarray(codes).data)

    def finish(self, summary: DataSummary, labels: Mapping[str, np.ndarray]) -> None:
        """Write the right answers of each split and the description: from now on the folder can be opened."""
        for split in SPLITS:
            np.save(self._folder / f"{split}.labels.npy", labels[split])
        self.close()
        write_summary(self._folder, summary)

    def close(self) -> None:
        """Close the files."""
        for file in self._files.values():
            file.close()


def write_summary(folder: Path, summary: DataSummary) -> None:
    """Write the description of a data set at one stroke."""
    partial = folder / "dataset.json.partial"
    partial.write_text(json.dumps(summary.as_json(), indent=1), encoding="utf-8")
    partial.replace(folder / "dataset.json")


def spread(total: int, wanted: int) -> np.ndarray:
    """Give indices spread evenly over a set, all of it if it is smaller; sets may be ordered by class."""
    return np.unique(np.linspace(0, total - 1, min(wanted, total)).round().astype(np.int64))
