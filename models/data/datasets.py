"""Prepare a data set: every image is decoded and brought to size once, in parallel, into the store on
disk.
"""

from __future__ import annotations

import hashlib
import math
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

import joblib
import numpy as np

from siliconv.counting import counted, example_word
from siliconv.errors import DataError
from siliconv.models.answers.right_answers import RightAnswers, check_answers
from siliconv.models.answers.task import Question
from siliconv.models.data.columns import Rows
from siliconv.models.data.data_config import Aspect, DataConfig, InputConfig
from siliconv.models.data.folder_files import files_below
from siliconv.models.data.image_files import RawImage, Shape, decode_image
from siliconv.models.data.image_store import (
    SPLITS,
    DataSummary,
    StoreWriter,
    open_dataset,
    statistics_of,
    write_summary,
)
from siliconv.models.data.input_choice import (
    InputChoice,
    choose_input,
    look_at,
    pixels_as,
    refuse_extremes,
    refuse_saturation,
    scaled,
)
from siliconv.models.data.listing import Listing
from siliconv.models.data.number_type import PIXELS
from siliconv.models.data.sources import list_source
from siliconv.models.data.splits import check_training_classes, chosen_splits
from siliconv.progress import Progress, Silent, activity

# So many decoded bytes may be on their way to the disk; raw images in memory are bounded by the count.
_BLOCK_BYTES = 32 * 2**20
_BLOCK_IMAGES = 1024
_TASK_IMAGES = 32
_EXAMPLES = 5
_DIGEST_SEED = 20_111_121


def prepare(
    config: DataConfig,
    input_shape: Shape,
    folder: Path,
    progress: Progress | None = None,
    *,
    jobs: int = -1,
    question: Question | None = None,
    percentile: float | None = None,
    unit: float = 1.0,
) -> DataSummary:
    """Decode, resize and split the images of a source into `folder`, and say what was found.

    Memory stays flat whatever the number of images. Files that are no images, or damaged, are left out and named.
    Numbers that are no pixels are rounded to the input's type.

    Parameters
    ----------
    config
        Source, split and type of the input.
    input_shape
        Shape of one input of the network, such as (64, 64, 3).
    folder
        Written anew; `open_dataset` reads it.
    progress
        Told about each block of images.
    jobs
        Decoding threads (joblib's counting: -1 for all cores).
    question
        What the network is asked; None reads labels as classes.
    percentile
        As for `siliconv.models.data.input_choice.choose_input`.
    unit
        A power of two that numbers which are no pixels are multiplied by besides `DataConfig.scale`.

    Raises
    ------
    DataError
        For a missing, empty or one-class source, a class without a usable image, labels or numbers that cannot be
        used, a folder that cannot be written.
    """
    progress = progress or Silent()
    listing = list_source(config, input_shape, question)
    if question is not None:
        check_answers(question, listing.answers.task, listing.answers.names)
    if listing.doubt is not None:
        progress.say(listing.doubt)
    chosen, splits = chosen_splits(listing.answers.strata, listing.given, config)
    choice = pixels_as(config.pixel_scale, config.pixel_bits)
    if listing.numbers is not None and config.pixel_bits != PIXELS.bits:
        raise DataError(
            "DATA-RANGE",
            "pixel_bits is given, and the inputs are numbers, no 8-bit pixels",
            where="data.pixel_bits",
            fix="say data.input: {bits: ...} in its place",
        )
    if listing.numbers is not None:
        choice = _chosen_type(listing.numbers, chosen[splits == 0], config, percentile, unit)
    written = _Written(StoreWriter(folder, choice.type))
    try:
        things = f"{example_word(input_shape)}s"
        with activity(progress, f"Preparing {things}", len(chosen), things):
            if listing.numbers is not None:
                choice = _write_numbers(listing.numbers, chosen, splits, config, choice, written, progress, unit)
            else:
                _write_images(listing, chosen, splits, input_shape, config.aspect, written, progress, jobs, choice)
        kept, kept_splits = chosen, splits
        if listing.numbers is None:
            kept, kept_splits = np.asarray(written.kept), np.asarray(written.splits)
        labels = {split: listing.labels[kept[kept_splits == number]] for number, split in enumerate(SPLITS)}
        counts = {split: _counts(listing.answers, values) for split, values in labels.items()}
        _check_counts(counts, listing, written.left_out, config, trains=question is None or question.trains)
        duplicates, examples = _duplicates(np.asarray(written.digests), kept, kept_splits, listing)
        summary = DataSummary(
            tuple(input_shape),
            listing.class_names,
            counts,
            tuple(written.left_out),
            duplicates,
            examples,
            choice,
            listing.answers.task,
            ports=question.ports if question is not None else (),
            parts=listing.answers.parts,
        )
        written.writer.finish(summary, labels)
    finally:
        written.writer.close()
    if config.standardize:
        summary = replace(summary, statistics=statistics_of(open_dataset(folder).train))
        write_summary(folder, summary)
    _report(summary, progress)
    return summary


