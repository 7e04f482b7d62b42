"""Block memories: the geometries that published reports state."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siliconv.hls.design.design import Design, FixedType, MatrixLayer, Tensor
from siliconv.hls.estimate import memory
from siliconv.hls.estimate.logic_memory import logic_blocks
from siliconv.hls.kinds import Backend, IoType, LayerKind, Strategy


@pytest.mark.parametrize(
    ("depth", "bits", "blocks"),
    [
        (676, 80, 5),
        (576, 132, 8),
        (64, 400, 23),
        (25, 32, 0),
        (1, 256, 0),
        (3844, 16, 4),
        (3844, 6, 2),
        (900, 6, 1),
        (36, 16, 1),
        (1156, 32, 4),
        (16384, 32, 32),
        (16900, 32, 64),
        (2, 1400, 78),
    ],
)
def test_fifos_of_published_reports(depth, bits, blocks):
    assert memory.fifo_blocks(depth, bits) == blocks


def test_vitis_keeps_two_words_of_any_width_out_of_block_memory():
    assert memory.fifo_blocks(2, 4000, Backend.VITIS) == 0
    assert memory.fifo_blocks(3, 4000, Backend.VITIS) > 0
    assert memory.fifo_blocks(32, 32, Backend.VITIS) == 0


@pytest.mark.parametrize(
    ("words", "bits", "blocks"),
    [(784, 78, 5), (196, 96, 3), (25, 384, 11), (144, 8192, 228), (108, 6, 0), (1024, 18, 1)],
)
def test_weight_memories_of_published_reports(words, bits, blocks):
    assert memory.rom_blocks(words, bits) == blocks


@given(st.integers(1, 70000), st.integers(1, 200), st.integers(1, 70000), st.integers(1, 200))
def test_a_larger_fifo_never_takes_fewer_blocks(depth, bits, more_depth, more_bits):
    small = memory.fifo_blocks(depth, bits)
    assert memory.fifo_blocks(depth, bits + more_bits) >= small
    assert memory.fifo_blocks(depth + more_depth, bits) >= small


@given(st.integers(1, 70000), st.integers(1, 200))
def test_blocks_hold_all_bits(depth, bits):
    blocks = memory.fifo_blocks(depth, bits)
    assert blocks == 0 or blocks * 18 * 1024 >= depth * bits


@pytest.mark.parametrize(
    ("n_in", "n_out", "reuse_factor", "blocks"),
    [
        # What logic synthesis left of wa-hls4ml's layers of wide weights, which are in LUTs: the index tables alone.
        (40, 88, 3520, 2),
        (88, 112, 4928, 3),
        (56, 96, 5376, 4),
        (56, 56, 3136, 2),
        (40, 88, 1760, 1),
        (88, 112, 2464, 2),
        (104, 24, 2496, 2),
        (56, 56, 784, 1),
        (56, 56, 56, 0),
    ],
)
def test_index_tables(n_in, n_out, reuse_factor, blocks):
    def layer(width):
        kind = FixedType(width, 1)
        return MatrixLayer(
            "dense",
            Tensor((n_in,), FixedType(16, 6)),
            Tensor((n_out,), FixedType(16, 6)),
            kind=LayerKind.DENSE,
            weight=kind,
            bias=kind,
            accumulator=FixedType(16, 6),
            reuse_factor=reuse_factor,
            strategy=Strategy.RESOURCE,
        )

    assert memory.index_blocks(layer(12)) == blocks
    designs = [
        Design("one", (layer(width),), "xcvu13p-flga2577-2-e", 5.0, Backend.VITIS, IoType.PARALLEL) for width in (12, 6)
    ]
    if reuse_factor > 1:
        assert logic_blocks(designs[0]) == blocks
        # Narrow weights in memories that are not deep take some blocks of their own.
        assert (logic_blocks(designs[1]) > blocks) == (reuse_factor <= 1300)
