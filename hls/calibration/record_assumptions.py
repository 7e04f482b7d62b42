"""What a synthesis record does not say, or says in a way that cannot be read, and what is assumed in its place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from siliconv.hls.calibration.record_layers import Fields

DEFAULT_PART = "xcvu13p-flga2577-2-e"
RESULTS = {
    "latency_cycles": "latency_max_cycles",
    "interval_cycles": "interval_max",
    "lut": "lut",
    "ff": "ff",
    "dsp": "dsp",
    "bram18": "bram18",
}
"""Metric to its name among the results of a record."""


def assumptions(entry: Fields) -> tuple[str, ...]:
    """Return a sentence for each field that a prediction needs and that has to be guessed, or that is left out."""
    return tuple(_assumptions(entry))


def is_number(value: Any) -> bool:
    """Whether a reported value is a count: a number that is not negative, true and false not among them."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < float("inf")


def _assumptions(entry: Fields) -> Iterator[str]:
    if not entry.get("layers"):
        yield "no layers: nothing can be predicted"
        return
    part = str(entry.get("part") or "")
    if not part.startswith("xc") and DEFAULT_PART.split("-")[0] not in part:
        yield f"{f'part {part!r} is none of AMD' if part else 'no part'}: {DEFAULT_PART} is assumed"
    spelled = f"{entry.get('backend') or ''} {entry.get('tool') or ''}".strip()
    if "vitis" not in spelled.lower() and "vivado" not in spelled.lower():
        yield f"{f'tool {spelled!r} is unknown' if spelled else 'no tool'}: Vivado HLS is assumed"
    elif not re.search(r"\d{4}\.\d", str(entry.get("tool") or "")):
        yield "no release of the tool"
    if not _is_period(entry.get("clock_ns")):
        yield f"clock_ns {entry.get('clock_ns')!r} is no period: 5 ns are assumed"
    if not re.search(r"stream|parallel", f"{entry.get('io_type') or ''} {entry.get('kind') or ''}"):
        yield "no io_type: io_parallel is assumed"
    if entry.get("strategy") is None and not any(one.get("strategy") for one in entry["layers"]):
        yield "no strategy: Latency is assumed"
    yield from _results(entry.get("results") or {})


def _results(results: Mapping[str, Any]) -> Iterator[str]:
    known = {name: results.get(name) for name in RESULTS.values()}
    if not any(map(is_number, known.values())):
        yield f"no results among {', '.join(known)}: it judges nothing"
    for name, value in known.items():
        if value is not None and not is_number(value):
            yield f"results.{name} {value!r} is no count: it is left out"


def _is_period(value: Any) -> bool:
    try:
        return 0 < float(str(value)) < float("inf")
    except ValueError:
        return False
