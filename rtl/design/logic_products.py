"""Products in look-up tables, where a design has more of them than it may use multipliers."""

from __future__ import annotations

from dataclasses import replace

from siliconv.rtl.plan.blocks import Block, Mvu, RtlDesign
from siliconv.rtl.resources.multiplier_count import multipliers


def with_at_most(design: RtlDesign, most: int, family: str) -> RtlDesign:
    """Give the design with as many products in look-up tables as it takes to need no more than so many multipliers.

    Those of the fewest bits come first, a product that has a multiplier for itself before two that share one.
    """
    blocks: list[Block] = list(design.blocks)
    excess = multipliers(design.blocks, family) - most
    for block in sorted((one for one in blocks if isinstance(one, Mvu)), key=_bits):
        of_one = multipliers((replace(block, logic=block.multipliers - 1),), family)
        if excess <= 0 or not of_one:
            continue
        moved = min(block.multipliers, -(-excess // of_one))
        blocks[blocks.index(block)] = replace(block, logic=moved)
        excess -= moved * of_one
    return replace(design, blocks=tuple(blocks))


def _bits(block: Mvu) -> int:
    return block.inputs[0].type.width * block.weight_type.width * (2 if block.pack else 1)
