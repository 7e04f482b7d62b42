"""The option ``--set``: fields of the project file with other values, for one run or for a run of each value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import yaml

from siliconv.errors import ProjectError

MOST_VARIANTS = 64
"""Of one command: more are asked for by mistake."""


def read_variants(texts: Sequence[str]) -> tuple[dict[str, Any], ...]:
    """Read what ``--set`` was given: ``FIELD=VALUE`` each, the value as in a project file.

    Values with commas between them make a variant each; where several fields have several values, each value of the one
    is taken with each of the other. A comma in brackets, braces or quotes belongs to one value: ``[3, 4]``, ``"a,b"``.

    Returns
    -------
    tuple of dict
        The fields of each variant by dotted name; one variant, which may be of no field, unless a field has several
        values.

    Raises
    ------
    ProjectError
        ``SET-FORM`` for anything else, ``SET-MANY`` for more variants than anybody wants.
    """
    found: dict[str, list[Any]] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        values = _values(value) if equals and name.strip() else None
        if values is None:
            raise ProjectError(
                "SET-FORM",
                f"'{text}' is no field with a value",
                where="--set",
                fix="write a field of the project file and its value, such as --set quantize.weights=4, or several "
                "with commas between them",
            )
        found[name.strip()] = values
    count = 1
    for values in found.values():
        count *= len(values)
    if count > MOST_VARIANTS:
        raise ProjectError(
            "SET-MANY",
            f"that would be {count:,} variants, and a command runs {MOST_VARIANTS} at most",
            where="--set",
            fix="give fewer values; one value that has commas stands in brackets or quotes",
        )
    return tuple(dict(zip(found, values, strict=True)) for values in product(*found.values()))


def _values(text: str) -> list[Any] | None:
    """Read the values of a field, each once; None where one is no YAML, or none at all beside others."""
    parts = list(_parts(text))
    if len(parts) > 1 and not all(part.strip() for part in parts):
        return None
    values: list[Any] = []
    for part in parts:
        try:
            value = yaml.safe_load(part)
        except yaml.YAMLError:
            return None
        if not any(value == one and type(value) is type(one) for one in values):
            values.append(value)
    return values


def _parts(text: str) -> Iterator[str]:
    """Split at commas that stand in no brackets, braces or quotes; a quote begins where a value begins."""
    depth, quote, start, before, at = 0, "", 0, "", 0
    while at < len(text):
        sign = text[at]
        if quote:
            if (sign == "\\" and quote == '"') or (sign == quote and quote == "'" and text[at + 1 : at + 2] == "'"):
                at += 1
            elif sign == quote:
                quote = ""
        elif sign in "\"'" and before in ("", *",[{:"):
            quote = sign
        elif sign in "[{":
            depth += 1
        elif sign in "]}":
            depth -= 1
        elif sign == "," and depth == 0:
            yield text[start:at]
            start = at + 1
        before = sign if sign.strip() else before
        at += 1
    yield text[start:]
