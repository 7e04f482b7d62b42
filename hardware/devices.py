"""Families of devices by the spelling of the part, and how fast their logic is to a scheduler."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources


@dataclass(frozen=True)
class Family:
    """A device family.

    Parameters
    ----------
    name
        Such as "ultrascale+".
    multiply_ns, add_ns
        What the scheduler reckons for a multiplication by a constant and for one level of an adder tree.
    """

    name: str
    multiply_ns: float
    add_ns: float


def family_of(part: str) -> Family:
    """Return the family of a part; an unknown part counts as the most common one, ultrascale+."""
    spelled = part.lower()
    for prefixes, family in _families():
        if any(spelled.startswith(prefix) for prefix in prefixes):
            return family
    return _families()[0][1]


@lru_cache(maxsize=1)
def _families() -> tuple[tuple[tuple[str, ...], Family], ...]:
    text = resources.files("siliconv.hardware").joinpath("constants/device_families.json").read_text("utf-8")
    return tuple(
        (tuple(entry["prefixes"]), Family(entry["name"], entry["multiply_ns"], entry["add_ns"]))
        for entry in json.loads(text)["families"]
    )
