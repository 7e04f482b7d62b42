"""Render the firmware wing's template files: nothing that is filled in can leave its place and become code."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from siliconv.errors import FirmwareError

TEMPLATES = Path(__file__).parent / "templates"
"""Template files, kernels of our own among them."""

_LIVELY = re.compile(r"[\"'`$\\\[\]{};#\n\r\0]")
"""What ends a word, a text or a comment, or begins a command, in Tcl, Make, a shell or C++."""

_CODE = frozenset({"weight_parameters", "declarations"})
"""Values that are C++ themselves, made of names that hls4ml's graph has."""


def as_markdown(text: str) -> str:
    """Give a text that Markdown shows as it is: no link, no picture, no HTML, no row of a table of its own."""
    plain = " ".join(str(text).split())
    marked = re.sub(r"([\\`*_{}\[\]()#+!|~-])", r"\\\1", plain)
    return marked.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


_environment = Environment(
    loader=PackageLoader("siliconv.hls", "templates"),
    undefined=StrictUndefined,
    keep_trailing_newline=True,
    autoescape=False,
)
_environment.filters["markdown"] = as_markdown


def render(template: str, **values: Any) -> str:
    """Fill in a file of ``templates/``; every value that it names must be given.

    Raises
    ------
    FirmwareError
        ``FIRMWARE-TEXT`` for a text that would end its place in a source and become code there.
    """
    for name, value in values.items():
        if isinstance(value, str) and name not in _CODE and _LIVELY.search(value):
            raise FirmwareError(
                "FIRMWARE-TEXT",
                f"{value!r} can't stand in a generated file: it would end its place there and become code",
                where=f"{template}, {name}",
                fix="use letters, digits, dots, dashes and underscores in names and parts",
            )
    return _environment.get_template(template).render(values)
