"""Render the firmware wing's template files: nothing that is filled in can leave its place and become code."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from siliconv.hardware.guarded_templates import GuardedTemplates

TEMPLATES = Path(__file__).parent / "templates"
"""Template files, kernels of our own among them."""

_CODE = frozenset({"weight_parameters", "declarations"})
"""Values that are C++ themselves, made of names that hls4ml's graph has."""


def as_markdown(text: str) -> str:
    """Give a text that Markdown shows as it is: no link, no picture, no HTML, no row of a table of its own."""
    plain = " ".join(str(text).split())
    marked = re.sub(r"([\\`*_{}\[\]()#+!|~-])", r"\\\1", plain)
    return marked.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


_templates = GuardedTemplates("siliconv.hls", code=_CODE, filters={"markdown": as_markdown})


def render(template: str, **values: Any) -> str:
    """Fill in a file of ``templates/``; every value that it names must be given.

    Raises
    ------
    FirmwareError
        ``FIRMWARE-TEXT`` for a text that would end its place in a source and become code there.
    """
    return _templates.render(template, **values)
