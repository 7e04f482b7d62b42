"""Latency, interval and resources of a design before any vendor tool, with a band for each value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil, floor
from typing import Any

from siliconv.hls.design.design import Design, Layer, MatrixLayer, UnknownLayer
from siliconv.hls.estimate.coefficients import METRICS, SLACK, Coefficients, group_of, kind_of, release_of, shipped
from siliconv.hls.estimate.either_way import at_most, either_way
from siliconv.hls.estimate.logic_memory import logic_blocks
from siliconv.hls.estimate.memory import input_buffer_blocks, layer_fifo_blocks, memory_blocks
from siliconv.hls.estimate.multipliers import dsps
from siliconv.hls.estimate.network_schedule import network_cycles
from siliconv.hls.estimate.parts import Parts, fifo_parts, parts, passing_parts
from siliconv.hls.estimate.schedule import Cycles, schedule
from siliconv.hls.kinds import Strategy, Synthesis

SOURCE = "estimate"


@dataclass(frozen=True)
class Value:
    """A figure with its band."""

    value: float
    low: float
    high: float

    def as_json(self) -> dict[str, float]:
        """Return the three numbers, whole where they count things."""
        return {"value": self.value, "low": self.low, "high": self.high}


@dataclass(frozen=True)
class LayerEstimate:
    """One layer: cycles for one image; resources with its output FIFO (`fifo_bram18` is its share)."""

    name: str
    kind: str
    latency_cycles: int
    interval_cycles: int
    lut: int
    ff: int
    dsp: int
    bram18: int
    fifo_bram18: int
    uram: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return the fields by name."""
        return dict(vars(self))


