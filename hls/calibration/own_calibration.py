"""Own synthesis results in the estimator: the shipped costs of parts, moved as far as the results ask for.

Each part has a factor, one at first. The factors are fitted to the totals of the own designs, and drawn back to one:
what a design is mostly made of takes most of the correction, and parts that it does not have keep their cost.
Cycles follow from the templates and are not fitted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Annotated

import numpy as np
from pydantic import Field
from scipy.optimize import nnls

from siliconv.bounded_reading import as_kind, in_words, read_json
from siliconv.counting import counted
from siliconv.errors import DAMAGE, ProjectError
from siliconv.hls.calibration.observations import design_parts
from siliconv.hls.calibration.regression import RESOURCES
from siliconv.hls.design.design import Design
from siliconv.hls.estimate.coefficients import LOGIC_GROUP, Coefficients, group_of
from siliconv.hls.kinds import Synthesis
from siliconv.hls.vendor.synthesis_results import SynthesisResults

FORMAT = "siliconv calibration, version 2"
"""Counts of parts are by name, and version 1 counted others."""

# How much the factors are drawn back to one, and the weight of the shipped share of logic synthesis in results: one
# design of one's own brings the estimate of its like about three quarters of the way.
_PULL, _SHIPPED_WEIGHT = 0.05, 0.5


@dataclass(frozen=True)
class OwnResult:
    """What one own design tells: its counted parts, and the LUTs and flip-flops reported for it by stage.

    ``identity`` tells a design from others; the same again takes its place.
    """

    identity: str
    name: str
    tool: str
    group: str
    parts: Mapping[str, Annotated[int, Field(ge=0, le=10**12)]]
    reported: Mapping[str, Mapping[str, Annotated[float, Field(gt=0, le=1e12)]]]


def own_result(identity: str, design: Design, results: SynthesisResults) -> OwnResult:
    """Return what the reports of a design tell."""
    return OwnResult(
        identity,
        design.name,
        results.tool,
        group_of(design),
        {part: int(count) for part, count in sorted(design_parts(design).items()) if count},
        {
            stage: {name: results.stages[stage][name] for name in RESOURCES if results.stages[stage].get(name)}
            for stage in ("csynth", "vsynth")
            if stage in results.stages
        },
    )


def refined(known: Coefficients, own: Sequence[OwnResult]) -> Coefficients:
    """Return coefficients with own results in them; without any, the same."""
    if not own:
        return known
    parts = {
        stage: {
            resource: _refined_costs(known.parts[stage][resource], resource, stage, _telling(stage, own))
            for resource in RESOURCES
        }
        for stage in Synthesis
    }
    shares = {resource: _refined_share(known.logic_synthesis[resource], resource, own) for resource in RESOURCES}
    names = ", ".join(sorted({one.name for one in own}))
    source = f"{known.source}; and {counted(len(own), 'own design')}: {names}"
    return replace(known, parts=parts, logic_synthesis=shares, source=source)


def read_own(path: Path) -> tuple[OwnResult, ...]:
    """Read own results, none where there is no file.

    Raises
    ------
    ProjectError
        ``CALIBRATION-FILE`` for a file that is something else.
    """
    if not path.is_file():
        return ()
    try:
        content = read_json(path)
        if content["format"] != FORMAT:
            raise ValueError(f"its format is {str(content['format'])[:80]!r}, not {FORMAT!r}")
        return tuple(as_kind(one, OwnResult) for one in content["results"])
    except DAMAGE as error:
        raise ProjectError(
            "CALIBRATION-FILE",
            f"the calibration cannot be read: {in_words(error)}",
            where=str(path),
            fix="delete it, and run siliconv calibrate again",
        ) from error


def as_text(own: Sequence[OwnResult]) -> str:
    """Return the text of a file of own results."""
    return json.dumps({"format": FORMAT, "results": [asdict(one) for one in own]}, indent=1) + "\n"


def merged(before: Sequence[OwnResult], after: Sequence[OwnResult]) -> tuple[OwnResult, ...]:
    """Return all results, the later ones in the place of earlier ones of the same design."""
    return tuple({one.identity: one for one in (*before, *after)}.values())


def _telling(stage: Synthesis, own: Sequence[OwnResult]) -> list[OwnResult]:
    """Return the results that tell about the parts of a stage; elsewhere logic synthesis is a share of C synthesis."""
    return [one for one in own if stage is Synthesis.CSYNTH or one.group == LOGIC_GROUP]


def _refined_costs(
    costs: Mapping[str, float], resource: str, stage: Synthesis, own: Sequence[OwnResult]
) -> Mapping[str, float]:
    telling = [one for one in own if resource in one.reported.get(str(stage), {})]
    names = [name for name, cost in costs.items() if cost > 0 and any(one.parts.get(name) for one in telling)]
    if not names:
        return costs
    shares = np.array(
        [
            [one.parts.get(name, 0) * costs[name] / one.reported[str(stage)][resource] for name in names]
            for one in telling
        ]
    )
    pull = _PULL**0.5
    matrix = np.vstack([shares, pull * np.eye(len(names))])
    target = np.concatenate([np.ones(len(telling)), np.full(len(names), pull)])
    factors = nnls(matrix, target)[0]
    return {**costs, **{name: float(costs[name] * factor) for name, factor in zip(names, factors, strict=True)}}


def _refined_share(shipped: float, resource: str, own: Sequence[OwnResult]) -> float:
    found = [
        one.reported["vsynth"][resource] / one.reported["csynth"][resource]
        for one in own
        if one.group != LOGIC_GROUP and all(resource in one.reported.get(stage, {}) for stage in ("csynth", "vsynth"))
    ]
    if not found:
        return shipped
    return (_SHIPPED_WEIGHT * shipped + len(found) * fmean(found)) / (_SHIPPED_WEIGHT + len(found))
