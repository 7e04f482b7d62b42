"""How many multipliers a design takes, by the rules with which Yosys maps products."""

from __future__ import annotations

from siliconv.rtl.plan.blocks import Block, GlobalPool, Mvu, Pairwise, Pool, Softmax

LEAST_PRODUCT_BITS = {"ecp5": 0, "xc7": 9, "xcup": 9}
"""A product of fewer bits stays in look-up tables; on ECP5 multiply.sv names the multiplier itself."""

_SIDES = {"ecp5": (18, 18), "xc7": (25, 18), "xcup": (27, 18)}


def multipliers(blocks: tuple[Block, ...], family: str) -> int:
    """Count the multipliers of a design on a family."""
    return sum(_of(block, family) for block in blocks)


def _of(block: Block, family: str) -> int:
    match block:
        case Mvu():
            weight, source = block.weight_type.width, block.inputs[0].type.width
            one = 2 * weight + source if block.pack else weight
            return block.pixels * (block.multipliers - block.logic) * multipliers_of_product(one, source + 1, family)
        case Pool() | GlobalPool() if block.division:
            reciprocals = block.division.reciprocals
            if len(reciprocals) == 1 and reciprocals[0].bit_count() == 1:
                return 0
            width = max(reciprocals).bit_length()
            return block.inputs[0].lanes * _positive(block.division.total.width, width, family)
        case Pairwise() if block.node.operation == "multiply":
            widths = [stream.type.width + 1 for stream in block.inputs]
            return block.inputs[0].lanes * multipliers_of_product(widths[0], widths[1], family)
        case Softmax():
            node = block.node
            one, other = (int(table.codes.max()).bit_length() for table in (node.exponential, node.reciprocal))
            return _positive(one, other, family)
        case _:
            return 0


def _positive(one: int, other: int, family: str) -> int:
    """Count the multipliers of a product of numbers that are not negative: outside of ECP5 all are signed."""
    sign = 0 if family == "ecp5" else 1
    return multipliers_of_product(one + sign, other + sign, family)


def multipliers_of_product(one: int, other: int, family: str) -> int:
    """Count the multipliers of a product of so many bits."""
    if (min(one, other) < 2 and family != "ecp5") or one + other < LEAST_PRODUCT_BITS[family]:
        return 0
    wide, narrow = _SIDES[family]
    return _parts_of(max(one, other), wide, family) * _parts_of(min(one, other), narrow, family)


def _parts_of(bits: int, side: int, family: str) -> int:
    """Count the multipliers that a factor is cut into: the rest of one bit becomes logic.

    Outside of ECP5 all factors are signed: only the last part has the side's full width.
    """
    if bits <= side:
        return 1
    if family == "ecp5":
        return bits // side + (bits % side > 1)
    return -(-(bits - 1) // (side - 1))
