"""Everything that is wrong with a project file, in the user's words: file, line, field, and what would be right."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, get_origin

import yaml
from pydantic import BaseModel, ValidationError

from siliconv.errors import ProjectError
from siliconv.models.architectures.field_problems import FieldProblem, problems_of
from siliconv.models.architectures.layers import LAYER_KINDS


class ProjectProblemsError(ProjectError):
    """All that is wrong with a project file; as one error it is the first of them."""

    def __init__(self, problems: Sequence[ProjectError]) -> None:
        first = problems[0]
        super().__init__(first.code, first.what, where=first.where, fix=first.fix)
        self.problems = tuple(problems)

    def __str__(self) -> str:
        return "\n".join(str(one) for one in self.problems)

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.problems,)


def project_problems(
    error: ValidationError, model: type[BaseModel], tree: yaml.Node | None, path: Path
) -> ProjectProblemsError:
    """Say what pydantic found in a project file.

    Parameters
    ----------
    error
        Of validating the file.
    model
        What the file is validated against.
    tree
        The file as YAML nodes, for the lines.
    path
        The file.
    """
    found: dict[tuple[str | int, ...], ProjectError] = {}
    for one in problems_of(error):
        keys = _as_written(one.path, tree)
        if keys not in found:
            found[keys] = _in_words(one, keys, model, tree, path)
    return ProjectProblemsError(tuple(found.values()))


def _in_words(
    problem: FieldProblem, keys: tuple[str | int, ...], model: type[BaseModel], tree: yaml.Node | None, path: Path
) -> ProjectError:
    field = ".".join(str(key) for key in keys)
    line = _line(tree, keys)
    where = f"{path}:{line}, field {field or 'model'}"
    if problem.kind == "extra_forbidden":
        section = _layer_kind(tree, keys[:-1]) or section_at(model, keys[:-1])
        known = [name for name in section.model_fields if name != "kind"] if section is not None else []
        near = difflib.get_close_matches(str(keys[-1]), known, n=1)
        hint = f"did you mean '{near[0]}'? " if near else ""
        fix = f"{hint}known fields: {', '.join(known)}" if known else "take the field out"
        return ProjectError("PROJECT-FIELD", f"unknown field '{keys[-1]}'", where=where, fix=fix)
    if problem.kind == "missing":
        return ProjectError(
            "PROJECT-FIELD", f"the field '{field}' is missing", where=f"{path}:{line}", fix=f"add '{keys[-1]}:'"
        )
    return ProjectError(
        "PROJECT-VALUE",
        f"{_name(keys)} {problem.says}"
        if keys and problem.says.startswith(("must", "is ", "has ", "needs "))
        else problem.says,
        where=where,
        fix=_right_value(problem, keys, model, tree),
    )


def _right_value(
    problem: FieldProblem, keys: tuple[str | int, ...], model: type[BaseModel], tree: yaml.Node | None
) -> str:
    """Say what would be right in place of a value: of a layer an example of its kind, else what the field means."""
    if _is_layer(keys):
        written = _node_at(tree, keys)
        if isinstance(written, yaml.ScalarNode) and written.value in LAYER_KINDS:
            kind = LAYER_KINDS[written.value]
            fields = ", ".join(name for name in kind.model_fields if name != "kind")
            return f"write it as - {{kind: {written.value}, ...}}; its fields: {fields}"
        if problem.kind == "union_tag_invalid":
            given = _node_at(tree, (*keys, "kind"))
            text = given.value if isinstance(given, yaml.ScalarNode) else ""
            near = difflib.get_close_matches(text, LAYER_KINDS, n=1)
            return f"did you mean '{near[0]}'?" if near else "use one of these kinds"
        return "write it as - {kind: conv2d, filters: 32, activation: relu}; kinds: " + ", ".join(LAYER_KINDS)
    layer = _layer_kind(tree, keys[:-1])
    if layer is not None:
        field = layer.model_fields.get(str(keys[-1]))
        if field is not None and field.description:
            return f"{keys[-1]} is {field.description[0].lower()}{field.description[1:]}"
    return _describe_field(model, keys) or _describe_field(model, keys[:-1]) or "correct the value"


def _is_layer(keys: Sequence[str | int]) -> bool:
    return len(keys) == 3 and keys[:2] == ("model", "layers") and isinstance(keys[2], int)


def _layer_kind(tree: yaml.Node | None, keys: Sequence[str | int]) -> type[BaseModel] | None:
    """Give what the file says the layer at a path is; None where there is no layer, or none of a known kind."""
    kind = _node_at(tree, (*keys, "kind")) if _is_layer(keys) else None
    return LAYER_KINDS.get(kind.value) if isinstance(kind, yaml.ScalarNode) else None


def _node_at(node: yaml.Node | None, keys: Sequence[str | int]) -> yaml.Node | None:
    for key in keys:
        if isinstance(node, yaml.MappingNode):
            node = next((value for name, value in node.value if name.value == str(key)), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
            node = node.value[key]
        else:
            return None
    return node


def _name(keys: tuple[str | int, ...]) -> str:
    if isinstance(keys[-1], int) and len(keys) > 1:
        return f"entry {keys[-1] + 1} of {_name(keys[:-1])}"
    return f"'{keys[-1]}'"


def _as_written(location: Sequence[str | int], node: yaml.Node | None) -> tuple[str | int, ...]:
    """Give the part of an error's location that is in the file: behind a plain value only kinds of it are named."""
    for depth, key in enumerate(location):
        if isinstance(node, yaml.ScalarNode):
            return tuple(location[:depth])
        if isinstance(node, yaml.MappingNode):
            node = next((value for name, value in node.value if name.value == str(key)), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
            node = node.value[key]
    return tuple(location)


def _line(node: yaml.Node | None, keys: Sequence[str | int]) -> int:
    """Line of the deepest part of the path that is in the file, counted from 1."""
    if node is None:
        return 1
    line = int(node.start_mark.line) + 1
    for key in keys:
        if isinstance(node, yaml.MappingNode):
            found = next(((k, v) for k, v in node.value if k.value == str(key)), None)
            if found is None:
                break
            line, node = int(found[0].start_mark.line) + 1, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
            node = node.value[key]
            line = int(node.start_mark.line) + 1
        else:
            break
    return line


def fields_at(model: type[BaseModel], keys: Sequence[str | int]) -> Iterator[str]:
    """Yield the fields that a section has; none for a mapping with free keys."""
    section = section_at(model, keys)
    return iter(section.model_fields) if section is not None else iter(())


def section_at(model: type[BaseModel], keys: Sequence[str | int]) -> type[BaseModel] | None:
    """Give the section at a path, None where there is none, or a mapping with free keys."""
    for key in keys:
        field = model.model_fields.get(str(key))
        kind: Any = field.annotation if field is not None else None
        if get_origin(kind) is dict:
            return None
        candidates = [kind, *getattr(kind, "__args__", ())]
        nested = next((c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel)), None)
        if nested is None:
            return None
        model = nested
    return model


def _describe_field(model: type[BaseModel], keys: Sequence[str | int]) -> str | None:
    if not keys:
        return None
    section = section_at(model, keys[:-1])
    field = section.model_fields.get(str(keys[-1])) if section is not None else None
    return f"{keys[-1]} is {field.description}" if field is not None and field.description else None
