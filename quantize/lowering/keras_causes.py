"""Why a Keras model differs from the integer network in an element: QKeras by a defect, a float model by design."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from siliconv import legacy_keras
from siliconv.network import graph as ir
from siliconv.network.explanation.element_trace import Index, conversion, multiplied
from siliconv.network.explanation.first_difference import Cause, Execution, Place, Values, input_cause
from siliconv.network.fixed_point import to_values
from siliconv.network.reference import FLOAT32_SIGNIFICAND
from siliconv.network.rows import parts_of
from siliconv.quantize.lowering.model_graph import node_name_of

QUANTIZED, FLOAT = "quantized", "float"
MATRICES = (ir.Conv, ir.DepthwiseConv, ir.Dense)


@dataclass(frozen=True)
class Contribution:
    """Of what the difference of one element consists: float minus quantized, in real units.

    ``weights``, ``bias``: what their rounding does; ``activations``: what came in differently; ``rounding``: the rest,
    float32 sums. They add up to `total`.
    """

    layer: str
    vector: int
    index: Index
    total: float
    weights: float
    bias: float
    activations: float
    rounding: float


def model_values(model: Any, network: ir.Network, inputs: NDArray[np.floating]) -> dict[str, Values]:
    """Run a Keras model and give its layers by the names of the nodes they became, (n, *shape), the input included."""
    keras = legacy_keras.load()
    layers = [layer for layer in model.layers if node_name_of(layer) in network.by_name]
    given = inputs.astype(np.float32)
    taken = list(parts_of(network.inputs, given)) if len(model.inputs) > 1 else given
    outputs = keras.Model(model.inputs, [layer.output for layer in layers])(taken, training=False)
    outputs = outputs if isinstance(outputs, list) else [outputs]
    parts = parts_of(network.inputs, np.asarray(inputs, dtype=np.float64))
    values = {node.name: part for node, part in zip(network.inputs, parts, strict=True)}
    for layer, output in zip(layers, outputs, strict=True):
        name = node_name_of(layer)
        shape = network.by_name[name].shape
        values[name] = output.numpy().astype(np.float64).reshape(-1, *shape)
    return values


def quantized_execution(model: Any, network: ir.Network, inputs: NDArray[np.floating]) -> Execution:
    """Run a QKeras model on values (n, *input shape)."""
    return Execution(QUANTIZED, model_values(model, network, inputs), lambda place: quantized_causes(model, place))


def float_execution(model: Any, network: ir.Network, inputs: NDArray[np.floating]) -> Execution:
    """Run a float model on values (n, *input shape)."""
    return Execution(FLOAT, model_values(model, network, inputs), lambda place: _float_causes(model, place))


def quantized_causes(model: Any, place: Place) -> Iterator[Cause]:
    """Yield why a QKeras model has another value than the network."""
    yield from input_cause(place, QUANTIZED)
    layer = next((layer for layer in model.layers if layer.name == place.node.name), None)
    if layer is None:
        return
    found = [*_alpha(layer, place), *_folding(model, layer, QUANTIZED)]
    if isinstance(place.node, MATRICES) and not found:
        found += _weights(layer, place)
    yield from found or [*_conversion(place), *_float32(place)]


def contributions(
    network: ir.Network, model: Any, floats: Mapping[str, Values], quantized: Mapping[str, Values]
) -> tuple[Contribution, ...]:
    """Take the largest difference of every layer with weights apart: weights, biases and activations.

    Parameters
    ----------
    network
        The integer network, for its weights.
    model
        The float model.
    floats, quantized
        Values by node of the float model and of the quantized one (or the network, or the firmware).
    """
    found = []
    for node in network.nodes:
        if isinstance(node, MATRICES) and node.name in floats and node.name in quantized:
            difference = np.abs(floats[node.name] - quantized[node.name])
            vector, *index = (int(i) for i in np.unravel_index(int(difference.argmax()), difference.shape))
            source = network.sources(node)[0]
            inputs = [_values_of(source, network, values) for values in (floats, quantized)]
            total = float(floats[node.name][vector][tuple(index)] - quantized[node.name][vector][tuple(index)])
            if inputs[0] is not None and inputs[1] is not None:
                found.append(
                    _apart(node, source, model, inputs[0][vector], inputs[1][vector], vector, tuple(index), total)
                )
    return tuple(found)


def _values_of(node: ir.Node, network: ir.Network, values: Mapping[str, Values]) -> Values | None:
    """Give the values of a node; a reshaping that an execution does not show has those of its source."""
    if node.name in values:
        return values[node.name]
    if not isinstance(node, ir.Reshape):
        return None
    before = _values_of(network.sources(node)[0], network, values)
    return before.reshape(-1, *node.shape) if before is not None else None


def _apart(
    node: ir.Matrix,
    source: ir.Node,
    model: Any,
    floats: Values,
    quantized: Values,
    vector: int,
    index: Index,
    total: float,
) -> Contribution:
    """Split the difference of two sums of products over two inputs; what changes together is shared equally."""
    kernel, biases = _float_weights(model.get_layer(node.name), node)
    rounded, rounded_biases = to_values(node.kernel.codes, node.kernel.type), to_values(node.bias.codes, node.bias.type)
    weights = activations = 0.0
    for at, where in multiplied(node, source, index):
        weights += float((kernel[where] - rounded[where]) * (floats[at] + quantized[at]) / 2)
        activations += float((kernel[where] + rounded[where]) / 2 * (floats[at] - quantized[at]))
    bias = float(biases[index[-1]] - rounded_biases[index[-1]])
    return Contribution(
        node.name, vector, index, total, weights, bias, activations, total - weights - bias - activations
    )


def _float_causes(model: Any, place: Place) -> Iterator[Cause]:
    yield from input_cause(place, FLOAT)
    layer = next((layer for layer in model.layers if layer.name == place.node.name), None)
    if layer is None:
        return
    yield from _folding(model, layer, FLOAT)
    if isinstance(place.node, MATRICES):
        kernel, _ = _float_weights(layer, place.node)
        largest = float(np.abs(kernel - to_values(place.node.kernel.codes, place.node.kernel.type)).max())
        said = f"weights are rounded to {place.node.kernel.type}, by up to {largest:.3g}"
    else:
        said = f"values are rounded to {place.node.type}, a step of {place.node.type.step:.3g}"
    yield Cause(
        "FLOAT-VS-QUANTIZED",
        FLOAT,
        f"by design: {said}; see the contributions of weights and activations",
        "more bits for what contributes most (quantize.layers), or more fine-tuning (quantize.train.epochs)",
    )


def _alpha(layer: Any, place: Place) -> Iterator[Cause]:
    for name in ("kernel_quantizer_internal", "bias_quantizer_internal", "depthwise_quantizer_internal", "quantizer"):
        alpha = getattr(getattr(layer, name, None), "alpha", 1.0)
        if not _is_power_of_two(alpha):
            yield Cause(
                "ALPHA",
                QUANTIZED,
                f"the {name.removesuffix('_internal')} of '{layer.name}' scales by alpha={alpha!r}, no power of two",
                "use alpha=1 and choose the integer bits instead",
            )


def _is_power_of_two(alpha: Any) -> bool:
    """Whether a scale can be a part of the network's types."""
    if alpha is None or isinstance(alpha, str):
        return bool(alpha == "auto_po2")
    exponent = np.log2(np.asarray(alpha, dtype=np.float64))
    return bool(np.all(exponent == np.rint(exponent)))


