"""The page of the project file: every field with its default, its values and what it means, from the classes."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from markdown_text import cell
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from siliconv.models.architectures.layers import LAYER_KINDS
from siliconv.project.project import ProjectConfig

INTRODUCTION = """# Project file

A project is a folder with a file `project.yml`. Only the section `model` is needed; every other field has a default.
`siliconv new NAME --preset lecture` writes a file with all defaults as comments.

A field that does not exist is an error, and so is a value out of range. The message names the file, the line and the
field.

This page is made from the source by `docs_site/write_pages.py`.
"""


def project_file_page() -> str:
    """Write the page."""
    return "\n".join([INTRODUCTION, *_section(ProjectConfig, ""), *_layers()])


def _section(section: type[BaseModel], path: str) -> Iterator[str]:
    inner: list[tuple[str, type[BaseModel]]] = []
    rows = []
    for name, field in section.model_fields.items():
        nested = _nested(field.annotation)
        where = f"{path}.{name}" if path else name
        if nested is not None:
            inner.append((where, nested))
            link = where.replace(".", "").lower()
            rows.append(f"| `{name}` | [section `{where}`](#{link}) | {_default(field)} | {cell(_meaning(field))} |")
        else:
            kind = cell(_kind(field.annotation))
            rows.append(f"| `{name}` | {kind}{cell(_range(field))} | {_default(field)} | {cell(_meaning(field))} |")
    yield f"## {path or 'Top level'}\n"
    yield "| field | values | default | meaning |\n|---|---|---|---|"
    yield from rows
    yield ""
    for where, nested in inner:
        yield from _section(nested, where)


def _layers() -> Iterator[str]:
    yield "## Layers\n"
    yield "An entry of `model.layers` has a `kind` and the fields of that kind.\n"
    yield "| kind | field | values | default | meaning |\n|---|---|---|---|---|"
    for kind, layer in LAYER_KINDS.items():
        for number, (name, field) in enumerate(layer.model_fields.items()):
            if name == "kind":
                continue
            shown = f"`{kind}`" if number <= 1 else ""
            values = f"{cell(_kind(field.annotation))}{cell(_range(field))}"
            yield f"| {shown} | `{name}` | {values} | {_default(field)} | {cell(_meaning(field))} |"
    yield ""


def _nested(kind: Any) -> type[BaseModel] | None:
    for one in (kind, *get_args(kind)):
        if isinstance(one, type) and issubclass(one, BaseModel):
            return one
    return None


def _meaning(field: Any) -> str:
    return field.description or ""


def _default(field: Any) -> str:
    if field.is_required():
        return "needed"
    if field.default_factory is not None:
        try:
            value = field.default_factory()
        except TypeError:
            return "follows from other fields"
    else:
        value = field.default
    if value is PydanticUndefined or isinstance(value, BaseModel):
        return "its own defaults"
    return f"`{_shown(value)}`"


def _shown(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return "[" + ", ".join(_shown(one) for one in value) + "]"
    return str(value)


def _range(field: Any) -> str:
    limits = {
        name: getattr(one, name) for one in field.metadata for name in ("ge", "gt", "le", "lt") if hasattr(one, name)
    }
    if "ge" in limits and "le" in limits:
        return f", {_number(limits['ge'])} to {_number(limits['le'])}"
    words = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}
    return "".join(f", {words[name]} {_number(limit)}" for name, limit in limits.items())


def _number(limit: float) -> str:
    return f"{limit:,}" if isinstance(limit, int) else f"{limit:g}"


def _kind(kind: Any) -> str:
    """Name what a field may be."""
    if kind is None or kind is type(None):
        return "null"
    plain = {int: "whole number", float: "number", bool: "true or false", str: "text", Any: "anything"}
    if kind in plain:
        return plain[kind]
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Literal:
        return ", ".join(map(str, inner))
    if origin in (Union, UnionType):
        return " or ".join(dict.fromkeys(_kind(one) for one in inner))
    if origin is tuple:
        return "list of " + " or ".join(dict.fromkeys(_kind(one) for one in inner if one is not Ellipsis))
    if origin is dict:
        return f"{_kind(inner[0])}: {_kind(inner[1])}"
    if hasattr(kind, "__metadata__"):
        return _kind(kind.__origin__)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return ", ".join(str(one.value) for one in kind)
    return {"Path": "path"}.get(getattr(kind, "__name__", ""), getattr(kind, "__name__", str(kind)))
