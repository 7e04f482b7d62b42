"""What a design takes of a device before it is synthesized: multipliers and block memories counted, the rest fitted.

Look-up tables and flip-flops are sums over the parts of a design, with weights fitted to runs of Yosys
(`constants/cells.json`, by `benchmarks/rtl_cells.py`); `error` there says how far networks that took no part in the fit
are off.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from siliconv.rtl.plan.blocks import RtlDesign
from siliconv.rtl.resources.design_parts import PARTS, parts_of
from siliconv.rtl.resources.memory_choice import block_memories
from siliconv.rtl.resources.multiplier_count import multipliers

FITTED = ("lut", "ff")


@dataclass(frozen=True)
class Predicted:
    """Cells of a design as Yosys counts them, before placement; `lut` has memories and shift registers in it."""

    lut: int
    ff: int
    dsp: int
    block_memory: int

    def by_resource(self) -> dict[str, float]:
        """Give them by the names that boards have for them."""
        return {"lut": self.lut, "ff": self.ff, "dsp": self.dsp, "bram18": self.block_memory}


def predicted(design: RtlDesign, family: str) -> Predicted:
    """Predict the cells of a design on a family of `siliconv.rtl.configuration.MULTIPLIER_BITS`."""
    parts = parts_of(design.blocks, family)
    weights = fitted(family)["weights"]
    lut, ff = (round(sum(weights[kind].get(name, 0.0) * parts[name] for name in PARTS)) for kind in FITTED)
    return Predicted(lut, ff, multipliers(design.blocks, family), block_memories(design.blocks, family))


def error_of(family: str) -> Mapping[str, float]:
    """Give the share by which LUTs and flip-flops of unknown networks were off, nine times of ten."""
    return {kind: float(fitted(family)["error"][kind]) for kind in FITTED}


@cache
def fitted(family: str) -> Mapping[str, Any]:
    """Give what was fitted for a family; UltraScale+ takes what 7 series takes."""
    text = resources.files("siliconv.rtl.resources").joinpath("constants/cells.json").read_text("utf-8")
    found: Mapping[str, Any] = json.loads(text)["families"]["xc7" if family == "xcup" else family]
    return found