@dataclass(eq=False)
class _Written:
    """What was written so far: which examples, to which splits, and what tells two of them apart."""

    writer: StoreWriter
    digests: array[int] = field(default_factory=lambda: array("Q"))
    kept: array[int] = field(default_factory=lambda: array("Q"))
    splits: array[int] = field(default_factory=lambda: array("b"))
    left_out: list[tuple[str, str]] = field(default_factory=list)


def _write_images(
    listing: Listing,
    chosen: np.ndarray,
    splits: np.ndarray,
    input_shape: Shape,
    aspect: Aspect,
    written: _Written,
    progress: Progress,
    jobs: int,
    choice: InputChoice,
) -> None:
    for position, pixels in enumerate(_decode_all(listing.images(chosen), input_shape, aspect, jobs)):
        index = int(chosen[position])
        if isinstance(pixels, str):
            written.left_out.append((listing.name(index), pixels))
        else:
            written.writer.append(SPLITS[splits[position]], choice.codes_of_pixels(pixels))
            written.digests.append(int.from_bytes(hashlib.blake2b(pixels.data, digest_size=8).digest()))
            written.kept.append(index)
            written.splits.append(int(splits[position]))
        progress.update(position + 1)


def _chosen_type(
    rows: Rows, train: np.ndarray, config: DataConfig, percentile: float | None, unit: float
) -> InputChoice:
    stated = InputConfig() if config.input == "auto" else config.input
    if stated.integer is not None:
        stated = stated.model_copy(update={"integer": stated.integer + round(math.log2(unit))})
    values = len(train) * math.prod(rows.shape)
    seen = look_at(rows.blocks(train), values, config.scale * unit, whole=rows.whole, where=str(config.path))
    choice = choose_input(stated, seen, percentile)
    refuse_extremes(choice, str(config.path))
    return choice


def _write_numbers(
    rows: Rows,
    chosen: np.ndarray,
    splits: np.ndarray,
    config: DataConfig,
    choice: InputChoice,
    written: _Written,
    progress: Progress,
    unit: float,
) -> InputChoice:
    """Write the codes of numbers, a block at a time, and give the choice with what it does to all of them."""
    done, outside = 0, 0
    low, high = np.full(rows.shape[-1:], np.inf), np.full(rows.shape[-1:], -np.inf)
    for block in rows.blocks(chosen):
        exact = scaled(block, config.scale * unit, str(config.path))
        codes, saturated = choice.type.encode(exact)
        outside += saturated
        by_place = exact.reshape(-1, *rows.shape[-1:])
        low, high = np.minimum(low, by_place.min(axis=0)), np.maximum(high, by_place.max(axis=0))
        of_block = splits[done : done + len(codes)]
        for number, split in enumerate(SPLITS):
            written.writer.append(split, codes[of_block == number])
        written.digests.frombytes(row_digests(codes).tobytes())
        done += len(codes)
        progress.update(done)
    found = choice.with_range(low, high, outside, done * math.prod(rows.shape))
    refuse_saturation(found, str(config.path))
    return found


def row_digests(codes: np.ndarray) -> np.ndarray:
    """Give numbers, uint64 (n,), that are equal for equal rows and for others only by a chance of about 2**-60."""
    rows = codes.reshape(len(codes), -1).astype(np.int64).view(np.uint64)
    factors = np.random.default_rng(_DIGEST_SEED).integers(0, 2**64, rows.shape[1] + 1, dtype=np.uint64) | np.uint64(1)
    mixed = (rows ^ (rows << np.uint64(29))) * factors[:-1]
    return np.asarray((mixed ^ (mixed >> np.uint64(32))).sum(axis=1, dtype=np.uint64) * factors[-1])


def _counts(answers: RightAnswers, values: np.ndarray) -> tuple[int, ...]:
    if answers.values.ndim == 1 and answers.names:
        return tuple(np.bincount(values, minlength=len(answers.names)).tolist())
    return (len(values),)


