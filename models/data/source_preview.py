"""What a source says of its classes in milliseconds: what the preparation would refuse is refused here already."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from siliconv.models.answers.right_answers import RightAnswers, answers_of_classes, right_answers
from siliconv.models.answers.task import Question
from siliconv.models.data.array_sources import NAMES_OF_ANSWERS, array_parts
from siliconv.models.data.data_config import DataConfig
from siliconv.models.data.image_files import Shape
from siliconv.models.data.input_choice import look_at
from siliconv.models.data.sources import class_folders, list_source, source_path
from siliconv.models.data.splits import check_training_classes, chosen_splits

WHOLE_BYTES = 16 * 2**20
"""Arrays of so many bytes are read as a whole; of larger ones the labels alone."""


class Preview(NamedTuple):
    """What is known of a source before it is prepared: its right answers, and what speaks against pixels."""

    answers: RightAnswers
    doubt: str | None = None


def preview_of(config: DataConfig, input_shape: Shape, question: Question | None = None) -> Preview | None:
    """Give task and names of a source; None where that takes longer than milliseconds, or there is no such file.

    Raises
    ------
    DataError
        As `siliconv.models.data.sources.list_source`.
    """
    if config.source == "digits":
        return _named(tuple("0123456789"), question, Path("digits"))
    if config.source == "generated":
        return Preview(list_source(config, input_shape, question).answers)
    if config.path is None or not config.path.exists() or config.source == "tfds":
        return None
    if config.source == "folder":
        return _named(class_folders(config.path), question, config.path) if config.path.is_dir() else None
    path = source_path(config)
    if config.source == "npz":
        bytes_inside = _bytes_inside(path)
        if bytes_inside is not None and bytes_inside > WHOLE_BYTES:
            if question is not None and (question.ports or question.parts):
                return None  # which array belongs to which is found when the data are prepared
            return _of_labels(config, path, question)
    elif path.stat().st_size > WHOLE_BYTES:
        return None
    listing = list_source(config, input_shape, question)
    if listing.numbers is not None:
        every = listing.numbers.blocks(np.arange(len(listing)))
        look_at(every, len(listing), config.scale, whole=listing.numbers.whole, where=str(path))
    _check_splits(listing.answers, listing.given, config, question)
    return Preview(listing.answers, listing.doubt)


def _check_splits(answers: RightAnswers, given: np.ndarray, config: DataConfig, question: Question | None) -> None:
    if answers.task == "classification" and question is not None:
        chosen, splits = chosen_splits(answers.strata, given, config)
        every, train = (
            np.bincount(answers.values[of], minlength=len(answers.names)) for of in (chosen, chosen[splits == 0])
        )
        check_training_classes(answers.names, train, every, config, trains=question.trains)


def _named(names: tuple[str, ...], question: Question | None, path: Path) -> Preview:
    return Preview(answers_of_classes(np.zeros(0, np.int32), names, question, path))


def _bytes_inside(path: Path) -> int | None:
    """Give what the arrays of a file take in memory, as its index says; None for what is no .npz file."""
    try:
        with zipfile.ZipFile(path) as archive:
            return sum(entry.file_size for entry in archive.infolist())
    except (OSError, zipfile.BadZipFile):
        return None


def _of_labels(config: DataConfig, path: Path, question: Question | None) -> Preview | None:
    try:
        with np.load(path, allow_pickle=False) as file:
            written = {key.lower(): key for key in file.files}
            parts = array_parts(written)
            labels = [file[written[label]] for _, label, _ in parts if label is not None]
            named = next((file[written[key]] for key in NAMES_OF_ANSWERS if key in written), np.zeros(0))
            names = [str(name) for name in named] if named.ndim else []
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile):
        return None  # what is wrong is told when the file is prepared
    if not labels or len(labels) != len(parts):
        return None
    counts = [len(one) if one.ndim else 0 for one in labels]
    answers = right_answers(labels, counts, question, path, names=names)
    given = [np.full(count, split, np.int8) for count, (_, _, split) in zip(counts, parts, strict=True)]
    _check_splits(answers, np.concatenate(given), config, question)
    return Preview(answers)
