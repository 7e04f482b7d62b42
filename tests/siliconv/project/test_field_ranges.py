"""Every number of a project file has a finite range, every text and path a length."""

from __future__ import annotations

import typing
from collections.abc import Iterator
from pathlib import Path

import annotated_types
import pytest
from pydantic import BaseModel, ValidationError

from siliconv.models.architectures import layers
from siliconv.models.architectures.architecture import Architecture
from siliconv.project.project import ProjectConfig

CHECKED_BY_HAND = {"weights"}
"""Bits or a word: `siliconv.quantize.recipe` looks at both."""


def numbers(model: type[BaseModel], above: str = "") -> Iterator[tuple[str, list[object]]]:
    """Yield each number of a model by its path, with all that is said about it."""
    for name, field in model.model_fields.items():
        for kind, said in _kinds(field.annotation, list(field.metadata)):
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                yield from numbers(kind, f"{above}{name}.")
            elif kind in (int, float) and name not in CHECKED_BY_HAND:
                yield f"{above}{name}", said


def _kinds(annotation: object, said: list[object]) -> Iterator[tuple[object, list[object]]]:
    if typing.get_origin(annotation) is typing.Annotated:
        inner, *more = typing.get_args(annotation)
        yield from _kinds(inner, said + more)
    elif typing.get_origin(annotation) is not typing.Literal:
        parts = typing.get_args(annotation)
        for part in parts:
            yield from _kinds(part, said)
        if not parts:
            yield annotation, [inner for one in said for inner in getattr(one, "metadata", [one])]


KINDS = [kind for kind in vars(layers).values() if isinstance(kind, type) and issubclass(kind, BaseModel)]


@pytest.mark.parametrize("model", [ProjectConfig, Architecture, *KINDS], ids=lambda model: model.__name__)
def test_every_number_has_both_ends(model: type[BaseModel]) -> None:
    without = [
        name
        for name, said in numbers(model)
        if not any(isinstance(one, annotated_types.Ge | annotated_types.Gt) for one in said)
        or not any(isinstance(one, annotated_types.Le | annotated_types.Lt) for one in said)
    ]
    assert without == []


def test_enough_numbers_were_looked_at() -> None:
    assert len(list(numbers(ProjectConfig))) > 40


@pytest.mark.parametrize(
    "section",
    [
        {"csim": {"timeout_s": float("inf")}},
        {"csim": {"timeout_s": 1e300}},
        {"hls": {"clock_ns": 1e-300}},
        {"hls": {"clock_ns": float("nan")}},
        {"train": {"class_weights": {"a": float("nan")}}},
        {"data": {"path": "x" * 300}},
        {"data": {"path": "a\0b"}},
        {"data": {"path": "/".join("x" * 100 for _ in range(60))}},
        {"data": {"name": "x" * 5000}},
    ],
)
def test_what_has_no_end_is_refused_when_it_is_read(section: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ProjectConfig.model_validate({"model": {"preset": "digits"}, **section})
    assert ProjectConfig.model_validate({"model": {"preset": "digits"}, "data": {"path": "x"}}).data.path == Path("x")
