"""The fitted numbers of the estimator, as they lie in `constants/estimator.json` with their source."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from math import exp, hypot, log
from statistics import NormalDist
from typing import Any

from siliconv.hls.design.design import Design, MatrixLayer
from siliconv.hls.estimate.multipliers import is_unrolled
from siliconv.hls.kinds import IoType, Synthesis

METRICS = ("latency_cycles", "interval_cycles", "lut", "ff", "dsp", "bram18")
# Added to value and truth before their ratio is taken, so that small counts do not make wide bands.
SLACK = {"latency_cycles": 2.0, "interval_cycles": 1.0, "lut": 50.0, "ff": 50.0, "dsp": 2.0, "bram18": 1.0}

# The designs whose logic synthesis was published in numbers (wa-hls4ml).
LOGIC_GROUP = "dense io_parallel resource"
AFTER_LOGIC = f"{LOGIC_GROUP}, logic synthesis"
"""The group of their errors; bands of other groups are those of C synthesis."""
CYCLES = ("latency_cycles", "interval_cycles")
"""What C synthesis states of a design, whatever its resources are reported by."""


@dataclass(frozen=True)
class Coefficients:
    """What was fitted, and how far cross-validated predictions were off.

    Parameters
    ----------
    parts
        Synthesis to resource ("lut", "ff") to part to its cost.
    logic_synthesis, logic_spread
        What logic synthesis usually leaves of the LUTs and flip-flops of C synthesis, and the standard deviation of the
        logarithm of that share over published designs that have both.
    bands
        Group of designs to metric to the factors (low, high) between which the truth lies around a value.
    coverage
        Share of the cross-validated truths inside the band.
    source
        What it was fitted to.
    """

    parts: Mapping[Synthesis, Mapping[str, Mapping[str, float]]]
    logic_synthesis: Mapping[str, float]
    bands: Mapping[str, Mapping[str, tuple[float, float]]]
    coverage: float
    source: str
    logic_spread: Mapping[str, float] = field(default_factory=dict)
    projects: Mapping[str, int] = field(default_factory=dict)
    """How many projects with layers of a kind (`kind_of`), and built by a release (`release_of`), the fit and the bands
    rest on."""
    repositories: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Group of designs to metric to the repositories whose errors the band is made of."""
    unseen_spread: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """What widens the bands of designs of a ``kind`` or a ``release`` that no project has: by metric, the standard
    deviation of the logarithm of an error besides."""
    fitted_to: frozenset[str] = frozenset()
    """The records that it was fitted to, by identity."""

    def costs(self, resource: str, design: Design, stage: Synthesis) -> tuple[Mapping[str, float], float]:
        """Return the cost of the parts in LUTs or flip-flops, and a factor for all of them.

        Logic synthesis was fitted to the designs that were published with it, io_parallel Resource ones; for
        others it leaves the usual share of what C synthesis reports.
        """
        if stage is Synthesis.CSYNTH:
            return self.parts[Synthesis.CSYNTH][resource], 1.0
        own = self.parts[Synthesis.VSYNTH][resource]
        if own and group_of(design) == LOGIC_GROUP:
            return own, 1.0
        return self.parts[Synthesis.CSYNTH][resource], self.logic_synthesis[resource]

    def band(
        self, group: str, metric: str, stage: Synthesis = Synthesis.CSYNTH, unseen: Sequence[str] = ()
    ) -> tuple[float, float]:
        """Return the factors of the band, those of a wider group where the group has none of its own.

        Where logic synthesis of a group was not fitted, its spread over C synthesis is added to both ends, as that of
        an independent error; so is what widens it where no project has a kind of layer, or a release (`unseen`).
        """
        spreads = [self.unseen_spread.get(one, {}).get(metric, 0.0) for one in unseen]
        banded = self.banded_group(group, metric)
        if stage is Synthesis.VSYNTH and group == LOGIC_GROUP and metric in self.bands.get(AFTER_LOGIC, {}):
            banded = AFTER_LOGIC
        elif stage is Synthesis.VSYNTH:
            spreads.append(self.logic_spread.get(metric, 0.0))
        low, high = self.bands[banded][metric]
        if not any(spreads):
            return low, high
        reach = float(NormalDist().inv_cdf((1 + self.coverage) / 2)) * hypot(*spreads)
        return exp(-hypot(log(low), reach)), exp(hypot(log(high), reach))

    def banded_group(self, group: str, metric: str) -> str:
        """Return the group whose errors make a band of a group: itself, or the narrowest wider one that has enough."""
        return next(one for one in wider_groups(group) if metric in self.bands.get(one, {}))

    def as_json(self) -> dict[str, Any]:
        """Return what `constants/estimator.json` holds."""
        return {
            "source": self.source,
            "coverage": self.coverage,
            "logic_synthesis": dict(self.logic_synthesis),
            "logic_spread": dict(self.logic_spread),
            "projects": dict(self.projects),
            "repositories": {group: dict(of_group) for group, of_group in self.repositories.items()},
            "unseen_spread": {what: dict(by_metric) for what, by_metric in self.unseen_spread.items()},
            "fitted_to": sorted(self.fitted_to),
            "bands": {
                group: {metric: list(factors) for metric, factors in of_group.items()}
                for group, of_group in self.bands.items()
            },
            "parts": {
                str(stage): {resource: dict(costs) for resource, costs in of_stage.items()}
                for stage, of_stage in self.parts.items()
            },
        }


