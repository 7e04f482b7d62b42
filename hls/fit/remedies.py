"""When a design does not fit: the changes that would help, each with its estimated effect."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from siliconv.errors import WorkSaysNoError
from siliconv.hardware.boards import Board, boards
from siliconv.hls.design.design import Design, Layer, MatrixLayer, Tensor
from siliconv.hls.fit.candidates import Configuration, Fit
from siliconv.hls.fit.fit import MOST_MULTIPLIERS, MOST_SHARE, fit
from siliconv.hls.kinds import IoType
from siliconv.hls.weight_statistics import WeightStatistics

_SHOWN = 5

_SPELLED = {
    "lut": "LUTs",
    "ff": "flip-flops",
    "dsp": "DSP blocks",
    "bram18": "18-Kb block memories",
    "uram": "UltraRAMs",
}


@dataclass(frozen=True)
class Remedy:
    """One change and what it leads to.

    Parameters
    ----------
    change
        What to do.
    fits
        Whether the design then fits and reaches what was asked for.
    resource, share
        The fullest resource after it, and its share of the device; infinite where no layer can be built.
    images_per_second, latency_us
        Of the best configuration after it.
    """

    change: str
    fits: bool
    resource: str = "lut"
    share: float = float("inf")
    images_per_second: float = 0.0
    latency_us: float = float("inf")

    def __str__(self) -> str:
        fits = "fits, " if self.fits else ""
        speed = f"{self.images_per_second:,.0f} images/s with {self.latency_us:,.0f} µs of latency"
        return f"{self.change}: {fits}{self.share:.0%} of the {_SPELLED[self.resource]}, {speed}"


def remedies(
    design: Design, found: Fit, *, alternatives: Mapping[str, Design] | None = None, **target: Any
) -> tuple[Remedy, ...]:
    """Return changes that bring a design nearer to a board, those that make it fit first.

    Parameters
    ----------
    design
        What did not fit.
    found
        The outcome of the search.
    alternatives
        Other networks for the same images by what to do for them, such as smaller presets.
    target
        The keywords that the search was given.
    """
    board = found.board
    # Longer periods make nothing smaller that matters here; one period is a quarter of the time.
    target = {**target, "clocks_ns": target.get("clocks_ns") or [board.clock_ns], "as_generated": None}
    # Like with like: what is tried has no FIFOs of its own.
    before = fit(design, board, **target)
    altered = [*_alterations(design), *(alternatives or {}).items()]
    tried = [_tried(change, fit(one, board, **target)) for change, one in altered if one != design]
    larger = _smallest_board(design, board, target)
    if larger is not None:
        tried.append(larger)
    return tuple(sorted((one for one in tried if _helps(one, before)), key=lambda one: (not one.fits, one.share)))


def _helps(remedy: Remedy, found: Fit) -> bool:
    if remedy.fits or not found.best:
        return remedy.fits
    before = found.best[0]
    if before.fits:
        return remedy.share <= 1 and remedy.images_per_second > 1.02 * before.images_per_second
    return remedy.share < 0.98 * before.binding[1]


def does_not_fit(design: Design, found: Fit, helpful: tuple[Remedy, ...]) -> WorkSaysNoError:
    """Return the error FIT-NONE: which resource binds, with the numbers, and what would help."""
    return WorkSaysNoError(
        "FIT-NONE",
        f"nothing fits as it was asked for ({found.target}): {design.name or 'the design'} "
        + what_binds(design, found),
        where=f"{found.board.title} ({found.board.part})",
        fix=_what_helps(helpful[:_SHOWN]),
    )


def _what_helps(helpful: Sequence[Remedy]) -> str:
    """List changes with their effects, and say whether one of them suffices."""
    if not helpful:
        return "ask for less, or use a much smaller network: no change that was tried helps"
    listed = "".join(f"\n    - {one}" for one in helpful)
    if not any(one.fits for one in helpful):
        return f"ask for less, or combine changes: none of these alone is enough, the nearest first{listed}"
    return f"make one of these changes; those marked 'fits' are enough{listed}"


def what_binds(design: Design, found: Fit) -> str:
    """Say which resource stands in the way, with the numbers."""
    if not found.best:
        largest = max((one for one in design.layers if isinstance(one, MatrixLayer)), key=lambda one: one.products)
        return (
            f"has {largest.products:,} weights in '{largest.name}', and no legal reuse factor brings them to "
            f"{MOST_MULTIPLIERS:,} multipliers"
        )
    nearest = found.best[0]
    if not nearest.fits:
        places = ", its weights in LUTs" if nearest.weight_memory == "luts" else ""
        return f"needs {_used(nearest, found.board)} to reach {_speed(nearest)}{places}{_at_least(found)}"
    if found.beyond is None:
        return f"reaches {_speed(nearest)} at most: hls4ml's templates have nothing faster, whatever the device"
    faster = f"The next faster design ({_speed(found.beyond)}) needs {_used(found.beyond, found.board)}"
    return f"reaches {_speed(nearest)} at most. {faster}; siliconv uses {MOST_SHARE:.0%} at most"


def _at_least(found: Fit) -> str:
    """Say what no setting brings below the usable share; empty where each resource alone can be had."""
    above = [f"{share:.0%} of the {_SPELLED[name]}" for name, share in found.least.items() if share > MOST_SHARE]
    return f", and with no reuse factor, strategy or clock less than {' and '.join(above)}" if above else ""


def _used(one: Configuration, board: Board) -> str:
    name, share = one.binding
    needed = f"{getattr(one.estimate, name).value:,.0f} {_SPELLED[name]}"
    return f"{needed} ({share:.0%} of {getattr(board, name):,})"


def _speed(one: Configuration) -> str:
    return f"{one.images_per_second:,.0f} images/s with {one.latency_us:,.0f} µs of latency"


def _tried(change: str, found: Fit) -> Remedy:
    if not found.best:
        return Remedy(change, fits=False)
    one = found.best[0]
    name, share = one.binding
    return Remedy(change, found.chosen is not None, name, share, one.images_per_second, one.latency_us)


def _smallest_board(design: Design, than: Board, target: Mapping[str, Any]) -> Remedy | None:
    """Return the smallest other board that holds the design, None if none does."""
    candidates = sorted(
        (one for one in boards() if one.is_calibrated and one.name != than.name), key=lambda one: one.lut
    )
    for one in candidates:
        found = fit(design, one, **{**target, "clocks_ns": [one.clock_ns]})
        if found.chosen is not None:
            return _tried(f"use the {one.title} (--board {one.name})", found)
    return None


def _alterations(design: Design) -> list[tuple[str, Design]]:
    weighted = [one for one in design.layers if isinstance(one, MatrixLayer)]
    found = []
    for bits in (6, 4):
        if any(one.weight.width > bits for one in weighted):
            found.append((f"weights of {bits} bits", _mapped(design, partial(_with_weights, bits=bits))))
        if any(one.input.type.width > bits for one in weighted):
            found.append((f"activations of {bits} bits", _with_activations(design, bits)))
    found.append(("prune half of the weights", _mapped(design, _pruned)))
    found.append(("halve the filters", _halved(design)))
    if design.io_type is IoType.STREAM and weighted:
        found.append(_outside(design, weighted))
    return found


def _outside(design: Design, weighted: Sequence[MatrixLayer]) -> tuple[str, Design]:
    """Return the design with the weights of its largest layers read from outside the core, and the setting for it."""
    sizes = sorted({layer.products for layer in weighted})
    least = sizes[-2] if len(sizes) > 1 else sizes[-1] - 1
    bits = sum(one.products * one.weight.width for one in weighted if one.products > least)

    def moved(layer: MatrixLayer) -> MatrixLayer:
        return replace(layer, weights_outside=True) if layer.products > least else layer

    return f"hls.bram_factor: {least} ({bits:,} bits of weights outside the core)", _mapped(design, moved)


def _mapped(design: Design, change: Callable[[MatrixLayer], MatrixLayer]) -> Design:
    return replace(
        design,
        layers=tuple(change(one) if isinstance(one, MatrixLayer) else one for one in design.layers),
    )


def _with_weights(layer: MatrixLayer, bits: int) -> MatrixLayer:
    """Return the layer with narrower weights of the same range."""
    narrow = min(layer.weight.width, bits)
    return replace(layer, weight=replace(layer.weight, width=narrow), weights=None)


def _with_activations(design: Design, bits: int) -> Design:
    """Return the design with narrower words wherever a layer of weights reads them."""
    read = {one.input.type for one in design.layers if isinstance(one, MatrixLayer)}

    def narrowed(tensor: Tensor) -> Tensor:
        if tensor.type not in read or tensor.type.width <= bits:
            return tensor
        return replace(tensor, type=replace(tensor.type, width=bits))

    return replace(
        design,
        layers=tuple(replace(one, input=narrowed(one.input), output=narrowed(one.output)) for one in design.layers),
    )


def _pruned(layer: MatrixLayer) -> MatrixLayer:
    """Return the layer with half of its non-zero weights; only unrolled products get smaller by it."""
    one = layer.weights
    if one is None:
        return layer
    half = WeightStatistics(
        one.n, one.nonzero // 2, one.powers_of_two // 2, one.multiplications / 2, one.magnitude_bits
    )
    return replace(layer, weights=half)


def _halved(design: Design) -> Design:
    """Return the design with half of the channels between its first and its last layer of weights."""
    weighted = [
        number
        for number, layer in enumerate(design.layers)
        if isinstance(layer, MatrixLayer) and not layer.kind.is_depthwise
    ]
    if len(weighted) < 2:
        return design
    first, last = weighted[0], weighted[-1]
    layers: list[Layer] = []
    for number, layer in enumerate(design.layers):
        changed: Layer = layer
        if first < number <= last:
            changed = replace(changed, input=_half(layer.input))
        if first <= number < last:
            changed = replace(changed, output=_half(layer.output))
        if isinstance(changed, MatrixLayer) and changed != layer:
            changed = replace(changed, weights=None)
        layers.append(changed)
    return replace(design, layers=tuple(layers))


def _half(tensor: Tensor) -> Tensor:
    return Tensor((*tensor.shape[:-1], max(tensor.channels // 2, 1)), tensor.type)
