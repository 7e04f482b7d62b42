"""How many block memories hold what, and into which banks constants are cut."""

import pytest

from siliconv.rtl.plan.block_memories import bank_words, blocks_of, rom_blocks


@pytest.mark.parametrize(
    ("width", "words", "blocks"),
    [(36, 512, 1), (37, 512, 2), (36, 513, 2), (9, 2048, 1), (384, 2048, 43), (1, 16384, 1)],
)
def test_a_block_is_as_deep_as_its_words_are_narrow(width, words, blocks):
    assert blocks_of(width, words) == blocks


@pytest.mark.parametrize(
    ("width", "words", "bank", "blocks"),
    [(384, 4608, 2048, 97), (384, 1152, 1024, 33), (384, 288, 512, 11), (36, 1024, 1024, 2), (8, 1200, 2048, 1)],
)
def test_banks_take_the_fewest_blocks_and_then_are_the_fewest(width, words, bank, blocks):
    assert bank_words(width, words) == bank
    assert rom_blocks(width, words, bank) == blocks
    assert all(rom_blocks(width, words, other) >= blocks for other in (512, 1024, 2048, 4096, 8192, 16384))
