"""What a search for a board found: configurations, with what each takes of the device and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import log
from statistics import NormalDist
from typing import Any

from siliconv.hardware.boards import RESOURCES, Board
from siliconv.hls.configuration import SHIFT_REGISTER_WORDS, HlsConfig
from siliconv.hls.design.design import Design, MatrixLayer
from siliconv.hls.estimate.coefficients import SLACK
from siliconv.hls.estimate.estimate import Estimate
from siliconv.hls.kinds import Strategy


@dataclass(frozen=True)
class Configuration:
    """One way to build a design on a board.

    Parameters
    ----------
    reuse_factors, strategies, parallelization_factors
        By layer.
    fifo_memory, weight_memory, bram_factor
        Where FIFOs and weights lie, as in `HlsConfig`.
    clock_ns
        Period.
    estimate
        For logic synthesis.
    shares
        Share of each resource of the device that is used.
    fits, surely, chance
        Whether the values, and the upper ends of their bands, stay within the usable share of the device, and the
        chance that they do, as if the errors of all resources came together.
    meets
        Whether the rate or latency asked for is reached.
    steady_cycles
        Cycles from image to image in a long stream, simulated; in the search those of the slowest layer, and None for
        io_parallel. C synthesis states the longest interval instead, which charges every pixel with a product: two to
        three times that with strides.
    """

    reuse_factors: Mapping[str, int]
    strategies: Mapping[str, Strategy]
    clock_ns: float
    estimate: Estimate
    shares: Mapping[str, float]
    fits: bool
    surely: bool
    chance: float
    meets: bool
    parallelization_factors: Mapping[str, int] = field(default_factory=dict)
    fifo_memory: str = "auto"
    weight_memory: str = "auto"
    bram_factor: int | None = None
    steady_cycles: int | None = None

    @property
    def cycles(self) -> float:
        """Return the cycles from image to image: of a stream in its steady state, else the tool's interval."""
        found = self.estimate.interval_cycles.value if self.steady_cycles is None else self.steady_cycles
        return max(found, 1)

    @property
    def images_per_second(self) -> float:
        """Return the rate of a stream of images."""
        return 1e9 / (self.cycles * self.clock_ns)

    @property
    def latency_us(self) -> float:
        """Return the latency of one image in microseconds."""
        return self.estimate.latency_cycles.value * self.clock_ns / 1e3

    @property
    def binding(self) -> tuple[str, float]:
        """Return the resource that is fullest, and its share."""
        name = max(RESOURCES, key=lambda one: self.shares[one])
        return name, self.shares[name]

    def applied_to(self, design: Design) -> Design:
        """Return the design with these reuse factors, strategies, pixels at once and clock."""
        return replace(
            design,
            clock_ns=self.clock_ns,
            layers=tuple(
                replace(
                    layer,
                    reuse_factor=self.reuse_factors[layer.name],
                    strategy=self.strategies[layer.name],
                    parallelization_factor=self.parallelization_factors.get(layer.name, 1),
                )
                if isinstance(layer, MatrixLayer)
                else layer
                for layer in design.layers
            ),
        )

    def placed_in(self, design: Design) -> Design:
        """Return a design of these settings with FIFOs and weights where they lie."""
        layers = (
            replace(layer, weight_memory=self.weight_memory) if isinstance(layer, MatrixLayer) else layer
            for layer in design.layers
        )
        words = SHIFT_REGISTER_WORDS if self.fifo_memory == "shift_registers" else 0
        return replace(design, layers=tuple(layers), shift_register_words=words)

    def as_json(self) -> dict[str, Any]:
        """Return the configuration for machines; a share of a resource that the device lacks is null."""
        return {
            "images_per_second": round(self.images_per_second, 3),
            "latency_us": round(self.latency_us, 3),
            "clock_ns": self.clock_ns,
            "steady_cycles": self.steady_cycles,
            "fifo_memory": self.fifo_memory,
            "weight_memory": self.weight_memory,
            "bram_factor": self.bram_factor,
            "reuse_factors": dict(self.reuse_factors),
            "strategies": {name: str(strategy) for name, strategy in self.strategies.items()},
            "parallelization_factors": dict(self.parallelization_factors),
            "fits": self.fits,
            "fits_with_its_band": self.surely,
            "chance_to_fit": round(self.chance, 3),
            "meets": self.meets,
            "shares": {name: share if share != float("inf") else None for name, share in self.shares.items()},
            "estimate": self.estimate.as_json(),
        }

    def settings(self, config: HlsConfig, board: Board) -> HlsConfig:
        """Return the firmware settings of a project with this configuration in them."""
        changes = {
            "board": board.name,
            "part": board.part,
            "clock_ns": self.clock_ns,
            "fifo_memory": self.fifo_memory,
            "weight_memory": self.weight_memory,
            "bram_factor": self.bram_factor,
            "strategies": {name: one for name, one in self.strategies.items() if one is not config.strategy},
            "reuse_factors": dict(self.reuse_factors),
            "parallelization_factors": {name: one for name, one in self.parallelization_factors.items() if one > 1},
        }
        return config.model_copy(update=changes)


@dataclass(frozen=True)
class Fit:
    """What the search found.

    `best` are the best configurations, the chosen one first: those that fit with their bands and reach what was asked
    for, else those that may fit, else those that come nearest. `chosen` is None when nothing does. `at_risk` is faster
    than the chosen one and may fit. `beyond` is faster than the best and full: what stands in the way of more; None
    where the templates have nothing faster. `least` are the smallest shares of each resource among all settings that
    were tried, each by itself: what is above the usable share there, no setting mends. `front` are those of all that
    were searched of which none is faster with a less full device, the slowest first; their FIFOs are taken as shallow.
    """

    board: Board
    best: tuple[Configuration, ...]
    chosen: Configuration | None
    target: str
    beyond: Configuration | None = None
    at_risk: Configuration | None = None
    least: Mapping[str, float] = field(default_factory=dict)
    front: tuple[Configuration, ...] = ()

    @property
    def binding(self) -> tuple[str, float] | None:
        """Return the resource that stands in the way and its share, None where none does."""
        if self.best and not self.best[0].fits:
            return self.best[0].binding
        return self.beyond.binding if self.beyond is not None else None


def front_of(found: Sequence[Configuration]) -> tuple[Configuration, ...]:
    """Return those of which none is faster with a less full device, the slowest first."""
    front: list[Configuration] = []
    for one in sorted(found, key=lambda one: (one.binding[1], -one.images_per_second)):
        if not front or one.images_per_second > front[-1].images_per_second:
            front.append(one)
    return tuple(front)


def chance_to_fit(found: Estimate, board: Board, most_share: float) -> float:
    """Return the chance that a design stays within a share of each resource of a device.

    The band of each resource is read as that of a logarithmic normal distribution, and the resource with the least
    chance counts.
    """
    reach = NormalDist().inv_cdf((1 + found.coverage) / 2)
    chances = []
    for name in RESOURCES:
        value, slack, room = getattr(found, name), SLACK.get(name, 1.0), most_share * getattr(board, name)
        spread = log((value.high + slack) / (value.value + slack)) / reach
        over = log((room + slack) / (value.value + slack))
        chances.append(NormalDist().cdf(over / spread) if spread > 0 else float(over >= 0))
    return min(chances)
