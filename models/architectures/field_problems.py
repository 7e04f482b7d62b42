"""What is wrong with a section that pydantic refused, in our own words: no class name, no link, all problems."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

_NAME_OF_KIND = re.compile(
    r"int|float|str|bool|none|tuple|list|dict|constrained-int|constrained-str"
    r"|(tuple|list|dict|set|frozenset|literal|nullable|union|tagged-union|chain|is-instance|lax-or-strict|json-or-python"
    r"|function-(after|before|plain|wrap))[\[(].*",
    re.DOTALL,
)
"""What pydantic puts into a location where a value may be of several kinds; a user's own name may have brackets too."""


@dataclass(frozen=True)
class FieldProblem:
    """One field: where it stands, what is wrong (`kind` is pydantic's word for that), and what was given."""

    path: tuple[str | int, ...]
    kind: str
    says: str

    def __str__(self) -> str:
        """Give the field and what is wrong with it."""
        where = ".".join(str(key) for key in self.path)
        return f"{where}: {self.says}" if where else self.says


def problems_of(error: ValidationError) -> tuple[FieldProblem, ...]:
    """Give all problems, in the order of the fields; a value that is none of several kinds is one problem."""
    found: dict[tuple[str | int, ...], FieldProblem] = {}
    for problem in _all_of(error):
        # Of the kinds that a value may have, the one that comes nearest is told: a range rather than a type.
        if problem.path not in found or _is_of_type(found[problem.path].kind):
            found[problem.path] = problem
    # A list whose entries are wrong is not too short besides.
    inner = {path[:length] for path in found for length in range(len(path))}
    return tuple(one for path, one in found.items() if not (one.kind in ("too_short", "too_long") and path in inner))


def _all_of(error: ValidationError) -> Iterator[FieldProblem]:
    for one in error.errors(include_url=False):
        path, inner = _path(one["loc"]), (one.get("ctx") or {}).get("error")
        if one["type"] == "extra_forbidden" and path[-1:] != one["loc"][-1:]:
            path = (*path, one["loc"][-1])  # a field of the user's own, whatever its name looks like
        if isinstance(inner, ValidationError):
            # A check of ours that validated a part: its problems are those of the part.
            for problem in _all_of(inner):
                yield replace(problem, path=(*path, *problem.path))
        # A default that follows from a wrong value is no error of its own.
        elif one["type"] == "missing" and path and isinstance(path[-1], int):
            yield FieldProblem(path[:-1], "too_short", "has too few entries")
        elif one["type"] != "default_factory_not_called":
            yield FieldProblem(path, one["type"], in_words(one))


def in_words(error: ErrorDetails) -> str:
    """Say what is wrong with one field."""
    context, given = error.get("ctx") or {}, error.get("input")
    shown = "" if isinstance(given, Mapping | list | tuple | BaseModel) else f", not {_short(given)}"
    make = _WORDS.get(error["type"])
    if make is not None:
        return make(context) + shown
    return error["msg"].removeprefix("Value error, ").removeprefix("Input ") + shown


def _short(given: Any) -> str:
    text = repr(given)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _path(location: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """Leave out what pydantic adds: names of kinds, such as ``tuple[int, int]``, and the kind of a layer."""
    return tuple(
        key
        for place, key in enumerate(location)
        if isinstance(key, int)
        or not (
            _is_name_of_kind(key) or (place >= 2 and location[place - 2] == "layers" and _is_int(location[place - 1]))
        )
    )


def _is_int(key: str | int) -> bool:
    return isinstance(key, int)


def _is_name_of_kind(key: str) -> bool:
    return _NAME_OF_KIND.fullmatch(key) is not None


def _is_of_type(kind: str) -> bool:
    return kind.endswith(("_type", "_parsing"))


def _bounded(words: str, key: str) -> Any:
    return lambda context: f"must be {words} {context[key]}"


def _is(words: str) -> Any:
    return lambda context: f"must be {words}"


def _count(context: Mapping[str, Any], word: str, key: str) -> str:
    return f"must have {word} {context[key]} entries (it has {context.get('actual_length', 'another number')})"


_WORDS: Mapping[str, Any] = {
    "extra_forbidden": _is("left out: there is no such field"),
    "missing": lambda context: "is missing",
    "greater_than_equal": _bounded("at least", "ge"),
    "greater_than": _bounded("above", "gt"),
    "less_than_equal": _bounded("at most", "le"),
    "less_than": _bounded("below", "lt"),
    "int_type": _is("a whole number"),
    "int_parsing": _is("a whole number"),
    "int_from_float": _is("a whole number"),
    "int_parsing_size": _is("a smaller whole number"),
    "float_type": _is("a number"),
    "float_parsing": _is("a number"),
    "finite_number": _is("a finite number"),
    "bool_type": _is("true or false"),
    "bool_parsing": _is("true or false"),
    "string_type": _is("a text"),
    "string_pattern_mismatch": lambda context: "has characters that are not allowed",
    "string_too_long": lambda context: f"is longer than {context['max_length']} characters",
    "string_too_short": lambda context: f"is shorter than {context['min_length']} characters",
    "list_type": _is("a list"),
    "tuple_type": _is("a list"),
    "dict_type": _is("a section of its own, with fields"),
    "model_type": _is("a section of its own, with fields"),
    "model_attributes_type": _is("a section of its own, with fields"),
    "path_type": _is("a path"),
    "none_required": _is("null"),
    "too_long": lambda context: _count(context, "at most", "max_length"),
    "too_short": lambda context: _count(context, "at least", "min_length"),
    "literal_error": lambda context: f"must be {context['expected']}",
    "enum": lambda context: f"must be {context['expected']}",
    "union_tag_invalid": lambda context: f"{context['tag']!r} is not one of {context['expected_tags']}",
    "union_tag_not_found": lambda context: "needs a kind",
}
