"""Prepare a data set: every image is decoded and brought to size once, in parallel, into the store on
disk.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import joblib
import numpy as np

from siliconv.errors import DataError
from siliconv.models.data.data_config import Aspect, DataConfig
from siliconv.models.data.folder_files import files_below
from siliconv.models.data.image_files import RawImage, Shape, decode_image
from siliconv.models.data.image_store import SPLITS, DataSummary, StoreWriter
from siliconv.models.data.listing import Listing
from siliconv.models.data.sources import list_source
from siliconv.models.data.splits import UNASSIGNED, stratified_split, stratified_subset
from siliconv.progress import Progress, Silent, activity

# So many decoded bytes may be on their way to the disk; raw images in memory are bounded by the count.
_BLOCK_BYTES = 32 * 2**20
_BLOCK_IMAGES = 1024
_TASK_IMAGES = 32
_EXAMPLES = 5


def prepare(
    config: DataConfig, input_shape: Shape, folder: Path, progress: Progress | None = None, *, jobs: int = -1
) -> DataSummary:
    """Decode, resize and split the images of a source into `folder`, and say what was found.

    Memory stays flat whatever the number of images. Files that are no images, or damaged, are left out and
    named.

    Parameters
    ----------
    config
        Source and split.
    input_shape
        Shape of one image for the network, such as (64, 64, 3).
    folder
        Written anew; `open_dataset` reads it.
    progress
        Told about each block of images.
    jobs
        Decoding threads (joblib's counting: -1 for all cores).

    Raises
    ------
    DataError
        For a missing, empty or one-class source, a class without a usable image, a folder that cannot be
        written.
    """
    progress = progress or Silent()
    listing = list_source(config, input_shape)
    chosen = np.arange(len(listing.labels))
    if config.limit is not None:
        chosen = stratified_subset(listing.labels, config.limit, seed=config.seed)
    splits = assign_splits(listing.labels[chosen], listing.given[chosen], config)
    left_out: list[tuple[str, str]] = []
    digests, kept, kept_splits = array("Q"), array("Q"), array("b")
    writer = StoreWriter(folder)
    try:
        with activity(progress, "Preparing images", len(chosen), "images"):
            decoded = _decode_all(listing.images(chosen), input_shape, config.aspect, jobs)
            for position, pixels in enumerate(decoded):
                index = int(chosen[position])
                if isinstance(pixels, str):
                    left_out.append((listing.name(index), pixels))
                else:
                    writer.append(SPLITS[splits[position]], pixels, int(listing.labels[index]))
                    digests.append(int.from_bytes(hashlib.blake2b(pixels.data, digest_size=8).digest()))
                    kept.append(index)
                    kept_splits.append(int(splits[position]))
                progress.update(position + 1)
        counts = {
            split: tuple(np.bincount(writer.labels(split), minlength=len(listing.class_names)).tolist())
            for split in SPLITS
        }
        _check_counts(counts, listing, left_out, config)
        duplicates, examples = _duplicates(np.asarray(digests), np.asarray(kept), np.asarray(kept_splits), listing)
        summary = DataSummary(tuple(input_shape), listing.class_names, counts, tuple(left_out), duplicates, examples)
        writer.finish(summary)
    finally:
        writer.close()
    _report(summary, progress)
    return summary


def assign_splits(labels: np.ndarray, given: np.ndarray, config: DataConfig) -> np.ndarray:
    """Return 0, 1, 2 (train, val, test) for each image: as the source says, missing splits taken from its
    training images.
    """
    has_validation, has_test = bool((given == 1).any()), bool((given == 2).any())
    if not (has_validation and has_test):
        given = np.where(given == 0, UNASSIGNED, given)
    return stratified_split(
        labels,
        given,
        validation=0.0 if has_validation else config.validation,
        test=0.0 if has_test else config.test,
        seed=config.seed,
    )


def source_fingerprint(config: DataConfig) -> str:
    """Return a hash that changes when the configuration or the source's files do (path, size and time; no
    content).
    """
    digest = hashlib.sha256(config.model_dump_json().encode())
    if config.path is not None and config.source in ("folder", "npz"):
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
    counts: dict[str, tuple[int, ...]], listing: Listing, left_out: list[tuple[str, str]], config: DataConfig
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
    for number, name in enumerate(listing.class_names):
        if counts["train"][number] == 0:
            raise DataError(
                "DATA-CLASSES",
                f"class {name!r} has no image to train on",
                where=where,
                fix="add images to the class, or remove its folder",
            )


def _duplicates(
    digests: np.ndarray, indices: np.ndarray, splits: np.ndarray, listing: Listing
) -> tuple[int, tuple[tuple[str, str], ...]]:
    """Count the images outside the first split they occur in; training comes first."""
    order = np.lexsort((indices, splits, digests))
    digests, indices, splits = digests[order], indices[order], splits[order]
    starts = np.flatnonzero(np.r_[True, digests[1:] != digests[:-1]]) if len(digests) else np.zeros(0, np.int64)
    first = np.repeat(starts, np.diff(np.r_[starts, len(digests)]))
    again = np.flatnonzero(splits != splits[first]) if len(digests) else starts
    examples = tuple((listing.name(int(indices[first[i]])), listing.name(int(indices[i]))) for i in again[:_EXAMPLES])
    return len(again), examples


def _report(summary: DataSummary, progress: Progress) -> None:
    if summary.left_out:
        name, reason = summary.left_out[0]
        progress.say(f"{len(summary.left_out)} files left out, such as {name}: {reason}")
    if summary.duplicates:
        one, other = summary.duplicate_examples[0]
        progress.say(f"{summary.duplicates} images occur in two splits, such as {one} and {other}")
