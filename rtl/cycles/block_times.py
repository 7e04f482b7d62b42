"""What each block does with time: the rules of the modules in rtl/verilog, as processes over the words of its streams.

A process yields where it waits for a time that its neighbours have not said yet. All times are cycles from the first
one after the reset. Each rule is a lower bound on a time, and what comes out is the schedule in which everything
happens as early as it can: that is what the hardware does, and `tests/rtl` compares each word's cycle with Verilator.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import singledispatch

from siliconv.rtl.cycles.wires import Credits, Process, Wire
from siliconv.rtl.plan.blocks import (
    Add,
    Align,
    Block,
    Concatenate,
    Convert,
    Copy,
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

Wires = Mapping[str, Wire]


@singledispatch
def processes(block: Block, wires: Wires, images: int) -> list[Process]:
    """Give the processes of a block for so many images."""
    raise NotImplementedError(f"no times for {type(block).__name__}")


@processes.register(Mvu)
@processes.register(Pool)
def _(block: Mvu | Pool, wires: Wires, images: int) -> list[Process]:
    (source,), (result,) = (tuple(wires[one.name] for one in part) for part in (block.inputs, block.outputs))
    ring, window = RingTimes(), block.window
    # Pixels that are computed at a time have a FIFO each.
    pixels = [Wire(f"{result.name} {pixel}") for pixel in range(window.pixels)] if window.pixels > 1 else [result]
    credits = [Credits(wire, block.finish.log_depth) for wire in pixels]
    found = [
        _write_ring(_real_words(window), window.log_ring, ring, source, images),
        _read_ring(window, ring, credits, block.latency, images),
    ]
    return [*found, _in_order(pixels, window.repeats, result, images * window.starts)] if window.pixels > 1 else found


class RingTimes:
    """What the writer and the reader of a ring know of each other."""

    __slots__ = ("freed", "written")

    def __init__(self) -> None:
        self.written: list[int] = []
        # (first word that is still wanted, the first cycle in which that is known)
        self.freed: list[tuple[int, int]] = []


def _real_words(window: Window) -> list[bool]:
    """Tell which words of a padded image come from the stream."""
    (rows, columns), (top, left) = window.size, window.before
    padded_rows, padded_columns = window.padded
    real_row = [False] * top + [True] * rows + [False] * window.after[0]
    real_column = [False] * left + [True] * columns + [False] * window.after[1]
    pattern = [row and column for row in real_row for column in real_column for _ in range(window.words)]
    assert len(pattern) == padded_rows * padded_columns * window.words
    return pattern


def _write_ring(
    pattern: list[bool], log_ring: int, ring: RingTimes, source: Wire, images: int, *, unread: int = 0
) -> Process:
    """Write images, a word a cycle while there is room; the first words of the first one may be `unread`."""
    depth, written, freed, moved = 1 << log_ring, ring.written, ring.freed, source.moved
    position = word = release = 0
    free_base, free_time, now = unread, 0, 0
    for _ in range(images):
        for real in pattern:
            while free_base <= position - depth:
                while len(freed) <= release:
                    yield
                free_base, free_time = freed[release]
                release += 1
            if now < free_time:
                now = free_time
            if real:
                source.accept(now)
                while len(moved) <= word:
                    yield
                now = moved[word]
                word += 1
            written.append(now)
            now += 1
            position += 1


def _read_ring(window: Window, ring: RingTimes, pixels: list[Credits], latency: int, images: int) -> Process:
    """Start results: the window's last word is there, the result before has its taps, and there is a place for it."""
    steps, need, taps, repeats = window.steps, window.need, window.taps, window.repeats
    written, freed, columns = ring.written, ring.freed, window.out[1] // window.pixels
    base = now = 0
    for _ in range(images):
        for row in range(window.out[0]):
            for column in range(columns):
                last = base + need - 1
                while len(written) <= last:
                    yield
                # A word stands in a register before it stands in the ring.
                now = max(now, written[last] + 2)
                for _repeat in range(repeats):
                    for credits in pixels:
                        while not credits.known():
                            yield
                        now = max(now, credits.take())
                    for credits in pixels:
                        credits.wire.offer(now + latency + 1)
                    now += taps
                if column + 1 < columns:
                    base += steps[0]
                elif row + 1 < window.out[0]:
                    base += steps[1]
                else:
                    base += steps[2]
                # The writer hears of it a cycle after the last tap.
                freed.append((base, now + 1))


