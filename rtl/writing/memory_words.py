"""What stands in the memories of a block, word by word in the order of use, and as hexadecimal text."""

from __future__ import annotations

from functools import singledispatch

import numpy as np

from siliconv.network import graph as ir
from siliconv.network.fixed_point import Codes
from siliconv.rtl.plan.blocks import Block, Mvu, Pool, Softmax, TableLookup

BANK_WORDS = 512
"""Words of a bank in rom.sv where the block does not say more: what a block memory holds at its widest."""


@singledispatch
def memories(block: Block) -> dict[str, list[str]]:
    """Give the hexadecimal words of each memory file of a block, by the file's name."""
    return {}


@memories.register
def _(block: Mvu) -> dict[str, list[str]]:
    node = block.node
    bias = node.bias.codes << (node.type.fraction - node.bias.type.fraction)
    return {
        **banks(f"{block.name}_weights.hex", words(weight_lanes(block), block.weight_type.width), block.weight_bank),
        **banks(f"{block.name}_bias.hex", words(bias.reshape(-1, block.pout), node.type.width)),
    }


@memories.register
def _(block: Pool) -> dict[str, list[str]]:
    if block.division is None or not block.has_rom:
        return {}
    digits = -(-reciprocal_width(block.division.reciprocals) // 4)
    return banks(f"{block.name}_reciprocals.hex", [f"{value:0{digits}x}" for value in block.division.reciprocals])


@memories.register
def _(block: TableLookup) -> dict[str, list[str]]:
    return {f"{block.name}_table.hex": words(block.table.reshape(-1, 1), block.outputs[0].type.width)}


@memories.register
def _(block: Softmax) -> dict[str, list[str]]:
    tables = {"exponentials": block.node.exponential, "reciprocals": block.node.reciprocal}
    return {
        f"{block.name}_{name}.hex": words(table.codes.reshape(-1, 1), width_of(table.codes))
        for name, table in tables.items()
    }


def weight_lanes(block: Mvu) -> Codes:
    """Order weights as mvu.sv uses them.

    Returns
    -------
    (words, result lanes * input lanes): words in the order of repeat, kernel row and column, word of the pixel.
    """
    kernel = block.node.kernel.codes
    repeats, pin, pout = block.window.repeats, block.pin, block.pout
    if isinstance(block.node, ir.DepthwiseConv):
        return kernel.reshape(-1, repeats, pout).transpose(1, 0, 2).reshape(-1, pout)
    return kernel.reshape(-1, pin, repeats, pout).transpose(2, 0, 3, 1).reshape(-1, pout * pin)


def words(lanes: Codes, width: int) -> list[str]:
    """Give rows of codes as hexadecimal words, the first lane in the low bits."""
    bits = (lanes[:, :, None] >> np.arange(width)) & 1
    rows = bits.reshape(len(lanes), -1).astype(np.uint8)
    packed = np.packbits(rows, axis=1, bitorder="little")[:, ::-1]
    digits = -(-rows.shape[1] // 4)
    return [row.tobytes().hex()[-digits:] for row in packed]


def banks(name: str, lines: list[str], bank: int = BANK_WORDS) -> dict[str, list[str]]:
    """Give the files of a rom.sv: one, or one a bank."""
    if len(lines) <= bank:
        return {name: lines}
    starts = range(0, len(lines), bank)
    return {f"{name}.{number:02d}": lines[start : start + bank] for number, start in enumerate(starts)}


def width_of(codes: Codes) -> int:
    """Give the bits of codes that are not negative."""
    return max(int(codes.max()).bit_length(), 1)


def reciprocal_width(values: tuple[int, ...]) -> int:
    """Give the bits of the largest reciprocal."""
    return max(max(values).bit_length(), 1)
