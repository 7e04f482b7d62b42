"""What a design takes of a device before it is synthesized.

Multipliers, block memories, flip-flops, memories and shift registers in look-up tables are counted. The other look-up
tables are a sum over the parts of a design, with weights fitted to runs of Yosys (`constants/cells.json`, by
`benchmarks/rtl_cells.py`); `error` there says how far networks that took no part in the fit are off.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from siliconv.rtl.plan.blocks import Block, RtlDesign
from siliconv.rtl.resources.design_parts import PARTS, parts_of
from siliconv.rtl.resources.memory_choice import block_memories
from siliconv.rtl.resources.multiplier_count import multipliers
from siliconv.rtl.resources.register_count import registers_of


@dataclass(frozen=True)
class Predicted:
    """Cells of a design as Yosys counts them, before placement.

    `lut` has memories and shift registers in it; `lut_memory` is that part of it which is memories that are written.
    """

    lut: int
    ff: int
    dsp: int
    block_memory: int
    lut_memory: int

    def by_resource(self) -> dict[str, float]:
        """Give them by the names that boards have for them."""
        return {"lut": self.lut, "ff": self.ff, "dsp": self.dsp, "bram18": self.block_memory}


def predicted(design: RtlDesign, family: str) -> Predicted:
    """Predict the cells of a design on a family of `siliconv.rtl.configuration.MULTIPLIER_BITS`."""
    memory, parts, registers = counted_of(design.blocks, family)
    weights = fitted(family)["weights"]
    logic = sum(weights[name] * parts[name] for name in PARTS)
    return Predicted(
        round(memory + registers["srl"] + logic),
        registers["ff"],
        multipliers(design.blocks, family),
        block_memories(design.blocks, family),
        memory,
    )


def counted_of(blocks: tuple[Block, ...], family: str) -> tuple[int, Mapping[str, float], Mapping[str, int]]:
    """Count the look-up tables of memories that are written, the parts of the others, and the registers."""
    memory, parts = parts_of(blocks, family)
    return memory, parts, registers_of(blocks, family)


def error_of(family: str) -> Mapping[str, float]:
    """Give the share by which LUTs and flip-flops of unknown networks were off, nine times of ten."""
    return {kind: float(fitted(family)[kind]["nine_of_ten"]) for kind in ("lut", "ff")}


@cache
def fitted(family: str) -> Mapping[str, Any]:
    """Give what was fitted for a family; UltraScale+ takes what 7 series takes."""
    text = resources.files("siliconv.rtl.resources").joinpath("constants/cells.json").read_text("utf-8")
    found: Mapping[str, Any] = json.loads(text)["families"]["xc7" if family == "xcup" else family]
    return found