def _in_order(pixels: list[Wire], repeats: int, result: Wire, starts: int) -> Process:
    """Hand on the words of pixels that were computed at a time, one pixel behind the other."""
    for first in range(0, starts, repeats):
        for pixel in pixels:
            for word in range(first, first + repeats):
                while len(pixel.offered) <= word:
                    yield
                result.offer(pixel.offered[word])
                while len(result.moved) < len(result.offered):
                    yield
                pixel.accept(result.moved[-1])


@processes.register
def _(block: GlobalPool, wires: Wires, images: int) -> list[Process]:
    return [_pool_image(block, wires, images)]


@processes.register
def _(block: Convert, wires: Wires, images: int) -> list[Process]:
    return [_word_by_word(block, wires, images, block.finish.latency, block.finish.log_depth)]


@processes.register
def _(block: TableLookup, wires: Wires, images: int) -> list[Process]:
    return [_word_by_word(block, wires, images, 2, block.log_depth)]


@processes.register
def _(block: Add, wires: Wires, images: int) -> list[Process]:
    return [_join(block, 1 + block.finish.latency, wires, images)]


@processes.register
def _(block: Pairwise, wires: Wires, images: int) -> list[Process]:
    return [_join(block, block.latency, wires, images)]


@processes.register
def _(block: Rearrange, wires: Wires, images: int) -> list[Process]:
    (source,), (result,) = (tuple(wires[one.name] for one in part) for part in (block.inputs, block.outputs))
    ring, words = RingTimes(), [True] * (block.parts * block.part_words)
    return [
        _write_ring(words, block.log_ring, ring, source, images, unread=block.first * block.part_words),
        _read_parts(block, ring, Credits(result, block.finish.log_depth), images),
    ]


@processes.register
def _(block: Concatenate, wires: Wires, images: int) -> list[Process]:
    return [_concatenate(block, wires, images)]


@processes.register
def _(block: Copy, wires: Wires, images: int) -> list[Process]:
    return [_copy(block, wires, images)]


@processes.register
def _(block: Align, wires: Wires, images: int) -> list[Process]:
    return []


@processes.register
def _(block: Narrower, wires: Wires, images: int) -> list[Process]:
    return [_narrow(block, wires, images)]


@processes.register
def _(block: Wider, wires: Wires, images: int) -> list[Process]:
    return [_widen(block, wires, images)]


@processes.register
def _(block: Softmax, wires: Wires, images: int) -> list[Process]:
    return [_softmax(block, wires, images)]


def _pool_image(block: GlobalPool, wires: Wires, images: int) -> Process:
    """Take every word at once, but those of the last pixel, whose results need a place."""
    source, result = wires[block.inputs[0].name], wires[block.outputs[0].name]
    credits = Credits(result, block.finish.log_depth)
    for _ in range(images):
        for _ in range((block.pixels - 1) * block.words):
            source.accept(0)
        for _ in range(block.words):
            while not credits.known():
                yield
            source.accept(credits.take())
            word = len(source.ready) - 1
            while len(source.moved) <= word:
                yield
            result.offer(source.moved[word] + block.latency + 1)


def _word_by_word(block: Block, wires: Wires, images: int, latency: int, log_depth: int) -> Process:
    source, result = wires[block.inputs[0].name], wires[block.outputs[0].name]
    credits = Credits(result, log_depth)
    for word in range(images * block.inputs[0].words):
        while not credits.known():
            yield
        source.accept(credits.take())
        while len(source.moved) <= word:
            yield
        result.offer(source.moved[word] + latency + 1)


