"""The option ``--set``: fields of the project file with other values, for one run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml

from siliconv.errors import ProjectError


def read_changes(texts: Sequence[str]) -> dict[str, Any]:
    """Read what ``--set`` was given: ``FIELD=VALUE`` each, the value as in a project file.

    Raises
    ------
    ProjectError
        ``SET-FORM`` for anything else.
    """
    found: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        try:
            found[name.strip()] = yaml.safe_load(value)
        except yaml.YAMLError:
            equals = ""
        if not equals or not name.strip():
            raise ProjectError(
                "SET-FORM",
                f"'{text}' is no field with a value",
                where="--set",
                fix="write a field of the project file and its value, such as --set quantize.weights=4",
            )
    return found
