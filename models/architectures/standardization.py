"""Standardization as part of a network: a batch normalization in front of it whose statistics are those of the data.

Folded into the matrix behind, it would make a coarse kernel: of one type, whose largest weights are those of the
narrowest feature, while a widest one multiplies what is rounded away. So it stays a layer, unless that costs little.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from siliconv.errors import ModelError
from siliconv.models.architectures.architecture import INPUT, Architecture, LayerNode, named_layers
from siliconv.models.architectures.layers import BatchNormalization, Dropout, Flatten, Rearrange, Reshape

STANDARDIZE = "standardize"
"""Name of the layer."""

_EPSILON = 1e-12

_MOVING = Dropout | Flatten | Rearrange | Reshape
"""What hands on the numbers that it reads: one of several inputs is cut out of all of them."""

MOST_LOST = 4.0
"""Times the rounding error of a kernel may grow where the normalization of an input is folded into it: two bits."""


def with_standardization(architecture: Architecture) -> Architecture:
    """Return the network with a layer in front that brings each feature (each channel) to mean 0 and deviation 1.

    Raises
    ------
    ModelError
        ``MODEL-NAME`` where a layer has the name already, ``MODEL-INPUT`` as `named_layers`, ``MODEL-PORTS`` for a
        network of several inputs.
    """
    if architecture.inputs:
        raise ModelError(
            "MODEL-PORTS",
            f"data.standardize for {len(architecture.inputs)} inputs",
            where="data.standardize",
            fix="put a batch_normalization behind each input, or store standardized numbers",
        )
    nodes = named_layers(architecture)
    if any(node.name == STANDARDIZE for node in nodes):
        raise ModelError(
            "MODEL-NAME",
            f"a layer is called {STANDARDIZE!r}, as the one that data.standardize puts in front",
            where="model.layers",
            fix="rename the layer",
        )
    front = BatchNormalization(name=STANDARDIZE, inputs=(INPUT,), epsilon=_EPSILON, keep=True)
    layers = [
        node.layer.model_copy(update={"inputs": tuple(STANDARDIZE if one == INPUT else one for one in node.inputs)})
        for node in nodes
    ]
    return architecture.model_copy(update={"layers": (front, *layers)})


def set_standardization(model: Any, means: np.ndarray, deviations: np.ndarray) -> None:
    """Give the layer in front of a model its statistics, and keep training from changing them; nothing without one.

    Parameters
    ----------
    model
        Of `build_model`.
    means, deviations
        Of each feature or channel; a deviation of zero (a feature that never changes) counts as one.
    """
    layer = next((one for one in model.layers if one.name == STANDARDIZE), None)
    if layer is not None:
        spread = np.where(deviations > 0, deviations, 1.0)
        layer.set_weights([np.ones_like(means), np.zeros_like(means), means, spread**2])
        layer.trainable = False


def stands_at_input(name: str, by_name: Mapping[str, LayerNode]) -> bool:
    """Whether a layer reads numbers of the network's input, as they are."""
    source = by_name[name].inputs[0]
    while source != INPUT and isinstance(by_name[source].layer, _MOVING):
        source = by_name[source].inputs[0]
    return source == INPUT


def with_kept_normalization(architecture: Architecture, weights: Mapping[str, Sequence[np.ndarray]]) -> Architecture:
    """Return the network of a file, in which a normalization of the input is kept where folding it costs accuracy.

    Parameters
    ----------
    architecture, weights
        What was read; of a normalization gamma, beta, mean and variance.
    """
    by_name = {node.name: node for node in named_layers(architecture)}
    layers = [
        node.layer.model_copy(update={"keep": True})
        if isinstance(node.layer, BatchNormalization)
        and node.name in weights
        and stands_at_input(node.name, by_name)
        and _lost(weights[node.name], node.layer.epsilon) > MOST_LOST
        else node.layer
        for node in by_name.values()
    ]
    return architecture.model_copy(update={"layers": tuple(layers)})


def _lost(statistics: Sequence[np.ndarray], epsilon: float) -> float:
    """Give how many times the rounding error of a kernel grows with the normalization y = s x + t folded into it.

    The step of the kernel grows with the largest s, and each of its roundings is multiplied by a number that lies
    within a deviation, 1 / s, of the mean, -t / s.
    """
    gamma, beta, mean, variance = (values.astype(np.float64) for values in statistics)
    scale = np.abs(gamma) / np.sqrt(variance + epsilon)
    used = scale > 0
    if not used.any():
        return 1.0
    middle = np.abs(mean[used] - beta[used] / np.where(gamma[used] < 0, -scale[used], scale[used]))
    return float(scale[used].max() * (middle + 1.0 / scale[used]).max())
