"""A section of a project file of which only the name is written: its defaults, where ``null`` would mean none of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml
from pydantic import BaseModel

from siliconv.project.project_problems import section_at


def with_sections(
    content: Mapping[str, Any], tree: yaml.Node | None, model: type[BaseModel], before: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Give the content of a project file in which a section of which only the name is written has its defaults.

    Parameters
    ----------
    content, tree
        The file, as values and as YAML nodes.
    model
        What the file is validated against.
    before
        The path of `content` in the file.
    """
    if not isinstance(tree, yaml.MappingNode):
        return dict(content)
    found = dict(content)
    for key, node in tree.value:
        keys = (*before, key.value)
        inner = found.get(key.value)
        if isinstance(inner, dict):
            found[key.value] = with_sections(inner, node, model, keys)
        elif inner is None and isinstance(node, yaml.ScalarNode) and node.value == "" and section_at(model, keys):
            found[key.value] = _defaults(model, keys)
    return found


def _defaults(model: type[BaseModel], keys: tuple[str, ...]) -> dict[str, Any]:
    """Give what a section has where it is left out, as far as that is not what its own fields have anyway."""
    around = section_at(model, keys[:-1])
    assert around is not None  # the section is a field of it
    default = around.model_fields[keys[-1]].get_default(call_default_factory=True)
    return default.model_dump(exclude_defaults=True) if isinstance(default, BaseModel) else {}
