"""Block memories that are left after logic synthesis, where Vivado decides anew what is worth a block."""

from __future__ import annotations

from math import ceil

from siliconv.hls.design.design import Design, MatrixLayer
from siliconv.hls.estimate.memory import (
    fifo_geometry,
    index_blocks,
    input_buffer_blocks,
    layer_fifo_blocks,
    memory_blocks,
    rom_blocks,
    weight_blocks,
)
from siliconv.hls.estimate.multipliers import is_unrolled
from siliconv.hls.kinds import Backend, IoType

# A FIFO of at most so many bits becomes LUTs (Vivado 2019.2: 64 x 16 bits do, 100 x 16 bits do not).
_LEAST_FIFO_BITS = 1024
# Of wider types trained weights use about so many bits; the constant ones are not stored.
_USED_WEIGHT_BITS = 10
# Io_parallel weights (wa-hls4ml, Vitis HLS 2023.2): wider ones go to LUTs, and so do nearly all memories of more
# words (none was published between 1248 and 1440); of the others, this share of the multipliers has a block of its
# own. Which of them, no rule was found for: the contents decide.
_LANE_BITS, _LANE_WORDS, _LANE_SHARE = 8, 1300, 0.4


def logic_blocks(design: Design) -> int:
    """Return the 18-Kb blocks that logic synthesis reports for a design."""
    looped = [one for one in design.layers if isinstance(one, MatrixLayer) and not is_unrolled(one)]
    if looped and design.io_type is IoType.PARALLEL and design.backend is Backend.VITIS:
        return round(sum(_lane_blocks(layer) for layer in looped))
    total = input_buffer_blocks(design)
    for number, layer in enumerate(design.layers):
        if isinstance(layer, MatrixLayer):
            total += weight_blocks(layer, min(layer.weight.width, _USED_WEIGHT_BITS))
        else:
            total += memory_blocks(layer, design)
        if design.io_type is IoType.STREAM and number < len(design.layers) - 1:
            depth, bits, _count = fifo_geometry(layer, design)
            if depth * bits > _LEAST_FIFO_BITS:
                total += layer_fifo_blocks(layer, design)
    return total


def _lane_blocks(layer: MatrixLayer) -> float:
    """Return the blocks of one layer's index table, which are always blocks, and the expected ones of its weights."""
    tables = float(index_blocks(layer))
    if layer.weight_memory != "auto":
        return float(weight_blocks(layer, layer.weight.width))
    if layer.weight.width > _LANE_BITS or layer.reuse_factor > _LANE_WORDS:
        return tables
    lanes = ceil(layer.products / layer.reuse_factor)
    return tables + _LANE_SHARE * lanes * max(rom_blocks(layer.reuse_factor, layer.weight.width), 1)
