"""The block that moves elements: which parts of an image it keeps, and in which order it reads them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod
from typing import NamedTuple

from siliconv.network import graph as ir
from siliconv.rtl.plan.blocks import Block, Finish, Stream

PIPELINED = 3
"""2^3 words in the FIFO: more than the way to it is long."""


class Axis(NamedTuple):
    """An axis of a rearrangement: places that are kept, words from one to the next, how often each is given."""

    kept: int = 1
    step: int = 0
    repeats: int = 1


@dataclass(frozen=True, eq=False)
class Rearrange(Block):
    """Elements in another order: a ring keeps parts of an image, each is read in the order of `axes`.

    Parameters
    ----------
    parts, part_words
        Of the image that comes in.
    first, outer
        The first part that is read, and how many are, how often each.
    start, axes
        Within a part: the first word that is read, and the axes that are walked over, the fastest first.
    """

    parts: int
    part_words: int
    first: int
    outer: Axis
    start: int
    axes: tuple[Axis, Axis, Axis]
    finish: Finish
    log_ring: int = 0

    @property
    def latency(self) -> int:
        """Cycles from the start of a word to its FIFO."""
        return 3 + self.finish.latency

    @property
    def need(self) -> int:
        """Words that have to be there before reading starts."""
        return self.part_words

    @property
    def words_of_part(self) -> int:
        """Words out of a part that is read, all its repeats together."""
        return self.outer.repeats * prod(axis.kept * axis.repeats for axis in self.axes)

    @property
    def next_image(self) -> int:
        """Words from the last part that is read to the first one of the next image."""
        return (self.parts - self.outer.kept + 1) * self.part_words


def rearranged(
    name: str, source: Stream, result: Stream, node: ir.Rearrange, shape: ir.Shape, finish: Finish
) -> Rearrange:
    """Give the block of a Rearrange node that reads an image of a shape.

    Where rows stay rows, a row is read as soon as it is there; where they are swapped, the whole image has to be.
    """
    lanes = source.lanes
    sizes = (*shape[:-1], shape[-1] // lanes)
    last = len(sizes) - 1
    axes = []
    for axis, kept, before, repeats in zip(node.order, node.shape, node.before, node.repeats, strict=True):
        in_words = lanes if axis == last else 1
        axes.append((axis, Axis(kept // repeats // in_words, prod(sizes[axis + 1 :]), repeats), before // in_words))
    by_rows = node.order[0] == 0
    inside = axes[1:] if by_rows else axes
    fastest = [axis for _, axis, _ in reversed(inside)]
    first, second, third = (*fastest, *[Axis()] * (3 - len(fastest)))
    block = Rearrange(
        name,
        (source,),
        (result,),
        parts=sizes[0] if by_rows else 1,
        part_words=prod(sizes[1:]) if by_rows else prod(sizes),
        first=axes[0][2] if by_rows else 0,
        outer=axes[0][1] if by_rows else Axis(),
        start=sum(before * axis.step for _, axis, before in inside),
        axes=(first, second, third),
        finish=finish,
    )
    return with_part_ring(block)


def with_part_ring(block: Rearrange) -> Rearrange:
    """Set the depth of the ring: two parts, so that one comes while the other is read, and two words more."""
    return replace(block, log_ring=max((2 * block.part_words + 1).bit_length(), 2))


def lanes_of_rearrange(node: ir.Rearrange, lanes: int) -> bool:
    """Tell whether so many channels can be moved at a time: they stay beside each other, and are not repeated."""
    last = len(node.order) - 1
    stay = node.order[-1] == last and node.repeats[-1] == 1
    return lanes == 1 or (stay and node.before[-1] % lanes == 0 and node.shape[-1] % lanes == 0)
