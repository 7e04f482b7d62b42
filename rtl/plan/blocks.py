"""The blocks of a design and the streams between them: what is written, what is simulated, what is counted.

A stream carries the elements of a node in row-major order (channels fastest), `lanes` of them a word. Images follow
each other without a gap or a marker: every block knows its shapes. Each class here is one module of rtl/verilog.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from siliconv.network import graph as ir
from siliconv.network.fixed_point import Codes, FixedPoint, Overflow, Rounding
from siliconv.rtl.plan.block_memories import RomKind, bank_words, distributed_bank


@dataclass(frozen=True)
class Stream:
    """Words of `lanes` elements with the bits of `type`, so many words an image.

    Parameters
    ----------
    name
        A Verilog identifier.
    node
        The node of the network whose codes it carries (moved to another point behind an `Align`).
    """

    name: str
    node: str
    lanes: int
    type: FixedPoint
    words: int

    @property
    def bits(self) -> int:
        """Bits of a word."""
        return self.lanes * self.type.width

    @property
    def kept_bytes(self) -> int:
        """Bytes in which Verilator, and so every file of vectors, keeps a word."""
        whole = next((size for size in (1, 2, 4, 8) if self.bits <= 8 * size), 0)
        return whole or 4 * -(-self.bits // 32)


@dataclass(frozen=True)
class Window:
    """What window.sv reads: an image of `words` words a pixel, its padding, the kernel over it.

    Pairs are rows and columns; a signal in time and a vector have one row. `pixels` of a row are computed at a time.
    """

    size: tuple[int, int]
    words: int
    before: tuple[int, int]
    after: tuple[int, int]
    kernel: tuple[int, int]
    strides: tuple[int, int]
    out: tuple[int, int]
    repeats: int
    lanewise: bool
    log_ring: int = 0
    pixels: int = 1

    @property
    def padded(self) -> tuple[int, int]:
        """Rows and columns with the padding that is written."""
        (rows, columns), (top, left), (bottom, right) = self.size, self.before, self.after
        return top + rows + bottom, left + columns + right

    @property
    def taps(self) -> int:
        """Cycles of a result."""
        return prod(self.kernel) * (1 if self.lanewise else self.words)

    @property
    def need(self) -> int:
        """Words from the first of a window to its last, of all windows that are read at a time."""
        beside = (self.pixels - 1) * self.strides[1]
        return ((self.kernel[0] - 1) * self.padded[1] + self.kernel[1] + beside) * self.words

    @property
    def image(self) -> int:
        """Words of an image with its padding: the cycles of the writer."""
        return prod(self.padded) * self.words

    @property
    def steps(self) -> tuple[int, int, int]:
        """Words from one window's first to the next one's: along a row, to the next row, to the next image."""
        columns = self.padded[1]
        row = (self.out[1] - self.pixels) * self.strides[1]
        rows = (self.out[0] - 1) * self.strides[0] * columns
        return (
            self.pixels * self.strides[1] * self.words,
            (self.strides[0] * columns - row) * self.words,
            self.image - (rows + row) * self.words,
        )

    @property
    def starts(self) -> int:
        """Results of an image, those that are computed at a time counted once."""
        return prod(self.out) // self.pixels * self.repeats

    @property
    def busy(self) -> int:
        """Cycles of an image: the longer of reading the windows and of writing the ring."""
        return max(self.starts * self.taps, self.image)


@dataclass(frozen=True)
class Finish:
    """The end of a block: into another type if there is a Requantize, then a FIFO of 2^log_depth words."""

    source: FixedPoint
    to: FixedPoint
    requantize: bool
    relu: bool = False
    log_depth: int = 1

    @property
    def drop(self) -> int:
        """Bits that are rounded off, zeros put behind if negative; what lies beyond gives the same bits."""
        places = self.source.fraction - self.to.fraction
        return max(min(places, self.source.width + 2), -self.to.width - 1)

    @property
    def latency(self) -> int:
        """Cycles before the FIFO."""
        return 2 if self.requantize else 0


@dataclass(frozen=True, eq=False)
class Block:
    """A module of the library with the streams that it reads and writes; `name` is a Verilog identifier."""

    name: str
    inputs: tuple[Stream, ...]
    outputs: tuple[Stream, ...]


@dataclass(frozen=True, eq=False)
class Mvu(Block):
    """Conv, DepthwiseConv (`window.lanewise`) or Dense with the Requantize behind it."""

    node: ir.Matrix
    window: Window
    pin: int
    pout: int
    weight_type: FixedPoint
    pack: bool
    finish: Finish
    logic: int = 0
    rom: RomKind = "auto"

    @property
    def pixels(self) -> int:
        """Output pixels of a row that share a word of weights."""
        return self.window.pixels

    @property
    def multipliers(self) -> int:
        """Multipliers of a pixel; `logic` of them are made of look-up tables."""
        return self.pin * self.pout // (2 if self.pack else 1)

    @property
    def latency(self) -> int:
        """Cycles from the start of a result to its FIFO."""
        return self.window.taps + 6 + (self.pin - 1).bit_length() + self.pack + self.finish.latency

    @property
    def weight_bits(self) -> int:
        """Bits of a word of weights."""
        return self.pin * self.pout * self.weight_type.width

    @property
    def weight_bank(self) -> int:
        """Words of a bank of weights."""
        words = self.window.repeats * self.window.taps
        return distributed_bank(words) if self.rom == "distributed" else bank_words(self.weight_bits, words)

    @property
    def shift(self) -> int:
        """Zeros behind a product."""
        return self.node.type.fraction - self.inputs[0].type.fraction - self.node.kernel.type.fraction


@dataclass(frozen=True)
class Division:
    """How an average is divided: reciprocals (one, or one an output position), and the places of their products."""

    total: FixedPoint
    shift: int
    reciprocals: tuple[int, ...]
    places: int


@dataclass(frozen=True, eq=False)
class Pool(Block):
    """MaxPool, AveragePool (with a `division`), Pad, or a branch: a window of one that keeps words."""

    window: Window
    pad_code: int
    division: Division | None
    result: FixedPoint
    finish: Finish
    rom: RomKind = "auto"

    @property
    def has_rom(self) -> bool:
        """Whether it has a reciprocal an output position."""
        return self.division is not None and len(self.division.reciprocals) > 1

    @property
    def latency(self) -> int:
        """Cycles from the start of a result to its FIFO."""
        return self.window.taps + 2 + (3 if self.division else 0) + self.finish.latency


@dataclass(frozen=True, eq=False)
class GlobalPool(Block):
    """MaxPool or AveragePool (with a `division`) over a whole image of `pixels` pixels with `words` words each."""

    pixels: int
    words: int
    division: Division | None
    result: FixedPoint
    finish: Finish

    @property
    def latency(self) -> int:
        """Cycles from a word of the last pixel to its result's FIFO."""
        return 2 + (3 if self.division else 0) + self.finish.latency


