"""What can be chosen about the SystemVerilog core. Every field has a default that works for the network's size."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field, model_validator

from siliconv.bounded_reading import SECTION
from siliconv.rtl.plan.block_memories import RomKind

PositiveInt = Annotated[int, Field(ge=1, le=2**31 - 1)]

MULTIPLIER_BITS = {"ecp5": 18, "xc7": 25, "xcup": 27}
"""The wider side of a multiplier: MULT18X18D, DSP48E1, DSP48E2."""


FAMILY_OF_BOARD = {
    "ulx3s": "ecp5",
    **dict.fromkeys(("pynq-z2", "arty-a7-35t", "arty-a7-100t"), "xc7"),
    **dict.fromkeys(("zcu104", "kv260", "zcu102", "zcu106", "ultra96-v2"), "xcup"),
    **dict.fromkeys(("alveo-u50", "alveo-u200", "alveo-u250", "alveo-u55c"), "xcup"),
}
"""What the device of a board is."""

BLOCK_DESIGNS = ("pynq-z2", "zcu104", "kv260")
"""Boards for which a script builds a block design."""

BoardName = Literal[
    "ulx3s",
    "pynq-z2",
    "zcu104",
    "kv260",
    "zcu102",
    "zcu106",
    "ultra96-v2",
    "arty-a7-35t",
    "arty-a7-100t",
    "alveo-u50",
    "alveo-u200",
    "alveo-u250",
    "alveo-u55c",
]


class RtlConfig(BaseModel):
    """How the integer network becomes SystemVerilog."""

    model_config = SECTION

    interval: PositiveInt | None = Field(
        None, description="cycles from image to image; null takes the fewest that `products` allow"
    )
    products: PositiveInt = Field(
        64, description="multiplications a cycle, all layers together, where no interval is set"
    )
    lanes: dict[str, tuple[PositiveInt, PositiveInt] | tuple[PositiveInt, PositiveInt, PositiveInt]] = Field(
        default_factory=dict,
        description="channels in, channels out and columns of a convolution at a time by layer, where the automatic "
        "choice is not wanted",
    )
    multipliers: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = Field(
        None,
        description="the most multipliers of the device that are used; further products are made of look-up tables",
    )
    rom: dict[str, RomKind] = Field(
        default_factory=dict,
        description="where a layer's constants stand, by layer: block memory (block), look-up tables (distributed), or "
        "block memory above 32 words (auto)",
    )
    family: Literal["ecp5", "xc7", "xcup"] = Field(
        "ecp5", description="what Yosys maps to: Lattice ECP5, Xilinx 7 series, Xilinx UltraScale+"
    )
    part: Literal["LFE5UM5G-85F-8BG756", "LFE5U-85F-6BG381"] = Field(
        "LFE5UM5G-85F-8BG756", description="the ECP5 that nextpnr places on; LFE5U-85F-6BG381 is a ULX3S's"
    )
    board: BoardName | None = Field(
        None,
        description="the board that reports and verdicts are about. ulx3s: a top with a serial line is synthesized "
        "around the core, for that device and clock; pynq-z2, zcu104, kv260: a script for Vivado builds the block "
        "design with the core in it",
    )
    clock_mhz: float = Field(150.0, gt=0, le=1000, description="the clock that nextpnr is asked for")
    seed: int = Field(1, ge=0, le=2**31 - 1, description="of nextpnr's placer")

    @model_validator(mode="after")
    def _board_has_family(self) -> RtlConfig:
        wanted = FAMILY_OF_BOARD[self.board] if self.board else self.family
        if self.family != wanted:
            raise ValueError(f"board: {self.board} needs family: {wanted}")
        return self

    @property
    def board_top(self) -> str | None:
        """The board whose top is synthesized around the core, where there is one."""
        return self.board if self.board == "ulx3s" else None

    @property
    def block_design(self) -> tuple[str, float] | None:
        """The board and the clock (MHz) of a block design, where there is one."""
        return (self.board, self.clock_mhz) if self.board in BLOCK_DESIGNS else None

    @property
    def multiplier_bits(self) -> int:
        """The wider side of a multiplier of the family."""
        return MULTIPLIER_BITS[self.family]
