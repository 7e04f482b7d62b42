"""How well the chosen types fit: for each tensor its range, what saturates, and the error of rounding."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from siliconv.network.fixed_point import FixedPoint
from siliconv.quantize.qkeras.quantization import Quantization
from siliconv.quantize.recipe import Recipe
from siliconv.quantize.training.calibration import activation_samples


@dataclass(frozen=True)
class TypeFit:
    """A tensor and its type.

    ``largest``: magnitude of the float values. ``saturated``: share of them outside the type. ``error``: root mean
    square of the rounding and saturation, as a share of the values' own.
    """

    type: str
    largest: float
    saturated: float
    error: float


def calibration_record(
    model: Any, types: Mapping[str, Quantization], recipe: Recipe, images: NDArray[np.floating]
) -> dict[str, Any]:
    """Give the choice of calibration and how it fits, for a JSON file.

    Parameters
    ----------
    model
        The float model that was calibrated.
    types
        What was chosen.
    recipe
        Which calibration chose it.
    images
        The training images it was chosen on.
    """
    fits = {name: asdict(_fit(values, types[name])) for name, values in _tensors(model, types, images)}
    return {"method": how(recipe), "images": len(images), "tensors": fits}


def how(recipe: Recipe) -> str:
    """Give the method of calibration in words."""
    return "least error" if recipe.calibration == "least_error" else f"percentile {recipe.percentile:g}"


def _tensors(
    model: Any, types: Mapping[str, Quantization], images: NDArray[np.floating]
) -> Iterator[tuple[str, NDArray[np.floating]]]:
    for layer in model.layers:
        for variable in layer.weights:
            part = "bias" if "bias" in variable.name else "kernel"
            if f"{layer.name}.{part}" in types:
                yield f"{layer.name}.{part}", variable.numpy()
    activations = [layer for layer in model.layers if layer.name in types]
    samples = activation_samples(model, activations, images)
    yield from zip((layer.name for layer in activations), samples, strict=True)


def _fit(values: NDArray[np.floating], kind: Quantization) -> TypeFit:
    exact = np.asarray(values, dtype=np.float64)
    largest, size = float(np.abs(exact).max(initial=0.0)), float(np.sqrt(np.mean(exact**2)))
    if isinstance(kind, FixedPoint):
        codes = np.rint(exact / kind.step)
        rounded = np.clip(codes, *kind.codes) * kind.step
        saturated = float(np.mean((codes < kind.codes.low) | (codes > kind.codes.high)))
    else:
        rounded, saturated = kind.nearest(exact), float(np.mean(np.abs(exact) > kind.largest))
    error = float(np.sqrt(np.mean((rounded - exact) ** 2)))
    return TypeFit(str(kind), largest, saturated, error / size if size else 0.0)
