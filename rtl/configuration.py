"""What can be chosen about the SystemVerilog core. Every field has a default that works for the network's size."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from siliconv.bounded_reading import SECTION

PositiveInt = Annotated[int, Field(ge=1, le=2**31 - 1)]

MULTIPLIER_BITS = {"ecp5": 18, "xc7": 25, "xcup": 27}
"""The wider side of a multiplier: MULT18X18D, DSP48E1, DSP48E2."""


class RtlConfig(BaseModel):
    """How the integer network becomes SystemVerilog."""

    model_config = SECTION

    interval: PositiveInt | None = Field(
        None, description="cycles from image to image; null takes the fewest that `products` allow"
    )
    products: PositiveInt = Field(
        64, description="multiplications a cycle, all layers together, where no interval is set"
    )
    lanes: dict[str, tuple[PositiveInt, PositiveInt]] = Field(
        default_factory=dict,
        description="channels in and channels out at a time by layer, where the automatic choice is not wanted",
    )
    family: Literal["ecp5", "xc7", "xcup"] = Field(
        "ecp5", description="what Yosys maps to: Lattice ECP5, Xilinx 7 series, Xilinx UltraScale+"
    )
    part: Literal["LFE5UM5G-85F-8BG756", "LFE5U-85F-6BG381"] = Field(
        "LFE5UM5G-85F-8BG756", description="the ECP5 that nextpnr places on; LFE5U-85F-6BG381 is a ULX3S's"
    )
    board: Literal["ulx3s"] | None = Field(
        None, description="a board whose top is synthesized around the core, with its own device and clock"
    )
    clock_mhz: float = Field(150.0, gt=0, le=1000, description="the clock that nextpnr is asked for")
    seed: int = Field(1, ge=0, le=2**31 - 1, description="of nextpnr's placer")

    @property
    def multiplier_bits(self) -> int:
        """The wider side of a multiplier of the family."""
        return MULTIPLIER_BITS[self.family]
