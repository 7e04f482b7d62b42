"""Change fields of a project file in place: whatever else is in it keeps its bytes, comments included."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic_core import to_jsonable_python

from siliconv.errors import ProjectError
from siliconv.project.atomic_write import why_unwritable, write_atomically
from siliconv.project.bounded_yaml import read_project_text
from siliconv.project.project import parse_project


def set_fields(path: Path, changes: Mapping[str, Any]) -> None:
    """Set fields of a project file; sections and fields that are not in it yet are added.

    Parameters
    ----------
    path
        The project file. It is replaced as a whole, and only by one that is valid.
    changes
        New values by dotted name, such as ``{"hls.reuse_factors.conv2d_1": 4}``; a number selects an entry of a list
        (``model.layers.0.padding``).

    Raises
    ------
    ProjectError
        ``PROJECT-EDIT`` if a name leads nowhere or the file is written in a way that can't be changed in place;
        ``PROJECT-...`` as `siliconv.project.project.load_project` if the file is wrong, before or with the changes;
        ``PROJECT-WRITE`` if it can't be written.
    """
    text = read_project_text(path)
    parse_project(text, path)
    expected = yaml.safe_load(text)
    for name, value in changes.items():
        keys, plain = name.split("."), to_jsonable_python(value)
        text = _with_field(text, keys, plain, path)
        expected = _with_value(expected, keys, plain)
    parse_project(text, path)
    if yaml.safe_load(text) != expected:
        raise _no_place(next(iter(changes)), path)
    try:
        write_atomically(path, text)
    except OSError as error:
        what, fix = why_unwritable(path, error)
        raise ProjectError("PROJECT-WRITE", what, where=str(path), fix=fix) from error


def _with_value(content: Any, keys: Sequence[str], value: Any) -> Any:
    """Give parsed YAML with one value changed."""
    if not keys:
        return value
    if isinstance(content, list):
        number = int(keys[0])
        return [*content[:number], _with_value(content[number], keys[1:], value), *content[number + 1 :]]
    content = content or {}
    return {**content, keys[0]: _with_value(content.get(keys[0]), keys[1:], value)}


def _with_field(text: str, keys: Sequence[str], value: Any, path: Path) -> str:
    """Give the text with one field changed or added."""
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    assert root is not None  # the text was checked before
    node: yaml.Node = root
    for depth, key in enumerate(keys):
        inner = _inside(node, key)
        if inner is not None:
            node = inner
            continue
        missing = _nested(keys[depth:], value)
        if _is_empty(node):
            return _replaced(text, node, missing)
        if not isinstance(node, yaml.MappingNode):
            raise _no_place(".".join(keys), path)
        if node.flow_style:
            return _added_to_flow(text, node, missing)
        return _added_to_block(text, node, missing, at_end=node is root)
    return _replaced(text, node, value)


def _inside(node: yaml.Node, key: str) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        return next((value for name, value in node.value if name.value == key), None)
    if isinstance(node, yaml.SequenceNode) and key.isdigit() and int(key) < len(node.value):
        entry: yaml.Node = node.value[int(key)]
        return entry
    return None


def _is_empty(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null"


def _nested(keys: Sequence[str], value: Any) -> dict[str, Any]:
    for key in reversed(keys[1:]):
        value = {key: value}
    return {keys[0]: value}


def _replaced(text: str, node: yaml.Node, value: Any) -> str:
    start, end = node.start_mark.index, _end(node)
    written = _flow(value)
    # An empty value begins right behind its colon.
    return text[:start] + (" " if start == end else "") + written + text[end:]


def _added_to_flow(text: str, node: yaml.MappingNode, missing: Mapping[str, Any]) -> str:
    written = _flow(missing)[1:-1]
    if not node.value:
        start = node.start_mark.index + 1
        return text[:start] + written + text[start:]
    end = _end(node.value[-1][1])
    return text[:end] + ", " + written + text[end:]


def _added_to_block(text: str, node: yaml.MappingNode, missing: Mapping[str, Any], *, at_end: bool) -> str:
    """Add lines behind the last value; a new section comes at the end of the file, behind its comments."""
    indent = " " * node.value[0][0].start_mark.column
    write = _section if at_end else _line
    lines = "".join(f"{indent}{line}\n" for name, value in missing.items() for line in write(name, value))
    if at_end:
        return text.rstrip("\n") + "\n\n" + lines
    end = _end(node)
    if end and text[end - 1] != "\n":
        newline = text.find("\n", end)
        end = len(text) if newline < 0 else newline + 1
    before = text[:end] if text[:end].endswith("\n") else text[:end] + "\n"
    return before + lines + text[end:]


def _section(name: str, value: Any) -> list[str]:
    if not isinstance(value, dict):
        return _line(name, value)
    return [f"{name}:", *(f"  {line}" for field, inner in value.items() for line in _line(field, inner))]


def _line(name: str, value: Any) -> list[str]:
    return [f"{name}: {_flow(value)}"]


def _flow(value: Any) -> str:
    """Give a value in one line."""
    text = yaml.safe_dump(value, sort_keys=False, default_flow_style=True, width=float("inf"), allow_unicode=True)
    return text.removesuffix("...\n").strip()


def _end(node: yaml.Node) -> int:
    """Where the text of a node ends; the marks of block collections lie behind the comments that follow them."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(last[1] if isinstance(last, tuple) else last)
    return int(node.end_mark.index)


def _no_place(name: str, path: Path) -> ProjectError:
    return ProjectError(
        "PROJECT-EDIT",
        f"the field '{name}' can't be set in this file without rewriting it",
        where=str(path),
        fix="set it by hand; anchors, merged mappings and entries beyond the end of a list can't be changed here",
    )
