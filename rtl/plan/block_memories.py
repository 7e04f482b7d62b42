"""Block memories of an FPGA: how many hold some words of some bits, and into which banks long contents are cut."""

from __future__ import annotations

from typing import Literal

SHAPES = {512: 36, 1024: 18, 2048: 9, 4096: 4, 8192: 2, 16384: 1}
"""Bits of a word by the words of one block: DP16KD of ECP5, 18-Kb blocks of 7 series and UltraScale+."""

SMALL_WORDS = 32
"""A bank of so few words stands in look-up tables (rom_bank.sv), where a layer has no kind of ROM of its own."""

RomKind = Literal["auto", "block", "distributed"]
"""Where the constants of a layer stand: in block memory above `SMALL_WORDS`, always, or never."""

MOST_SMALL = {"auto": SMALL_WORDS, "block": 1, "distributed": 2**31 - 1}
"""The words up to which a bank of a kind stands in look-up tables; one word is no memory."""

_MOST_BANKS = 64


def blocks_of(width: int, words: int) -> int:
    """Count the blocks of a memory whose words all stand in one row of blocks, at most 16,384."""
    return min(-(-width // bits) for depth, bits in SHAPES.items() if depth >= words)


def bank_words(width: int, words: int) -> int:
    """Give the words of a bank with which constants take the fewest blocks, and then the fewest banks."""
    return min(SHAPES, key=lambda bank: (rom_blocks(width, words, bank), -(-words // bank), bank))


def distributed_bank(words: int) -> int:
    """Give the words of a bank in look-up tables: few, since a choice of one of many words is slow."""
    return next((bank for bank in SHAPES if words <= _MOST_BANKS * bank), max(SHAPES))


def rom_blocks(width: int, words: int, bank: int) -> int:
    """Count the blocks of constants in banks of so many words; a last bank of few words counts as if it were large."""
    whole, rest = divmod(words, bank)
    return whole * blocks_of(width, bank) + (blocks_of(width, rest) if rest else 0)
