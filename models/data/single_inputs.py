"""Inputs that a user hands in one by one: image files, or tables and arrays of numbers, as the network takes them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from siliconv.bounded_reading import UnreadableError, in_words, ordinary, read_arrays
from siliconv.errors import DataError
from siliconv.models.data.columns import NpyFile, fits
from siliconv.models.data.data_config import DataConfig
from siliconv.models.data.image_files import decode_image
from siliconv.models.data.image_store import DataSummary
from siliconv.models.data.input_choice import scaled
from siliconv.models.data.number_images import decode_numbers
from siliconv.models.data.number_type import shape_in_words
from siliconv.models.data.port_columns import plain_names
from siliconv.models.data.table_files import read_table

TABLES, ARRAYS = (".csv", ".tsv", ".txt"), (".npy", ".npz")


def read_inputs(
    paths: Sequence[Path], config: DataConfig, summary: DataSummary, *, unit: float = 1.0
) -> tuple[list[str], np.ndarray]:
    """Give a name for each input, and the codes of all, (n, *input shape).

    Parameters
    ----------
    paths
        Image files (of 8-bit pixels), tables with a line of names or without one, ``.npy`` files of one input or many;
        of several inputs rows of all their values, or ``.npz`` files of an array for each by its name.
    config, summary
        How the data of the network were prepared.
    unit
        As for `siliconv.models.data.datasets.prepare`.

    Raises
    ------
    DataError
        ``DATA-INPUT`` where there is no file, ``DATA-IMAGE`` for a file that is no image, ``DATA-LAYOUT`` for numbers
        of another shape, ``DATA-RANGE`` for NaN and infinity.
    """
    names, codes = [], []
    for path in paths:
        _require_file(path)
        if path.suffix.lower() not in (*TABLES, *ARRAYS):
            image = _image(path, config, summary)[np.newaxis]
            codes.append(_codes(image, config, summary, unit, str(path)))
            names.append(str(path))
            continue
        values = _numbers(path, config, summary)
        codes.append(_codes(values, config, summary, unit, str(path)))
        names += [str(path)] if len(values) == 1 else [f"{path}[{number}]" for number in range(len(values))]
    return names, np.concatenate(codes)


def _require_file(path: Path) -> None:
    if path.is_dir():
        raise DataError(
            "DATA-INPUT",
            "it is a folder, and files are wanted",
            where=str(path),
            fix=f"name the files in it, such as {path / '*'}",
        )
    if not path.is_file():
        raise DataError(
            "DATA-INPUT",
            "it is no ordinary file" if path.exists() else "there is no such file",
            where=str(path),
            fix="correct the path; images, tables (.csv) and arrays (.npy) are read",
        )


def _image(path: Path, config: DataConfig, summary: DataSummary) -> np.ndarray:
    if not summary.input.is_pixels and config.source == "folder":
        return decode_numbers(path, summary.shape, aspect=config.aspect)
    if not summary.input.is_pixels:
        raise DataError(
            "DATA-IMAGE",
            f"the network's inputs are numbers ({summary.input.type}), no images",
            where=str(path),
            fix="give a table (.csv) with one input a line, or an array (.npy)",
        )
    return decode_image(path, summary.shape, aspect=config.aspect)


def _codes(values: np.ndarray, config: DataConfig, summary: DataSummary, unit: float, where: str) -> np.ndarray:
    kind = summary.input.type
    if not summary.input.is_pixels:
        return kind.encode(scaled(values, config.scale * unit, where))[0]
    pixels = values.astype(np.int64)
    if (pixels != values).any() or (values < 0).any() or (values > 255).any():
        raise DataError(
            "DATA-RANGE",
            "the network's inputs are 8-bit pixels, and not all of the numbers are whole and 0 to 255",
            where=where,
            fix="give pixels of 0 to 255",
        )
    return summary.input.codes_of_pixels(pixels.astype(np.uint8))


def _numbers(path: Path, config: DataConfig, summary: DataSummary) -> np.ndarray:
    try:
        values = _array(path, summary) if path.suffix.lower() in ARRAYS else _rows(path, config, summary)
    except (UnreadableError, OSError) as error:
        raise DataError(
            "DATA-LAYOUT",
            f"it cannot be read: {in_words(error)}",
            where=str(path),
            fix="give a table of numbers, one input a line, or an array that numpy.save wrote",
        ) from error
    if not fits(values.shape[1:], summary.shape):
        raise DataError(
            "DATA-LAYOUT",
            f"inputs of shape {shape_in_words(values.shape[1:])}; the network takes {shape_in_words(summary.shape)}",
            where=str(path),
            fix="give one input a line of the table, or an array (n, *input shape)",
        )
    return values.reshape(len(values), *summary.shape)


def _array(path: Path, summary: DataSummary) -> np.ndarray:
    if path.suffix.lower() == ".npz":
        return _named_arrays(path, summary)
    file = NpyFile(path)
    if file.dtype.kind not in "biuf" or not file.shape:
        raise UnreadableError(f"it holds {file.dtype}, no numbers of inputs")
    values = file.read(0, file.shape[0])
    return (
        values[np.newaxis]
        if fits(values.shape, summary.shape) and not fits(values.shape[1:], summary.shape)
        else values
    )


def _named_arrays(path: Path, summary: DataSummary) -> np.ndarray:
    """Read the arrays of several inputs by their names, and put them beside each other as rows."""
    arrays = read_arrays(path)
    if not summary.ports or set(arrays) != {name for name, _ in summary.ports}:
        wanted = ", ".join(name for name, _ in summary.ports) or "one: give it as .npy"
        raise UnreadableError(f"its arrays are called {', '.join(sorted(arrays))}; the network's inputs are {wanted}")
    for name, shape in summary.ports:
        if arrays[name].shape[1:] != shape or arrays[name].dtype.kind not in "biuf":
            raise UnreadableError(f"'{name}' has the shape {arrays[name].shape}, not (n, {', '.join(map(str, shape))})")
    if len({len(values) for values in arrays.values()}) != 1:
        raise UnreadableError("its arrays have different numbers of inputs")
    return np.concatenate([arrays[name].reshape(len(arrays[name]), -1) for name, _ in summary.ports], axis=1)


def _rows(path: Path, config: DataConfig, summary: DataSummary) -> np.ndarray:
    """Read the lines of a table; where it names the columns of the data, those alone are inputs."""
    with ordinary(path).open(encoding="utf-8-sig") as file:
        first = file.readline(1 << 20)
    delimiter = max(",;\t ", key=first.count)
    if all(_is_number(entry) for entry in first.strip().split(delimiter)):
        try:
            return np.loadtxt(path, delimiter=None if delimiter == " " else delimiter, ndmin=2, encoding="utf-8-sig")
        except ValueError as error:
            raise UnreadableError(str(error).splitlines()[0]) from error
    table = read_table(path)
    wanted = plain_names(config.x)
    if wanted is None or any(name not in table.names for name in wanted):
        labels = plain_names(config.y) or ("y", "label", "labels", "target", "class")
        wanted = tuple(name for name in table.names if name not in labels)
    column = table.column(wanted)
    return column.read(0, column.shape[0]).reshape(column.shape[0], len(wanted))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
