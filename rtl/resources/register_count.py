"""The flip-flops and shift registers of a design, counted: all of the modules, less what Yosys moves or merges.

On 7 series and UltraScale+ a chain of three registers or more that only passes bits on becomes one shift register in a
look-up table, and registers around a multiplier go into it; on ECP5 the block memories' own output registers are used.
Counters that lead nowhere and flags that are equal are one, or gone.
"""

from __future__ import annotations

from collections import Counter
from functools import singledispatch

from siliconv.network.fixed_point import Overflow, Rounding
from siliconv.rtl.plan.block_memories import SMALL_WORDS
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
from siliconv.rtl.resources.constant_bits import distinct_columns, is_held
from siliconv.rtl.resources.memory_choice import Memory, memories_of
from siliconv.rtl.resources.multiplier_count import multipliers_of_product
from siliconv.rtl.writing.memory_words import weight_lanes

Registers = Counter[str]
"""``ff``: flip-flops; ``srl``: bits that shift registers in look-up tables delay."""

_TAKE_WORDS = (Mvu, Pool, GlobalPool, Rearrange, Copy)
"""Blocks that keep a word in a register as it comes."""

_CHAIN = 3
"""Registers from which on a chain becomes a shift register."""


def registers_of(blocks: tuple[Block, ...], family: str) -> Registers:
    """Count the flip-flops and shift registers of a design."""
    readers = {stream.name: block for block in blocks for stream in block.inputs}
    found: Registers = Counter()
    for block in blocks:
        found += _registers(block, family)
        depth = log_depth_of(block)
        if depth is not None and not isinstance(readers.get(block.outputs[0].name), _TAKE_WORDS):
            # Yosys moves the register behind a memory into it, or where there is none, a copy of its address.
            found += Counter(ff=depth)
    return found


def log_depth_of(block: Block) -> int | None:
    """Give the depth of the FIFO at a block's end, where it has one."""
    finish = getattr(block, "finish", None)
    depth: int | None = finish.log_depth if isinstance(finish, Finish) else getattr(block, "log_depth", None)
    return depth


def chain(bits: int, length: int, family: str) -> Registers:
    """Count what becomes of so many registers behind each other that only pass bits on."""
    if family != "ecp5" and length >= _CHAIN:
        return Counter(srl=bits)
    return Counter(ff=bits * length)


@singledispatch
def _registers(block: Block, family: str) -> Registers:
    return Counter()


