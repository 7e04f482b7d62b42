"""A design that fits a board: the search over reuse factors, strategies and clocks.

For every interval that some layer can have, each layer takes the cheapest of its legal options that keeps up
with it, so that the layers are balanced; what comes of it is estimated as logic synthesis would report it and
compared with the device.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from siliconv.hls.boards import RESOURCES, Board
from siliconv.hls.design import Design, Layer, MatrixLayer, Stage, Strategy
from siliconv.hls.estimate import Estimate, estimate
from siliconv.hls.reuse_factors import legal_reuse_factors

# hls4ml's unrolled loops end at so many products ("Stop unrolling loop", hls4ml #1013).
MOST_MULTIPLIERS = 4096
# Logic that is fuller than this seldom meets its clock.
MOST_SHARE = 0.8
# FIFOs as `siliconv.hls.fifo_depths` leaves most of them.
_SHALLOW = 2
_INTERVALS = 40
_SHOWN = 5


@dataclass(frozen=True)
class Configuration:
    """One way to build a design on a board.

    Parameters
    ----------
    reuse_factors, strategies
        By layer.
    clock_ns
        Period.
    estimate
        For logic synthesis.
    shares
        Share of each resource of the device that is used.
    fits, surely
        Whether the values, and the upper ends of their bands, stay within the usable share of the device.
    meets
        Whether the rate or latency asked for is reached.
    """

    reuse_factors: Mapping[str, int]
    strategies: Mapping[str, Strategy]
    clock_ns: float
    estimate: Estimate
    shares: Mapping[str, float]
    fits: bool
    surely: bool
    meets: bool

    @property
    def images_per_second(self) -> float:
        """Return the rate of a stream of images."""
        return 1e9 / (max(self.estimate.interval_cycles.value, 1) * self.clock_ns)

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
        """Return the design with these reuse factors, strategies and clock."""
        return replace(
            design,
            clock_ns=self.clock_ns,
            layers=tuple(
                replace(layer, reuse_factor=self.reuse_factors[layer.name], strategy=self.strategies[layer.name])
                if isinstance(layer, MatrixLayer)
                else layer
                for layer in design.layers
            ),
        )


@dataclass(frozen=True)
class Fit:
    """What the search found.

    `best` are the best configurations, the chosen one first: those that fit and reach what was asked for,
    else those that come nearest. `chosen` is None when nothing fits.
    """

    board: Board
    best: tuple[Configuration, ...]
    chosen: Configuration | None
    target: str

    @property
    def binding(self) -> tuple[str, float] | None:
        """Return the fullest resource of the best configuration and its share, None without any."""
        return self.best[0].binding if self.best else None


@dataclass(frozen=True)
class _Option:
    """One legal setting of a layer: its interval and what it takes of the device, as the largest share."""

    reuse_factor: int
    strategy: Strategy
    interval: int
    cost: float


def fit(
    design: Design,
    board: Board,
    *,
    images_per_second: float | None = None,
    latency_us: float | None = None,
    clocks_ns: Sequence[float] | None = None,
    fifo_depths: Mapping[str, int] | None = None,
    most_share: float = MOST_SHARE,
) -> Fit:
    """Search the settings of a design for a board.

    Parameters
    ----------
    design
        Its reuse factors, strategies, clock, part and FIFO depths are what is searched or replaced.
    board
        The device.
    images_per_second, latency_us
        What has to be reached; without either, the fastest that fits is best, with one, the smallest.
    clocks_ns
        Periods to try; by default the board's usual one.
    fifo_depths
        Words by layer; 2 for the others, which is what a chain of layers needs.
    most_share
        Of each resource.
    """
    shallow = tuple(replace(layer, fifo_depth=(fifo_depths or {}).get(layer.name, _SHALLOW)) for layer in design.layers)
    found: list[Configuration] = []
    for clock_ns in clocks_ns or (board.clock_ns,):
        placed = replace(design, layers=shallow, part=board.part, clock_ns=clock_ns, clock_uncertainty_ns=None)
        options = {
            layer.name: _options(layer, placed, board) for layer in placed.layers if isinstance(layer, MatrixLayer)
        }
        for interval in _intervals(options):
            picked = _pick(options, interval)
            if picked is not None:
                found.append(_configuration(placed, board, picked, images_per_second, latency_us, most_share))
    wanted = images_per_second is not None or latency_us is not None
    found.sort(key=lambda one: _rank(one, wanted=wanted))
    best = _distinct(found)[:_SHOWN]
    chosen = best[0] if best and best[0].fits and best[0].meets else None
    return Fit(board, tuple(best), chosen, _target(images_per_second, latency_us))


def _options(layer: MatrixLayer, design: Design, board: Board) -> list[_Option]:
    """Return the legal settings of a layer that the tools can unroll, the fastest first."""
    settings = [
        (factor, Strategy.RESOURCE)
        for factor in legal_reuse_factors(
            layer.n_in, layer.n_out, Strategy.RESOURCE, kind=layer.kind, io_type=design.io_type
        )
        if layer.products <= factor * MOST_MULTIPLIERS
    ]
    if layer.products <= MOST_MULTIPLIERS:
        settings.append((1, Strategy.LATENCY))
    found = []
    for factor, strategy in settings:
        one: Layer = replace(layer, reuse_factor=factor, strategy=strategy)
        alone = estimate(replace(design, layers=(one,)), stage=Stage.VSYNTH).layers[0]
        shares = board.shares({name: getattr(alone, name) for name in RESOURCES})
        found.append(_Option(factor, strategy, max(alone.interval_cycles, 1), sum(shares.values())))
    return sorted(found, key=lambda option: option.interval)


def _intervals(options: Mapping[str, Sequence[_Option]]) -> list[int]:
    """Return the intervals worth trying: those of the options, thinned out evenly."""
    known = sorted({option.interval for of_layer in options.values() for option in of_layer})
    if len(known) <= _INTERVALS:
        return known
    step = (len(known) - 1) / (_INTERVALS - 1)
    return sorted({known[round(index * step)] for index in range(_INTERVALS)})


def _pick(options: Mapping[str, Sequence[_Option]], interval: int) -> dict[str, _Option] | None:
    """Return the cheapest option of each layer that keeps up with an interval, None if one has none."""
    picked = {}
    for name, of_layer in options.items():
        fast_enough = [option for option in of_layer if option.interval <= interval]
        if not fast_enough:
            return None
        picked[name] = min(fast_enough, key=lambda option: (option.cost, option.interval))
    return picked


def _configuration(
    design: Design,
    board: Board,
    picked: Mapping[str, _Option],
    images_per_second: float | None,
    latency_us: float | None,
    most_share: float,
) -> Configuration:
    layers = tuple(
        replace(layer, reuse_factor=picked[layer.name].reuse_factor, strategy=picked[layer.name].strategy)
        if isinstance(layer, MatrixLayer)
        else layer
        for layer in design.layers
    )
    found = estimate(replace(design, layers=layers), stage=Stage.VSYNTH)
    shares = board.shares({name: getattr(found, name).value for name in RESOURCES})
    upper = board.shares({name: getattr(found, name).high for name in RESOURCES})
    configuration = Configuration(
        {name: option.reuse_factor for name, option in picked.items()},
        {name: option.strategy for name, option in picked.items()},
        design.clock_ns,
        found,
        shares,
        fits=max(shares.values()) <= most_share,
        surely=max(upper.values()) <= most_share,
        meets=True,
    )
    meets = (images_per_second is None or configuration.images_per_second >= images_per_second) and (
        latency_us is None or configuration.latency_us <= latency_us
    )
    return replace(configuration, meets=meets)


def _rank(one: Configuration, *, wanted: bool) -> tuple[float, ...]:
    """Return the order of preference, the best first."""
    fullest = one.binding[1]
    if not one.fits:
        return (2.0, 0.0 if one.meets else 1.0, fullest, 0.0)
    if not one.meets:
        return (1.0, 0.0, -one.images_per_second, fullest)
    if wanted:
        return (0.0, 0.0, fullest, -one.images_per_second)
    return (0.0, 0.0, -one.images_per_second, fullest)


def _distinct(found: Sequence[Configuration]) -> list[Configuration]:
    seen = set()
    distinct = []
    for one in found:
        key = (tuple(sorted(one.reuse_factors.items())), tuple(sorted(one.strategies.items())), one.clock_ns)
        if key not in seen:
            seen.add(key)
            distinct.append(one)
    return distinct


def _target(images_per_second: float | None, latency_us: float | None) -> str:
    asked = []
    if images_per_second is not None:
        asked.append(f"at least {images_per_second:g} images/s")
    if latency_us is not None:
        asked.append(f"at most {latency_us:g} us")
    return " and ".join(asked) or "the fastest that fits"