@dataclass(frozen=True)
class Estimate:
    """The estimate of a design.

    Parameters
    ----------
    stage
        The report that the resources predict; cycles are those of C synthesis.
    group, coverage
        Whose cross-validated errors the bands are taken from, and which share of them they cover.
    latency_cycles, interval_cycles
        Longest latency and initiation interval for one image, in cycles of `clock_ns`.
    lut, ff, dsp, bram18, uram
        Look-up tables, flip-flops, DSP blocks, 18-Kb block memories, UltraRAMs.
    layers
        In the order of the design.
    warnings
        What could not be modelled.
    repositories
        How many repositories' errors the band of each metric is made of.
    """

    stage: Synthesis
    group: str
    coverage: float
    clock_ns: float
    latency_cycles: Value
    interval_cycles: Value
    lut: Value
    ff: Value
    dsp: Value
    bram18: Value
    uram: Value
    layers: tuple[LayerEstimate, ...]
    warnings: tuple[str, ...] = ()
    repositories: Mapping[str, int] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the shape of `build/estimate.json`."""
        return {
            "source": SOURCE,
            "stage": str(self.stage),
            "group": self.group,
            "coverage": self.coverage,
            "clock_ns": self.clock_ns,
            **{metric: getattr(self, metric).as_json() for metric in (*METRICS, "uram")},
            "layers": [layer.as_json() for layer in self.layers],
            "warnings": list(self.warnings),
            "repositories": dict(self.repositories),
        }


def from_json(fields: Mapping[str, Any]) -> Estimate:
    """Return the estimate of what `Estimate.as_json` gave."""
    return Estimate(
        stage=Synthesis(fields["stage"]),
        group=fields["group"],
        coverage=fields["coverage"],
        clock_ns=fields["clock_ns"],
        **{metric: Value(**fields[metric]) for metric in (*METRICS, "uram")},
        layers=tuple(LayerEstimate(**layer) for layer in fields["layers"]),
        warnings=tuple(fields["warnings"]),
        repositories=fields.get("repositories", {}),
    )


def estimate(
    design: Design,
    *,
    stage: Synthesis = Synthesis.CSYNTH,
    coefficients: Coefficients | None = None,
    by_layer: bool = True,
) -> Estimate:
    """Return the estimate of a design.

    Parameters
    ----------
    design
        What to estimate; an empty one costs nothing.
    stage
        Whose resource figures to predict: C synthesis overstates LUTs about twofold against logic synthesis.
    coefficients
        Those of the package by default; a calibration passes its own.
    by_layer
        Whether to give the layers one by one as well; a search over many designs needs the totals only.
    """
    known = shipped() if coefficients is None else coefficients
    cycles = [schedule(layer, design) for layer in design.layers]
    values = point_values(design, cycles, stage, known)
    group, kinds, release = group_of(design), _unknown_kinds(design, known), release_of(design)
    is_new = bool(release) and not known.projects.get(release)
    unseen = [*(["kind"] if kinds else []), *(["release"] if is_new else [])]
    return Estimate(
        stage=stage,
        group=group,
        coverage=known.coverage,
        clock_ns=design.clock_ns,
        **{
            metric: _banded(metric, values[metric], known.band(group, metric, stage, unseen), design, stage)
            for metric in METRICS
        },
        uram=Value(0, 0, 0),
        layers=tuple(
            _layer_estimate(layer, each, design, stage, known, last=layer is design.layers[-1])
            for layer, each in zip(design.layers, cycles, strict=True)
        )
        if by_layer
        else (),
        warnings=(*_warnings(design), *kinds, *([_unknown_release(release)] if is_new else [])),
        repositories={
            metric: known.repositories.get(known.banded_group(group, metric), {}).get(metric, 0) for metric in METRICS
        },
    )


def point_values(design: Design, cycles: list[Cycles], stage: Synthesis, known: Coefficients) -> dict[str, float]:
    """Return the values of all metrics without their bands."""
    whole = network_cycles(design, cycles)
    found: Parts = Counter(passing_parts(design))
    for layer in design.layers:
        found.update(parts(layer, design))
    for layer in design.layers[:-1]:
        found.update(fifo_parts(layer, design))
    return {
        "latency_cycles": float(whole.latency),
        "interval_cycles": float(whole.interval),
        "lut": _cost(found, "lut", design, stage, known),
        "ff": _cost(found, "ff", design, stage, known),
        "dsp": float(round(sum(dsps(layer, design) for layer in design.layers))),
        "bram18": float(_blocks(design, stage)),
    }


def _cost(found: Parts, resource: str, design: Design, stage: Synthesis, known: Coefficients) -> float:
    costs, factor = known.costs(resource, design, stage)
    return float(round(factor * sum(count * costs.get(part, 0.0) for part, count in found.items())))


def _blocks(design: Design, stage: Synthesis) -> int:
    if stage is Synthesis.VSYNTH:
        return logic_blocks(design)
    fifos = sum(layer_fifo_blocks(layer, design) for layer in design.layers[:-1])
    weights = sum(memory_blocks(layer, design) for layer in design.layers)
    return fifos + weights + input_buffer_blocks(design)


def _layer_estimate(
    layer: Layer, cycles: Cycles, design: Design, stage: Synthesis, known: Coefficients, *, last: bool
) -> LayerEstimate:
    found = Counter(parts(layer, design))
    fifo = 0
    if not last:
        found.update(fifo_parts(layer, design))
        fifo = layer_fifo_blocks(layer, design)
    return LayerEstimate(
        name=layer.name,
        kind=str(layer.kind) if isinstance(layer, MatrixLayer) else type(layer).__name__.removesuffix("Layer").lower(),
        latency_cycles=cycles.latency,
        interval_cycles=cycles.interval,
        lut=round(_cost(found, "lut", design, stage, known)),
        ff=round(_cost(found, "ff", design, stage, known)),
        dsp=round(dsps(layer, design)),
        bram18=memory_blocks(layer, design) + fifo,
        fifo_bram18=fifo,
    )


def _banded(metric: str, value: float, band: tuple[float, float], design: Design, stage: Synthesis) -> Value:
    """Return a value with what is known to go either way, widened by the errors of published designs."""
    slack, (least, most) = SLACK[metric], either_way(metric, value, design, stage)
    low = max(floor((least + slack) * band[0] - slack), 0)
    high = max(ceil(min((most + slack) * band[1] - slack, at_most(metric, design) + slack)), 0)
    return Value(int(value), int(min(low, value)), int(max(high, value)))


_UNREPORTED = {
    Strategy.DISTRIBUTED_ARITHMETIC: "its adders are counted before outputs share any, so LUTs and flip-flops are "
    "rather too many, and its cycles are those of such a tree",
    Strategy.RESOURCE_UNROLLED: "its figures are those of the resource strategy, which it is a variant of",
}
"""What is assumed of strategies that no published report has."""


def _unknown_kinds(design: Design, known: Coefficients) -> list[str]:
    """Say which layers are of a kind that no published result was fitted to."""
    unknown: dict[str, list[str]] = {}
    for layer in design.layers:
        if isinstance(layer, MatrixLayer) and layer.strategy not in _UNREPORTED:
            kind = kind_of(layer, design)
            if not known.projects.get(kind):
                unknown.setdefault(kind, []).append(layer.name)
    return [
        f"{', '.join(names)}: no published result of this kind ({kind}) is in the fit; values follow from the templates"
        " and from other kinds, and the bands are wider for it"
        for kind, names in unknown.items()
    ]


def _unknown_release(release: str) -> str:
    return f"no published result of {release} is in the fit; the bands are wider for it"


def _warnings(design: Design) -> tuple[str, ...]:
    found = [
        f"layer {layer.name} ({layer.type_name or 'unknown type'}) has no model: it is counted as free"
        for layer in design.layers
        if isinstance(layer, UnknownLayer)
    ]
    for strategy, assumed in _UNREPORTED.items():
        names = [one.name for one in design.layers if isinstance(one, MatrixLayer) and one.strategy is strategy]
        if names:
            found.append(
                f"{', '.join(names)}: no synthesis report with {strategy} was there to fit the estimate to: {assumed}; "
                "the bands do not cover it"
            )
    outside = [one for one in design.layers if isinstance(one, MatrixLayer) and one.weights_outside]
    if outside:
        bits = sum(one.products * one.weight.width for one in outside)
        found.append(
            f"{', '.join(one.name for one in outside)}: their {bits:,} bits of weights are outside the core "
            "(hls.bram_factor), and the block memories of the estimate are without them"
        )
    return tuple(found)
