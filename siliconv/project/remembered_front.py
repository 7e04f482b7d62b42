"""What a search for settings or bits found last, kept in the project's ``runs`` for the report to draw."""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Protocol

from siliconv.bounded_reading import UnreadableError, read_as
from siliconv.project.atomic_write import write_atomically

RUNS = "runs"
"""Folder in a project: git ignores it, `make clean` keeps it."""

FrontKind = Literal["search", "fit-hls", "fit-rtl"]
FRONTS: tuple[FrontKind, ...] = ("search", "fit-hls", "fit-rtl")
FRONT_FILES = tuple(f"../{RUNS}/front-{kind}.json" for kind in FRONTS)
"""As seen from the build folder."""


class Choice(Protocol):
    """What a search for settings found: one way to build a network on a board."""

    @property
    def images_per_second(self) -> float:
        """The rate."""

    @property
    def latency_us(self) -> float:
        """From the first pixel to the answer."""

    @property
    def binding(self) -> tuple[str, float]:
        """The fullest resource, and its share of the board; infinite of one that the device lacks."""

    @property
    def fits(self) -> bool:
        """Whether no resource is fuller than it may be."""


def point_of_front(one: Choice, *, surely: bool) -> dict[str, Any]:
    """Give what is kept of a choice; `surely` tells whether it fits with the ends of its bands too."""
    name, share = one.binding
    return {
        "images_per_second": round(one.images_per_second, 3),
        "latency_us": round(one.latency_us, 3),
        "resource": name,
        "share": share if math.isfinite(share) else None,
        "fits": one.fits,
        "surely": surely,
    }


def remember_front(folder: Path, kind: FrontKind, content: Mapping[str, Any]) -> None:
    """Keep the outcome of a search; a folder that can't be written is no reason to lose it."""
    with contextlib.suppress(OSError):
        write_atomically(folder / RUNS / f"front-{kind}.json", json.dumps(dict(content), indent=1) + "\n")


def read_front(build: Path, kind: FrontKind) -> dict[str, Any] | None:
    """Give the last outcome of a search of this kind; None where there is none that can be read."""
    try:
        return read_as(build.parent / RUNS / f"front-{kind}.json", dict[str, Any])
    except UnreadableError:
        return None
