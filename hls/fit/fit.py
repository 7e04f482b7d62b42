"""A design that fits a board: the search over reuse factors, strategies, pixels at once and clocks.

For every interval that some layer can have, each layer takes the cheapest of its legal options that keeps up
with it, so that the layers are balanced; what is cheap depends on the resource that is short, so each is tried as
the dear one. What comes of it is estimated as logic synthesis would report it and compared with the device; the best
are estimated again with the FIFOs that their firmware gets.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from siliconv.hardware.boards import RESOURCES, Board
from siliconv.hardware.stream.steady_state import steady_interval
from siliconv.hls.conversion.reuse_factors import legal_parallelization_factors, legal_reuse_factors
from siliconv.hls.design.design import Design, Layer, MatrixLayer
from siliconv.hls.estimate.coefficients import Coefficients
from siliconv.hls.estimate.estimate import Estimate, estimate
from siliconv.hls.estimate.schedule import busy_cycles
from siliconv.hls.fifo.stream_actors import stream_graph
from siliconv.hls.fit.candidates import Configuration, Fit, chance_to_fit, front_of
from siliconv.hls.kinds import IoType, Strategy, Synthesis

# hls4ml's unrolled loops end at so many products ("Stop unrolling loop", hls4ml #1013).
MOST_MULTIPLIERS = 4096
# Logic that is fuller than this seldom meets its clock.
MOST_SHARE = 0.8
# FIFOs as `siliconv.hardware.stream.fifo_depths` leaves most of them.
_SHALLOW = 2
_INTERVALS = 40
_SHOWN = 5
# So many of the best are estimated with their real FIFOs.
_EXAMINED = 12
# And so many of the fastest that may fit.
_RISKY = 4
# Periods to try, in units of the board's usual one: never faster, for the estimate does not know the timing.
_CLOCKS = (1.0, 1.25, 1.5, 2.0)
# Of what fits for no design for sure, a chance from which the faster one is worth more than a better chance.
_GOOD_CHANCE = 0.8
# Weight of the resource that is taken as the dear one.
_DEAR = 8.0


@dataclass(frozen=True)
class _Option:
    """One legal setting of a layer: its cycles an image, and the shares of the device's resources that it takes."""

    reuse_factor: int
    strategy: Strategy
    parallelization_factor: int
    interval: int
    shares: Mapping[str, float]

    def cost(self, dear: str | None) -> float:
        """Return the shares together, those of the dear resource more than once."""
        return sum(self.shares.values()) + (_DEAR * self.shares[dear] if dear else 0.0)


@dataclass(frozen=True)
class _Target:
    """What a configuration is judged by."""

    board: Board
    images_per_second: float | None
    latency_us: float | None
    most_share: float
    coefficients: Coefficients | None

    @property
    def is_stated(self) -> bool:
        return self.images_per_second is not None or self.latency_us is not None

    def estimate(self, design: Design, *, by_layer: bool = True) -> Estimate:
        return estimate(design, stage=Synthesis.VSYNTH, coefficients=self.coefficients, by_layer=by_layer)

    def __str__(self) -> str:
        asked = []
        if self.images_per_second is not None:
            asked.append(f"at least {_plain(self.images_per_second)} images/s")
        if self.latency_us is not None:
            asked.append(f"at most {_plain(self.latency_us)} µs")
        return " and ".join(asked) or "the fastest that fits"


def _plain(number: float) -> str:
    """Write a number without an exponent."""
    return f"{number:,.0f}" if number >= 1000 else f"{number:g}"


