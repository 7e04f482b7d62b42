"""Which memories become block memory: at the sizes at which Yosys changes its mind."""

import numpy as np
import pytest
from small_network import small_network

from siliconv.rtl.plan.lanes import Lanes
from siliconv.rtl.plan.planning import plan
from siliconv.rtl.resources.memory_choice import Memory, block_memories, memories_of
from siliconv.rtl.resources.predicted_cells import predicted
from siliconv.rtl.synthesis.open_tools import has_tool
from siliconv.rtl.synthesis.yosys import memory_look_up_tables, synthesize
from siliconv.rtl.writing.rtl_project import write_project


@pytest.mark.parametrize(
    ("width", "words", "blocks"),
    [(8, 128, 0), (8, 256, 1), (9, 64, 0), (9, 128, 1), (18, 64, 0), (24, 64, 1), (192, 32, 0), (192, 64, 6)],
)
def test_a_ring_on_ecp5(width, words, blocks):
    """The sizes are those of runs of Yosys."""
    assert Memory(width, words, written=True).blocks("ecp5") == blocks


@pytest.mark.parametrize(
    ("width", "words", "blocks"),
    [(1, 1024, 0), (1, 2048, 1), (4, 512, 0), (6, 512, 1), (9, 256, 0), (18, 128, 0), (24, 128, 1), (192, 64, 0)],
)
def test_a_ring_on_7_series(width, words, blocks):
    """The sizes are those of runs of Yosys."""
    assert Memory(width, words, written=True).blocks("xc7") == blocks


def test_constants_of_few_words_are_logic():
    assert Memory(384, 32, written=False).blocks("ecp5") == 0
    assert Memory(384, 33, written=False).blocks("ecp5") == 11
    assert Memory(384, 4608, written=False, bank=2048).blocks("xc7") == 97


@pytest.mark.parametrize(("words", "blocks"), [(2304, 1), (2688, 1), (3456, 2), (4032, 2)])
def test_narrow_constants_share_the_width_of_a_block(words, blocks):
    """The sizes are those of runs of Yosys, words of 6 bits."""
    assert Memory(6, words, written=False).blocks("ecp5") == blocks


def test_bits_that_never_change_take_nothing():
    design = plan(small_network(2400), {"dense": Lanes(1, 8)})
    (mvu,) = design.blocks
    *_, bias = memories_of(mvu)
    assert 0 < bias.width <= mvu.pout * mvu.node.type.width
    mvu.node.bias.codes[...] = 0
    *_, none = memories_of(mvu)
    assert none.width == 0
    assert none.blocks("ecp5") == 0


@pytest.mark.slow
@pytest.mark.skipif(not has_tool("yosys"), reason="no Yosys: pip install 'siliconv[rtl]'")
@pytest.mark.parametrize(
    ("family", "kind"),
    [("ecp5", "auto"), ("xc7", "auto"), ("ecp5", "block"), ("ecp5", "distributed"), ("xc7", "distributed")],
)
def test_multipliers_and_block_memories_are_those_of_yosys(family, kind, tmp_path):
    design = plan(small_network(600), {"dense": Lanes(2, 6)}, multiplier_bits=25, roms={"dense": kind})
    write_project([design], tmp_path)
    found, cells = predicted(design, family), synthesize(tmp_path, design, family)
    assert (found.dsp, found.block_memory) == (cells.dsp, cells.block_memory)
    assert cells.block_memory == block_memories(design.blocks, family)
    assert (cells.block_memory > 0) == (kind != "distributed")
    assert found.lut_memory == memory_look_up_tables(cells.cells)
    assert np.isclose(found.ff, cells.ff, rtol=0.02)
    assert np.isclose(found.lut, cells.lut + cells.lut_memory, rtol=0.15)
