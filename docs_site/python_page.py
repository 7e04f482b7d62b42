"""The page of the Python names: every public name with its signature and its docstring."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

from markdown_text import cell
from pydantic import BaseModel

import siliconv

INTRODUCTION = """# Python

Importing `siliconv` loads nothing heavy. [The guide](../python.md) shows the names at work; this page lists them all.

| name | what it is |
|---|---|
"""

END = "\nThis page is made from the source by `docs_site/write_pages.py`.\n"


def python_page() -> str:
    """Write the page."""
    names = sorted(name for name in dir(siliconv) if not name.startswith("_"))
    objects = {name: getattr(siliconv, name) for name in names}
    rows = "\n".join(f"| [`{name}`](#{name.lower()}) | {cell(_summary(thing))} |" for name, thing in objects.items())
    parts = [INTRODUCTION + rows + "\n" + END]
    for name, thing in objects.items():
        parts += _described(name, thing)
    return "\n".join(parts)


def _summary(thing: Any) -> str:
    return " ".join((inspect.getdoc(thing) or "").split("\n\n")[0].split())


def _described(name: str, thing: Any) -> Iterator[str]:
    yield f"## {name}\n"
    if inspect.ismodule(thing):
        yield f"The module `{thing.__name__}`. {_summary(thing)}\n"
        return
    if isinstance(thing, type) and issubclass(thing, BaseModel):
        yield f"{_summary(thing)}\n"
        yield "Its fields are those of the [project file](project_file.md).\n"
        return
    yield f"```text\n{name}{_signature(thing)}\n```\n"
    yield from _docstring(thing)
    if isinstance(thing, type):
        of_ours = [one for one in reversed(thing.__mro__) if one.__module__.startswith("siliconv")]
        members = {name: member for one in of_ours for name, member in vars(one).items()}
        for inner, member in sorted(members.items()):
            target = member.__func__ if isinstance(member, classmethod | staticmethod) else member
            if inner.startswith("_") or not (inspect.isfunction(target) or isinstance(member, property)):
                continue
            yield f"### {name}.{inner}\n"
            if not isinstance(member, property):
                yield f"```text\n{name}.{inner}{_signature(target)}\n```\n"
            yield from _docstring(member if isinstance(member, property) else target)


def _signature(thing: Any) -> str:
    """Give the parameters by name, with their defaults and without their types."""
    try:
        signature = inspect.signature(thing)
    except (TypeError, ValueError):
        return "(...)"
    plain = [one.replace(annotation=inspect.Parameter.empty) for one in signature.parameters.values()]
    kept = [one for one in plain if one.name not in ("self", "cls")]
    return str(signature.replace(parameters=kept, return_annotation=inspect.Signature.empty))


def _docstring(thing: Any) -> Iterator[str]:
    """Give a docstring in NumPy's style as paragraphs and lists."""
    lines = (inspect.getdoc(thing) or "").splitlines()
    number = 0
    while number < len(lines):
        line = lines[number]
        under = lines[number + 1] if number + 1 < len(lines) else ""
        if under and set(under) == {"-"}:
            yield f"\n**{line}**\n"
            number += 2
            if line in ("Returns", "Yields"):
                while number < len(lines) and not _is_title(lines, number):
                    yield lines[number].strip()
                    number += 1
                continue
            while number < len(lines) and not _is_title(lines, number):
                number = yield from _entry(lines, number)
            continue
        yield line
        number += 1
    yield ""


def _is_title(lines: list[str], number: int) -> bool:
    under = lines[number + 1] if number + 1 < len(lines) else ""
    return bool(under) and set(under) == {"-"}


def _entry(lines: list[str], number: int) -> Any:
    """Yield one entry of a section, its name and what is said of it, and return the next line's number."""
    name = lines[number].strip()
    number += 1
    said = []
    while number < len(lines) and (lines[number].startswith("    ") or not lines[number].strip()):
        said.append(lines[number].strip())
        number += 1
    if name:
        words = " ".join(" ".join(said).split())
        yield f"- `{name}`" + (f": {words}" if words else "")
    return number
