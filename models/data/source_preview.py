"""What a source says of its classes in milliseconds: what the preparation would refuse is refused here already."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from siliconv.models.data.data_config import DataConfig
from siliconv.models.data.image_files import Shape
from siliconv.models.data.labels import class_labels
from siliconv.models.data.sources import class_folders, list_source, npz_parts

WHOLE_BYTES = 16 * 2**20
"""Arrays of so many bytes are read as a whole; of larger ones the labels alone."""


def preview_classes(config: DataConfig, input_shape: Shape) -> tuple[str, ...] | None:
    """Give the names of the classes; None where that takes longer than milliseconds, or there is no such file.

    Raises
    ------
    DataError
        As `siliconv.models.data.sources.list_source`.
    """
    if config.source == "digits":
        return tuple("0123456789")
    if config.path is None or not config.path.exists() or config.source == "tfds":
        return None
    if config.source == "folder":
        return class_folders(config.path) if config.path.is_dir() else None
    bytes_inside = _bytes_inside(config.path)
    if bytes_inside is None or bytes_inside <= WHOLE_BYTES:
        return list_source(config, input_shape).class_names
    return _classes_of_labels(config.path)


def _bytes_inside(path: Path) -> int | None:
    """Give what the arrays of a file take in memory, as its index says; None for what is no .npz file."""
    try:
        with zipfile.ZipFile(path) as archive:
            return sum(entry.file_size for entry in archive.infolist())
    except (OSError, zipfile.BadZipFile):
        return None


def _classes_of_labels(path: Path) -> tuple[str, ...] | None:
    try:
        with np.load(path, allow_pickle=False) as file:
            written = {key.lower(): key for key in file.files}
            labels = [file[written[label]] for _, label, _ in npz_parts(written)]
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile):
        return None  # what is wrong is told when the file is prepared
    if not labels:
        return None
    values = np.unique(np.concatenate([class_labels(one, len(one) if one.ndim else 0, path) for one in labels]))
    return tuple(str(value) for value in values)
