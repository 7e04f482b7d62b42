"""Arrays of several inputs, and labels of several outputs, from one file."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from siliconv.models.answers.right_answers import RightAnswers
from siliconv.models.answers.several_answers import labels_of_one, several_answers
from siliconv.models.answers.task import Question
from siliconv.models.data.array_sources import LabelledColumn, columns_of, known_array, parts_of_file
from siliconv.models.data.columns import Column
from siliconv.models.data.data_config import DataConfig
from siliconv.models.data.port_columns import check_all, input_rows, key_of, named_parts, rows_of_one, said_of
from siliconv.models.data.splits import UNASSIGNED


def parts_of_ports(
    config: DataConfig, path: Path, question: Question
) -> tuple[list[LabelledColumn], Sequence[str] | Mapping[str, Sequence[str]]]:
    """Give the parts of a file for several inputs or outputs, and names of classes or targets, of outputs by name.

    Raises
    ------
    DataError
        ``DATA-LAYOUT`` for arrays that are not there, or have other shapes than the inputs.
    """
    inputs, outputs = [name for name, _ in question.ports], [one.layer for one in question.parts]
    columns: Mapping[str, Column]
    rest: tuple[str, ...] | None = None
    if config.source == "csv":
        columns, x, y = _table_columns(config, path, inputs, outputs)
        rest = _other_columns(config, path, {*outputs, *y.values()})
    else:
        columns = columns_of(config, path)
        x, y = said_of(config.x, inputs, "data.x"), said_of(config.y, outputs, "data.y")
    for said, where in ((x, "data.x"), (y, "data.y")):
        for array in said.values():
            known_array(array, columns, path, where)
    given = named_parts(columns, inputs, x, "x") if inputs else []
    if not given and not isinstance(config.x, str):
        check_all(inputs, columns, path)
    plain = config.model_copy(
        update={
            "x": rest if isinstance(config.x, dict) or (config.x is None and outputs) else config.x,
            "y": None if isinstance(config.y, dict) else config.y,
        }
    )
    if given:
        table = config.source == "csv"
        parts = [LabelledColumn(input_rows(found, question, path, table=table), None, split) for found, split in given]
        names: Sequence[str] = ()
        if isinstance(config.y, str):
            parts = [replace(part, y=columns[known_array(config.y, columns, path, "data.y") or ""]) for part in parts]
        elif not outputs:
            labelled = [found for found, split in named_parts(columns, ["y"], {}, "y")]
            if len(labelled) == len(parts):
                parts = [replace(part, y=found["y"]) for part, found in zip(parts, labelled, strict=True)]
    else:
        found_parts, known = parts_of_file(plain, path, replace(question, ports=(), parts=()))
        parts, names = list(found_parts), () if isinstance(known, Mapping) else known
        if inputs:
            parts = [replace(part, x=rows_of_one(part.x, question, path)) for part in parts]
    if not outputs:
        return parts, names
    answers: dict[int, dict[str, Column]] = {}
    for name in y or outputs:
        for found, split in named_parts(columns, [name], {name: y[name]} if name in y else {}, "y"):
            answers.setdefault(split, {})[name] = found[name]
    of_outputs = {name: _texts(columns.get(f"{key_of(name)}_names")) for name in outputs}
    if not answers:
        return parts, names
    return [replace(part, answers=answers.get(part.split, {})) for part in parts], of_outputs


def parts_of_arrays(
    columns: Mapping[str, Column], question: Question
) -> tuple[list[LabelledColumn], Mapping[str, Sequence[str]]]:
    """Give the one part of arrays with a single input ``x`` and right answers by the output's name, and all names."""
    outputs = [one.layer for one in question.parts]
    answers = {name: columns[f"y_{name}"] for name in outputs if f"y_{name}" in columns}
    part = LabelledColumn(columns["x"], columns.get("y"), UNASSIGNED, {} if "y" in columns else answers)
    return [part], {name: _texts(columns.get(f"{name}_names")) for name in outputs}


def answers_of_outputs(
    parts: Sequence[LabelledColumn],
    labels: Sequence[np.ndarray] | None,
    counts: Sequence[int],
    question: Question,
    path: Path,
    names: Sequence[str] | Mapping[str, Sequence[str]],
) -> RightAnswers:
    """Give the right answers of several outputs; labels that name none belong to the one output that they fit."""
    shared = [name for name in parts[0].answers if all(name in part.answers for part in parts)]
    of_outputs: dict[str, Sequence[np.ndarray]] = {
        name: [part.answers[name].read(0, part.answers[name].shape[0]) for part in parts] for name in shared
    }
    if not of_outputs and labels is not None:
        of_outputs = dict(labels_of_one(labels, question))
    known = names if isinstance(names, Mapping) else dict.fromkeys(of_outputs, names)
    return several_answers(of_outputs, counts, question, path, names=known)


def _texts(column: Column | None) -> Sequence[str]:
    return [str(name) for name in column.read(0, column.shape[0])] if column is not None and column.shape else ()


def _table_columns(
    config: DataConfig, path: Path, inputs: Sequence[str], outputs: Sequence[str]
) -> tuple[dict[str, Column], dict[str, str], dict[str, str]]:
    """Give the columns of a table by name, and which of them the project names for each input and output.

    Several columns of one input or output are one array, which is called like it.
    """
    from siliconv.models.data.table_files import read_table

    table = read_table(path)
    columns = {key_of(name): table.column((name,)) for name in table.names}
    said: list[dict[str, str]] = []
    for names, ports, where in ((config.x, inputs, "data.x"), (config.y, outputs, "data.y")):
        given = names if isinstance(names, Mapping) else {}
        joined = {port: one for port, one in given.items() if not isinstance(one, str) and len(one) > 1}
        for port, several in joined.items():
            for name in several:
                known_array(name, columns, path, where)
            exact = {key_of(name): name for name in table.names}
            columns[key_of(f"columns of {port}")] = table.column([exact[key_of(name)] for name in several])
        plain = {port: f"columns of {port}" if port in joined else one for port, one in given.items()}
        said.append(said_of(plain, ports, where))
    return columns, said[0], said[1]


def _other_columns(config: DataConfig, path: Path, answers: Collection[str]) -> tuple[str, ...]:
    """Give the names of a table's columns that are no right answers."""
    from siliconv.models.data.table_files import read_table

    wrong = {key_of(name) for name in answers}
    if isinstance(config.y, Mapping):
        wrong |= {key_of(name) for one in config.y.values() for name in ((one,) if isinstance(one, str) else one)}
    return tuple(name for name in read_table(path).names if key_of(name) not in wrong)
