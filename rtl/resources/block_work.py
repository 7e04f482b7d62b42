"""How much a block has to do for an image: products a cycle, and the cycles that it is busy."""

from __future__ import annotations

from siliconv.rtl.plan.blocks import Block, Mvu, Pool


def products_of_block(block: Block) -> int:
    """Count the pairs that a block multiplies a cycle."""
    return block.pixels * block.pin * block.pout if isinstance(block, Mvu) else 0


def busy_of_block(block: Block) -> int:
    """Give the cycles that a block is busy with an image: those of its window, or a word a cycle."""
    if isinstance(block, Mvu | Pool):
        return block.window.busy
    return max(stream.words for stream in (*block.inputs, *block.outputs))
