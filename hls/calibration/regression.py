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

Coefficients = Mapping[str, float]

RESOURCES = ("lut", "ff")
# A small layer's error counts against at least this share of its design, and at least so many units.
_LEAST_SHARE, _LEAST_UNITS = 0.03, 20.0
# Totals are what is asked for; locally modified templates and random test layers tell less about designs.
_WHOLE_WEIGHT, _MODIFIED_WEIGHT = 3.0, 0.4
_REWEIGHTINGS = 6
_LEAST_ERROR = 0.05
_SHRINKAGE = 0.15


def fit(observations: Sequence[Observation], resource: str) -> dict[str, float]:
    """Return LUTs or flip-flops for one unit of each part.

    Parameters
    ----------
    observations
        Of one stage.
    resource
        "lut" or "ff".
    """
    names = sorted({name for one in observations for name in one.parts})
    shared = [_shared_name(name) for name in names]
    pooled_names = sorted(set(shared))
    matrix = np.array([[float(one.parts.get(name, 0)) for name in names] for one in observations])
    reported = np.array([one.reported[resource] for one in observations])
    weights = _weights(observations, resource)
    groups = np.array([[float(name == pooled) for pooled in pooled_names] for name in shared])
    pooled = _robust(matrix @ groups, reported, weights, None)
    prior = groups @ pooled
    found = _robust(matrix, reported, weights, prior)
    return {name: float(f"{value:.4g}") for name, value in zip(names, found, strict=True)}


def predict(found: Mapping[str, int], coefficients: Coefficients) -> float:
    """Return the LUTs or flip-flops of counted parts; parts without a coefficient count nothing."""
    return sum(count * coefficients.get(name, 0.0) for name, count in found.items())


def _shared_name(name: str) -> str:
    """Return the part's name without what is particular to a back end or to streams."""
    return re.sub(r"(Vivado|Vitis|stream|parallel|io)_", "", name)


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
    prior: NDArray[np.float64] | None,
) -> NDArray[np.float64]:
    """Return the non-negative least absolute deviations, drawn towards the prior."""
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
        found = nnls(scaled, target)[0] / norms
        errors = np.abs(matrix @ found - reported) * weights
        factors = 1.0 / np.sqrt(np.maximum(errors / max(float(np.median(weights * reported)), 1e-12), _LEAST_ERROR))
    return found