def _folding(model: Any, layer: Any, execution: str) -> Iterator[Cause]:
    for other in model.layers:
        if type(other).__name__ != "BatchNormalization" and "BatchNorm" not in type(other).__name__:
            continue
        inbound = other.inbound_nodes[0].inbound_layers
        if layer in (inbound if isinstance(inbound, list) else [inbound]) or other is layer:
            yield Cause(
                "FOLDING",
                execution,
                f"the batch normalization '{other.name}' behind '{layer.name}' is folded into its weights in the "
                "network, and not in the model",
                "compare with the folded model: siliconv.models.architectures.folding.without_batch_normalization",
            )


def _weights(layer: Any, place: Place) -> Iterator[Cause]:
    node = place.node
    assert isinstance(node, MATRICES)
    kernel, biases = _quantized_weights(layer, node)
    for name, values, mine in (("weight", kernel, node.kernel), ("bias", biases, node.bias)):
        wrong = values != to_values(mine.codes, mine.type)
        if wrong.any():
            where = tuple(int(i) for i in np.argwhere(wrong)[0])
            expected = mine.codes[where] * mine.type.step
            off_grid = values[where] / mine.type.step != np.rint(values[where] / mine.type.step)
            yield Cause(
                "WEIGHTS",
                QUANTIZED,
                f"{int(wrong.sum())} {name}s are not those of the network, first {where}: {values[where]:.9g}, not "
                f"{expected:.9g}" + (f", which {mine.type} does not even have" if off_grid else ""),
                "lower the model again: siliconv run PROJECT; every weight needs a quantizer",
            )


