"""What published reports say about parts: one observation for each layer, FIFO group or design they list.

An observation pairs the counted parts of something with the look-up tables and flip-flops reported for it;
`siliconv.hls.calibration.regression` fits the coefficients to them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

from siliconv.hls.calibration.record_layers import Fields
from siliconv.hls.calibration.records import SynthesisRecord
from siliconv.hls.design.design import Design, MatrixLayer
from siliconv.hls.estimate.parts import Parts, fifo_parts, parts, passing_parts
from siliconv.hls.kinds import Backend, Synthesis


@dataclass(frozen=True)
class Observation:
    """Reported LUTs and flip-flops of counted parts.

    `whole` marks the totals of a design; `scale` is the design's total of each resource, by which a small
    layer's error is judged.
    """

    project: str
    tier: str
    stage: Synthesis
    parts: Parts
    reported: Mapping[str, float]
    scale: Mapping[str, float]
    whole: bool


def design_parts(design: Design) -> Parts:
    """Return the parts of a whole design: layers, the FIFOs between them, and what passes tensors on."""
    found: Parts = Counter()
    for layer in design.layers:
        found.update(parts(layer, design))
    for layer in design.layers[:-1]:
        found.update(fifo_parts(layer, design))
    found.update(passing_parts(design))
    return found


def is_informative(record: SynthesisRecord) -> bool:
    """Whether a record tells about the stock templates.

    Not: recurrent networks, templates replaced by the project's own ("_me"), and products of unknown weights
    wider than one DSP, whose split by the tool is not modelled.
    """
    if record.tier == "R" or record.has_own_templates:
        return False
    return not any(
        isinstance(layer, MatrixLayer) and layer.weights is None and layer.weight.width > 27
        for layer in record.design.layers
    )


def observations_of(entry: Fields, record: SynthesisRecord) -> list[Observation]:
    """Return the observations of one record, given its entry in the file as well."""
    design, totals = record.design, {name: record.reported.get(name, 0.0) for name in ("lut", "ff")}

    def observation(found: Parts, reported: Mapping[str, Any], *, whole: bool = False) -> Observation:
        values = {name: float(reported.get(name) or 0.0) for name in ("lut", "ff")}
        return Observation(record.project, record.tier, record.stage, found, values, totals, whole)

    found = [observation(design_parts(design), totals, whole=True)]
    by_layer = _reported_by_layer(entry)
    found += [
        observation(parts(layer, design), reported)
        for layer, reported in zip(design.layers, by_layer, strict=False)
        if reported is not None and _has_resources(reported)
    ]
    found += [observation(Counter(lines), reported) for lines, reported in _line_buffers(entry, design)]
    fifos = (entry.get("by_category") or {}).get("FIFO")
    if fifos and _has_resources(fifos):
        between = Counter(passing_parts(design))
        for layer in design.layers[:-1]:
            between.update(fifo_parts(layer, design))
        found.append(observation(between, fifos))
    return found


def _has_resources(reported: Mapping[str, Any]) -> bool:
    """Whether a report has figures: one that lists cycles alone says nothing about parts."""
    return all(reported.get(name) is not None for name in ("lut", "ff"))


def _reported_by_layer(entry: Fields) -> list[Mapping[str, Any] | None]:
    """Return what is reported for each layer in order, None where no one instance is the layer's."""
    configs = list(_configs(entry.get("layers") or []))
    instances = entry.get("per_layer_results") or []
    if len(instances) == len(configs) and not any(one.get("instance") for one in instances):
        return list(instances)
    named = [(str(one.get("instance") or ""), one) for one in instances]
    named += [
        (str(one.get("module") or "").removesuffix("_s"), one)
        for one in entry.get("modules") or []
        if re.match(r"(depth|point)wise_conv", str(one.get("module") or ""))
    ]
    return [_only([one for name, one in named if _is_of(name, config)]) for config in configs]


def _line_buffers(entry: Fields, design: Design) -> Iterable[tuple[Mapping[str, int], Mapping[str, Any]]]:
    """Return the shift registers of line buffers that the modules of a Vivado HLS design list."""
    if design.backend is not Backend.VIVADO:
        return
    for module in entry.get("modules") or []:
        lines = [
            one
            for one in module.get("memories") or []
            if str(one.get("name")).startswith("line_buffer") and not one.get("bram18")
        ]
        if lines:
            segments = sum(ceil(int(one.get("words") or 1) / 32) for one in lines)
            yield (
                {"line_buffer.lanes": len(lines), "line_buffer.segments": segments},
                {name: sum(one.get(name) or 0 for one in lines) for name in ("lut", "ff")},
            )


def _configs(layers: Iterable[Fields]) -> Iterable[str]:
    for fields in layers:
        config = str(fields.get("config") or "")
        if "depthwise" in fields and "pointwise" in fields:
            yield from (f"{config}_depthwise", f"{config}_pointwise")
        else:
            yield config


def _is_of(name: str, config: str) -> bool:
    return bool(config) and re.search(rf"_{re.escape(config)}(_|$)", name) is not None


def _only(found: list[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    return found[0] if len(found) == 1 else None
