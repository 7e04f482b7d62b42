"""The QKeras model: the float model layer by layer with quantizers in place, starting from the float weights.

It is built by cloning, because QKeras' own `model_quantize` fails to find its layers on this stack.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from siliconv import legacy_keras
from siliconv.models.architectures.functions import relu_bound, sloped_relu
from siliconv.network.fixed_point import PIXEL, FixedPoint
from siliconv.network.table_types import FUNCTIONS, table_input
from siliconv.quantize.qkeras.activation_forms import HardFunction, SlopedRelu, TabledFunction, TabledSoftmax
from siliconv.quantize.qkeras.fractions import counts_of_average, fractions, sources
from siliconv.quantize.qkeras.quantization import Quantization

_QUANTIZED = {"Conv1D": "QConv1D", "Conv2D": "QConv2D", "Dense": "QDense", "DepthwiseConv2D": "QDepthwiseConv2D"}


def quantized_model(
    model: Any,
    types: Mapping[str, Quantization],
    *,
    dropout: float | None = None,
    masks: Mapping[str, Any] | None = None,
    input_type: FixedPoint = PIXEL,
    own: Callable[[Any], Any] = lambda layer: None,
) -> Any:
    """Clone a float model into a QKeras model of the same layer names and weights.

    Parameters
    ----------
    model
        The deployed float model that outputs logits.
    types
        Types of weights, biases and activations (`siliconv.quantize.training.calibration.choose_types`).
    dropout
        Rate of every dropout layer in fine-tuning; that of the float model by default.
    masks
        What pruning keeps of each kernel while training, by layer (`siliconv.quantize.training.pruning`).
    input_type
        Of the model's input.
    own
        Gives a layer in place of a layer of the float model, or None for what would stand there without it.
    """
    keras, qkeras = legacy_keras.load(), legacy_keras.qkeras()
    from siliconv.models.architectures.own_keras_layers import function_of
    from siliconv.quantize.qkeras import average_pooling
    from siliconv.quantize.qkeras.depthwise import QDepthwiseConv1D
    from siliconv.quantize.qkeras.quantizers import hard_quantizer, relu_quantizer, weight_quantizer
    from siliconv.quantize.qkeras.table_activation import SlopedActivation, SoftmaxActivation, TableActivation
    from siliconv.quantize.qkeras.training_layers import POOLINGS, TrainedActivation, can_fuse

    places = fractions(model, types, input_type)
    replaced = {layer.name: made for layer in model.layers if (made := own(layer)) is not None}
    activation_before = {
        after.name: layer.name
        for layer in model.layers
        if _is_relu(layer) and layer.name not in replaced and can_fuse(after := _only_consumer(layer))
    }

    def quantize(layer: Any) -> Any:
        if layer.name in replaced:
            return replaced[layer.name]
        kind = type(layer).__name__
        if f"{layer.name}.kernel" in types:
            config = {key: value for key, value in layer.get_config().items() if key not in _OF_FLOAT_LAYERS_ONLY}
            bias = types.get(f"{layer.name}.bias")
            make = QDepthwiseConv1D if kind == "DepthwiseConv1D" else getattr(qkeras, _QUANTIZED[kind])
            role = "depthwise" if "Depthwise" in kind else "kernel"
            made = make(
                **config,
                **{f"{role}_quantizer": weight_quantizer(types[f"{layer.name}.kernel"])},
                bias_quantizer=weight_quantizer(bias) if bias is not None else None,
            )
            if masks and layer.name in masks:
                from siliconv.quantize.qkeras.kernel_mask import (
                    Masked,  # imports the pruning toolkit, which takes seconds
                )

                made.kernel_constraint = Masked(masks[layer.name], made.kernel_constraint)
            return made
        function = function_of(layer)
        if function is not None:
            chosen = types[layer.name]
            if sloped_relu(function) == 1.0:
                return qkeras.QActivation(weight_quantizer(chosen), name=layer.name)
            if isinstance(chosen, TabledSoftmax):
                return SoftmaxActivation(chosen.inputs, name=layer.name)
            if isinstance(chosen, SlopedRelu):
                return SlopedActivation(chosen.output, chosen.slope, name=layer.name)
            if isinstance(chosen, TabledFunction):
                return TableActivation(chosen.function, chosen.inputs, chosen.output, name=layer.name)
            if isinstance(chosen, HardFunction):
                return qkeras.QActivation(hard_quantizer(chosen), name=layer.name)
            if function in FUNCTIONS:
                assert isinstance(chosen, FixedPoint)  # the other forms are for weights and ReLUs
                return TableActivation(function, table_input(function), chosen, name=layer.name)
            pooled = layer.name in activation_before.values()
            return TrainedActivation(relu_quantizer(chosen), pooled=pooled, name=layer.name)
        config = layer.get_config()
        if layer.name in activation_before:
            return POOLINGS[kind](relu_quantizer(types[activation_before[layer.name]]), **config)
        if "AveragePooling" in kind and np.any((counts := counts_of_average(layer)) & (counts - 1)):
            (source,) = sources(layer)
            own = getattr(average_pooling, f"Truncated{kind}")
            return own(source_fraction=places[source.name], fraction=places[layer.name], **config)
        if dropout is not None and "Dropout" in kind:
            config["rate"] = dropout
        return type(layer).from_config(config)

    clone = keras.models.clone_model(model, clone_function=quantize)
    for layer in model.layers:
        made, weights = clone.get_layer(layer.name), layer.get_weights()
        # A layer of `own` may have weights of its own besides.
        made.set_weights([*weights, *made.get_weights()[len(weights) :]])
    return clone


def _is_relu(layer: Any) -> bool:
    from siliconv.models.architectures.own_keras_layers import function_of

    return relu_bound(function_of(layer) or "") is not None


def _only_consumer(layer: Any) -> Any:
    """The layer behind, where there is no other."""
    consumers = [node.outbound_layer for node in layer.outbound_nodes]
    return consumers[0] if len(consumers) == 1 else None


def snap_weights(model: Any) -> None:
    """Replace every weight and bias of a QKeras model by its quantized value.

    Outputs stay the same, since quantizing twice is quantizing once; what is saved is then what is in the firmware.
    """
    for layer in model.layers:
        for variable, quantizer in _quantized_variables(layer):
            variable.assign(quantizer(variable))


def _quantized_variables(layer: Any) -> list[tuple[Any, Any]]:
    pairs = [
        ("kernel", "kernel_quantizer_internal"),
        ("depthwise_kernel", "depthwise_quantizer_internal"),
        ("bias", "bias_quantizer_internal"),
    ]
    found = [(getattr(layer, name, None), getattr(layer, quantizer, None)) for name, quantizer in pairs]
    return [(variable, quantizer) for variable, quantizer in found if variable is not None and quantizer is not None]


# QKeras layers take these from their quantizers.
_OF_FLOAT_LAYERS_ONLY = {"kernel_constraint", "depthwise_constraint", "bias_constraint"}
