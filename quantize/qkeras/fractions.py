"""Fractional bits of every tensor of a float model once its weights and activations have their types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from siliconv.network.fixed_point import Codes, FixedPoint
from siliconv.network.windows import real_elements, same_padding
from siliconv.quantize.qkeras.quantization import Quantization


def fractions(model: Any, types: Mapping[str, Quantization], input_type: FixedPoint) -> dict[str, int]:
    """Give the fractional bits of each layer's output by its name, as lowering will give them.

    Parameters
    ----------
    model
        A float tf_keras model.
    types
        Types by ``<layer>.kernel``, ``<layer>.bias`` and ``<activation layer>``.
    input_type
        Type of the model's input.
    """
    found: dict[str, int] = {}
    for layer in model.layers:
        before = [found[source.name] for source in sources(layer)]
        if f"{layer.name}.kernel" in types:
            bias = types.get(f"{layer.name}.bias")
            product = before[0] + types[f"{layer.name}.kernel"].fraction
            found[layer.name] = max(product, bias.fraction if bias is not None else 0)
        elif layer.name in types:
            found[layer.name] = types[layer.name].fraction
        elif type(layer).__name__ == "Multiply":
            found[layer.name] = sum(before)
        elif "AveragePooling" in type(layer).__name__:
            found[layer.name] = before[0] + places_of_average(layer)
        else:
            found[layer.name] = max(before, default=input_type.fraction)
    return found


def sources(layer: Any) -> list[Any]:
    """Give the layers that a layer of a functional model reads; none for an input."""
    inbound = layer.inbound_nodes[0].inbound_layers
    return inbound if isinstance(inbound, list) else [inbound]


def counts_of_average(layer: Any) -> Codes:
    """Count the real elements under each window of an average pooling layer of a float model."""
    spatial = tuple(layer.input_shape[1:-1])
    if type(layer).__name__.startswith("Global"):
        return np.array([int(np.prod(spatial))], dtype=np.int64)
    window, strides = tuple(layer.pool_size), tuple(layer.strides)
    padding = same_padding(spatial, window, strides) if layer.padding == "same" else ((0, 0),) * len(window)
    return real_elements(spatial, window, strides, padding)


def places_of_average(layer: Any) -> int:
    """Give the fractional bits that an average gets beyond those of its terms.

    Enough to hold an average over a power of two exactly, and to keep the truncation of any other below the last place
    of a term divided by the number of terms.
    """
    return (int(counts_of_average(layer).max()) - 1).bit_length()
