"""Where images come from: each source is listed first (labels, given splits), and read in order
afterwards.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import numpy as np

from siliconv.bounded_reading import UnreadableError, read_arrays
from siliconv.errors import DataError
from siliconv.models.data.data_config import DataConfig
from siliconv.models.data.folder_files import files_below
from siliconv.models.data.image_files import Shape, as_bytes
from siliconv.models.data.labels import class_labels
from siliconv.models.data.listing import SPLIT_ALIASES, Listing
from siliconv.models.data.splits import UNASSIGNED

LONGEST_NAME = 200


def list_source(config: DataConfig, input_shape: Shape) -> Listing:
    """List the source of a configuration.

    Raises
    ------
    DataError
        ``DATA-MISSING``, ``DATA-EMPTY``, ``DATA-CLASSES``, ``DATA-NAME``, ``DATA-LAYOUT``, ``DATA-LABELS``,
        ``DATA-RANGE``: what is wrong, where, and what to do.
    """
    match config.source:
        case "digits":
            listing = _list_digits()
        case "folder":
            listing = _list_folder(_path(config))
        case "npz":
            listing = _list_npz(_path(config), input_shape)
        case "tfds":
            from siliconv.models.data.tfds_source import list_tfds

            listing = list_tfds(config)
    where = str(config.path or config.source)
    if not len(listing.labels):
        raise DataError("DATA-EMPTY", "there are no images", where=where, fix="put images into the class folders")
    known = (listing.labels >= 0) & (listing.labels < len(listing.class_names))
    if not known.all():
        raise DataError(
            "DATA-LABELS",
            f"{int((~known).sum())} images have a label that is no class, such as {listing.labels[~known][0]}",
            where=where,
            fix="leave out what has no label: many test sets have none",
        )
    for name in listing.class_names:
        if not name.isprintable() or not 0 < len(name) <= LONGEST_NAME:
            raise DataError(
                "DATA-NAME",
                f"a class is called {name[:80]!r}: not {LONGEST_NAME} characters that can be printed",
                where=where,
                fix="rename the class: it stands in pictures, reports and generated files",
            )
    if len(listing.class_names) < 2:
        raise DataError(
            "DATA-CLASSES",
            f"there is one class only: {listing.class_names[0]!r}",
            where=where,
            fix="give it at least two classes; in a folder of images each class is a folder of its own",
        )
    return listing


def _path(config: DataConfig) -> Path:
    if config.path is None:
        raise DataError(
            "DATA-MISSING",
            f"source {config.source!r} needs a path",
            where="data.path",
            fix="write path: with the folder of images or the .npz file",
        )
    if not config.path.exists():
        raise DataError(
            "DATA-MISSING",
            f"{config.path} does not exist",
            where="data.path",
            fix="correct the path, or use source: digits, which is built in",
        )
    return config.path


def _list_digits() -> Listing:
    """scikit-learn's 1,797 handwritten digits, 8x8; their 0..16 become 0..255 by round(v * 255 / 16)."""
    from sklearn.datasets import load_digits

    found = load_digits()
    pixels = ((found.images * 255 + 8) // 16).astype(np.uint8)
    return _of_arrays(
        pixels, found.target.astype(np.int32), np.full(len(pixels), UNASSIGNED), tuple("0123456789"), "digit"
    )


def _of_arrays(
    pixels: np.ndarray, labels: np.ndarray, given: np.ndarray, class_names: tuple[str, ...], kind: str
) -> Listing:
    return Listing(class_names, labels, given, lambda i: f"{kind} {i}", lambda chosen: (pixels[i] for i in chosen))


def _list_folder(root: Path) -> Listing:
    """Class = folder name; either one tree of classes, or train / val / test above them."""
    trees, class_names = _trees(root)
    files: list[str] = []  # of strings: a Path an image would be most of the memory for large sets
    labels, given = [], []
    for tree, split in trees:
        for number, class_name in enumerate(class_names):
            before = len(files)
            prefix = (tree / class_name).relative_to(root).as_posix()
            files += [f"{prefix}/{name}" for name in files_below(tree / class_name)]
            labels.append(np.full(len(files) - before, number, np.int32))
            given.append(np.full(len(files) - before, split, np.int64))
    return Listing(
        class_names,
        np.concatenate(labels),
        np.concatenate(given),
        lambda i: files[i],
        lambda chosen: (root / files[i] for i in chosen),
    )


def class_folders(root: Path) -> tuple[str, ...]:
    """Give the names of the classes of a folder of images, or raise `DataError` as `list_source`."""
    return _trees(root)[1]


def _trees(root: Path) -> tuple[list[tuple[Path, int]], tuple[str, ...]]:
    """Give the folders that class folders stand in, each with its split, and the names of all classes."""
    if not root.is_dir():
        raise DataError(
            "DATA-LAYOUT",
            f"{root} is no folder",
            where="data.path",
            fix="give the folder above the class folders",
        )
    top = _folders(root)
    split_folders = {
        folder: SPLIT_ALIASES[folder.name.lower()] for folder in top if folder.name.lower() in SPLIT_ALIASES
    }
    if split_folders and len(split_folders) == len(top):
        trees = list(split_folders.items())
    else:
        trees = [(root, UNASSIGNED)]
    if 0 not in split_folders.values():
        # Without a training folder the names mean nothing special, or everything is to be split.
        trees = [(tree, UNASSIGNED) for tree, _ in trees]
    class_names = tuple(sorted({folder.name for tree, _ in trees for folder in _folders(tree)}))
    if not class_names:
        raise DataError(
            "DATA-EMPTY",
            "there are no class folders",
            where=str(root),
            fix="put the images of each class into a folder named after it: cats/ and dogs/",
        )
    return trees, class_names


def _folders(root: Path) -> list[Path]:
    return sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))


