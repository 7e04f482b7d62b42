"""The parts of a design that look-up tables are made of: bits of sums, choices and counters, and cells of memories."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import singledispatch

from siliconv.network.fixed_point import Codes
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
from siliconv.rtl.resources.constant_bits import distinct_columns
from siliconv.rtl.resources.memory_choice import Memory, memories_of
from siliconv.rtl.resources.register_count import (
    counter,
    has_multiplier,
    level_bits,
    plain_tree_bits,
    released_kinds,
    rounded_bits,
    sums_in_multiplier,
    tree_bits,
    window_counters,
)
from siliconv.rtl.writing.memory_words import weight_lanes

Parts = Mapping[str, float]
"""Numbers of each kind of part; `PARTS` lists the kinds."""

PARTS = {
    "adder": "bits that are added in trees and where packed sums are set right",
    "total": "bits of accumulators",
    "product": "bits of the factors' product, where it has no multiplier",
    "logic_sum": "bits that are added in products without a multiplier",
    "round": "bits that are rounded",
    "dropped": "bits that are dropped, looked at for rounding",
    "saturate": "bits that tell whether a value fits, and bits that saturate",
    "pool": "bits that are compared",
    "average": "bits of sums and of signs, in averages",
    "counter": "flip-flops of counters",
    "level": "bits of the levels of rings, by the kinds of steps",
    "address": "bits of addresses",
    "fifo": "FIFOs",
    "fifo_address": "bits of the addresses of FIFOs",
    "logic_memory": "look-up tables of constants",
    "bank_choice": "bits of constants that stand in several banks",
    "memory_choice": "bits chosen behind memories of several cells of depth",
    "move": "bits that are chosen between where streams change, part or join",
    "block": "blocks with a control of their own",
}


_DISTRIBUTED = "distributed"


def parts_of(blocks: tuple[Block, ...], family: str) -> tuple[int, Parts]:
    """Count the look-up tables of memories that are written, and the parts of the others."""
    found: Counter[str] = Counter()
    for block in blocks:
        found.update(_parts(block, family))
        found["block"] += 1
        for memory in memories_of(block):
            _add_memory(found, memory, family)
    return found[_DISTRIBUTED], {name: float(found[name]) for name in PARTS}


def _add_memory(found: Counter[str], memory: Memory, family: str) -> None:
    if memory.written:
        if not memory.blocks(family):
            _add_distributed(found, memory, family)
    elif memory.words > 1:
        banks = -(-memory.words // memory.bank)
        found["address"] += (memory.words - 1).bit_length() * banks
        # The banks' words are OR-ed: a look-up table takes in three more of them, or five.
        found["bank_choice"] += memory.width * -(-(banks - 1) // (3 if family == "ecp5" else 5))
        if not memory.blocks(family) and memory.words > SMALL_WORDS:
            found["logic_memory"] += memory.look_up_tables(family)


def _add_distributed(found: Counter[str], memory: Memory, family: str) -> None:
    found[_DISTRIBUTED] += memory.cells(family)
    found["memory_choice"] += memory.width * (-(-memory.words // (16 if family == "ecp5" else 64)) - 1)


@singledispatch
def _parts(block: Block, family: str) -> Counter[str]:
    return Counter()


@_parts.register
def _(block: Mvu, family: str) -> Counter[str]:
    x, weight, levels = block.inputs[0].type.width, block.weight_type.width, (block.pin - 1).bit_length()
    found: Counter[str] = Counter()
    if block.pack:
        low = x + weight
        pairs = tree_bits(block.pin, low)[0] + tree_bits(block.pin, low + 1)[0] + low + 1 + levels - weight
        found += Counter(adder=block.pout // 2 * pairs + tree_bits(block.pin, x)[0])
    else:
        found += Counter(adder=block.pout * plain_tree_bits(block, family)[0])
    if not sums_in_multiplier(block, family):
        found += Counter(total=block.pout * block.node.type.width)
    products = block.multipliers
    if not has_multiplier(block, family):
        found += Counter(product=products * (x + 1) * weight * (1 + block.pack))
    elif block.logic:
        found += Counter(logic_sum=block.logic * _logic_product(block))
    found += _finish(block.finish, block.pout, family)
    found = Counter({name: block.pixels * bits for name, bits in found.items()})
    if block.pixels > 1:
        found += Counter(move=(block.pixels - 1) * block.outputs[0].bits, counter=counter(block.window.repeats))
    for lanes, width in _constants(block):
        if 1 < len(lanes) <= SMALL_WORDS and block.rom != "block":
            columns = len(distinct_columns(lanes, width))
            found += Counter(logic_memory=columns * (-(-len(lanes) // 16) if family == "ecp5" else 1))
    return found + _window(block.window)


def _logic_product(block: Mvu) -> int:
    """Count the bits of a product.sv of look-up tables: each row of a factor's bits, their pairs, and sums of these."""
    x, weight = block.inputs[0].type.width, block.weight_type.width
    one, other = 2 * weight + x if block.pack else weight, x + 1
    rows, pairs = min(one, other), (min(one, other) + 1) // 2
    gap = x if block.pack else 0
    row = max(one, other) + 2 - max(gap - 2, 0)
    return rows * (max(one, other) - gap) + rows // 2 * row + (pairs - 1) * (row + 4)


