"""What can be chosen about the firmware. Every field has a default that works for the network's size."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field, field_validator, model_validator

from siliconv.bounded_reading import SECTION
from siliconv.errors import ProjectError
from siliconv.hardware.boards import Board, board_of_part
from siliconv.hardware.boards import board as find_board
from siliconv.hls.backends import BACKENDS, LIBERO, Numbers
from siliconv.hls.kinds import Strategy

LARGEST_ARRAY = 4096
"""Elements of an array that the tools may split into registers: `config_array_partition` of the generated Tcl."""

SHIFT_REGISTER_WORDS = 128
"""FIFOs deeper than this cost more LUTs than the block memory is worth: four for each bit of a word."""

PART = r"^[A-Za-z0-9][A-Za-z0-9_.\-]*$"
"""What a part may be written with: it enters scripts of the vendor's tools, which would run what stands in brackets."""

PositiveInt = Annotated[int, Field(ge=1, le=2**31 - 1)]


def _part_of(backend: str, board: str | None) -> str:
    return find_board(board).part if board is not None else BACKENDS[backend].part


def _clock_of(backend: str, board: str | None) -> float:
    return find_board(board).clock_ns if board is not None else BACKENDS[backend].clock_ns


class HlsConfig(BaseModel):
    """How hls4ml turns the integer network into a firmware project."""

    model_config = SECTION

    backend: Literal["Vitis", "Vivado", "VivadoAccelerator", "Quartus", "Catapult", "oneAPI"] = Field(
        "Vitis",
        description="hls4ml back end: Vitis, Vivado, VivadoAccelerator (Vivado with an AXI wrapper and a driver), "
        "Quartus (Intel's HLS compiler), Catapult (Siemens), or oneAPI (Intel; written, but not simulated)",
    )
    board: str | None = Field(
        None,
        max_length=64,
        description="a board by name (siliconv boards), which reports and verdicts are about; its part and its clock "
        "are the defaults then. Without it, the first board of the list that carries the part",
    )
    part: str = Field(
        default_factory=lambda chosen: _part_of(chosen.get("backend", "Vitis"), chosen.get("board")),
        pattern=PART,
        max_length=64,
        description="FPGA part; the default is the board's, else a ZCU104's, a PYNQ-Z2's for VivadoAccelerator, "
        "Arria10 for Quartus, Agilex7 for oneAPI",
    )
    clock_ns: float = Field(
        default_factory=lambda chosen: _clock_of(chosen.get("backend", "Vitis"), chosen.get("board")),
        ge=0.1,
        le=1000,
        description="clock period in nanoseconds; the default is the board's, else 5, and 10 for VivadoAccelerator, "
        "whose block design clocks its core with 100 MHz",
    )
    io_type: Literal["io_stream", "io_parallel"] = Field(
        "io_stream", description="io_stream: one pixel a transaction; io_parallel: all at once, for tiny networks"
    )
    strategy: Strategy = Field(Strategy.RESOURCE, description="how products are scheduled")
    max_multipliers: PositiveInt = Field(
        4096,
        description="multipliers a layer may use at most; the smallest legal reuse factor that keeps to it is taken",
    )
    fifo_depths: Literal["smallest", "hls4ml"] = Field(
        "smallest",
        description="smallest: the least words between layers that cost no cycle; hls4ml: a whole feature map each",
    )
    fifo_memory: Literal["auto", "shift_registers"] = Field(
        "auto",
        description="auto: the tool decides, block memory from 1024 bits on; shift_registers: LUTs for up to "
        f"{SHIFT_REGISTER_WORDS} words (Vitis, io_stream)",
    )
    weight_memory: Literal["auto", "block", "luts"] = Field(
        "auto",
        description="where weights of reuse loops lie: auto: the tool decides; block: block memory; luts: LUTs (Vitis)",
    )
    reuse_factors: dict[str, PositiveInt] = Field(
        default_factory=dict, description="reuse factor by layer name, where the automatic choice is not wanted"
    )
    strategies: dict[str, Strategy] = Field(
        default_factory=dict, description="strategy by layer name, where another than `strategy` is wanted"
    )
    parallelization_factors: dict[str, PositiveInt] = Field(
        default_factory=dict, description="output pixels at once by convolution; io_parallel only"
    )
    fifo_words: dict[str, PositiveInt] = Field(
        default_factory=dict, description="words of the FIFO behind a layer by name, in place of `fifo_depths`"
    )

    bram_factor: PositiveInt | None = Field(
        None,
        description="layers of more weights than this read them through a port of the top function, from memory "
        "outside the core; null: all weights are in the core (Vitis or Vivado, io_stream, resource strategy)",
    )

    @field_validator("backend", mode="before")
    @classmethod
    def _say_why_not_libero(cls, backend: object) -> object:
        if backend == "Libero":
            raise ValueError(LIBERO)
        return backend

    @field_validator("board")
    @classmethod
    def _known_board(cls, name: str | None) -> str | None:
        try:
            return find_board(name).name if name is not None else None
        except ProjectError as error:
            raise ValueError(f"{error.what}; {error.fix}") from error

    @model_validator(mode="after")
    def _board_carries_part(self) -> HlsConfig:
        if self.board is not None and (carried := find_board(self.board).part) != self.part:
            raise ValueError(f"board: {self.board} carries {carried}, and part: says {self.part}; leave part: out")
        return self

    @property
    def device(self) -> Board | None:
        """The board that is named, or the first of the list that carries the part; None where none does."""
        return find_board(self.board) if self.board is not None else board_of_part(self.part)

    @property
    def product_io_type(self) -> str:
        """How tensors reach the resource templates: those for `ac_fixed` convolve arrays pixel by pixel too."""
        return "io_stream" if BACKENDS[self.backend].numbers is Numbers.AC else self.io_type

    def is_outside(self, weights: int) -> bool:
        """Whether so many weights of a layer are outside the core."""
        return self.bram_factor is not None and weights > self.bram_factor

    def strategy_of(self, layer: str) -> Strategy:
        """Give the strategy of one layer."""
        return self.strategies.get(layer, self.strategy)
