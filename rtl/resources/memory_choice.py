"""Which memories stand in block memories, as Yosys decides by their sizes, and how many blocks they take."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

import numpy as np

from siliconv.network.fixed_point import Codes
from siliconv.rtl.plan.block_memories import MOST_SMALL, SHAPES, RomKind, blocks_of
from siliconv.rtl.plan.blocks import Block, GlobalPool, Mvu, Pool, Softmax, TableLookup
from siliconv.rtl.plan.rearranging import Rearrange

_MOST_A_BLOCK = {"ecp5": 22, "xc7": 56, "xcup": 56}
"""A memory that takes more of `Memory.distributed` for each block that it would need becomes block memory."""


@dataclass(frozen=True)
class Memory:
    """A memory of `words` words; one that is written can be distributed, constants of few words are logic."""

    width: int
    words: int
    written: bool
    bank: int = 16384
    rom: RomKind = "auto"

    def cells(self, family: str) -> int:
        """Count the look-up tables that it takes as distributed memory: six hold 16 words of 4 bits on ECP5.

        Elsewhere four hold 32 words of 6 bits or 64 of 3, two hold 64 words of one bit.
        """
        if family == "ecp5":
            return 6 * self.distributed(family)
        deep = -(-self.words // 64)
        return (
            self.distributed(family) if self.words <= 32 else deep * (4 * -(-self.width // 3) if self.width > 1 else 2)
        )

    def distributed(self, family: str) -> int:
        """Count what Yosys weighs against block memory: cells of 16 words of 4 bits on ECP5, elsewhere LUTs.

        Where one bit is left over, it is weighed as two LUTs of one bit, but gets four as the others.
        """
        if family == "ecp5":
            return -(-self.width // 4) * -(-self.words // 16)
        if self.words <= 32:
            return 4 * -(-self.width // 6)
        whole, rest = divmod(self.width, 3)
        return -(-self.words // 64) * (4 * whole + 2 * rest)

    def look_up_tables(self, family: str) -> int:
        """Count the look-up tables of many constants in them: 16 words of one bit each on ECP5.

        Elsewhere one could hold 64, but as Yosys maps them about 20 (a run with 200 and 100 words).
        """
        return self.width * -(-self.words // (16 if family == "ecp5" else 20)) if self.words > 1 else 0

    def blocks(self, family: str) -> int:
        """Count the block memories that it takes; 0 where it is distributed or logic."""
        if not self.written:
            whole, rest = divmod(self.words, self.bank)
            small = MOST_SMALL[self.rom]
            full = _stacked(self.width, self.bank) if self.bank > small else 0
            return whole * full + (_stacked(self.width, rest) if rest > small else 0)
        blocks = -(-self.words // 16384) * blocks_of(self.width, min(self.words, 16384))
        return blocks if self.distributed(family) > _MOST_A_BLOCK[family] * blocks else 0


def _stacked(width: int, words: int) -> int:
    """Count the blocks of constants: parts of the depth of a block stand beside each other in its width."""
    return min(-(-width * -(-words // depth) // bits) for depth, bits in SHAPES.items())


def memories_of(block: Block) -> Iterator[Memory]:
    """Give the memories of a block that may be block memory: rings, constants, tables, the totals of a whole image."""
    if isinstance(block, Mvu | Pool):
        for _ in range(block.window.pixels):
            yield Memory(block.inputs[0].bits, 1 << block.window.log_ring, written=True)
    match block:
        case Mvu():
            repeats = block.window.repeats
            yield Memory(block.weight_bits, repeats * block.window.taps, False, block.weight_bank, block.rom)
            bias = block.node.bias.codes << (block.node.type.fraction - block.node.bias.type.fraction)
            yield Memory(_varying(bias.reshape(-1, block.pout), block.node.type.width), repeats, False, 512, block.rom)
        case Pool() if block.division and block.has_rom:
            width = max(block.division.reciprocals).bit_length()
            yield Memory(width, len(block.division.reciprocals), False, 512, block.rom)
        case Rearrange():
            yield Memory(block.inputs[0].bits, 1 << block.log_ring, written=True)
        case GlobalPool() if block.words > 1:
            total = block.division.total.width if block.division else block.inputs[0].type.width
            yield Memory(block.inputs[0].lanes * total, block.words, written=True)
        case TableLookup():
            for _ in range(block.inputs[0].lanes):
                width = _varying(block.table.reshape(-1, 1), block.outputs[0].type.width)
                yield Memory(width, block.table.size, False, rom=block.rom)
        case Softmax():
            for table in (block.node.exponential, block.node.reciprocal):
                yield Memory(_varying(table.codes.reshape(-1, 1), 48), prod(table.codes.shape), False, rom=block.rom)


def _varying(lanes: Codes, width: int) -> int:
    """Count the bits of a word, (words, lanes), that are not the same in all words: Yosys drops the others."""
    changes = np.bitwise_or.reduce(lanes, axis=0) ^ np.bitwise_and.reduce(lanes, axis=0)
    return sum((int(lane) & ((1 << width) - 1)).bit_count() for lane in changes)


def block_memories(blocks: tuple[Block, ...], family: str) -> int:
    """Count the block memories of a design on a family."""
    return sum(memory.blocks(family) for block in blocks for memory in memories_of(block))
