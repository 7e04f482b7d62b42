"""Where examples come from: each source is listed first (right answers, given splits), and read in order afterwards."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from siliconv.errors import DataError
from siliconv.models.answers.right_answers import RightAnswers, answers_of_classes
from siliconv.models.answers.task import Question
from siliconv.models.data.columns import Rows
from siliconv.models.data.data_config import DataConfig
from siliconv.models.data.folder_files import files_below
from siliconv.models.data.image_files import Shape
from siliconv.models.data.listing import SPLIT_ALIASES, Listing
from siliconv.models.data.number_images import NumberImages
from siliconv.models.data.number_type import PIXELS
from siliconv.models.data.splits import UNASSIGNED

LONGEST_NAME = 200


def list_source(config: DataConfig, input_shape: Shape, question: Question | None = None) -> Listing:
    """List the source of a configuration.

    Parameters
    ----------
    config
        Source and names in it.
    input_shape
        Shape of one input of the network.
    question
        What the network is asked; None reads labels as classes.

    Raises
    ------
    DataError
        ``DATA-MISSING``, ``DATA-EMPTY``, ``DATA-CLASSES``, ``DATA-NAME``, ``DATA-LAYOUT``, ``DATA-LABELS``,
        ``DATA-RANGE``, ``DATA-TASK``: what is wrong, where, and what to do.
    """
    match config.source:
        case "digits":
            listing = _list_digits(question)
        case "folder":
            listing = _list_folder(source_path(config), question, config, input_shape)
        case "npz" | "npy" | "hdf5" | "csv":
            from siliconv.models.data.array_sources import list_arrays

            listing = list_arrays(config, source_path(config), input_shape, question)
        case "generated":
            from siliconv.models.data.array_sources import list_generated

            listing = list_generated(config, input_shape, question)
        case "tfds":
            from siliconv.models.data.tfds_source import list_tfds

            listing = list_tfds(config, question)
    where = str(config.path or config.source)
    if not len(listing):
        folders = config.source == "folder"
        raise DataError(
            "DATA-EMPTY",
            "there are no images" if folders else "there is no example in it",
            where=where,
            fix="put images into the class folders" if folders else "store one example at least in its arrays",
        )
    _check_classes(listing.answers, where)
    return listing


def _check_classes(answers: RightAnswers, where: str) -> None:
    for name in (*answers.names, *(name for part in answers.parts for name in part.names)):
        if not name.isprintable() or not 0 < len(name) <= LONGEST_NAME:
            raise DataError(
                "DATA-NAME",
                f"a class is called {name[:80]!r}: not {LONGEST_NAME} characters that can be printed",
                where=where,
                fix="rename the class: it stands in pictures, reports and generated files",
            )
    if answers.task != "classification":
        return
    known = (answers.values >= 0) & (answers.values < len(answers.names))
    if not known.all():
        raise DataError(
            "DATA-LABELS",
            f"{int((~known).sum())} images have a label that is no class, such as {answers.values[~known][0]}",
            where=where,
            fix="leave out what has no label: many test sets have none",
        )
    if len(answers.names) < 2:
        raise DataError(
            "DATA-CLASSES",
            f"there is one class only: {answers.names[0]!r}",
            where=where,
            fix="give it at least two classes; in a folder of images each class is a folder of its own",
        )


def source_path(config: DataConfig) -> Path:
    """Give the folder or file of a source, or raise `DataError` ``DATA-MISSING`` or ``DATA-LAYOUT``."""
    if config.path is None:
        raise DataError(
            "DATA-MISSING",
            f"source {config.source!r} needs a path",
            where="data.path",
            fix="write path: with the folder of images, or the file of arrays",
        )
    if not config.path.exists():
        raise DataError(
            "DATA-MISSING",
            f"{config.path} does not exist",
            where="data.path",
            fix="correct the path, or use source: digits, which is built in",
        )
    if config.source != "folder" and not config.path.is_file():
        raise DataError(
            "DATA-LAYOUT",
            f"{config.path} is {'a folder' if config.path.is_dir() else 'a device or a pipe'}, no file of arrays",
            where="data.path",
            fix="name the file itself; a folder of images is source: folder",
        )
    return config.path


def _list_digits(question: Question | None) -> Listing:
    """scikit-learn's 1,797 handwritten digits, 8x8; their 0..16 become 0..255 by round(v * 255 / 16)."""
    from sklearn.datasets import load_digits

    found = load_digits()
    pixels = ((found.images * 255 + 8) // 16).astype(np.uint8)
    labels, names = found.target.astype(np.int32), tuple("0123456789")
    return Listing(
        answers_of_classes(labels, names, question, Path("digits")),
        np.full(len(pixels), UNASSIGNED),
        lambda i: f"digit {i}",
        lambda chosen: (pixels[i] for i in chosen),
    )


def _list_folder(root: Path, question: Question | None, config: DataConfig, input_shape: Shape) -> Listing:
    """Class = folder name; either one tree of classes, or train / val / test above them.

    Where the input's type is stated and is not that of pixels, the files hold numbers.
    """
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
    numbers = None
    if config.input != "auto" and config.input.stated() != PIXELS:
        column = NumberImages(lambda i: root / files[i], len(files), input_shape, config.aspect)
        numbers = Rows([column], input_shape)
    return Listing(
        answers_of_classes(np.concatenate(labels), class_names, question, root),
        np.concatenate(given),
        lambda i: files[i],
        lambda chosen: (root / files[i] for i in chosen),
        numbers,
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
    if len(class_names) == 1 and len(trees) == 1 and len(deeper := _folders(trees[0][0] / class_names[0])) > 1:
        raise DataError(
            "DATA-LAYOUT",
            f"there is one folder, {class_names[0]!r}, and {len(deeper)} folders in it",
            where=str(root),
            fix=f"give the folder above the class folders, data.path: {trees[0][0] / class_names[0]}",
        )
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