def _constants(block: Mvu) -> Iterator[tuple[Codes, int]]:
    """Give the biases, and the weights of few words, as lanes of codes with their bits."""
    bias = block.node.bias.codes << (block.node.type.fraction - block.node.bias.type.fraction)
    yield bias.reshape(-1, block.pout), block.node.type.width
    if block.window.taps * block.window.repeats <= SMALL_WORDS:
        yield weight_lanes(block), block.weight_type.width


@_parts.register
def _(block: Pool, family: str) -> Counter[str]:
    lanes = block.inputs[0].lanes
    found = _window(block.window) + _finish(block.finish, lanes, family)
    if block.window.taps == 1:
        return found
    if block.division is None:
        return found + Counter(pool=block.inputs[0].bits)
    return found + _average(lanes, block.division, block.result.width)


@_parts.register
def _(block: GlobalPool, family: str) -> Counter[str]:
    lanes, bits = block.inputs[0].lanes, block.inputs[0].bits
    found = _finish(block.finish, lanes, family) + Counter(counter=4 + (block.pixels * block.words).bit_length())
    if block.division is None:
        return found + Counter(pool=bits)
    return found + _average(lanes, block.division, block.result.width, whole=True)


@_parts.register
def _(block: Convert, family: str) -> Counter[str]:
    return _finish(block.finish, block.inputs[0].lanes, family)


@_parts.register
def _(block: Add, family: str) -> Counter[str]:
    return Counter(adder=block.inputs[0].bits) + _finish(block.finish, block.inputs[0].lanes, family)


@_parts.register
def _(block: Pairwise, family: str) -> Counter[str]:
    lanes, width = block.inputs[0].lanes, block.node.type.width
    found = _finish(block.finish, lanes, family)
    if block.node.operation == "multiply":
        return found
    compared = 0 if block.node.operation == "subtract" else width
    return found + Counter(adder=lanes * width, pool=lanes * compared)


@_parts.register
def _(block: Rearrange, family: str) -> Counter[str]:
    counted = sum((axis.kept - 1).bit_length() + (axis.repeats - 1).bit_length() for axis in (*block.axes, block.outer))
    level = (3 * block.next_image + (1 << block.log_ring)).bit_length() + 1
    addresses = sum(axis.kept > 1 for axis in block.axes) + 3
    found = Counter(counter=counted, address=addresses * block.log_ring, level=4 * level)
    return found + _finish(block.finish, block.inputs[0].lanes, family)


@_parts.register
def _(block: Concatenate, family: str) -> Counter[str]:
    found = Counter(move=block.outputs[0].bits * (len(block.inputs) - 1), counter=max(block.counts).bit_length())
    return found + _fifo(block.outputs[0].bits, block.log_depth, family)


@_parts.register
def _(block: Copy, family: str) -> Counter[str]:
    return Counter(counter=2 * len(block.outputs))


@_parts.register
def _(block: Narrower, family: str) -> Counter[str]:
    return Counter(move=block.outputs[0].bits * (block.parts - 1), counter=(block.parts - 1).bit_length())


@_parts.register
def _(block: Wider, family: str) -> Counter[str]:
    return Counter(counter=(block.parts - 1).bit_length() + block.parts)


@_parts.register
def _(block: TableLookup, family: str) -> Counter[str]:
    return _fifo(block.outputs[0].bits, block.log_depth, family)


@_parts.register
def _(block: Softmax, family: str) -> Counter[str]:
    width = block.node.type.width
    return Counter(pool=12 * width, counter=24) + _fifo(width, block.log_depth, family)


def _average(lanes: int, division: Division, result: int, *, whole: bool = False) -> Counter[str]:
    """Count the bits of a sum, and of its sign; zeros behind it are added too where it is read from a memory."""
    total, signed = division.total.width - (0 if whole else division.shift), int(division.total.signed)
    return Counter(average=lanes * (total + signed * (total + result)))


def _window(window: Window) -> Counter[str]:
    found = Counter(counter=sum(counter(count) for count in window_counters(window) if count > 1))
    found += Counter(address=(1 + 2 * window.pixels) * window.log_ring)
    return found + Counter(level=2 * level_bits(window) * min(released_kinds(window), 2))


def _finish(finish: Finish, lanes: int, family: str) -> Counter[str]:
    found = _fifo(lanes * finish.to.width, finish.log_depth, family)
    if finish.requantize:
        rounded, dropped = rounded_bits(finish), max(finish.drop - 1, 0)
        beyond = max(rounded - finish.to.width, 0)
        found += Counter(round=lanes * rounded, dropped=lanes * dropped, saturate=lanes * (beyond + 1))
    return found


def _fifo(bits: int, log_depth: int, family: str) -> Counter[str]:
    found = Counter(fifo=1, fifo_address=log_depth)
    _add_distributed(found, Memory(bits, 1 << log_depth, written=True), family)
    return found
