"""The parts of a design that look-up tables and flip-flops are made of, in bits: sums, registers, choices, counters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import singledispatch

from siliconv.rtl.plan.blocks import (
    Add,
    Block,
    Concatenate,
    Convert,
    Copy,
    Division,
    Finish,
    GlobalPool,
    Mvu,
    Narrower,
    Pairwise,
    Pool,
    Softmax,
    TableLookup,
    Wider,
    Window,
)
from siliconv.rtl.plan.rearranging import Rearrange
from siliconv.rtl.resources.memory_choice import Memory, memories_of

Parts = Mapping[str, float]
"""Bits by kind of part; `PARTS` lists the kinds."""

PARTS = {
    "tree": "bits that are added in the trees of products",
    "tree_register": "bits of registers between their levels",
    "total": "bits of accumulators",
    "operand": "bits of activations on their way to the products",
    "packed": "bits of sums of packed products that are set right",
    "logic_sum": "bits that are added in products without a multiplier",
    "round": "bits that are rounded",
    "saturate": "bits of results that saturate",
    "pool": "bits that are compared",
    "average": "bits of sums and of their signs, in averages",
    "average_register": "bits of registers in averages",
    "counter": "bits of counters and flags",
    "level": "bits of the levels of rings",
    "fifo": "bits of the words of FIFOs",
    "fifo_control": "FIFOs and the bits of their addresses",
    "rom_register": "bits of registers behind constants",
    "logic_memory": "bits of constants in look-up tables",
    "distributed": "cells of distributed memory",
    "move": "bits that are chosen between or kept where streams change, part or join",
    "block": "blocks with a control of their own",
}


def parts_of(blocks: tuple[Block, ...], family: str) -> Parts:
    """Count the parts of a design: bits, or numbers, of each kind of `PARTS`."""
    found: Counter[str] = Counter()
    for block in blocks:
        found.update(_parts(block))
        found["block"] += 1
        for memory in memories_of(block):
            _add_memory(found, memory, family)
    return {name: float(found[name]) for name in PARTS}


def _add_memory(found: Counter[str], memory: Memory, family: str) -> None:
    blocks = memory.blocks(family)
    if memory.written and not blocks:
        found["distributed"] += memory.distributed(family)
        found["rom_register"] += 2 * memory.width
    elif memory.written:
        found["rom_register"] += 0 if family == "ecp5" else memory.width
    elif memory.words > 1:
        banks = -(-memory.words // memory.bank)
        found["rom_register"] += memory.width * (1 if banks == 1 else banks + 1)
        found["move"] += memory.width * (banks - 1)
        found["counter"] += ((memory.words - 1).bit_length() + 1) * banks
        if not blocks:
            found["logic_memory"] += memory.width * memory.words
            found["rom_register"] += 2 * memory.width
        elif family != "ecp5" and banks == 1:
            found["rom_register"] += memory.width


@singledispatch
def _parts(block: Block) -> Counter[str]:
    return Counter()


@_parts.register
def _(block: Mvu) -> Counter[str]:
    x, weight, levels = block.inputs[0].type.width, block.weight_type.width, (block.pin - 1).bit_length()
    adders, registers = _tree(block.pin, x + weight)
    lanes = block.inputs[0].lanes * x
    stages = 4 + levels + block.pack
    logic = _logic_product(2 * weight + x if block.pack else weight, x + 1)
    found = Counter({name: block.logic * bits for name, bits in logic.items()})
    found += Counter(
        tree=block.pout * adders,
        tree_register=block.pout * registers,
        total=block.pout * block.node.type.width,
        operand=2 * lanes,
        counter=3 * stages,
    )
    if block.pack:
        found += Counter(
            tree=adders, tree_register=registers, operand=2 * lanes, packed=block.pout * (x + weight + levels + 1)
        )
    found += _finish(block.finish, block.pout)
    if block.pixels > 1:
        found = Counter({name: block.pixels * bits for name, bits in found.items()})
        found += Counter(move=(block.pixels - 1) * block.outputs[0].bits, counter=block.window.repeats.bit_length())
        found += Counter(counter=(block.pixels - 1) * block.window.log_ring)
    return found + _window(block.window, lanes)


def _logic_product(one: int, other: int) -> Counter[str]:
    """Count the bits of a product.sv that is made of look-up tables."""
    rows, width = min(one, other), one + other
    pairs = (rows + 1) // 2
    return Counter(logic_sum=rows // 2 * width + (pairs - 1) * width)


@_parts.register
def _(block: Pool) -> Counter[str]:
    lanes = block.inputs[0].lanes
    found = _window(block.window, block.inputs[0].bits) + _finish(block.finish, lanes)
    if block.window.taps == 1:
        return found + Counter(operand=block.inputs[0].bits)
    if block.division is None:
        return found + Counter(pool=block.inputs[0].bits)
    return found + _average(lanes, block.division, block.result.width)


@_parts.register
def _(block: GlobalPool) -> Counter[str]:
    lanes = block.inputs[0].lanes
    bits = block.inputs[0].bits
    found = _finish(block.finish, lanes) + Counter(operand=bits, counter=4 + (block.pixels * block.words).bit_length())
    if block.division is None:
        return found + Counter(pool=bits)
    return found + _average(lanes, block.division, block.result.width)


@_parts.register
def _(block: Convert) -> Counter[str]:
    return _finish(block.finish, block.inputs[0].lanes)


@_parts.register
def _(block: Add) -> Counter[str]:
    width = block.inputs[0].bits
    return Counter(total=width) + _finish(block.finish, block.inputs[0].lanes)


@_parts.register
def _(block: Pairwise) -> Counter[str]:
    lanes, width = block.inputs[0].lanes, block.node.type.width
    found = _finish(block.finish, lanes)
    if block.node.operation == "multiply":
        return found
    return found + Counter(total=lanes * width)


@_parts.register
def _(block: Rearrange) -> Counter[str]:
    counted = sum((axis.kept - 1).bit_length() + (axis.repeats - 1).bit_length() for axis in (*block.axes, block.outer))
    level = (3 * block.next_image + (1 << block.log_ring)).bit_length() + 1
    addresses = sum(axis.kept > 1 for axis in block.axes) + 3
    found = Counter(operand=block.inputs[0].bits, counter=counted + addresses * block.log_ring, level=2 * level)
    return found + _finish(block.finish, block.inputs[0].lanes)


@_parts.register
def _(block: Concatenate) -> Counter[str]:
    return Counter(move=block.outputs[0].bits * (len(block.inputs) - 1)) + _fifo(block.outputs[0].bits, block.log_depth)


@_parts.register
def _(block: Copy) -> Counter[str]:
    return Counter(counter=2 * len(block.outputs))


@_parts.register
def _(block: Narrower) -> Counter[str]:
    return Counter(move=block.outputs[0].bits * (block.parts - 1), counter=(block.parts - 1).bit_length())


@_parts.register
def _(block: Wider) -> Counter[str]:
    return Counter(move=block.inputs[0].bits * (block.parts - 1), counter=(block.parts - 1).bit_length())


@_parts.register
def _(block: TableLookup) -> Counter[str]:
    return _fifo(block.outputs[0].bits, block.log_depth) + Counter(operand=block.inputs[0].bits)


@_parts.register
def _(block: Softmax) -> Counter[str]:
    width = block.node.type.width
    return Counter(pool=12 * width, counter=24) + _fifo(width, block.log_depth)


def _tree(count: int, width: int) -> tuple[int, int]:
    """Count the bits of the adders and of the registers of adder_tree.sv, which get wider level by level."""
    adders = registers = 0
    while count > 1:
        width += 1
        adders += count // 2 * width
        count = (count + 1) // 2
        registers += count * width
    return adders, registers


def _average(lanes: int, division: Division, result: int) -> Counter[str]:
    total, signed = division.total.width - division.shift, int(division.total.signed)
    product = total + max(division.reciprocals).bit_length()
    return Counter(
        average=lanes * (total + signed * (total + result)), average_register=lanes * (2 * total + product + result)
    )


def _window(window: Window, bits: int) -> Counter[str]:
    level = (3 * window.need + (1 << window.log_ring) + window.image).bit_length() + 1
    positions = (*window.padded, window.words, *window.kernel, *window.out, window.repeats)
    counted = sum((number - 1).bit_length() + (number > 1) for number in positions)
    return Counter(operand=bits, counter=counted + 2 * window.log_ring + 8, level=2 * level)


def _finish(finish: Finish, lanes: int) -> Counter[str]:
    found = _fifo(lanes * finish.to.width, finish.log_depth)
    if finish.requantize:
        whole = max(finish.source.width - max(finish.drop, 0), finish.to.width) + 1
        found += Counter(round=lanes * whole, saturate=lanes * finish.to.width)
    return found


def _fifo(bits: int, log_depth: int) -> Counter[str]:
    return Counter(fifo_control=4 * log_depth + 5, fifo=bits * max(1, (1 << log_depth) // 16))
