"""Choose the integer bits of every tensor from the float weights and from the activations on training images.

By least error: for a given number of bits each position of the binary point is tried, and the one with the least mean
squared quantization error is taken: a few saturated outliers may cost less than a coarser step for all. By percentile:
the finest type that holds this share of the values. Biases are held whole either way.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
from numpy.typing import NDArray

from siliconv import legacy_keras
from siliconv.errors import NetworkError
from siliconv.models.architectures.functions import FUNCTIONS as PARAMETRIZED
from siliconv.models.architectures.functions import parse_function, relu_bound, sloped_relu
from siliconv.models.data.number_type import integer_bits_of_least_error, integer_bits_that_cover
from siliconv.network.fixed_point import FixedPoint, Overflow, Rounding
from siliconv.network.table_types import FUNCTIONS, INPUT_BITS, table_output
from siliconv.quantize.qkeras.activation_forms import (
    BoundedRelu,
    HardFunction,
    SlopedRelu,
    TabledFunction,
    TabledSoftmax,
)
from siliconv.quantize.qkeras.quantization import Quantization
from siliconv.quantize.qkeras.weight_levels import best_levels
from siliconv.quantize.recipe import LayerBits, Recipe

WEIGHT_LAYERS = ("Conv1D", "Conv2D", "DepthwiseConv1D", "DepthwiseConv2D", "Dense")
BATCH = 64

# Fine-tuning moves biases; this share is kept free above the largest one.
BIAS_HEADROOM = 1.25


def choose_types(model: Any, recipe: Recipe, images: NDArray[np.floating]) -> dict[str, Quantization]:
    """Give a type to every weight, bias and activation of a float model.

    Parameters
    ----------
    model
        The deployed float model: convolutions, dense layers and separate activation layers.
    recipe
        Bits by layer.
    images
        Training images for the ranges of the activations, (n, *input shape), values k/256.

    Returns
    -------
    Types by ``<layer>.kernel``, ``<layer>.bias`` and ``<activation layer>``.

    Raises
    ------
    NetworkError
        ``QUANTIZE-ACTIVATION`` for an activation without a quantized form, ``RECIPE-LAYER`` for a pattern that names no
        layer, ``RECIPE-PRUNING`` where pruned weights can't be zero.
    """
    from siliconv.models.architectures.own_keras_layers import function_of

    _check_patterns(model, recipe)
    types: dict[str, Quantization] = {}
    activations = [layer for layer in model.layers if function_of(layer) is not None]
    for layer in model.layers:
        if type(layer).__name__ in WEIGHT_LAYERS:
            bits = recipe.bits(layer.name)
            assert bits.weights is not None and bits.biases is not None  # noqa: PT018  (Recipe.bits sets all)
            types[f"{layer.name}.kernel"] = _kernel_type(kernel_of(layer).numpy(), bits, recipe, layer.name)
            if layer.use_bias:
                largest = float(np.abs(layer.bias.numpy()).max()) * BIAS_HEADROOM
                types[f"{layer.name}.bias"] = covering_type(largest, bits.biases)
    # What is looked up in a table of its own range needs that range too.
    read = [layer for layer in activations if function_of(layer) not in ("relu", *FUNCTIONS)]
    inputs = dict(
        zip((layer.name for layer in read), activation_samples(model, read, images, inputs=True), strict=True)
    )
    for layer, values in zip(activations, activation_samples(model, activations, images), strict=True):
        bits = recipe.bits(_producer(layer))
        types[layer.name] = _activation_type(layer, values, inputs.get(layer.name), bits, recipe)
    return types


def _activation_type(
    layer: Any, values: NDArray[np.floating], inputs: NDArray[np.floating] | None, bits: LayerBits, recipe: Recipe
) -> Quantization:
    from siliconv.models.architectures.own_keras_layers import function_of

    assert bits.activations is not None  # Recipe.bits sets all
    function = str(function_of(layer))
    if function in FUNCTIONS:
        hard = bits.functions == "hard"
        return HardFunction(function, bits.activations) if hard else table_output(function, bits.activations)  # type: ignore[arg-type]
    bound = relu_bound(function)
    if function == "softmax":
        assert inputs is not None  # it was sampled
        return TabledSoftmax(max(covering_type(float(np.abs(inputs).max(initial=0.0)), 16).integer, 1))
    slope = sloped_relu(function)
    if slope == 1.0:
        return ranged_type(values, bits.activations, recipe, signed=bool(values.min(initial=0.0) < 0))
    if slope is not None:
        return SlopedRelu(ranged_type(values, bits.activations, recipe, signed=True), slope)
    if bound is None:
        assert inputs is not None  # it was sampled
        index = ranged_type(inputs, INPUT_BITS, recipe, signed=bool(inputs.min(initial=0.0) < 0))
        entries = ranged_type(values, bits.activations, recipe, signed=bool(values.min(initial=0.0) < 0))
        return TabledFunction(function, index, entries)
    if math.isfinite(bound):
        # Said by the network, not by the recipe: the nearest step, where it is none.
        kind = ranged_type(values, bits.activations, recipe, signed=False)
        nearest = float(np.rint(bound / kind.step)) * kind.step
        return BoundedRelu(kind, nearest) if 0.0 < nearest < kind.codes.high * kind.step else kind
    if bits.relu_bound is None:
        return ranged_type(values, bits.activations, recipe, signed=False)
    kind = ranged_type(np.minimum(values, bits.relu_bound), bits.activations, recipe, signed=False)
    codes = bits.relu_bound / kind.step
    if codes >= kind.codes.high:
        return kind
    if codes != round(codes):
        raise NetworkError(
            "RECIPE-BOUND",
            f"the bound {bits.relu_bound:g} is no multiple of {kind.step:g}, the step of {bits.activations} bits here",
            where=f"layer '{layer.name}'",
            fix="use a multiple of it, such as " + f"{round(codes) * kind.step:g}, or more bits",
        )
    return BoundedRelu(kind, bits.relu_bound)


def kernel_of(layer: Any) -> Any:
    """Give the kernel variable of a layer with weights, by whatever name it has there."""
    return getattr(layer, "depthwise_kernel" if "Depthwise" in type(layer).__name__ else "kernel")


def _kernel_type(kernel: NDArray[np.floating], bits: LayerBits, recipe: Recipe, layer: str) -> Quantization:
    if isinstance(bits.weights, int):
        return ranged_type(kernel, bits.weights, recipe, signed=True)
    assert bits.weights is not None  # Recipe.bits sets all
    levels = best_levels(bits.weights, kernel)
    if bits.sparsity and not levels.has_zero:
        raise NetworkError(
            "RECIPE-PRUNING",
            f"the layer is pruned, and {levels.kind} weights are never zero",
            where=f"layer '{layer}'",
            fix="give the layer sparsity: 0, or ternary weights, or some bits",
        )
    return levels


def ranged_type(values: NDArray[np.floating], bits: int, recipe: Recipe, *, signed: bool) -> FixedPoint:
    """Give the type of this width that the recipe's calibration chooses for these values."""
    if recipe.calibration == "least_error":
        return least_error_type(values, bits, signed=signed)
    return covering_type(float(np.percentile(np.abs(values), recipe.percentile)), bits, signed=signed)


