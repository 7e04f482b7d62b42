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

PARTS = ("sum", "register", "choice", "counter", "distributed", "fifo", "logic_memory", "block")


def parts_of(blocks: tuple[Block, ...], family: str) -> Parts:
    """Count the parts of a design.

    Returns
    -------
    sum
        Bits that are added.
    register
        Bits of registers in the data path.
    choice
        Bits that are chosen between, saturated or compared.
    counter
        Bits of counters and of the levels of rings and FIFOs.
    distributed
        Cells of distributed memory.
    fifo
        Cells of the memories of FIFOs, 16 words of 4 bits.
    logic_memory
        Bits of constants in look-up tables.
    block
        Blocks with a control of their own.
    """
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
        found["register"] += 2 * memory.width
    elif not memory.written:
        banks = -(-memory.words // memory.bank)
        found["register"] += memory.width * (1 if banks == 1 else banks + 1)
        found["sum"] += memory.width * (banks - 1) // 2
        found["counter"] += (memory.words - 1).bit_length() * (1 + banks)
        if not blocks and memory.words > 1:
            found["logic_memory"] += memory.width * memory.words
            found["register"] += memory.width


@singledispatch
def _parts(block: Block) -> Counter[str]:
    return Counter()


@_parts.register
def _(block: Mvu) -> Counter[str]:
    x, weight, levels = block.inputs[0].type.width, block.weight_type.width, (block.pin - 1).bit_length()
    width = x + weight + 1 + levels
    adders, registers = _tree(block.pin, width)
    lanes = block.inputs[0].lanes * x
    stages = 4 + levels + block.pack
    logic = _logic_product(2 * weight + x if block.pack else weight, x + 1)
    found = Counter({name: block.logic * bits for name, bits in logic.items()})
    found += Counter(
        sum=block.pout * (adders + block.node.type.width),
        register=2 * lanes + block.pout * (registers + block.node.type.width) + 4 * stages,
        choice=block.pout * block.node.type.width,
    )
    if block.pack:
        found["sum"] += adders + block.pout // 2 * width
        found["register"] += 2 * lanes + registers + block.pout * width
    found += _finish(block.finish, block.pout)
    if block.pixels > 1:
        found = Counter({name: block.pixels * bits for name, bits in found.items()})
        found += Counter(choice=(block.pixels - 1) * block.outputs[0].bits, counter=block.window.repeats.bit_length())
        found += Counter(register=(block.pixels - 1) * lanes, counter=(block.pixels - 1) * block.window.log_ring)
    return found + _window(block.window, lanes)


def _logic_product(one: int, other: int) -> Counter[str]:
    """Count the bits of a product.sv that is made of look-up tables."""
    rows, width = min(one, other), one + other
    pairs = (rows + 1) // 2
    return Counter(sum=rows // 2 * width + (pairs - 1) * width, choice=rows * max(one, other), register=pairs * width)


@_parts.register
def _(block: Pool) -> Counter[str]:
    lanes = block.inputs[0].lanes
    found = _window(block.window, block.inputs[0].bits) + _finish(block.finish, lanes)
    if block.window.taps == 1:
        return found + Counter(register=block.inputs[0].bits)
    if block.division is None:
        return found + Counter(register=block.inputs[0].bits, choice=block.inputs[0].bits, sum=block.inputs[0].bits)
    return found + _average(lanes, block.division.total.width, block.result.width)


@_parts.register
def _(block: GlobalPool) -> Counter[str]:
    lanes = block.inputs[0].lanes
    bits = block.inputs[0].bits
    found = _finish(block.finish, lanes) + Counter(register=bits, counter=4 + (block.pixels * block.words).bit_length())
    if block.division is None:
        return found + Counter(register=bits, choice=bits, sum=bits)
    return found + _average(lanes, block.division.total.width, block.result.width)


@_parts.register
def _(block: Convert) -> Counter[str]:
    return _finish(block.finish, block.inputs[0].lanes)


@_parts.register
def _(block: Add) -> Counter[str]:
    width = block.inputs[0].bits
    return Counter(sum=width, register=width) + _finish(block.finish, block.inputs[0].lanes)


@_parts.register
def _(block: Pairwise) -> Counter[str]:
    lanes, width = block.inputs[0].lanes, block.node.type.width
    found = _finish(block.finish, lanes)
    if block.node.operation == "multiply":
        return found
    return found + Counter(sum=lanes * width, register=lanes * width)


@_parts.register
def _(block: Rearrange) -> Counter[str]:
    counted = sum((axis.kept - 1).bit_length() + (axis.repeats - 1).bit_length() for axis in (*block.axes, block.outer))
    level = (3 * block.next_image + (1 << block.log_ring)).bit_length() + 1
    addresses = sum(axis.kept > 1 for axis in block.axes) + 3
    return Counter(register=block.inputs[0].bits, counter=counted + addresses * block.log_ring + 2 * level) + _finish(
        block.finish, block.inputs[0].lanes
    )


@_parts.register
def _(block: Concatenate) -> Counter[str]:
    return Counter(choice=block.outputs[0].bits * (len(block.inputs) - 1)) + _fifo(
        block.outputs[0].bits, block.log_depth
    )


@_parts.register
def _(block: Copy) -> Counter[str]:
    return Counter(counter=2 * len(block.outputs))


@_parts.register
def _(block: Narrower) -> Counter[str]:
    return Counter(choice=block.outputs[0].bits * (block.parts - 1), counter=(block.parts - 1).bit_length())


@_parts.register
def _(block: Wider) -> Counter[str]:
    return Counter(register=block.inputs[0].bits * (block.parts - 1), counter=(block.parts - 1).bit_length())


@_parts.register
def _(block: TableLookup) -> Counter[str]:
    return _fifo(block.outputs[0].bits, block.log_depth) + Counter(register=block.inputs[0].bits)


@_parts.register
def _(block: Softmax) -> Counter[str]:
    width = block.node.type.width
    return Counter(sum=6 * width, register=12 * width, choice=12 * width, counter=24) + _fifo(width, block.log_depth)


def _tree(count: int, width: int) -> tuple[int, int]:
    """Count the bits of the adders and of the registers of adder_tree.sv."""
    adders = registers = 0
    while count > 1:
        adders += count // 2 * width
        count = (count + 1) // 2
        registers += count * width
    return adders, registers


def _average(lanes: int, total: int, result: int) -> Counter[str]:
    return Counter(sum=lanes * (2 * total + result), register=lanes * (2 * total + result), choice=lanes * total)


def _window(window: Window, bits: int) -> Counter[str]:
    level = (3 * window.need + (1 << window.log_ring) + window.image).bit_length() + 1
    positions = (*window.padded, window.words, *window.kernel, *window.out, window.repeats)
    counted = sum((number - 1).bit_length() for number in positions)
    return Counter(register=bits, counter=counted + 2 * window.log_ring + 2 * level)


def _finish(finish: Finish, lanes: int) -> Counter[str]:
    found = _fifo(lanes * finish.to.width, finish.log_depth)
    if finish.requantize:
        whole = max(finish.source.width - max(finish.drop, 0), finish.to.width) + 1
        found += Counter(sum=lanes * whole, register=lanes * (whole + finish.to.width), choice=lanes * finish.to.width)
    return found


def _fifo(bits: int, log_depth: int) -> Counter[str]:
    return Counter(counter=4 * log_depth + 5, fifo=-(-bits // 4) * max(1, (1 << log_depth) // 16))