def fit(
    design: Design,
    board: Board,
    *,
    images_per_second: float | None = None,
    latency_us: float | None = None,
    clocks_ns: Sequence[float] | None = None,
    fifo_depths: Mapping[str, int] | None = None,
    most_share: float = MOST_SHARE,
    as_generated: Callable[[Configuration], Design] | None = None,
    placements: Sequence[tuple[str, str]] = (("auto", "auto"),),
    bram_factor: int | None = None,
    coefficients: Coefficients | None = None,
) -> Fit:
    """Search the settings of a design for a board.

    Parameters
    ----------
    design
        Its reuse factors, strategies, pixels at once, clock, part and FIFO depths are what is searched or replaced.
    board
        The device.
    images_per_second, latency_us
        What has to be reached; without either, the fastest that fits is best, with one, the smallest.
    clocks_ns
        Periods to try; by default the board's usual one and some that are longer.
    fifo_depths
        Words by layer; 2 for the others, which is what a chain of balanced layers needs.
    most_share
        Of each resource.
    as_generated
        Gives the design of a configuration as its firmware will be, FIFO depths included; the best configurations
        are judged by it.
    placements
        Where FIFOs and weights may lie, what is preferred first; with `as_generated` only, for the search knows shallow
        FIFOs and the tool's own choice.
    bram_factor
        The setting by which weights of the design are outside the core; what is found has it.
    coefficients
        Those of the package by default.
    """
    target = _Target(board, images_per_second, latency_us, most_share, coefficients)
    depths = fifo_depths or {}
    layers = tuple(replace(layer, fifo_depth=depths.get(layer.name, _SHALLOW)) for layer in design.layers)
    shallow = replace(design, layers=layers, part=board.part, clock_uncertainty_ns=None)
    found: list[Configuration] = []
    for clock_ns in clocks_ns or [round(board.clock_ns * factor, 3) for factor in _CLOCKS]:
        placed = replace(shallow, clock_ns=clock_ns)
        options = {
            layer.name: _options(layer, placed, target) for layer in placed.layers if isinstance(layer, MatrixLayer)
        }
        searched = [_configuration(placed, picked, target) for picked in _choices(options)]
        found += [replace(one, bram_factor=bram_factor) for one in searched]
    found.sort(key=lambda one: _rank(one, wanted=target.is_stated))
    everything = tuple(found)
    found = _worth_examining(found)
    if as_generated is not None:
        found = [_placed(one, as_generated, placements, target) for one in found]
    else:
        shown = _telling(found)
        shown[_SHOWN:] = [one for one in shown[_SHOWN:] if one.fits and not one.surely]
        designs = [(one, one.applied_to(shallow)) for one in shown]
        found = [_judged(one, each, target, _steady(each)) for one, each in designs]
    found.sort(key=lambda one: _rank(one, wanted=target.is_stated))
    told = _telling(found)
    best = told[:_SHOWN]
    chosen = best[0] if best and best[0].fits and best[0].meets else None
    risky = [one for one in told if chosen is not None and one.fits and one.meets and not one.surely]
    at_risk = max(
        (one for one in risky if chosen is not None and one.images_per_second > chosen.images_per_second),
        key=lambda one: one.images_per_second,
        default=None,
    )
    full = [one for one in everything if not one.fits and best[0].fits]
    faster = [one for one in full if one.images_per_second > best[0].images_per_second]
    beyond = min(faster, key=lambda one: one.binding[1], default=None)
    return Fit(
        board,
        tuple(best),
        chosen,
        str(target),
        beyond,
        at_risk if chosen is not None and chosen.surely else None,
        {name: min((one.shares[name] for one in everything), default=0.0) for name in RESOURCES},
        front_of(everything),
    )


def _worth_examining(found: Sequence[Configuration]) -> list[Configuration]:
    """Return the best, and the fastest of those that may fit: what is worth an estimate with real FIFOs."""
    best = list(found[:_EXAMINED])
    risky = [one for one in found[_EXAMINED:] if one.fits and one.meets and not one.surely]
    return best + sorted(risky, key=lambda one: -one.images_per_second)[:_RISKY]


def _options(layer: MatrixLayer, design: Design, target: _Target) -> list[_Option]:
    """Return the legal settings of a layer that the tools can unroll, the fastest first."""
    settings = [
        (factor, Strategy.RESOURCE)
        for factor in legal_reuse_factors(
            layer.n_in, layer.n_out, Strategy.RESOURCE, kind=layer.kind, io_type=design.io_type
        )
    ]
    if layer.weights_outside:
        # A memory of one word is none, and only the reuse loop reads one.
        settings = settings[1:]
    else:
        settings.append((1, Strategy.LATENCY))
    copies = [1]
    if layer.kind.is_convolution and design.io_type is IoType.PARALLEL:
        copies = list(legal_parallelization_factors(layer.output.pixels, io_type=design.io_type))
    found = []
    for factor, strategy in settings:
        for pixels in copies:
            if pixels * layer.products > factor * MOST_MULTIPLIERS:
                continue
            one: Layer = replace(layer, reuse_factor=factor, strategy=strategy, parallelization_factor=pixels)
            alone = target.estimate(replace(design, layers=(one,))).layers[0]
            shares = target.board.shares({name: getattr(alone, name) for name in RESOURCES})
            found.append(_Option(factor, strategy, pixels, max(busy_cycles(one, design), 1), shares))
    return sorted(found, key=lambda option: option.interval)


def _intervals(options: Mapping[str, Sequence[_Option]]) -> list[int]:
    """Return the intervals worth trying: those of the options, thinned out evenly."""
    known = sorted({option.interval for of_layer in options.values() for option in of_layer})
    if len(known) <= _INTERVALS:
        return known
    step = (len(known) - 1) / (_INTERVALS - 1)
    return sorted({known[round(index * step)] for index in range(_INTERVALS)})


def _choices(options: Mapping[str, Sequence[_Option]]) -> list[dict[str, _Option]]:
    """Return the balanced choices of an option for each layer, each once."""
    found: list[dict[str, _Option]] = []
    seen = set()
    for interval in _intervals(options):
        for dear in (None, *RESOURCES):
            picked = _pick(options, interval, dear)
            key = picked and tuple(map(id, picked.values()))
            if picked is not None and key not in seen:
                seen.add(key)
                found.append(picked)
    return found