def least_error_type(values: NDArray[np.floating], bits: int, *, signed: bool) -> FixedPoint:
    """Give the type of this width whose rounding (ties to even) and saturation hurts the values least.

    The error is the mean square over all values; among equals the finer step wins.
    """
    integer = integer_bits_of_least_error(values, bits, signed=signed)
    return FixedPoint(signed, bits, integer, Rounding.RND_CONV, Overflow.SAT)


def covering_type(largest: float, bits: int, *, signed: bool = True) -> FixedPoint:
    """Give the finest type of this width that holds everything up to ``largest`` in magnitude."""
    integer = integer_bits_that_cover(largest, signed=signed)
    return FixedPoint(signed, bits, integer, Rounding.RND_CONV, Overflow.SAT)


def activation_samples(
    model: Any, activations: list[Any], images: NDArray[np.floating], *, inputs: bool = False
) -> list[NDArray[np.floating]]:
    """Outputs (or inputs) of the activation layers on the images, flattened, at most a million values each."""
    from siliconv.models.architectures.own_keras_layers import function_of

    if not activations:
        return []
    for layer in activations:
        function = function_of(layer)
        if function not in ("relu", "softmax", *FUNCTIONS) and (function is None or parse_function(function) is None):
            raise NetworkError(
                "QUANTIZE-ACTIVATION",
                f"no quantized form of the activation {function} inside a network",
                where=f"layer '{layer.name}'",
                fix="use relu, softmax, " + ", ".join((*FUNCTIONS, *PARAMETRIZED)),
            )
    keras = legacy_keras.load()
    probe = keras.Model(model.input, [layer.input if inputs else layer.output for layer in activations])
    most = 1_000_000
    stride = [max(1, int(np.prod(layer.output_shape[1:])) * len(images) // most) for layer in activations]
    parts: list[list[NDArray[np.floating]]] = [[] for _ in activations]
    for start in range(0, len(images), BATCH):
        outputs = probe(images[start : start + BATCH], training=False)
        outputs = outputs if isinstance(outputs, list | tuple) else [outputs]
        for part, output, step in zip(parts, outputs, stride, strict=True):
            part.append(output.numpy().ravel()[::step])
    return [np.concatenate(part) for part in parts]


def _producer(activation: Any) -> str:
    """Name of the layer that an activation stands behind."""
    inbound = activation.inbound_nodes[0].inbound_layers
    return str((inbound[0] if isinstance(inbound, list) else inbound).name)


def _check_patterns(model: Any, recipe: Recipe) -> None:
    names = [layer.name for layer in model.layers if type(layer).__name__ in WEIGHT_LAYERS]
    for pattern in recipe.layers:
        if not any(fnmatchcase(name, pattern) for name in names):
            raise NetworkError(
                "RECIPE-LAYER",
                f"no layer is called '{pattern}'",
                where="quantize.layers",
                fix="use one of " + ", ".join(names),
            )


def as_text(types: Mapping[str, Quantization]) -> dict[str, str]:
    """Give types as text, for a JSON file."""
    return {name: str(kind) for name, kind in types.items()}