@dataclass(frozen=True, eq=False)
class Convert(Block):
    """A Requantize that stands alone."""

    finish: Finish


@dataclass(frozen=True, eq=False)
class Align(Block):
    """Lanes moved to the point of the node that reads them."""


@dataclass(frozen=True, eq=False)
class Add(Block):
    """The sum of two streams, with the Requantize behind it."""

    finish: Finish


@dataclass(frozen=True, eq=False)
class Pairwise(Block):
    """A function of two streams, with the Requantize behind it."""

    node: ir.Pairwise
    finish: Finish

    @property
    def latency(self) -> int:
        """Cycles from the words to the FIFO."""
        return 1 + (self.node.operation == "multiply") + self.finish.latency


@dataclass(frozen=True, eq=False)
class Concatenate(Block):
    """Streams behind each other, so many words a pixel of each."""

    counts: tuple[int, ...]
    log_depth: int = 2


@dataclass(frozen=True, eq=False)
class Copy(Block):
    """One stream to some readers."""


@dataclass(frozen=True, eq=False)
class Narrower(Block):
    """Words of many lanes into words of fewer."""

    parts: int


@dataclass(frozen=True, eq=False)
class Wider(Block):
    """Words of few lanes into words of more."""

    parts: int


@dataclass(frozen=True, eq=False)
class TableLookup(Block):
    """A Table node."""

    table: Codes
    log_depth: int = 3
    rom: RomKind = "auto"


@dataclass(frozen=True, eq=False)
class Softmax(Block):
    """A Softmax node."""

    node: ir.Softmax
    log_depth: int = 4
    rom: RomKind = "auto"

    @property
    def classes(self) -> int:
        """Channels of a position."""
        return self.node.shape[-1]


@dataclass(frozen=True)
class RtlDesign:
    """A network as blocks: the first stream comes in, the last one goes out.

    Parameters
    ----------
    name
        Of the top module.
    source, sink
        What the top reads and writes.
    blocks
        In the order of the data.
    """

    name: str
    network: ir.Network
    source: Stream
    sink: Stream
    blocks: tuple[Block, ...]

    @property
    def streams(self) -> tuple[Stream, ...]:
        """All streams, in the order of the data."""
        return (self.source, *(stream for block in self.blocks for stream in block.outputs))

    @property
    def products(self) -> int:
        """Pairs that are multiplied a cycle, all blocks together."""
        return sum(block.pixels * block.pin * block.pout for block in self.blocks if isinstance(block, Mvu))


ROUNDINGS = (
    Rounding.TRN,
    Rounding.TRN_ZERO,
    Rounding.RND,
    Rounding.RND_CONV,
    Rounding.RND_ZERO,
    Rounding.RND_MIN_INF,
    Rounding.RND_INF,
)
OVERFLOWS = (Overflow.WRAP, Overflow.SAT, Overflow.SAT_SYM, Overflow.SAT_ZERO)
"""The modes in the order of requantize.sv's numbers."""
