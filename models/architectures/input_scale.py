"""A model that rescales its pixels itself: the factor, moved into the weights that the pixels meet first."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from siliconv.errors import ModelError
from siliconv.models.architectures import layers as kinds
from siliconv.models.architectures.architecture import Architecture, named_layers
from siliconv.models.architectures.keras_file import Weights
from siliconv.models.data.image_files import PIXEL_SCALE

_WEIGHTED = (
    kinds.Conv2D
    | kinds.Conv1D
    | kinds.DepthwiseConv2D
    | kinds.DepthwiseConv1D
    | kinds.SeparableConv2D
    | kinds.SeparableConv1D
    | kinds.Dense
)
_HOMOGENEOUS = (
    kinds.Dropout
    | kinds.Flatten
    | kinds.MaxPool
    | kinds.AveragePool
    | kinds.GlobalMaxPool
    | kinds.GlobalAveragePool
    | kinds.Concatenate
    | kinds.Add
)
"""Kinds with f(s x) = s f(x) for s > 0."""


def with_input_scale(architecture: Architecture, weights: Weights, factors: Mapping[str, float]) -> Weights:
    """Return weights for which pixels k/256 do what pixels k did to the model as it was written.

    Parameters
    ----------
    architecture
        The network; the layers named in `factors` do nothing in it.
    weights
        By layer, kernels first.
    factors
        Name of each rescaling layer -> what it multiplies a pixel of 0 to 255 with.

    Raises
    ------
    ModelError
        ``MODEL-LAYER`` where a layer without weights stands in between that is not proportional to its input.
    """
    scaled = {name: PIXEL_SCALE * factor for name, factor in factors.items()}
    found = dict(weights)
    for name, layer, inputs in named_layers(architecture):
        of_inputs = {scaled.get(source, 1.0) for source in inputs}
        if name in factors or of_inputs == {1.0}:
            continue
        if isinstance(layer, _WEIGHTED):
            (factor,) = of_inputs
            if name in found:
                kernel, *others = found[name]
                found[name] = [np.asarray(kernel * factor, np.float32), *others]
        elif isinstance(layer, _HOMOGENEOUS) and len(of_inputs) == 1:
            scaled[name] = of_inputs.pop()
        else:
            raise ModelError(
                "MODEL-LAYER",
                f"layer {name!r} of kind {layer.kind} stands between the rescaling and the first weights",
                where=f"layer {name}",
                fix="put a convolution or dense layer right behind the rescaling",
            )
    return found
