"""Standardization as part of a network: a batch normalization in front of it whose statistics are those of the data."""

from __future__ import annotations

from typing import Any

import numpy as np

from siliconv.errors import ModelError
from siliconv.models.architectures.architecture import INPUT, Architecture, named_layers
from siliconv.models.architectures.layers import BatchNormalization

STANDARDIZE = "standardize"
"""Name of the layer."""

_EPSILON = 1e-12


def with_standardization(architecture: Architecture) -> Architecture:
    """Return the network with a layer in front that brings each feature (each channel) to mean 0 and deviation 1.

    Raises
    ------
    ModelError
        ``MODEL-NAME`` where a layer has the name already, ``MODEL-INPUT`` as `named_layers`.
    """
    nodes = named_layers(architecture)
    if any(node.name == STANDARDIZE for node in nodes):
        raise ModelError(
            "MODEL-NAME",
            f"a layer is called {STANDARDIZE!r}, as the one that data.standardize puts in front",
            where="model.layers",
            fix="rename the layer",
        )
    front = BatchNormalization(name=STANDARDIZE, inputs=(INPUT,), epsilon=_EPSILON)
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