_IMAGE_KEYS = ("x", "images", "data", "image")
_LABEL_KEYS = ("y", "labels", "target", "label", "targets")


def _list_npz(path: Path, input_shape: Shape) -> Listing:
    """Arrays of images and labels: x / y, images / labels, data / target, with _train, _val, _test or train_
    ... if split.
    """
    try:
        arrays = {key.lower(): values for key, values in read_arrays(path).items()}
    except UnreadableError as error:
        raise DataError(
            "DATA-LAYOUT",
            f"the file cannot be read as .npz without pickle: {error}",
            where=str(path),
            fix="write it with numpy.savez(path, x=images, y=labels), numbers and no objects",
        ) from error
    parts = [(arrays[images], arrays[labels], split) for images, labels, split in npz_parts(arrays)]
    if not parts:
        raise DataError(
            "DATA-LAYOUT",
            "no pair of images and labels among the keys " + ", ".join(sorted(arrays)),
            where=str(path),
            fix="name the arrays x and y, or x_train, y_train, x_val, y_val, x_test, y_test",
        )
    for images, _, _ in parts:
        _check_shape(images, input_shape, path)
    pixels = as_bytes([images for images, _, _ in parts], where=str(path))
    labels = [class_labels(labels, len(images), path) for images, labels, _ in parts]
    given = [np.full(len(images), split) for (_, _, split), images in zip(parts, pixels, strict=True)]
    shapes = {images.shape[1:] for images in pixels}
    if len(shapes) > 1:
        raise DataError(
            "DATA-LAYOUT",
            f"the splits hold images of different shapes: {sorted(shapes)}",
            where=str(path),
            fix="store all splits in one shape",
        )
    values, numbers = np.unique(np.concatenate(labels), return_inverse=True)
    names = tuple(str(value) for value in values)
    if "class_names" in arrays and values.dtype.kind in "iu" and len(arrays["class_names"]) > values.max():
        names = tuple(str(arrays["class_names"][value]) for value in values)
    return _of_arrays(
        np.concatenate(pixels), numbers.astype(np.int32), np.concatenate(given), names, f"{path.name}, image"
    )


def npz_parts(names: Collection[str]) -> list[tuple[str, str, int]]:
    """Give which arrays hold images, which their labels, and of which split, by their names in lower case."""
    parts = []
    for image_key, label_key in zip(_IMAGE_KEYS, _LABEL_KEYS[: len(_IMAGE_KEYS)], strict=True):
        for alias, split in SPLIT_ALIASES.items():
            for images, labels in (
                (f"{image_key}_{alias}", f"{label_key}_{alias}"),
                (f"{alias}_{image_key}", f"{alias}_{label_key}"),
            ):
                if images in names and labels in names:
                    parts.append((images, labels, split))
    if parts:
        return parts if any(split == 0 for _, _, split in parts) else [(x, y, UNASSIGNED) for x, y, _ in parts]
    images_found = [key for key in _IMAGE_KEYS if key in names]
    labels_found = [key for key in _LABEL_KEYS if key in names]
    return [(images_found[0], labels_found[0], UNASSIGNED)] if images_found and labels_found else []


def _check_shape(images: np.ndarray, input_shape: Shape, path: Path) -> None:
    as_network_takes_it = images.shape[1:] == tuple(input_shape)
    picture = images.ndim == 3 or (images.ndim == 4 and images.shape[-1] in (1, 3, 4))
    if not (as_network_takes_it or (picture and len(input_shape) == 3)):
        raise DataError(
            "DATA-LAYOUT",
            f"images of shape {images.shape} cannot become inputs of shape {tuple(input_shape)}",
            where=str(path),
            fix="store images as (n, height, width) or (n, height, width, channels), "
            "waveforms as (n, length, channels)",
        )
