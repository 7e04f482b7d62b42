"""Why a stage runs again: what of its inputs is not what it was, in the words of the project file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_MOST, _LONGEST = 3, 40
_MEANINGS = {
    "settings.architecture": "the network",
    "settings.files": "the files of the data",
    "settings.weights": "the weights that it starts from",
    "settings.start": "the file of quantize.start",
    "settings.calibration": "the file of your own calibration",
    "code": "the code of siliconv",
    "threads": "the number of threads",
    "name": "the name of the project",
}
"""Of inputs that are no fields of the project file."""


def why_again(before: Mapping[str, Any], now: Mapping[str, Any], fields: Mapping[str, Any]) -> str:
    """Say what differs between the inputs of a stage's last run and those of today; nothing where that is not known.

    Parameters
    ----------
    before, now
        What the fingerprint of a stage is made of, see `siliconv.flow.flow.run_flow`.
    fields
        The project, as its file says it.
    """
    if not before:
        return ""
    said = list(dict.fromkeys(_differences("", before, json.loads(json.dumps(now)), fields)))
    more = f" and {len(said) - _MOST} more" if len(said) > _MOST else ""
    return ", ".join(said[:_MOST]) + more


def _differences(place: str, old: Any, new: Any, fields: Mapping[str, Any]) -> Iterator[str]:
    if old == new or place == "instructions":  # of which a line of its own names both
        return
    if place == "beside":
        old, new = old or {}, new or {}
    if place in _MEANINGS:
        yield f"{_MEANINGS[place]} changed"
    elif place.startswith("inputs."):
        yield f"{place.removeprefix('inputs.')} gave something else"
    elif place.startswith("libraries."):
        yield f"{place.removeprefix('libraries.')} changed {_short(old)} -> {_short(new)}"
    elif place.startswith("beside."):
        yield f"{place.removeprefix('beside.')} changed"
    elif isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}):
            yield from _differences(f"{place}.{key}" if place else key, old.get(key), new.get(key), fields)
    else:
        name = _field(place.removeprefix("settings.").split("."), fields)
        yield f"{name} changed" + (f" {_short(old)} -> {_short(new)}" if _is_plain(old) and _is_plain(new) else "")


def _field(keys: Sequence[str], fields: Mapping[str, Any]) -> str:
    """Give the name of a field in the project file; a stage that takes a part of a section names it without that."""
    known = [one for one in _paths(fields) if one[-len(keys) :] == tuple(keys)]
    return ".".join(known[0] if len(known) == 1 else keys)


def _paths(fields: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for key, value in fields.items():
        yield (key,)
        if isinstance(value, dict):
            yield from ((key, *inner) for inner in _paths(value))


def _is_plain(value: Any) -> bool:
    """Tell whether a value says something to people: no hash, no long list."""
    return not re.fullmatch("[0-9a-f]{32,}", str(value)) and len(_short(value)) <= _LONGEST


def _short(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
