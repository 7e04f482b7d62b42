"""Render the firmware wing's template files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

TEMPLATES = Path(__file__).parent / "templates"
"""Template files, kernels of our own among them."""

_environment = Environment(
    loader=PackageLoader("siliconv.hls", "templates"),
    undefined=StrictUndefined,
    keep_trailing_newline=True,
    autoescape=False,
)


def render(template: str, **values: Any) -> str:
    """Fill in a file of ``templates/``; every value that it names must be given."""
    return _environment.get_template(template).render(values)
