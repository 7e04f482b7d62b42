"""When a design does not fit: the changes that would help, each with its estimated effect."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from siliconv.errors import WorkSaysNoError
from siliconv.hls.boards import Board, boards
from siliconv.hls.design import Design, Layer, MatrixLayer, Tensor
from siliconv.hls.fit import Configuration, Fit, fit
from siliconv.hls.weight_statistics import WeightStatistics

_SPELLED = {
    "lut": "LUTs",
    "ff": "flip-flops",
    "dsp": "DSP blocks",
    "bram18": "18-Kb block memories",
    "uram": "UltraRAMs",
}


@dataclass(frozen=True)
class Remedy:
    """One change: what to do, the fullest resource after it and its share, and whether the design fits."""

    change: str
    resource: str
    share: float
    fits: bool


def remedies(design: Design, found: Fit, **target: Any) -> tuple[Remedy, ...]:
    """Return changes that bring a design nearer to a board, those that make it fit first.

    Parameters
    ----------
    design
        What did not fit.
    found
        The outcome of the search.
    target
        The keywords that the search was given.
    """
    board = found.board
    tried = [
        _tried(change, fit(altered, board, **target)) for change, altered in _alterations(design) if altered != design
    ]
    larger = _smallest_board(design, board, target)
    if larger is not None:
        tried.append(larger)
    before = found.best[0].binding[1] if found.best else float("inf")
    helpful = [remedy for remedy in tried if remedy.fits or remedy.share < 0.98 * before]
    return tuple(sorted(helpful, key=lambda remedy: (not remedy.fits, remedy.share)))


def does_not_fit(design: Design, found: Fit, helpful: tuple[Remedy, ...]) -> WorkSaysNoError:
    """Return the error FIT-NONE: which resource binds, with the numbers, and what would help."""
    if found.best:
        nearest = found.best[0]
        name, share = nearest.binding
        used, has = getattr(nearest.estimate, name).value, getattr(found.board, name)
        what = f"needs {used:,.0f} {_SPELLED[name]} of {has:,} ({share:.0%}) at {_speed(nearest)}"
    else:
        what = "has a layer with more products than any legal reuse factor can spread"
    steps = "; ".join(
        f"{one.change}: {'fits, ' if one.fits else ''}{one.share:.0%} of the {_SPELLED[one.resource]}"
        for one in helpful[:4]
    )
    return WorkSaysNoError(
        "FIT-NONE",
        f"{design.name or 'the design'} {what}; asked for: {found.target}",
        where=f"{found.board.title} ({found.board.part})",
        fix=steps or "a much smaller network",
    )


def _speed(one: Configuration) -> str:
    return f"{one.images_per_second:,.0f} images/s, {one.latency_us:,.0f} us"


def _tried(change: str, found: Fit) -> Remedy:
    if not found.best:
        return Remedy(change, "lut", float("inf"), False)
    name, share = found.best[0].binding
    return Remedy(change, name, share, found.chosen is not None)


def _smallest_board(design: Design, than: Board, target: Mapping[str, Any]) -> Remedy | None:
    """Return the smallest other board that holds the design, None if none does."""
    candidates = sorted(
        (one for one in boards() if one.is_calibrated and one.name != than.name), key=lambda one: one.lut
    )
    for one in candidates:
        found = fit(design, one, **target)
        if found.chosen is not None:
            name, share = found.chosen.binding
            return Remedy(f"use the {one.title} (--board {one.name})", name, share, True)
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
    return found


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
