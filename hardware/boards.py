"""Boards and what their devices hold, from `constants/boards.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from importlib import resources

from siliconv.errors import ProjectError

RESOURCES = ("lut", "ff", "dsp", "bram18", "uram")


@dataclass(frozen=True)
class Board:
    """One board.

    Parameters
    ----------
    name, title, vendor
        What it is called on the command line, in tables, and whose device it carries.
    part
        The device as the vendor's tool spells it.
    lut, ff, dsp, bram18, uram
        Look-up tables, flip-flops, DSP blocks, 18-Kb block memories, UltraRAMs.
    clock_ns
        A clock period that hls4ml designs usually meet on it.
    backend
        The hls4ml back end for it; empty when there is none.
    source, note
        Where the figures are from, and what to know about them.
    processing_system, board_files
        What kind of processing system the device has, and whose board files Vivado needs for it; empty where siliconv
        writes no block design.
    """

    name: str
    title: str
    vendor: str
    part: str
    lut: int
    ff: int
    dsp: int
    bram18: int
    uram: int
    clock_ns: float
    backend: str
    source: str
    note: str = ""
    processing_system: str = ""
    board_files: str = ""

    @property
    def is_calibrated(self) -> bool:
        """Whether the estimator was fitted to reports of this vendor's tools."""
        return self.vendor == "AMD"

    def shares(self, used: Mapping[str, float]) -> dict[str, float]:
        """Return the share of each resource that is used; infinite where the device has none of it."""
        return {
            name: (used.get(name, 0.0) / has if (has := getattr(self, name)) else _share_of_none(used, name))
            for name in RESOURCES
        }


def boards() -> tuple[Board, ...]:
    """Return all boards in the order of the data file."""
    return tuple(_by_name().values())


def board(name: str) -> Board:
    """Return the board of a name; raises `ProjectError` BOARD-UNKNOWN with the nearest names."""
    known = _by_name()
    spelled = name.strip().lower().replace("_", "-").replace(" ", "-")
    if spelled in known:
        return known[spelled]
    begun = [one for one in known if spelled and one.startswith(spelled)]
    near = begun or get_close_matches(spelled, known, n=3, cutoff=0.6)
    raise ProjectError(
        "BOARD-UNKNOWN",
        f"there is no board {name!r}",
        where="the name of the board",
        fix=(f"did you mean {', '.join(near)}? " if near else "") + "`siliconv boards` lists all",
    )


def board_of_part(part: str) -> Board | None:
    """Return the first board that carries a part, or None where no board of the list does."""
    return next((one for one in boards() if one.part == part), None)


@lru_cache(maxsize=1)
def _by_name() -> dict[str, Board]:
    text = resources.files("siliconv.hardware").joinpath("constants/boards.json").read_text("utf-8")
    return {fields["name"]: Board(**fields) for fields in json.loads(text)["boards"]}


def _share_of_none(used: Mapping[str, float], name: str) -> float:
    return float("inf") if used.get(name) else 0.0
