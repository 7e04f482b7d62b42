"""A model that rescales its pixels itself: the factor, moved into the weights that the pixels meet first."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from siliconv.errors import ModelError
from siliconv.models.architectures import layers as kinds
from siliconv.models.architectures.architecture import INPUT, Architecture, named_layers
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
_LINEAR = (
    kinds.Dropout
    | kinds.Flatten
    | kinds.AveragePool
    | kinds.GlobalAveragePool
    | kinds.ZeroPadding
    | kinds.Concatenate
    | kinds.Add
    | kinds.Subtract
    | kinds.Reshape
    | kinds.Rearrange
)
"""Kinds with f(s x) = s f(x) for every s, if they have no activation."""
_MAXIMUM = kinds.MaxPool | kinds.GlobalMaxPool | kinds.Maximum | kinds.Minimum
"""Kinds with f(s x) = s f(x) for s > 0 only: the maximum of -x is not minus the maximum of x."""


class InputScaleError(ModelError):
    """A factor on the pixels that no weights can take up."""


def with_input_scale(
    architecture: Architecture, weights: Weights, factors: Mapping[str, float], *, pixels: bool
) -> Weights:
    """Return weights for which pixels k/256 do what pixels k did to the model as it was written.

    Parameters
    ----------
    architecture
        The network; the layers named in `factors` do nothing in it.
    weights
        By layer, kernels first.
    factors
        Name of each rescaling layer -> what it multiplies a pixel of 0 to 255 with.
    pixels
        Whether the model as it was written takes pixels of 0 to 255.

    Raises
    ------
    InputScaleError
        ``MODEL-LAYER`` where a layer without weights stands in between that is not proportional to its input.
    """
    if not pixels:
        return weights
    # With a rescaling anywhere, what enters the network is a pixel of 0 to 255, also for a branch without one.
    scaled = {INPUT: float(PIXEL_SCALE), **{name: PIXEL_SCALE * factor for name, factor in factors.items()}}
    found = dict(weights)
    for name, layer, inputs in named_layers(architecture):
        of_inputs = {scaled.get(source, 1.0) for source in inputs}
        if name in factors or of_inputs == {1.0}:
            continue
        linear = isinstance(layer, _LINEAR) and getattr(layer, "activation", None) is None
        if isinstance(layer, _WEIGHTED):
            (factor,) = of_inputs
            if name in found:
                kernel, *others = found[name]
                found[name] = [np.asarray(kernel * factor, np.float32), *others]
        elif isinstance(layer, kinds.BatchNormalization) and len(of_inputs) == 1:
            (factor,) = of_inputs
            if name in found:
                gamma, beta, mean, variance = found[name]
                found[name] = [np.asarray(gamma * factor, np.float32), beta, mean / np.float32(factor), variance]
        elif len(of_inputs) == 1 and (linear or (isinstance(layer, _MAXIMUM) and min(of_inputs) > 0)):
            scaled[name] = of_inputs.pop()
        elif isinstance(layer, _MAXIMUM):
            raise InputScaleError(
                "MODEL-LAYER",
                f"layer {name!r} of kind {layer.kind} "
                + (
                    f"takes a maximum of pixels times {of_inputs.pop() / PIXEL_SCALE:g}"
                    if len(of_inputs) == 1
                    else "compares pixels of 0 to 255 with rescaled ones"
                ),
                where=f"layer {name}",
                fix="rescale all that it reads, by a positive factor; or put a convolution or dense layer between",
            )
        else:
            raise InputScaleError(
                "MODEL-LAYER",
                f"layer {name!r} of kind {layer.kind} stands between the rescaling and the first weights",
                where=f"layer {name}",
                fix="put a convolution or dense layer right behind the rescaling",
            )
    last = named_layers(architecture)[-1].name
    if scaled.get(last, 1.0) != 1.0:
        raise InputScaleError(
            "MODEL-LAYER",
            "no layer with weights stands behind the rescaling",
            where=f"layer {last}",
            fix="put a convolution or dense layer right behind the rescaling",
        )
    return found
