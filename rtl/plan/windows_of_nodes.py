"""The window that a node slides over its input: sizes, padding and taps in words of some lanes."""

from __future__ import annotations

from dataclasses import replace

from siliconv.network import graph as ir
from siliconv.rtl.plan.blocks import Window

ROW_OF_SLACK = 1
"""Rows that a ring holds beyond what a window needs, so that the writer goes on while the window is read."""


def sliding_window(
    node: ir.Conv | ir.DepthwiseConv | ir.MaxPool | ir.AveragePool,
    source: ir.Shape,
    padding: ir.Padding,
    lanes: int,
    repeats: int,
    pixels: int = 1,
) -> Window:
    """Give the window of a node that slides over a source, `lanes` channels a word, `pixels` of a row at a time."""
    size, kernel, strides = (_two(part, 1) for part in (source[:-1], node.window, node.strides))
    before, after = (_two(tuple(pair[end] for pair in padding), 0) for end in (0, 1))
    out = tuple((size[axis] + before[axis] + after[axis] - kernel[axis]) // strides[axis] + 1 for axis in range(2))
    # Padding behind the last window is not written; of a row it is, where it is there at all.
    seen = tuple((out[axis] - 1) * strides[axis] + kernel[axis] - before[axis] - size[axis] for axis in range(2))
    after = (min(after[0], max(seen[0], 0)), min(after[1], max(seen[1], 0)))
    lanewise = not isinstance(node, ir.Conv)
    words = source[-1] // lanes
    window = Window(size, words, before, after, kernel, strides, (out[0], out[1]), repeats, lanewise)
    return with_ring(replace(window, pixels=pixels))


def positions(count: int, words: int, repeats: int, *, lanewise: bool = False) -> Window:
    """Give the window of one position: a dense layer, or a branch that keeps words."""
    return with_ring(Window((1, count), words, (0, 0), (0, 0), (1, 1), (1, 1), (1, count), repeats, lanewise))


def padding_window(source: ir.Shape, padding: ir.Padding, lanes: int) -> Window:
    """Give the window of one position over the padded image: what a Pad node is."""
    size = _two(source[:-1], 1)
    before, after = _two(tuple(pair[0] for pair in padding), 0), _two(tuple(pair[1] for pair in padding), 0)
    out = (before[0] + size[0] + after[0], before[1] + size[1] + after[1])
    words = source[-1] // lanes
    return with_ring(Window(size, words, before, after, (1, 1), (1, 1), out, words, True))


def with_ring(window: Window, words: int | None = None) -> Window:
    """Set the depth of the ring: so many words, or what a window needs and a row (at most an image) and two words more.

    Writer and reader hear of each other a cycle late, hence the two words.
    """
    slack = min(ROW_OF_SLACK * window.strides[0] * window.padded[1] * window.words, window.image)
    wanted = window.need + slack + 2 if words is None else max(words, window.need)
    return replace(window, log_ring=max((wanted - 1).bit_length(), 2))


def _two(part: tuple[int, ...], one: int) -> tuple[int, int]:
    """Give rows and columns of what has one or two axes."""
    rows, columns = (one,) * (2 - len(part)) + part
    return rows, columns
