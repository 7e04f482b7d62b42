"""The smallest rings that cost no cycle: this core's FIFO sizes, by the cycle model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from siliconv.errors import WorkSaysNoError
from siliconv.rtl.cycles.cycle_model import cycles
from siliconv.rtl.plan.blocks import Block, Mvu, Pool, RtlDesign
from siliconv.rtl.plan.rearranging import Rearrange

IMAGES = 4
WORDS = 2048
"""The interval is that of the second half of so many images, more where they are so small that a ring holds several."""

DEEPER = 2
"""Powers of two beyond the usual depth that are tried first."""


def with_sized_rings(design: RtlDesign) -> RtlDesign:
    """Give each ring the fewest words with which the design keeps the interval that deep rings have.

    Rings are powers of two. The one that holds most bits is reduced first. Branches start with a whole image, which
    is enough for every join.
    """
    rings = rings_of(design)
    deep = {name: depth if name.endswith("branch") else depth + DEEPER for name, depth in rings.items()}
    best = _interval(with_rings(design, deep))
    blocks = {block.name: block for block in design.blocks if isinstance(block, Mvu | Pool | Rearrange)}
    for name in sorted(rings, key=lambda one: -(blocks[one].inputs[0].bits << rings[one])):
        block = blocks[name]
        need = block.need if isinstance(block, Rearrange) else block.window.need
        least = max((need - 1).bit_length(), 2)
        low, high = least, deep[name]
        while low < high:
            middle = (low + high) // 2
            if _reaches(with_rings(design, {**deep, name: middle}), best):
                high = middle
            else:
                low = middle + 1
        deep[name] = high
    return with_rings(design, deep)


def _reaches(design: RtlDesign, interval: int) -> bool:
    try:
        return _interval(design) <= interval
    except WorkSaysNoError:
        return False


def _interval(design: RtlDesign) -> int:
    images = 2 * max(IMAGES // 2, WORDS // (2 * design.source.words))
    last = cycles(design, images).given[design.sink.words - 1 :: design.sink.words]
    return last[-1] - last[images // 2 - 1]


def rings_of(design: RtlDesign) -> dict[str, int]:
    """Give the depth of each ring as a power of two, by the block's name."""
    windows = {block.name: block.window.log_ring for block in design.blocks if isinstance(block, Mvu | Pool)}
    return windows | {block.name: block.log_ring for block in design.blocks if isinstance(block, Rearrange)}


def with_rings(design: RtlDesign, rings: Mapping[str, int]) -> RtlDesign:
    """Give the design with these depths."""
    return replace(design, blocks=tuple(_deep(block, rings) for block in design.blocks))


def _deep(block: Block, rings: Mapping[str, int]) -> Block:
    if isinstance(block, Mvu | Pool):
        return replace(block, window=replace(block.window, log_ring=rings[block.name]))
    return replace(block, log_ring=rings[block.name]) if isinstance(block, Rearrange) else block
