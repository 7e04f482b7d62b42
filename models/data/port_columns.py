"""Which arrays of a file are which of several inputs, and which hold the right answers of which output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from pathlib import Path

from siliconv.errors import DataError
from siliconv.models.answers.task import Question, Shape
from siliconv.models.data.columns import Beside, Column, fits
from siliconv.models.data.listing import SPLIT_ALIASES
from siliconv.models.data.number_type import shape_in_words
from siliconv.models.data.splits import UNASSIGNED

Names = str | tuple[str, ...] | Mapping[str, str | tuple[str, ...]] | None
"""What a project says of inputs or of right answers."""


def key_of(name: str) -> str:
    """Give the name by which an array of a file is known here."""
    return name.strip("/").replace("/", "_").lower()


def plain_names(names: Names) -> tuple[str, ...] | None:
    """Give the names of what is not named by input or output; None where there are none."""
    if names is None or isinstance(names, Mapping):
        return None
    return (names,) if isinstance(names, str) else tuple(names)


def said_of(names: Names, wanted: Sequence[str], where: str) -> dict[str, str]:
    """Give the array of each input (or output) that the project names.

    Raises
    ------
    DataError
        ``DATA-LAYOUT`` for the name of what there is not, or several arrays for one.
    """
    if not isinstance(names, Mapping):
        return {}
    if unknown := sorted(set(names) - set(wanted)):
        raise DataError(
            "DATA-LAYOUT",
            f"'{unknown[0]}' is none of " + ", ".join(wanted),
            where=where,
            fix="use their names",
        )
    found = {}
    for name, array in names.items():
        if not isinstance(array, str) and len(array) != 1:
            raise DataError("DATA-LAYOUT", f"{len(array)} arrays for '{name}'", where=where, fix="name one array")
        found[name] = array if isinstance(array, str) else array[0]
    return found


def named_parts(
    columns: Mapping[str, Column], wanted: Sequence[str], said: Mapping[str, str], before: str
) -> list[tuple[dict[str, Column], int]]:
    """Give the arrays of all that is wanted by their names, one part for each split of the source; none without.

    An array is called as the project says, or like the input (or output), or like it behind `before`; a split stands
    before or behind that.
    """
    if said:
        known = {name: columns[key_of(array)] for name, array in said.items() if key_of(array) in columns}
        return [(known, UNASSIGNED)] if len(known) == len(said) else []
    parts = []
    for form in ("{}", f"{before}_{{}}"):
        for alias, split in SPLIT_ALIASES.items():
            for splitted in (f"{form}_{alias}", f"{alias}_{form}"):
                found = _all(columns, [splitted.format(name) for name in wanted], wanted)
                parts += [(found, split)] if found else []
        if parts:
            whole = any(split == 0 for _, split in parts)
            return [(found, split if whole else UNASSIGNED) for found, split in parts]
        found = _all(columns, [form.format(name) for name in wanted], wanted)
        if found:
            return [(found, UNASSIGNED)]
    return []


def check_all(names: Sequence[str], columns: Mapping[str, Column], path: Path) -> None:
    """Raise `DataError` ``DATA-LAYOUT`` where some inputs have an array called like them, and others have none."""
    missing = [name for name in names if key_of(name) not in columns]
    if 0 < len(missing) < len(names):
        raise DataError(
            "DATA-LAYOUT",
            f"there is no array for the input '{missing[0]}'",
            where=str(path),
            fix="store an array for each input, called like it, or say which they are with data: {x: {input: name}}",
        )


def _all(columns: Mapping[str, Column], keys: Sequence[str], names: Sequence[str]) -> dict[str, Column]:
    known = {name: columns[key_of(key)] for key, name in zip(keys, names, strict=True) if key_of(key) in columns}
    return known if len(known) == len(names) else {}


def input_rows(found: Mapping[str, Column], question: Question, path: Path, *, table: bool = False) -> Column:
    """Put the arrays of several inputs beside each other; in a `table` an input is a row of its values.

    Raises
    ------
    DataError
        ``DATA-LAYOUT`` for arrays of other shapes than the inputs, or of different numbers of examples.
    """
    for name, shape in question.ports:
        check_entries(found[name], name, (prod(shape),) if table else shape, path)
    counts = {name: column.shape[0] for name, column in found.items()}
    if len(set(counts.values())) != 1:
        raise DataError(
            "DATA-LAYOUT",
            "the inputs have different numbers of examples: " + ", ".join(f"{n} of '{k}'" for k, n in counts.items()),
            where=str(path),
            fix="store one entry an example in each array",
        )
    return Beside([found[name] for name, _ in question.ports])


def check_entries(column: Column, name: str, shape: Shape, path: Path) -> None:
    """Raise `DataError` ``DATA-LAYOUT`` unless an array has entries of an input's shape."""
    if not column.shape or not fits(column.shape[1:], shape) or column.dtype.kind not in "biuf":
        raise DataError(
            "DATA-LAYOUT",
            f"an array of {column.dtype} and shape {column.shape} cannot become the input '{name}'",
            where=str(path),
            fix=f"store numbers, one example after the other, each of the shape {shape_in_words(shape)}",
        )


def rows_of_one(column: Column, question: Question, path: Path) -> Column:
    """Give the rows of several inputs of one array: it holds such rows, or what every input is given.

    Raises
    ------
    DataError
        ``DATA-LAYOUT`` where it is neither.
    """
    if fits(column.shape[1:], question.inputs):
        return column
    if all(fits(column.shape[1:], shape) for _, shape in question.ports):
        return Beside([column] * len(question.ports))
    names = ", ".join(name for name, _ in question.ports)
    raise DataError(
        "DATA-LAYOUT",
        f"one array of shape {column.shape} for the inputs {names}",
        where=str(path),
        fix="store an array for each input, called like it, or say which they are with data: {x: {input: name}}",
    )
