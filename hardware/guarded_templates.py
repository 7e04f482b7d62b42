"""Template files that become sources: nothing that is filled in can leave its place and become code."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from siliconv.errors import FirmwareError

_LIVELY = re.compile(r"[\"'`$\\\[\]{};#\n\r\0]")
"""What ends a word, a text or a comment, or begins a command, in Tcl, Make, a shell, C++, Verilog or Python."""


class GuardedTemplates:
    """The files of the folder ``templates`` of a package.

    Parameters
    ----------
    package
        Its name.
    code
        Values that are code themselves, by name: whoever gives them answers for what is in them.
    filters
        Further filters by name.
    trim_blocks
        Whether the line break behind a block is left out.
    """

    def __init__(
        self,
        package: str,
        *,
        code: Collection[str] = (),
        filters: Mapping[str, Callable[..., str]] | None = None,
        trim_blocks: bool = False,
    ) -> None:
        self._code = frozenset(code)
        self._environment = Environment(
            loader=PackageLoader(package),
            undefined=StrictUndefined,
            keep_trailing_newline=True,
            trim_blocks=trim_blocks,
            autoescape=False,
        )
        self._environment.filters.update(filters or {})

    def render(self, template: str, **values: Any) -> str:
        """Fill in a file; every value that it names must be given.

        Raises
        ------
        FirmwareError
            ``FIRMWARE-TEXT`` for a text that would end its place in a source and become code there.
        """
        for name, value in values.items():
            if isinstance(value, str) and name not in self._code and _LIVELY.search(value):
                raise FirmwareError(
                    "FIRMWARE-TEXT",
                    f"{value!r} can't stand in a generated file: it would end its place there and become code",
                    where=f"{template}, {name}",
                    fix="use letters, digits, dots, dashes and underscores in names and parts",
                )
        return self._environment.get_template(template).render(values)