def _read_parts(block: Rearrange, ring: RingTimes, credits: Credits, images: int) -> Process:
    """Read the words of a part in their order, as soon as all of it is there."""
    base, now, latency = block.first * block.part_words, 0, block.latency
    for _ in range(images):
        for part in range(block.outer.kept):
            last = base + block.part_words - 1
            while len(ring.written) <= last:
                yield
            now = max(now, ring.written[last] + 2)
            for _ in range(block.words_of_part):
                while not credits.known():
                    yield
                now = max(now, credits.take())
                credits.wire.offer(now + latency + 1)
                now += 1
            base += block.part_words if part + 1 < block.outer.kept else block.next_image
            ring.freed.append((base, now + 1))


def _join(block: Add | Pairwise, latency: int, wires: Wires, images: int) -> Process:
    """Take a word of both streams where both are there."""
    one, other = (wires[stream.name] for stream in block.inputs)
    result = wires[block.outputs[0].name]
    credits = Credits(result, block.finish.log_depth)
    for word in range(images * block.outputs[0].words):
        while not credits.known() or len(one.offered) <= word or len(other.offered) <= word:
            yield
        now = max(credits.take(), one.offered[word], other.offered[word], one.moved[-1] + 1 if word else 0)
        one.accept(now)
        other.accept(now)
        result.offer(now + latency + 1)


def _concatenate(block: Concatenate, wires: Wires, images: int) -> Process:
    sources = [wires[stream.name] for stream in block.inputs]
    result = wires[block.outputs[0].name]
    credits = Credits(result, block.log_depth)
    now = 0
    for _ in range(images * block.inputs[0].words // block.counts[0]):
        for source, count in zip(sources, block.counts, strict=True):
            for _ in range(count):
                while not credits.known():
                    yield
                source.accept(max(now, credits.take()))
                word = len(source.ready)
                while len(source.moved) < word:
                    yield
                now = source.moved[-1] + 1
                result.offer(now + 1)


def _copy(block: Copy, wires: Wires, images: int) -> Process:
    source, readers = wires[block.inputs[0].name], [wires[stream.name] for stream in block.outputs]
    for word in range(images * block.inputs[0].words):
        while len(source.offered) <= word:
            yield
        now = max(source.offered[word], source.moved[-1] + 1 if word else 0)
        for reader in readers:
            reader.offer(now)
        while any(len(reader.moved) <= word for reader in readers):
            yield
        source.accept(max(reader.moved[word] for reader in readers))


def _narrow(block: Narrower, wires: Wires, images: int) -> Process:
    source, result = wires[block.inputs[0].name], wires[block.outputs[0].name]
    for word in range(images * block.inputs[0].words):
        while len(source.offered) <= word:
            yield
        now = max(source.offered[word], source.moved[-1] + 1 if word else 0)
        for _ in range(block.parts):
            result.offer(now)
            while len(result.moved) < len(result.offered):
                yield
            now = result.moved[-1] + 1
        source.accept(result.moved[-1])


def _widen(block: Wider, wires: Wires, images: int) -> Process:
    source, result = wires[block.inputs[0].name], wires[block.outputs[0].name]
    for word in range(images * block.inputs[0].words):
        if (word + 1) % block.parts:
            source.accept(0)
            while len(source.moved) <= word:
                yield
            continue
        while len(source.offered) <= word:
            yield
        result.offer(max(source.offered[word], source.moved[-1] + 1 if word else 0))
        while len(result.moved) < len(result.offered):
            yield
        source.accept(result.moved[-1])


SETTLE = 6
"""Cycles of softmax.sv between the last exponential and the first share."""


def _softmax(block: Softmax, wires: Wires, images: int) -> Process:
    source, result = wires[block.inputs[0].name], wires[block.outputs[0].name]
    credits = Credits(result, block.log_depth)
    now = 0
    for position in range(images * block.inputs[0].words // block.classes):
        for one in range(block.classes):
            source.accept(now)
            while len(source.moved) <= position * block.classes + one:
                yield
            now = source.moved[-1] + 1
        now += block.classes + SETTLE
        for _ in range(block.classes):
            while not credits.known():
                yield
            now = max(now, credits.take())
            result.offer(now + 6)
            now += 1
