"""A project file's YAML, read within bounds: no alias that unfolds to millions of fields, no depth without end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from siliconv.bounded_reading import UnreadableError, in_words, read_text
from siliconv.errors import DAMAGE, ProjectError

FILE_BYTES, MOST_FIELDS, MOST_DEPTH = 256 << 10, 6_000, 40
"""Far beyond any network that an FPGA holds: a layer takes some ten fields."""


def read_project_text(path: Path) -> str:
    """Read a project file, or raise `ProjectError` ``PROJECT-READ``."""
    try:
        return read_text(path, most=FILE_BYTES)
    except UnreadableError as error:
        raise ProjectError(
            "PROJECT-READ",
            f"it can't be read: {error}",
            where=str(path),
            fix=f"make it a readable text of at most {FILE_BYTES >> 10} KiB",
        ) from error


def compose(text: str) -> yaml.Node | None:
    """Give the tree of a text, or raise `UnreadableError` or a YAMLError."""
    try:
        depth = 0
        for number, event in enumerate(yaml.parse(text, Loader=yaml.SafeLoader)):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if number > 2 * MOST_FIELDS or depth > MOST_DEPTH:
                raise UnreadableError(f"more than {MOST_FIELDS:,} fields, or {MOST_DEPTH} levels of them")
        tree: yaml.Node | None = yaml.compose(text, Loader=yaml.SafeLoader)
        _unfolded(tree, {}, ())
    except (yaml.YAMLError, UnreadableError):
        raise
    except DAMAGE as error:
        raise UnreadableError(in_words(error)) from error
    return tree


def parse(text: str, path: Path) -> tuple[yaml.Node | None, Any]:
    """Give the tree of a project file's text and what it says.

    Raises
    ------
    ProjectError
        ``PROJECT-YAML`` with the line, where it is known.
    """
    try:
        return compose(text), yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or str(error)
        raise _invalid(problem, f"{path}{line}", "correct that line") from error
    except DAMAGE as error:
        raise _invalid(
            in_words(error), str(path), "write plain values: no date, no tag, no number of many digits"
        ) from error


def _invalid(problem: str, where: str, fix: str) -> ProjectError:
    return ProjectError("PROJECT-YAML", f"not valid YAML: {problem}", where=where, fix=fix)


def _unfolded(node: yaml.Node | None, known: dict[int, int], above: tuple[int, ...]) -> int:
    """Count the fields below a node, those behind aliases as often as they are named."""
    if node is None or isinstance(node, yaml.ScalarNode):
        return 1
    if id(node) in above:
        raise UnreadableError("an alias leads back to itself")
    if id(node) not in known:
        inner = (*above, id(node))
        parts = [part for pair in node.value for part in pair] if isinstance(node, yaml.MappingNode) else node.value
        known[id(node)] = 1 + sum(_unfolded(part, known, inner) for part in parts)
    if known[id(node)] > MOST_FIELDS:
        raise UnreadableError(f"more than {MOST_FIELDS:,} fields, aliases unfolded")
    return known[id(node)]
