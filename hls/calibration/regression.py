"""Fitting the coefficients of the parts to published reports.

Non-negative least squares on relative errors, made robust by reweighting; what is particular to a back end or
to streams is drawn towards the value that all share, so that little data cannot run away with it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from siliconv.hls.calibration.observations import Observation
from siliconv.hls.estimate.parts import UNSTAGED

Coefficients = Mapping[str, float]

RESOURCES = ("lut", "ff")
# A small layer's error counts against at least this share of its design, and at least so many units.
_LEAST_SHARE, _LEAST_UNITS = 0.03, 20.0
# Totals are what is asked for; locally modified templates and random test layers tell less about designs.
_WHOLE_WEIGHT, _MODIFIED_WEIGHT = 3.0, 0.4
_REWEIGHTINGS = 6
_LEAST_ERROR = 0.05
_SHRINKAGE = 0.15
# What needs no fit: a bit of a register is a flip-flop, what is kept takes no table, and an adder keeps nothing.
_KNOWN = {
    "lut": {"rom.luts": 1.0, "register.bits": 0.0, "stage.bits": 0.0, "shift_add.bits": 0.0, "concatenate.bits": 1.0},
    "ff": {"rom.luts": 0.0, "register.bits": 1.0, "adder.luts": 0.0, "concatenate.bits": 0.0},
}
# More than any part costs that several projects have; what one project alone has is not to carry its other errors.
_MOST_OF_A_BIT = {"lut": 10.0, "ff": 5.0}


def fit(observations: Sequence[Observation], resource: str) -> dict[str, float]:
    """Return LUTs or flip-flops for one unit of each part.

    Parameters
    ----------
    observations
        Of one stage.
    resource
        "lut" or "ff".
    """
    priced = [_priced(one.parts, resource) for one in observations]
    known = _KNOWN[resource]
    names = sorted({name for one in priced for name in one} - set(known))
    shared = [_shared_name(name) for name in names]
    pooled_names = sorted(set(shared))
    matrix = np.array([[float(one.get(name, 0)) for name in names] for one in priced])
    reported = np.array(
        [
            max(one.reported[resource] - sum(found.get(name, 0) * cost for name, cost in known.items()), 0.0)
            for one, found in zip(observations, priced, strict=True)
        ]
    )
    weights = _weights(observations, resource)
    groups = np.array([[float(name == pooled) for pooled in pooled_names] for name in shared])
    most = np.array([_most(name, resource) for name in names])
    pooled = _robust(matrix @ groups, reported, weights, np.array([_most(name, resource) for name in pooled_names]))
    found = _robust(matrix, reported, weights, most, groups @ pooled)
    costs = {name: float(f"{value:.4g}") for name, value in zip(names, found, strict=True)}
    # What one tool alone was seen with, the other has too.
    for name, cost in zip(pooled_names, pooled, strict=True):
        for variant in _variants(name, shared, names):
            costs.setdefault(variant, float(f"{cost:.4g}"))
    return costs | known | {f"{UNSTAGED}{name}": cost if resource == "lut" else 0.0 for name, cost in costs.items()}


def _priced(parts: Mapping[str, int], resource: str) -> Counter[str]:
    """Return the parts that a resource is spent on, those without stages by the name of what they are."""
    found: Counter[str] = Counter()
    for name, count in parts.items():
        if not name.startswith(UNSTAGED):
            found[name] += count
        elif resource == "lut":
            found[name.removeprefix(UNSTAGED)] += count
    return found


def _most(name: str, resource: str) -> float:
    """Return what one unit can cost at most: a bit has so many inputs to choose from and so many stages to pass."""
    return _MOST_OF_A_BIT[resource] if re.search(r"(^|[._])bits$", name) else np.inf


def predict(found: Mapping[str, int], coefficients: Coefficients) -> float:
    """Return the LUTs or flip-flops of counted parts; parts without a coefficient count nothing."""
    return sum(count * coefficients.get(name, 0.0) for name, count in found.items())


def _shared_name(name: str) -> str:
    """Return the part's name without what is particular to a back end or to streams."""
    return re.sub(r"(Vivado|Vitis|stream|parallel|io)_", "", name)


def _variants(pooled: str, shared: Sequence[str], names: Sequence[str]) -> set[str]:
    """Return the names that a pooled part has with the other tool and with other ports."""
    found = {name for name, one in zip(names, shared, strict=True) if one == pooled}
    for pair in (("Vivado_", "Vitis_"), ("stream_", "parallel_")):
        found |= {name.replace(one, other) for name in found for one in pair for other in pair}
    return found


def _weights(observations: Sequence[Observation], resource: str) -> NDArray[np.float64]:
    siblings = Counter(one.project for one in observations)
    return np.array(
        [
            (_WHOLE_WEIGHT if one.whole else 1.0)
            * (_MODIFIED_WEIGHT if one.tier in ("C", "M") else 1.0)
            / siblings[one.project] ** 0.5
            / max(one.reported[resource], _LEAST_SHARE * one.scale[resource], _LEAST_UNITS)
            for one in observations
        ]
    )


def _robust(
    matrix: NDArray[np.float64],
    reported: NDArray[np.float64],
    weights: NDArray[np.float64],
    most: NDArray[np.float64],
    prior: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Return the least absolute deviations between zero and the most, drawn towards the prior."""
    factors = np.ones(len(reported))
    found = np.zeros(matrix.shape[1])
    for _ in range(_REWEIGHTINGS):
        rows = (weights * factors)[:, None] * matrix
        norms = np.sqrt((rows**2).sum(axis=0))
        norms[norms == 0] = 1.0
        scaled, target = rows / norms, weights * factors * reported
        if prior is not None:
            scaled = np.vstack([scaled, _SHRINKAGE * np.eye(len(norms))])
            target = np.concatenate([target, _SHRINKAGE * prior * norms])
        found = _bounded(scaled, target, most * norms) / norms
        errors = np.abs(matrix @ found - reported) * weights
        factors = 1.0 / np.sqrt(np.maximum(errors / max(float(np.median(weights * reported)), 1e-12), _LEAST_ERROR))
    return found


def _bounded(
    matrix: NDArray[np.float64], target: NDArray[np.float64], most: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return non-negative least squares with what exceeds its bound held there, until nothing does."""
    held = np.zeros(matrix.shape[1], dtype=bool)
    while True:
        rest = target - matrix[:, held] @ most[held]
        found = np.where(held, most, 0.0)
        found[~held] = nnls(matrix[:, ~held], rest)[0]
        beyond = ~held & (found > most)
        if not beyond.any():
            return found
        held |= beyond