def _conversion(place: Place) -> Iterator[Cause]:
    """Yield a rounding tie or a saturation, which executions may take differently."""
    if not isinstance(place.node, ir.Requantize):
        return
    to, kind = place.node.type, place.sources[0].type
    found = conversion(place.input_code, kind, to, relu=place.node.relu)
    if found.is_outside(to):
        yield Cause(
            "SATURATION",
            QUANTIZED,
            f"{found.exact:g} is outside of {to}, which gives {place.trace.value:g}; the model gives {place.found:g}",
            "use a quantizer that saturates (quantized_relu, quantized_bits without wrapping)",
        )
    elif found.is_tie:
        yield Cause(
            "ROUNDING-TIE",
            QUANTIZED,
            f"{found.exact!r} lies in the middle of two values of {to}; {to.rounding} takes {place.trace.value:g}, "
            f"the model {place.found:g}",
            f"use a quantizer that rounds as {to.rounding} (QKeras rounds ties to even)",
        )


def _float32(place: Place) -> Iterator[Cause]:
    if not place.trace.terms and not isinstance(place.node, ir.Requantize):
        return
    sums = place.node if place.trace.terms else place.sources[0]
    codes = [term.partial for term in place.trace.terms] or [place.input_code]
    largest = max(abs(code) for code in codes)
    bits = max(int(largest).bit_length(), sums.type.width - sums.type.signed)
    if bits > FLOAT32_SIGNIFICAND and abs(place.found - place.trace.value) <= _float32_error(place, sums):
        yield Cause(
            "FLOAT32-ROUNDING",
            QUANTIZED,
            f"the exact sum needs up to {bits} bits, float32 has {FLOAT32_SIGNIFICAND}: the model rounds it",
            "nothing is wrong with the firmware; fewer bits for weights or activations make the model exact too",
        )


def _float32_error(place: Place, sums: ir.Node) -> float:
    """Bound the error of a float32 sum of the terms, or of one conversion behind it."""
    if not place.trace.terms:
        return place.node.type.step
    scale = 2.0**-sums.type.fraction
    total = sum(abs(b.partial - a.partial) for a, b in zip(place.trace.terms, place.trace.terms[1:], strict=False))
    total += abs(place.trace.terms[0].partial)
    return len(place.trace.terms) * total * scale * 2.0**-FLOAT32_SIGNIFICAND


def _float_weights(layer: Any, node: ir.Matrix) -> tuple[Values, Values]:
    weights = [np.asarray(values, dtype=np.float64) for values in layer.get_weights()]
    biases = weights[1] if len(weights) > 1 else np.zeros(node.shape[-1])
    return weights[0].reshape(node.kernel.codes.shape), biases


def _quantized_weights(layer: Any, node: ir.Matrix) -> tuple[Values, Values]:
    kernel, biases = _float_weights(layer, node)
    quantizers = [getattr(layer, name, None) for name in ("kernel_quantizer_internal", "depthwise_quantizer_internal")]
    kernel_quantizer = next((one for one in quantizers if one is not None), None)
    bias_quantizer = getattr(layer, "bias_quantizer_internal", None)
    return _rounded(kernel, kernel_quantizer), _rounded(biases, bias_quantizer)


def _rounded(values: Values, quantizer: Any) -> Values:
    if quantizer is None:
        return values
    return np.asarray(quantizer(values.astype(np.float32)), dtype=np.float64)