@_registers.register
def _(block: Mvu, family: str) -> Registers:
    pixels, bits = block.pixels, block.inputs[0].bits
    x, weight, levels = block.inputs[0].type.width, block.weight_type.width, (block.pin - 1).bit_length()
    stages = 4 + levels + block.pack
    found = _window(block.window, bits, family, block) + _weights(block, family) + _bias(block, family)
    found += Counter(ff=stages + 1 + (stages - 2 if block.window.repeats > 1 else 0))
    found += chain(2, stages + 2, family)
    products = block.pin * block.pout
    if not has_multiplier(block, family):
        found += Counter(ff=pixels * (products // (1 + block.pack)) * (x + 1 + weight * (1 + block.pack)))
    elif block.logic:
        found += Counter(ff=pixels * block.logic * logic_product_registers(block))
    if block.pack:
        low = x + weight
        pairs = tree_bits(block.pin, low)[1] + tree_bits(block.pin, low + 1)[1]
        found += Counter(ff=pixels * (block.pout // 2 * pairs + tree_bits(block.pin, x)[1]))
        found += Counter(ff=pixels * block.pout * (low + 1 + levels))
    else:
        found += Counter(ff=pixels * block.pout * plain_tree_bits(block, family)[1])
    if not sums_in_multiplier(block, family):
        found += Counter(ff=pixels * block.pout * block.node.type.width)
    found += _finish(block.finish, block.pout, family, pixels)
    if pixels > 1:
        found += Counter(ff=pixels + counter(block.window.repeats) - (block.window.repeats > 2))
    return found


def has_multiplier(block: Mvu, family: str) -> bool:
    """Whether the products of a block are large enough for multipliers."""
    x, weight = block.inputs[0].type.width, block.weight_type.width
    return multipliers_of_product(2 * weight + x if block.pack else weight, x + 1, family) > 0


def sums_in_multiplier(block: Mvu, family: str) -> bool:
    """Whether the multiplier that makes all products of a result adds them up too."""
    alone = block.pin == 1 and not block.pack and not block.logic and has_multiplier(block, family)
    return alone and family != "ecp5" and block.node.type.width <= 48


def plain_tree_bits(block: Mvu, family: str) -> tuple[int, int]:
    """Count the adders and registers of the tree of a plain result: multipliers of Xilinx make the first level."""
    width, inside = block.inputs[0].type.width + block.weight_type.width + 1, has_multiplier(block, family)
    if block.pin > 1 and inside and family != "ecp5" and not block.logic:
        return tree_bits((block.pin + 1) // 2, width + 1)
    return tree_bits(block.pin, width)


def logic_product_registers(block: Mvu) -> int:
    """Count the registers of a product of look-up tables: its pairs of rows, and the product.

    Between the two weights of a packed product there are zeros, of which a pair of rows reaches two.
    """
    x, weight = block.inputs[0].type.width, block.weight_type.width
    one, other = 2 * weight + x if block.pack else weight, x + 1
    row = max(one, other) + 2 - (max(x - 2, 0) if block.pack else 0)
    return row * ((min(one, other) + 1) // 2) + one + other


def tree_bits(count: int, width: int) -> tuple[int, int]:
    """Count the bits of the adders and of the registers of adder_tree.sv, which get wider level by level."""
    widths = [width] * count
    adders = registers = 0
    while len(widths) > 1:
        sums = [max(pair) + 1 for pair in zip(widths[::2], widths[1::2], strict=False)]
        adders += sum(sums)
        widths = sums + ([widths[-1]] if len(widths) % 2 else [])
        registers += sum(widths)
    return adders, registers


def counter(count: int) -> int:
    """Count the flip-flops of a counter of window.sv with its flag: of two values they are equal."""
    return 2 if count == 1 else 1 if count == 2 else (count - 1).bit_length() + 1


def released_kinds(window: Window) -> int:
    """Count the different steps with which a window gives its words back."""
    return len(set(window.steps))


def _window(window: Window, bits: int, family: str, reader: Block) -> Registers:
    pixels, log_ring = window.pixels, window.log_ring
    ring = Memory(bits, 1 << log_ring, written=True)
    found = Counter(ff=bits + (1 + pixels) * log_ring + 2 * level_bits(window) + 4 + released_kinds(window))
    found += Counter(ff=sum(counter(count) for count in window_counters(window)) + sum(_borders(window)))
    after = 1 if ring.blocks(family) else 2
    if isinstance(reader, Mvu):
        found += _operands(reader, after, family)
    else:
        found += Counter(ff=4) + Counter(ff=bits * (0 if after == 1 and family == "ecp5" else after))
    return found


def level_bits(window: Window) -> int:
    """Give the bits of the two levels of window.sv."""
    return (sum(window.steps) + window.need + (1 << window.log_ring)).bit_length() + 1


def window_counters(window: Window) -> list[int]:
    """List what the counters of window.sv count to that lead to anything: none over an image without padding."""
    rows, columns = _borders(window)
    run = window.kernel[1] * (1 if window.lanewise else window.words)
    counted = [run, window.kernel[0], window.repeats]
    if rows or columns:
        counted += [window.words, window.padded[1]]
    if rows:
        counted.append(window.padded[0])
    pixel, row, image = window.steps
    if len({pixel, row, image}) > 1:
        counted.append(window.out[1] // window.pixels)
    if row != image:
        counted.append(window.out[0])
    return counted


def _borders(window: Window) -> tuple[bool, bool]:
    return (window.before[0] + window.after[0] > 0, window.before[1] + window.after[1] > 0)


def _operands(block: Mvu, after: int, family: str) -> Registers:
    """Count what keeps activations from the ring, whose word has `after` registers, to the products."""
    bits = block.pixels * block.inputs[0].bits
    if family == "ecp5":
        behind = (0 if after == 1 else after) + 2 + (2 if block.pack else 0)
        return Counter(ff=bits * behind)
    if not has_multiplier(block, family):
        found = chain(bits, after + 3, family)
    else:
        found = chain(bits, after + 1, family) + Counter(ff=bits if block.logic else 0)
    return found + (chain(bits, 3, family) if block.pack else Counter())


def _weights(block: Mvu, family: str) -> Registers:
    words, bits, bank = block.window.taps * block.window.repeats, block.weight_bits, block.weight_bank
    if words == 1:
        return Counter()
    memory = next(one for one in memories_of(block) if not one.written)
    banks = -(-words // bank)
    found = _rom_control(words, banks)
    in_blocks = memory.blocks(family) > 0
    inverted = block.pin * block.pout // 2 if block.pack else 0
    held = 0
    if not in_blocks and words <= SMALL_WORDS:
        columns = distinct_columns(weight_lanes(block), block.weight_type.width)
        bits, held = len(columns), sum(map(is_held, columns))
        inverted = min(inverted, bits // 2)
    if family == "ecp5":
        before = (banks if banks > 1 else 0) if in_blocks else 2 * banks
        return found + Counter(ff=bits * (before + 1))
    into_multiplier = has_multiplier(block, family) and not block.pack
    if banks > 1:
        return found + Counter(ff=bits * (banks * (1 if in_blocks else 2) + (0 if into_multiplier else 2)))
    if in_blocks:
        if into_multiplier:
            return found + Counter(ff=bits)
        return found + chain(bits - inverted, 3, family) + Counter(ff=3 * inverted)
    if into_multiplier:
        return found + Counter(ff=2 * bits)
    if 2 * held > bits:
        return found + Counter(ff=min(held, bits - inverted) + 4 * inverted) + chain(bits - inverted, 3, family)
    # What stands before the inverter is a chain of its own.
    return found + Counter(ff=min(held, bits - inverted) + inverted) + chain(bits, 3, family)


def _bias(block: Mvu, family: str) -> Registers:
    words = block.window.repeats
    if words == 1:
        return Counter()
    bias = block.node.bias.codes << (block.node.type.fraction - block.node.bias.type.fraction)
    changing = distinct_columns(bias.reshape(-1, block.pout), block.node.type.width)
    columns, held = len(changing), sum(map(is_held, changing))
    found = _rom_control(words, -(-words // 512))
    *_, memory = memories_of(block)
    in_blocks, absorbed = memory.blocks(family) > 0, sums_in_multiplier(block, family)
    if in_blocks:
        return found + Counter(ff=memory.width * (1 if absorbed or family == "ecp5" else 2))
    if family == "ecp5":
        return found + Counter(ff=3 * columns)
    if absorbed:
        return found + Counter(ff=2 * columns)
    return found + chain(columns - held, 3, family) + Counter(ff=3 * held)


def _rom_control(words: int, banks: int) -> Registers:
    """Count the address of rom.sv, one a bank, and its step."""
    bits = (words - 1).bit_length()
    return Counter(ff=1 + bits * banks + (banks if banks > 1 else 0))


@_registers.register
def _(block: Pool, family: str) -> Registers:
    bits = block.inputs[0].bits
    found = _window(block.window, bits, family, block) + _finish(block.finish, block.inputs[0].lanes, family)
    if block.division is None:
        return found + Counter(ff=1 + bits)
    return found + Counter(ff=4) + _average(block.inputs[0].lanes, block.division, block.result.width, family)


@_registers.register
def _(block: GlobalPool, family: str) -> Registers:
    lanes, bits = block.inputs[0].lanes, block.inputs[0].bits
    found = _finish(block.finish, lanes, family) + Counter(ff=bits + 4 + (block.pixels - 1).bit_length())
    words = 2 * (block.words - 1).bit_length()
    if block.division is None:
        return found + Counter(ff=words + bits * (2 if block.words > 1 else 1))
    total = block.division.total.width
    found += Counter(ff=words + 3 + (lanes * total if block.words > 1 else 0))
    return found + _average(lanes, block.division, block.result.width, family, kept=block.words == 1)


def _average(lanes: int, division: Division, result: int, family: str, *, kept: bool = True) -> Registers:
    """Count the total of divide.sv, its size, product and quotient; a total that is `kept` has an enable."""
    total = division.total.width - (division.shift if kept else 0)
    one, signs = max(division.reciprocals), 2 * division.total.signed
    if len(division.reciprocals) == 1 and one.bit_count() == 1 and not division.total.signed:
        bits = lanes * min(total, result)
        return Counter(ff=lanes * total) + chain(bits, 3, family) if kept else chain(bits, 4, family)
    if family == "ecp5" or multipliers_of_product(total + 1, one.bit_length() + 1, family) == 0:
        product = total + one.bit_length() - division.places
        return Counter(ff=lanes * (2 * total + min(product, result) + result + signs))
    return Counter(ff=lanes * (result + signs + (total if kept or division.total.signed else 0)))


@_registers.register
def _(block: Convert, family: str) -> Registers:
    return _finish(block.finish, block.inputs[0].lanes, family)


@_registers.register
def _(block: Add, family: str) -> Registers:
    return Counter(ff=block.inputs[0].bits + 1) + _finish(block.finish, block.inputs[0].lanes, family)


@_registers.register
def _(block: Pairwise, family: str) -> Registers:
    lanes = block.inputs[0].lanes
    found = _finish(block.finish, lanes, family)
    if block.node.operation != "multiply":
        return found + Counter(ff=1 + lanes * block.node.type.width)
    one, other = (stream.type.width + 1 for stream in block.inputs)
    inside = multipliers_of_product(one, other, family) > 0
    return found + Counter(ff=2 + (0 if inside else lanes * 2 * (one + other)))


@_registers.register
def _(block: Rearrange, family: str) -> Registers:
    bits, log_ring = block.inputs[0].bits, block.log_ring
    counted = sum((axis.kept - 1).bit_length() + (axis.repeats - 1).bit_length() for axis in (*block.axes, block.outer))
    addresses = sum(axis.kept > 1 for axis in block.axes) + 3
    level = (3 * block.next_image + (1 << log_ring)).bit_length() + 1
    ring = Memory(bits, 1 << log_ring, written=True)
    behind = 0 if ring.blocks("ecp5") and family == "ecp5" else 1 if ring.blocks(family) else 2
    found = Counter(ff=bits * (1 + behind) + counted + addresses * log_ring + 2 * level + 6)
    return found + _finish(block.finish, block.inputs[0].lanes, family)


@_registers.register
def _(block: Concatenate, family: str) -> Registers:
    counted = max(block.counts).bit_length() + len(block.inputs) + 1
    return Counter(ff=block.outputs[0].bits + counted) + fifo(block.outputs[0].bits, block.log_depth, family)


@_registers.register
def _(block: Copy, family: str) -> Registers:
    return Counter(ff=len(block.outputs))


@_registers.register
def _(block: Narrower, family: str) -> Registers:
    return Counter(ff=(block.parts - 1).bit_length())


@_registers.register
def _(block: Wider, family: str) -> Registers:
    return Counter(ff=(block.parts - 1).bit_length() + block.inputs[0].bits * (block.parts - 1))


@_registers.register
def _(block: TableLookup, family: str) -> Registers:
    (memory, *_) = memories_of(block)
    behind = 2 if not memory.blocks(family) else 0 if family == "ecp5" else 1
    lanes = block.inputs[0].lanes
    return Counter(ff=2 + lanes * memory.width * behind) + fifo(block.outputs[0].bits, block.log_depth, family)


@_registers.register
def _(block: Softmax, family: str) -> Registers:
    node = block.node
    exponential, reciprocal = (int(table.codes.max()).bit_length() for table in (node.exponential, node.reciprocal))
    total = (int(node.exponential.codes.max()) * block.classes).bit_length()
    bits, source = max((block.classes - 1).bit_length(), 1), block.inputs[0].type.width
    counted = 2 + 4 + 9 + 5 * bits + 7 + total.bit_length()
    kept = 2 * source + node.exponential.codes.size.bit_length() + node.reciprocal.codes.size.bit_length()
    data = 4 * exponential + 2 * reciprocal + total + 2 * (exponential + reciprocal) + node.type.width
    return Counter(ff=counted + kept + data) + fifo(node.type.width, block.log_depth, family)


def rounded_bits(finish: Finish) -> int:
    """Give the bits of a value that was rounded, before it saturates, of those that are looked at."""
    relu = finish.relu and finish.source.signed
    width = finish.source.width - (1 if relu else 0) - max(finish.drop, 0)
    width += finish.drop > 0 and finish.to.rounding is not Rounding.TRN
    if finish.to.overflow is Overflow.WRAP:
        width = min(width, finish.to.width)
    return max(width, 1)


def _finish(finish: Finish, lanes: int, family: str, pixels: int = 1) -> Registers:
    one = fifo(lanes * finish.to.width, finish.log_depth, family)
    found = Counter(ff=pixels * one["ff"])
    if finish.requantize:
        found += Counter(ff=2 + pixels * lanes * (rounded_bits(finish) + finish.to.width))
    return found


def fifo(bits: int, log_depth: int, family: str) -> Registers:
    """Count the registers of credit_fifo.sv."""
    return Counter(ff=4 * log_depth + 5)