def from_json(fields: Mapping[str, Any]) -> Coefficients:
    """Return the coefficients of what `as_json` gave."""
    return Coefficients(
        parts={Synthesis(stage): of_stage for stage, of_stage in fields["parts"].items()},
        logic_synthesis=fields["logic_synthesis"],
        bands={
            group: {metric: (float(low), float(high)) for metric, (low, high) in of_group.items()}
            for group, of_group in fields["bands"].items()
        },
        coverage=float(fields["coverage"]),
        source=str(fields["source"]),
        logic_spread=fields["logic_spread"],
        projects=fields["projects"],
        repositories=fields["repositories"],
        unseen_spread=fields["unseen_spread"],
        fitted_to=frozenset(fields["fitted_to"]),
    )


@lru_cache(maxsize=1)
def shipped() -> Coefficients:
    """Return the coefficients that come with the package."""
    text = resources.files("siliconv.hls.estimate").joinpath("constants/estimator.json").read_text("utf-8")
    return from_json(json.loads(text))


@lru_cache(maxsize=1)
def cross_validated_errors() -> tuple[Mapping[str, Any], ...]:
    """Return the rows of the shipped error table (see `siliconv.hls.calibration.cross_validation.error_table`)."""
    text = resources.files("siliconv.hls.estimate").joinpath("constants/estimator_errors.json").read_text("utf-8")
    return tuple(json.loads(text)["rows"])


def kind_of(layer: MatrixLayer, design: Design) -> str:
    """Return what decides which hardware a layer with weights becomes: tool, ports, layer, and how it is computed."""
    what = "depthwise convolutions" if layer.kind.is_depthwise else "convolutions"
    how = "unrolled" if is_unrolled(layer) else "looped"
    return f"{design.backend}, {design.io_type}, {how} {what if layer.kind.is_convolution else 'dense layers'}"


def release_of(design: Design) -> str:
    """Return the tool and the release that built a design, empty where it is not said."""
    found = re.search(r"\d{4}\.\d", design.tool)
    return f"{design.backend} HLS {found[0]}" if found else ""


def group_of(design: Design) -> str:
    """Return the group of designs whose cross-validated errors a design's bands are taken from."""
    matrices = [layer for layer in design.layers if isinstance(layer, MatrixLayer)]
    stream = "io_stream" if design.io_type is IoType.STREAM else "io_parallel"
    if any(layer.kind.is_convolution for layer in matrices):
        return f"convolution {stream}"
    if not matrices:
        return f"other {stream}"
    if stream == "io_parallel":
        looped = any(not is_unrolled(layer) for layer in matrices)
        return f"dense io_parallel {'resource' if looped else 'latency'}"
    return "dense io_stream"


def wider_groups(group: str) -> tuple[str, ...]:
    """Return a group and the wider ones that it belongs to, the narrowest first."""
    wider = [group]
    if group.startswith("dense io_parallel "):
        wider.append("dense io_parallel")
    return (*wider, "io_stream" if "io_stream" in group else "io_parallel", "all")