def source_fingerprint(config: DataConfig) -> str:
    """Return a hash that changes when the configuration or the source's files do (path, size and time; no
    content).
    """
    digest = hashlib.sha256(config.model_dump_json().encode())
    if config.path is not None and config.source != "tfds":
        names = ["."] if config.path.is_file() else files_below(config.path)
        for name in names:
            found = (config.path / name).stat()
            digest.update(f"{name}\0{found.st_size}\0{found.st_mtime_ns}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()


def _decode_all(
    images: Iterator[RawImage], input_shape: Shape, aspect: Aspect, jobs: int
) -> Iterator[np.ndarray | str]:
    """Yield the pixels of each image, or the reason why there are none, in order."""
    block = max(_TASK_IMAGES, min(_BLOCK_IMAGES, _BLOCK_BYTES // int(np.prod(input_shape))))
    # Pillow decodes outside the interpreter lock: threads share the work without copying it.
    with joblib.Parallel(n_jobs=jobs, prefer="threads") as parallel:
        while raw := list(islice(images, block)):
            tasks = (raw[start : start + _TASK_IMAGES] for start in range(0, len(raw), _TASK_IMAGES))
            for decoded in parallel(joblib.delayed(_decode)(task, input_shape, aspect) for task in tasks):
                yield from decoded


def _decode(images: list[RawImage], input_shape: Shape, aspect: Aspect) -> list[np.ndarray | str]:
    decoded: list[np.ndarray | str] = []
    for image in images:
        try:
            decoded.append(decode_image(image, input_shape, aspect=aspect))
        except DataError as error:
            if error.code != "DATA-IMAGE":
                raise
            decoded.append(error.what)
    return decoded


def _check_counts(
    counts: dict[str, tuple[int, ...]],
    listing: Listing,
    left_out: list[tuple[str, str]],
    config: DataConfig,
    *,
    trains: bool,
) -> None:
    where = str(config.path or config.source)
    if left_out and not any(sum(count) for count in counts.values()):
        name, reason = left_out[0]
        raise DataError(
            "DATA-EMPTY",
            f"none of {len(left_out)} files is a usable image, such as {name}: {reason}",
            where=where,
            fix="give a folder of images (JPEG, PNG, ...), one folder a class",
        )
    if not sum(counts["train"]):
        raise DataError(
            "DATA-EMPTY",
            "no example is left to train or calibrate on",
            where=where,
            fix="add examples, or give validation and test smaller shares",
        )
    if listing.answers.task == "classification":
        every = np.bincount(listing.labels, minlength=len(listing.class_names))
        check_training_classes(listing.class_names, np.asarray(counts["train"]), every, config, trains=trains)


def _duplicates(
    digests: np.ndarray, indices: np.ndarray, splits: np.ndarray, listing: Listing
) -> tuple[int, tuple[tuple[str, str], ...]]:
    """Count the images outside the first split they occur in; training comes first."""
    by_digest = np.argsort(digests, kind="stable")
    same = digests[by_digest[1:]] == digests[by_digest[:-1]]
    twice = by_digest[np.flatnonzero(np.r_[same, False] | np.r_[False, same])] if len(digests) else by_digest
    digests, indices, splits = digests[twice], indices[twice], splits[twice]
    order = np.lexsort((indices, splits, digests))
    digests, indices, splits = digests[order], indices[order], splits[order]
    starts = np.flatnonzero(np.r_[True, digests[1:] != digests[:-1]]) if len(digests) else np.zeros(0, np.int64)
    first = np.repeat(starts, np.diff(np.r_[starts, len(digests)]))
    again = np.flatnonzero(splits != splits[first]) if len(digests) else starts
    examples = tuple((listing.name(int(indices[first[i]])), listing.name(int(indices[i]))) for i in again[:_EXAMPLES])
    return len(again), examples


def _report(summary: DataSummary, progress: Progress) -> None:
    if summary.input.coarse:
        progress.say(summary.input.coarse_in_words(summary.shape))
    if summary.left_out:
        name, reason = summary.left_out[0]
        progress.say(f"{counted(len(summary.left_out), 'file')} left out, such as {name}: {reason}")
    if summary.duplicates:
        one, other = summary.duplicate_examples[0]
        found = counted(summary.duplicates, example_word(summary.shape))
        progress.say(f"{found} occur in two splits, such as {one} and {other}")
