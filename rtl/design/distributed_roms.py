"""Weights in look-up tables, where a design has more of them than it may use block memories."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from siliconv.rtl.plan.block_memories import RomKind
from siliconv.rtl.plan.blocks import Block, Mvu, RtlDesign
from siliconv.rtl.resources.memory_choice import block_memories, memories_of


def with_blocks_at_most(design: RtlDesign, most: int, family: str) -> RtlDesign:
    """Give the design with the weights of as many layers in look-up tables as it takes to need so many block memories.

    The layers come first that need the fewest look-up tables for each block memory that they save.
    """
    blocks: list[Block] = list(design.blocks)
    excess = block_memories(design.blocks, family) - most
    saving = {block: saved for block in blocks if isinstance(block, Mvu) and (saved := _saved(block, family)) > 0}
    for block in sorted(saving, key=lambda one: _look_up_tables(one, family) / saving[one]):
        if excess <= 0:
            break
        blocks[blocks.index(block)] = replace(block, rom="distributed")
        excess -= saving[block]
    return replace(design, blocks=tuple(blocks))


def roms_of(design: RtlDesign) -> Mapping[str, RomKind]:
    """Give the kinds of ROM that are not ``auto``, by node, as `siliconv.rtl.plan.planning.plan` takes them."""
    return {block.node.name: block.rom for block in design.blocks if isinstance(block, Mvu) and block.rom != "auto"}


def _saved(block: Mvu, family: str) -> int:
    return block_memories((block,), family) - block_memories((replace(block, rom="distributed"),), family)


def _look_up_tables(block: Mvu, family: str) -> int:
    return sum(one.look_up_tables(family) for one in memories_of(replace(block, rom="distributed")) if not one.written)
