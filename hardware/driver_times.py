"""What a transfer to the core on a board takes besides: the call of the driver, the start and the end of the DMA."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True)
class DriverTimes:
    """The least and the most that a transfer was seen to take (µs), however many images it holds, and where."""

    transfer_us: tuple[float, float]
    source: str


@cache
def driver_times() -> DriverTimes:
    """Read what was measured."""
    text = resources.files("siliconv.hardware").joinpath("constants/driver_times.json").read_text("utf-8")
    known = json.loads(text)
    least, most = known["transfer_us"]
    return DriverTimes((least, most), known["source"])
