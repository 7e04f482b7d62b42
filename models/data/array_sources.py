"""Arrays of inputs and labels in a file: .npz, .npy, HDF5 and tables; pixels of images, or numbers of any kind."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from siliconv.bounded_reading import UnreadableError, read_arrays
from siliconv.counting import example_word
from siliconv.errors import DataError
from siliconv.models.answers.right_answers import right_answers
from siliconv.models.answers.task import Question
from siliconv.models.data.columns import Column, Hdf5Column, InMemory, NpyFile, Rows, fits
from siliconv.models.data.data_config import DataConfig
from siliconv.models.data.generated import generated
from siliconv.models.data.hdf5 import arrays_below, plain_texts
from siliconv.models.data.image_files import MOST_PIXELS, RawImage, Shape, pixels_of
from siliconv.models.data.listing import SPLIT_ALIASES, Listing
from siliconv.models.data.number_type import shape_in_words
from siliconv.models.data.port_columns import Names, key_of, plain_names
from siliconv.models.data.splits import UNASSIGNED
from siliconv.models.data.stored_pixels import stored_pixels

_PAIRS = (
    ("x", "y"),
    ("images", "labels"),
    ("data", "target"),
    ("image", "label"),
    ("features", "labels"),
    ("features", "targets"),
    ("inputs", "targets"),
    ("inputs", "labels"),
    ("data", "labels"),
    ("x", "labels"),
    ("images", "targets"),
)
"""What inputs and labels are called, by rank."""


NAMES_OF_ANSWERS = ("class_names", "label_names", "target_names")
"""Arrays of names beside the labels."""


@dataclass(frozen=True)
class LabelledColumn:
    """Inputs, their labels if any, and the split that the source gives them to."""

    x: Column
    y: Column | None
    split: int
    answers: Mapping[str, Column] = field(default_factory=dict)
    """Of several outputs, the labels of each that has some."""


def list_arrays(config: DataConfig, path: Path, input_shape: Shape, question: Question | None) -> Listing:
    """List the arrays of a file.

    Raises
    ------
    DataError
        As `siliconv.models.data.sources.list_source`.
    """
    try:
        parts, names = parts_of_file(config, path, question)
        return listing_of(config, path, input_shape, question, parts, names)
    except UnreadableError as error:
        raise DataError(
            "DATA-LAYOUT",
            f"the file cannot be read as {_KINDS[config.source]}: {error}",
            where=str(path),
            fix=_FIXES[config.source],
        ) from error


_KINDS = {"npz": ".npz without pickle", "npy": ".npy without pickle", "hdf5": "HDF5", "csv": "a table of numbers"}
_FIXES = {
    "npz": "write it with numpy.savez(path, x=images, y=labels), numbers and no objects",
    "npy": "write it with numpy.save(path, inputs), numbers and no objects",
    "hdf5": "write it with h5py: file['x'] = inputs and file['y'] = labels, in that very file; other names are said "
    "with data: {x: /path/of/inputs, y: /path/of/labels}",
    "csv": "give a table with a line of names, one line an example, and numbers in all columns that are read",
}


def list_generated(config: DataConfig, input_shape: Shape, question: Question | None) -> Listing:
    """List a generated data set; for the rest see `list_arrays`."""
    arrays = generated(config.name)
    where = Path(f"generated {config.name}")
    if question is not None and question.parts:
        from siliconv.models.data.port_sources import parts_of_arrays

        ports, found = parts_of_arrays({key: InMemory(values) for key, values in arrays.items()}, question)
        return listing_of(config, where, input_shape, question, ports, found)
    splits = array_parts(arrays)
    if any(labels is None for _, labels, _ in splits):
        answers = ", ".join(key.removeprefix("y_") for key in arrays if key.startswith("y_"))
        raise DataError(
            "DATA-TASK",
            f"it has right answers for {answers}, and the network has one output",
            where="data.name",
            fix="use a network with outputs of these names, such as the preset of the same name",
        )
    parts = [LabelledColumn(InMemory(arrays[x]), InMemory(arrays[y]), split) for x, y, split in splits if y]
    return listing_of(config, where, input_shape, question, parts, list(arrays["names"]))


def listing_of(
    config: DataConfig,
    path: Path,
    input_shape: Shape,
    question: Question | None,
    parts: Sequence[LabelledColumn],
    names: Sequence[str] | Mapping[str, Sequence[str]],
) -> Listing:
    """List columns of inputs and labels; `names` are of classes, labels or targets, as far as known; of several
    outputs by name.
    """
    if any(not part.x.shape for part in parts):
        raise DataError(
            "DATA-LAYOUT",
            "its inputs are a single number",
            where=str(path),
            fix="store an array (n, *input shape), one input an entry",
        )
    counts = [part.x.shape[0] for part in parts]
    pixels, doubt = stored_pixels(config, [part.x for part in parts], input_shape)
    for part in parts:
        _check_shape(part.x, input_shape, path, pictures=pixels is not None)
    if pixels is not None and len({part.x.shape[1:] for part in parts}) > 1:
        raise DataError(
            "DATA-LAYOUT",
            f"the splits hold images of different shapes: {sorted({part.x.shape[1:] for part in parts})}",
            where=str(path),
            fix="store all splits in one shape",
        )
    repeats = all(part.y is not None and _equal(part.x, part.y) for part in parts)
    labels = None
    if all(part.y is not None for part in parts) and not (repeats and question is not None):
        labels = [part.y.read(0, part.y.shape[0]) for part in parts if part.y is not None and part.y.shape]
        labels += [np.asarray(0) for part in parts if part.y is not None and not part.y.shape]
    if question is not None and question.parts:
        from siliconv.models.data.port_sources import answers_of_outputs

        answers = answers_of_outputs(parts, labels, counts, question, path, names)
    else:
        known = names if not isinstance(names, Mapping) else ()
        answers = right_answers(labels, counts, question, path, names=known, repeats_input=repeats)
    given = np.concatenate([np.full(count, part.split, np.int8) for count, part in zip(counts, parts, strict=True)])
    as_stored = pixels is not None and not fits(parts[0].x.shape[1:], input_shape)
    rows = Rows([part.x for part in parts], parts[0].x.shape[1:] if as_stored else input_shape)

    def images(chosen: np.ndarray) -> Iterator[RawImage]:
        assert pixels is not None  # numbers are read by blocks
        for block in rows.blocks(chosen):
            yield from pixels_of(block, where=str(path), white=pixels)

    numbers, word = rows if pixels is None else None, example_word(input_shape)
    return Listing(answers, given, lambda i: f"{path.name}, {word} {i}", images, numbers, doubt)


def _equal(one: Column, other: Column) -> bool:
    """Whether two columns hold the same values."""
    if one.shape != other.shape or len(one.shape) < 2:
        return False
    every = np.arange(one.shape[0])
    pairs = zip(Rows([one], one.shape[1:]).blocks(every), Rows([other], other.shape[1:]).blocks(every), strict=False)
    if one.dtype.itemsize != other.dtype.itemsize:
        return one.dtype.kind == other.dtype.kind and np.array_equal(
            one.read(0, one.shape[0]), other.read(0, other.shape[0])
        )
    return all(np.array_equal(a, b) for a, b in pairs)


def _check_shape(column: Column, input_shape: Shape, path: Path, *, pictures: bool) -> None:
    shape = column.shape
    as_network_takes_it = len(shape) > 0 and fits(shape[1:], input_shape)
    picture = len(shape) == 3 or (len(shape) == 4 and shape[-1] in (1, 3, 4))
    if column.dtype.kind not in "biuf":
        raise DataError(
            "DATA-RANGE", f"the inputs are {column.dtype}, no numbers", where=str(path), fix="store real numbers"
        )
    if picture and math.prod(shape[1:3]) > MOST_PIXELS:
        raise DataError(
            "DATA-LAYOUT",
            f"images of {shape[1]} x {shape[2]} pixels, {MOST_PIXELS:,} are read",
            where=str(path),
            fix="store them smaller",
        )
    if as_network_takes_it or (pictures and picture and len(input_shape) == 3):
        return
    moved = len(shape) == 4 and len(input_shape) == 3 and fits((*shape[2:], shape[1]), input_shape)
    each = f"{input_shape[0]} numbers" if len(input_shape) == 1 else f"the shape {shape_in_words(input_shape)}"
    raise DataError(
        "DATA-LAYOUT",
        f"inputs of shape {shape}, and the network takes {tuple(input_shape)}",
        where=str(path),
        fix="store the channels last: numpy.moveaxis(x, 1, -1)"
        if moved
        else f"store one example after the other, each of {each}"
        + ("; 8-bit images of any size are brought to the network's" if len(input_shape) == 3 else ""),
    )


def parts_of_file(
    config: DataConfig, path: Path, question: Question | None
) -> tuple[list[LabelledColumn], Sequence[str] | Mapping[str, Sequence[str]]]:
    """Give the parts of a file, and the names of classes, labels or targets that it has."""
    needs_labels = question is None
    if question is not None and (question.ports or question.parts):
        from siliconv.models.data.port_sources import parts_of_ports

        return parts_of_ports(config, path, question)
    for said, where in ((config.x, "data.x"), (config.y, "data.y")):
        if isinstance(said, dict):
            raise DataError(
                "DATA-LAYOUT",
                f"names for {', '.join(said)}, and the network has one input and one output",
                where=where,
                fix="give the name alone",
            )
    if config.source == "csv":
        return _of_table(config, path)
    if config.source == "npy":
        labels = _one_name(config.y, "data.y")
        x: Column = NpyFile(path)
        return [LabelledColumn(x, NpyFile(path.parent / labels) if labels else None, UNASSIGNED)], ()
    columns = columns_of(config, path)
    found: list[tuple[str, str | None, int]]
    if config.x is not None:
        x_name, y_name = _one_name(config.x, "data.x") or "", _one_name(config.y, "data.y")
        found = [
            (
                known_array(x_name, columns, path, "data.x") or "",
                known_array(y_name, columns, path, "data.y"),
                UNASSIGNED,
            )
        ]
    else:
        found = array_parts(columns)
        bare = [name for name, labels, _ in found if labels is None]
        if config.y is None and 0 < len(bare) < len(found):
            raise DataError(
                "DATA-LAYOUT",
                f"{bare[0]} has no labels, and other inputs have",
                where=str(path),
                fix=f"store its labels too, or take {bare[0]} out",
            )
        if config.y is not None:
            found = [
                (x, known_array(_one_name(config.y, "data.y"), columns, path, "data.y"), UNASSIGNED)
                for x, _, _ in found[:1]
            ]
    if not found or (needs_labels and any(y is None for _, y, _ in found)):
        tables = _tables_in_words(path) if config.source == "hdf5" else ""
        raise DataError(
            "DATA-LAYOUT",
            f"no pair of inputs and labels among its arrays ({', '.join(sorted(columns)) or 'there are none'}){tables}",
            where=str(path),
            fix="name the arrays x and y, or x_train, y_train, x_val, y_val, x_test, y_test; or say which they are "
            "with data: {x: NAME, y: NAME}",
        )
    names = next((columns[key] for key in NAMES_OF_ANSWERS if key in columns), None)
    parts = [LabelledColumn(columns[x], columns[y] if y else None, split) for x, y, split in found]
    return parts, [str(name) for name in names.read(0, names.shape[0])] if names is not None and names.shape else ()


def _tables_in_words(path: Path) -> str:
    """Name the compound data sets of an HDF5 file, which are tables of named columns and are not read."""
    import h5py

    with h5py.File(path, "r") as file:
        found = [place for place in arrays_below(file) if file[place].dtype.names]
    words = "are tables" if len(found) > 1 else "is a table"
    return f"; {', '.join(found)} {words} of columns, which are stored as arrays of their own" if found else ""


def columns_of(config: DataConfig, path: Path) -> Mapping[str, Column]:
    if config.source == "npz":
        return {key.lower(): InMemory(values) for key, values in read_arrays(path).items()}
    import h5py

    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise UnreadableError(str(error).splitlines()[0]) from error
    named: dict[str, Column] = {}
    for place in arrays_below(file):
        key = place.replace("/", "_").lower()
        try:
            named[key] = Hdf5Column(file, place)
        except UnreadableError:
            # Texts may be labels; tables beside the arrays are passed over.
            texts = plain_texts(file, place)
            if texts is not None:
                named[key] = InMemory(texts)
    for said, where in ((config.x, "data.x"), (config.y, "data.y")):
        for wanted in said.values() if isinstance(said, Mapping) else (said,):
            one = _one_name(wanted, where)
            if one is not None and not isinstance(named.get(key_of(one)), InMemory):
                named[key_of(one)] = Hdf5Column(file, one)
    return named


def _of_table(config: DataConfig, path: Path) -> tuple[list[LabelledColumn], Sequence[str]]:
    from siliconv.models.data.table_files import INDEX, read_table

    table = read_table(path)
    labels = plain_names(config.y)
    if labels is None:
        labels = tuple(name for name in table.names if name.lower() in ("y", "label", "labels", "target", "class"))[:1]
    inputs = plain_names(config.x)
    if inputs is None:
        inputs = tuple(name for name in table.names if name not in labels and name != INDEX)
    for name in (*inputs, *labels):
        if name not in table.names:
            raise DataError(
                "DATA-LAYOUT",
                f"the table has no column '{name}'",
                where=str(path),
                fix="use some of " + ", ".join(table.names[:40]),
            )
    y = table.column(labels) if labels else None
    return [LabelledColumn(table.column(inputs), y, UNASSIGNED)], labels


def _one_name(names: Names, where: str) -> str | None:
    if isinstance(names, Mapping):
        return None
    if isinstance(names, tuple):
        if len(names) != 1:
            raise DataError(
                "DATA-LAYOUT", f"{len(names)} names of arrays", where=where, fix="name one array; a table has columns"
            )
        return names[0]
    return names


def known_array(name: str | None, columns: Mapping[str, Column], path: Path, where: str) -> str | None:
    if name is None:
        return None
    if key_of(name) not in columns:
        raise DataError(
            "DATA-LAYOUT",
            f"there is no array '{name}' in {path.name}",
            where=where,
            fix="use one of " + ", ".join(sorted(columns)),
        )
    return key_of(name)


def array_parts(names: Collection[str]) -> list[tuple[str, str | None, int]]:
    """Give which arrays hold inputs, which their labels if any, and of which split, by their names in lower case."""
    for x, y in _PAIRS:
        parts = _split_parts(names, x, y)
        if parts:
            return parts if any(split == 0 for _, _, split in parts) else [(a, b, UNASSIGNED) for a, b, _ in parts]
    inputs = next((x for x, _ in _PAIRS if x in names), None)
    if inputs is None:
        return []
    labels = next((y for x, y in _PAIRS if x == inputs and y in names), None)
    return [(inputs, labels or next((y for _, y in _PAIRS if y in names), None), UNASSIGNED)]


def _split_parts(names: Collection[str], x: str, y: str) -> list[tuple[str, str | None, int]]:
    parts: list[tuple[str, str | None, int]] = []
    for alias, split in SPLIT_ALIASES.items():
        for inputs, labels in (
            (f"{x}_{alias}", f"{y}_{alias}"),
            (f"{alias}_{x}", f"{alias}_{y}"),
            (f"{x}{alias}", f"{y}{alias}"),
        ):
            if inputs in names:
                parts.append((inputs, labels if labels in names else None, split))
    return parts
