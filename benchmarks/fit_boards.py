"""What `siliconv fit` chooses for the presets of docs/fit.md on four boards, before any training.

Usage: python benchmarks/fit_boards.py [--json FILE]

Prints the table of docs/fit.md: the fastest whose values fit, which was chosen before bands counted, beside the chosen
one (the fastest that fits with its band) and the one at risk.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

from siliconv.actions.fit_project import ProjectFit, fit_project
from siliconv.hardware.boards import board
from siliconv.hls.fit.candidates import Configuration
from siliconv.hls.fit.fit import MOST_SHARE

CASES = (
    ("lecture", "zcu104", None),
    ("lecture", "zcu104", 1000.0),
    ("lecture", "kv260", None),
    ("lecture", "alveo-u250", None),
    ("lecture", "pynq-z2", None),
    ("lecture_strided", "zcu104", 1000.0),
    ("dnn_baseline", "zcu104", None),
    ("digits", "pynq-z2", None),
)


def main() -> None:
    """Fit, print the table, and keep the figures where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--json", type=Path)
    kept: dict[str, Any] = {}
    options = parser.parse_args()
    print("| network, board | fastest whose values fit | chosen | at risk, and faster |")
    print("|---|---|---|---|")
    for preset, name, rate in CASES:
        asked = f" --fps {rate:g}" if rate else ""
        started = time.perf_counter()
        found = _fitted(preset, name, rate)
        fastest = max((one for one in found.fit.best if one.fits), key=lambda one: one.images_per_second, default=None)
        if found.fit.at_risk is not None and (
            fastest is None or found.fit.at_risk.images_per_second > fastest.images_per_second
        ):
            fastest = found.fit.at_risk
        cells = [_cell(fastest), _cell(found.fit.chosen), _cell(found.fit.at_risk)]
        if found.fit.chosen is None:
            nearest, helps = found.fit.best[0], "; ".join(map(str, found.remedies[:3]))
            least = ", ".join(
                f"{name.upper()} {share:.0%}" for name, share in found.fit.least.items() if share > MOST_SHARE
            )
            cells[1] = f"none; nearest: {_cell(nearest)}; at least {least} with any settings. What helps: {helps}"
        print(f"| {preset}, `{name}{asked}` | " + " | ".join(cells) + " |", flush=True)
        kept[f"{preset} {name}{asked}"] = {
            "seconds": round(time.perf_counter() - started, 1),
            "chosen": _figures(found.fit.chosen),
            "at_risk": _figures(found.fit.at_risk),
            "best": [_figures(one) for one in found.fit.best],
            "least_shares": {name: round(share, 3) for name, share in found.fit.least.items()},
            "remedies": [str(one) for one in found.remedies],
        }
    if options.json:
        options.json.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


def _fitted(preset: str, name: str, rate: float | None) -> ProjectFit:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / preset
        folder.mkdir()
        (folder / "project.yml").write_text(f"model: {{preset: {preset}}}\n", encoding="utf-8")
        return fit_project(folder, board(name), images_per_second=rate, write=False)


def _cell(one: Configuration | None) -> str:
    if one is None:
        return ""
    resource, share = one.binding
    factors = " ".join(str(factor) for factor in one.reuse_factors.values())
    sure = "" if one.surely else f", fits with {one.chance:.0%}"
    places = [
        what
        for what, in_luts in (("FIFOs", one.fifo_memory != "auto"), ("weights", one.weight_memory == "luts"))
        if in_luts
    ]
    moved = f", {' and '.join(places)} in LUTs" if places else ""
    moved += ", weights in blocks" if one.weight_memory == "block" else ""
    moved += f", bram_factor {one.bram_factor}" if one.bram_factor is not None else ""
    return (
        f"{one.images_per_second:,.0f} images/s, LUT {one.shares['lut']:.0%}"
        + (f", {resource.upper()} {share:.0%}" if resource != "lut" else "")
        + f"{moved}{sure}, `{factors}`"
    )


def _figures(one: Configuration | None) -> dict[str, Any] | None:
    if one is None:
        return None
    stated = one.estimate.interval_cycles.value
    figures = {key: value for key, value in one.as_json().items() if key != "estimate"}
    return figures | {"stated_interval_cycles": stated, "stated_images_per_second": round(1e9 / stated / one.clock_ns)}


if __name__ == "__main__":
    main()
