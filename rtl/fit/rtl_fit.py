"""The interval that a board can keep: every layer takes the fewest lanes that keep up with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from siliconv.errors import FirmwareError
from siliconv.hardware.boards import Board, boards
from siliconv.hardware.boards import board as find_board
from siliconv.network.graph import Network
from siliconv.rtl.configuration import MULTIPLIER_BITS, RtlConfig
from siliconv.rtl.cycles.cycle_model import Cycles, cycles
from siliconv.rtl.design.distributed_roms import roms_of, with_blocks_at_most
from siliconv.rtl.design.logic_products import with_at_most
from siliconv.rtl.plan.block_memories import RomKind
from siliconv.rtl.plan.blocks import RtlDesign
from siliconv.rtl.plan.lanes import Lanes, choices_of, cycles_of, lanes_for_interval
from siliconv.rtl.plan.planning import plan
from siliconv.rtl.resources.multiplier_count import multipliers as multipliers_of_design
from siliconv.rtl.resources.predicted_cells import Predicted, predicted
from siliconv.rtl.writing.board_tops import BOARD_TOPS

MOST_SHARES = {"lut": 0.8, "ff": 0.8, "dsp": 1.0, "bram18": 0.95, "uram": 1.0}
"""What of a device may be used: fuller logic seldom meets its clock, multipliers and memories stand fixed."""

_TRIED = 48
_IMAGES = 3
_FAMILIES = {"LFE5": "ecp5", "xc7": "xc7", "xczu": "xcup", "xck": "xcup", "xcu": "xcup"}


@dataclass(frozen=True, eq=False)
class RtlChoice:
    """One way to build a network on a board.

    Parameters
    ----------
    interval
        Cycles from image to image.
    clock_mhz
        The clock that is counted with.
    lanes
        By layer.
    multipliers
        The most that are used, where further products stand in look-up tables.
    design
        With rings as they are before they are sized.
    cells
        What it is predicted to take.
    shares
        Of the board, by resource.
    """

    interval: int
    clock_mhz: float
    lanes: Mapping[str, Lanes]
    multipliers: int | None
    design: RtlDesign
    cells: Predicted
    shares: Mapping[str, float]

    @property
    def fits(self) -> bool:
        """Whether no resource is fuller than it may be."""
        return all(share <= MOST_SHARES[name] for name, share in self.shares.items())

    @property
    def roms(self) -> Mapping[str, RomKind]:
        """The kind of ROM of the layers that are not ``auto``."""
        return roms_of(self.design)

    @property
    def binding(self) -> tuple[str, float]:
        """The resource that is fullest, of what may be used, and its share of the device."""
        name = max(self.shares, key=lambda one: self.shares[one] / MOST_SHARES[one])
        return name, self.shares[name]

    @property
    def images_per_second(self) -> float:
        """The rate of a stream of images."""
        return self.clock_mhz * 1e6 / self.interval

    @cached_property
    def cycles(self) -> Cycles:
        """When each word of some images moves."""
        return cycles(self.design, _IMAGES)

    @property
    def latency_us(self) -> float:
        """Microseconds from the first word of an image to the last of its result."""
        return self.cycles.latency / self.clock_mhz

    def as_json(self) -> dict[str, Any]:
        """Return it for machines."""
        return {
            "interval": self.interval,
            "images_per_second": round(self.images_per_second, 3),
            "latency_us": round(self.latency_us, 3),
            "clock_mhz": self.clock_mhz,
            "products": self.design.products,
            "lanes": {name: [one.pin, one.pout, one.pixels] for name, one in self.lanes.items()},
            "multipliers": self.multipliers,
            "rom": dict(self.roms),
            "fits": self.fits,
            "cells": self.cells.by_resource(),
            "shares": dict(self.shares),
        }


def family_of(board: Board) -> str:
    """Give the family of a board's device; raises `FirmwareError` ``RTL-BOARD`` where the core has none for it."""
    for prefix, family in _FAMILIES.items():
        if board.part.startswith(prefix):
            return family
    raise FirmwareError(
        "RTL-BOARD",
        f"the SystemVerilog core is counted on {', '.join(MULTIPLIER_BITS)}, not on {board.part} ({board.title})",
        where=f"--board {board.name}",
        fix="choose a board with an ECP5, 7 series or UltraScale+ device, see siliconv boards",
    )


def device_of(config: RtlConfig) -> Board | None:
    """Give the board that a project's core is for, or one with the device of its part; None where it names neither."""
    if config.board in BOARD_TOPS:
        part = BOARD_TOPS[config.board].part
    elif config.board is not None:
        return find_board(config.board)
    elif config.family == "ecp5":
        part = config.part
    else:
        return None
    return next((one for one in boards() if one.part.split("-")[:2] == part.split("-")[:2]), None)


def choices(network: Network, board: Board, clock_mhz: float) -> tuple[RtlChoice, ...]:
    """Give designs of a network from the slowest to the fastest, and what each takes of a board."""
    family = family_of(board)
    nodes = [node for node in network.nodes[1:] if choices_of(node, network)]
    known = {cycles_of(node, network, lanes) for node in nodes for lanes in choices_of(node, network)}
    # No interval is shorter than that of the layer that is slowest with all its lanes.
    least = max(min(cycles_of(node, network, lanes) for lanes in choices_of(node, network)) for node in nodes)
    intervals = sorted((one for one in known if one >= least), reverse=True)
    step = max(len(intervals) / _TRIED, 1.0)
    tried = [intervals[int(number * step)] for number in range(min(len(intervals), _TRIED))]
    found: dict[int, RtlChoice] = {}
    for interval in (*tried, least):
        lanes = lanes_for_interval(network, interval)
        design = plan(network, lanes, multiplier_bits=MULTIPLIER_BITS[family])
        design, multipliers = _within(design, board, family)
        cells = predicted(design, family)
        shares = board.shares(cells.by_resource())
        reached = max(cycles_of(node, network, lanes[node.name]) for node in nodes)
        found[reached] = RtlChoice(reached, clock_mhz, lanes, multipliers, design, cells, shares)
    return tuple(found[interval] for interval in sorted(found, reverse=True))


def _within(design: RtlDesign, board: Board, family: str) -> tuple[RtlDesign, int | None]:
    """Move products and weights that a device has no multipliers and block memories for to its look-up tables.

    Gives the multipliers that are left where there are too few.
    """
    design = with_blocks_at_most(design, int(MOST_SHARES["bram18"] * board.bram18), family)
    multipliers = int(MOST_SHARES["dsp"] * board.dsp)
    if multipliers_of_design(design.blocks, family) <= multipliers:
        return design, None
    return with_at_most(design, multipliers, family), multipliers


def chosen_of(
    found: tuple[RtlChoice, ...], images_per_second: float | None, latency_us: float | None
) -> RtlChoice | None:
    """Give the fastest design that fits, or the slowest of those that reach what is asked for; None where none does."""
    fitting = [one for one in found if one.fits]
    if images_per_second is None and latency_us is None:
        return fitting[-1] if fitting else None
    for one in fitting:
        if one.images_per_second >= (images_per_second or 0.0) and (latency_us is None or one.latency_us <= latency_us):
            return one
    return None