def _pick(options: Mapping[str, Sequence[_Option]], interval: int, dear: str | None) -> dict[str, _Option] | None:
    """Return the cheapest option of each layer that keeps up with an interval, None if one has none."""
    picked = {}
    for name, of_layer in options.items():
        fast_enough = [option for option in of_layer if option.interval <= interval]
        if not fast_enough:
            return None
        picked[name] = min(fast_enough, key=lambda option: (option.cost(dear), option.interval))
    return picked


def _configuration(design: Design, picked: Mapping[str, _Option], target: _Target) -> Configuration:
    layers = tuple(
        replace(
            layer,
            reuse_factor=picked[layer.name].reuse_factor,
            strategy=picked[layer.name].strategy,
            parallelization_factor=picked[layer.name].parallelization_factor,
        )
        if isinstance(layer, MatrixLayer)
        else layer
        for layer in design.layers
    )
    found = target.estimate(replace(design, layers=layers), by_layer=False)
    slowest = None
    if design.io_type is IoType.STREAM:
        slowest = max(busy_cycles(layer, design) for layer in layers)
    return Configuration(
        {name: option.reuse_factor for name, option in picked.items()},
        {name: option.strategy for name, option in picked.items()},
        design.clock_ns,
        found,
        **_verdict(found, target, slowest),
        parallelization_factors={name: option.parallelization_factor for name, option in picked.items()},
        steady_cycles=slowest,
    )


def _judged(one: Configuration, design: Design, target: _Target, steady: int | None) -> Configuration:
    """Return a configuration judged by its design as it will be generated, and by its cycles from image to image."""
    found = target.estimate(design)
    return replace(one, estimate=found, steady_cycles=steady, **_verdict(found, target, steady))


def _steady(design: Design) -> int | None:
    """Return the simulated cycles from image to image of a stream."""
    return steady_interval(stream_graph(design)) if design.io_type is IoType.STREAM else None


def _placed(
    one: Configuration,
    as_generated: Callable[[Configuration], Design],
    placements: Sequence[tuple[str, str]],
    target: _Target,
) -> Configuration:
    """Return a configuration with FIFOs and weights where it fits with its band, else where it fits, else nearest."""
    tried: list[Configuration] = []
    design = as_generated(one)
    # Where memories lie changes no cycle and no depth.
    steady = _steady(design)
    for fifos, weights in placements:
        placed = replace(one, fifo_memory=fifos, weight_memory=weights)
        tried.append(_judged(placed, placed.placed_in(design), target, steady))
        if tried[-1].surely:
            return tried[-1]
    nearest = min(tried, key=lambda placed: placed.binding[1])
    return next((placed for placed in tried if placed.fits), nearest)


def _verdict(found: Estimate, target: _Target, steady: int | None = None) -> dict[str, Any]:
    shares = target.board.shares({name: getattr(found, name).value for name in RESOURCES})
    upper = target.board.shares({name: getattr(found, name).high for name in RESOURCES})
    cycles = found.interval_cycles.value if steady is None else steady
    rate = 1e9 / (max(cycles, 1) * found.clock_ns)
    latency = found.latency_cycles.value * found.clock_ns / 1e3
    fast_enough = target.images_per_second is None or rate >= target.images_per_second
    return {
        "shares": shares,
        "fits": max(shares.values()) <= target.most_share,
        "surely": max(upper.values()) <= target.most_share,
        "chance": chance_to_fit(found, target.board, target.most_share),
        "meets": fast_enough and (target.latency_us is None or latency <= target.latency_us),
    }


def _rank(one: Configuration, *, wanted: bool) -> tuple[float, ...]:
    """Return the order of preference, the best first."""
    fullest, together = one.binding[1], sum(one.shares.values())
    if not one.fits:
        return (3.0, 0.0 if one.meets else 1.0, fullest, together)
    if not one.meets:
        return (2.0, -one.images_per_second, fullest, together)
    if not one.surely and wanted:
        return (1.0, -round(one.chance, 2), fullest, together)
    if not one.surely:
        return (1.0, -min(round(one.chance, 1), _GOOD_CHANCE), -one.images_per_second, together)
    if wanted:
        return (0.0, fullest, -one.images_per_second, together)
    return (0.0, -one.images_per_second, fullest, together)


def _telling(found: Sequence[Configuration]) -> list[Configuration]:
    """Leave out what differs from a better one in its clock alone, or is as fast and takes more."""
    shown: dict[tuple[object, ...], Configuration] = {}
    for one in found:
        factors = (one.reuse_factors, one.strategies, one.parallelization_factors)
        shown.setdefault(tuple(tuple(sorted(by_layer.items())) for by_layer in factors), one)
    speeds: dict[float, Configuration] = {}
    for one in shown.values():
        speeds.setdefault(one.cycles, one)
    return list(speeds.values())
