"""What a layer of a Keras model's configuration becomes here, by a table of the classes that are known."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, get_args

import numpy as np
from pydantic import TypeAdapter

from siliconv.models.architectures import image_edges
from siliconv.models.architectures import keras_frames as frames
from siliconv.models.architectures import keras_steps as steps
from siliconv.models.architectures.einsum_steps import einsum_dense
from siliconv.models.architectures.functions import function_text
from siliconv.models.architectures.keras_functions import function_of_name, known_names
from siliconv.models.architectures.keras_graph import Config, is_foreign, is_number, refused
from siliconv.models.architectures.keras_settings import IDENTITIES
from siliconv.models.architectures.keras_steps import Call, LayerStep
from siliconv.models.architectures.layers import ActivationKind, Layer
from siliconv.models.architectures.shapes import Shape, output_shape

Describe = Callable[[Call], Sequence[LayerStep]]


def steps_of(call: Call) -> Sequence[LayerStep]:
    """Give the layers that a layer becomes, in their order.

    Raises
    ------
    ModelError
        ``MODEL-LAYER`` where it has no equal here.
    """
    return _DESCRIBE[call.layer["class_name"]](call)


def known_classes() -> frozenset[str]:
    """Give the names of the Keras layers that can be read."""
    return frozenset(_DESCRIBE)


def check_activation(layer: Config, where: str, keras: int) -> None:
    """Refuse a layer with an activation that has no equal here, whatever it reads."""
    _activation(Call(layer, (), where, keras))


def is_plain_rescaling(layer: Config) -> bool:
    """Whether a layer multiplies by one number and does nothing else."""
    if layer["class_name"] != "Rescaling":
        return False
    scale, offset = layer["config"]["scale"], layer["config"]["offset"]
    return is_number(scale) and is_number(offset) and not offset


def largest_factor(layer: Config) -> float:
    """Give the largest number that a layer multiplies by, by its magnitude; 1 for any but a rescaling."""
    if layer["class_name"] != "Rescaling":
        return 1.0
    return float(np.abs(np.asarray(layer["config"]["scale"], np.float64)).max(initial=0.0))


def _activation(call: Call) -> str | None:
    found = call.settings.get("activation", "linear")
    if isinstance(found, Mapping):
        # A function of the user's that is called relu is written as one, with its own module.
        foreign = is_foreign({**found, "registered_name": None}) or found.get("class_name") != "function"
        if foreign or not isinstance(found.get("config"), str):
            what = f"the activation {found.get('class_name')!r} is not one of Keras' functions"
            raise refused(call.layer, what, call.where)
        found = found["config"]
    if found in (None, "linear"):
        return None
    function = function_of_name(found, call.keras) if isinstance(found, str) else None
    if function is None:
        raise refused(call.layer, f"activation {found!r} is none of {', '.join(known_names())}", call.where)
    return function


def _with_activation(call: Call, make: Callable[[str | None], Sequence[LayerStep]]) -> Sequence[LayerStep]:
    """Give a layer with its activation: its own where it has a plain name, else a layer behind it."""
    function = _activation(call)
    if function is None or function in get_args(ActivationKind):
        return make(function)
    return steps.behind(make(None), function)


def _size(found: Any) -> Any:
    if isinstance(found, int):
        return found
    return found[0] if len(found) == 1 else tuple(found)


def _convolution(kind: str) -> Describe:
    one_dimension = kind.endswith("1d")

    def describe(call: Call) -> Sequence[LayerStep]:
        settings = call.settings
        filters = {} if kind.startswith("depthwise") else {"filters": settings["filters"]}
        if settings["padding"] not in ("same", "valid", *(("causal",) if one_dimension else ())):
            raise refused(call.layer, f"padding {settings['padding']!r} has no equal here", call.where)
        described = {
            "kind": kind,
            **filters,
            "kernel": _size(settings["kernel_size"]),
            "stride": _size(settings["strides"]),
            "padding": settings["padding"],
            "use_bias": settings["use_bias"],
        }

        def make(function: str | None) -> Sequence[LayerStep]:
            activated = {**described, "activation": function}
            times = int(settings.get("depth_multiplier") or 1)
            if kind.startswith("depthwise"):
                return steps.depthwise(call, activated, times)
            if kind.startswith("separable"):
                return steps.separable(call, activated, times)
            return steps.convolution(call, activated)

        return _with_activation(call, make)

    return describe


def _dense(call: Call) -> Sequence[LayerStep]:
    described = {"kind": "dense", "units": call.settings["units"], "use_bias": call.settings["use_bias"]}
    return _with_activation(call, lambda function: steps.dense(call, {**described, "activation": function}))


def _einsum_dense(call: Call) -> Sequence[LayerStep]:
    function, made = _activation(call), einsum_dense(call)
    return steps.behind(made, function) if function is not None else made


def _own_activation(call: Call) -> Sequence[LayerStep]:
    found = _activation(call)
    return [LayerStep(steps.activation(found))] if found else steps.identity()


def _pool(kind: str) -> Describe:
    def describe(call: Call) -> Sequence[LayerStep]:
        settings = call.settings
        stride = settings.get("strides") or settings["pool_size"]
        sizes = {"pool": _size(settings["pool_size"]), "stride": _size(stride)}
        return [LayerStep({"kind": kind, **sizes, "padding": settings["padding"]})]

    return describe


def _padding(call: Call) -> Sequence[LayerStep]:
    sides = call.settings["padding"]
    if not isinstance(sides[0], list | tuple):
        before, after = sides
        return [LayerStep({"kind": "zero_padding", "before": before, "after": after})]
    (above, below), (left, right) = sides
    return [LayerStep({"kind": "zero_padding", "before": (above, left), "after": (below, right)})]


def _plain(kind: str, **fixed: Any) -> Describe:
    return lambda call: [LayerStep({"kind": kind, **fixed})]


def _global_pool(kind: str) -> Describe:
    return lambda call: steps.global_pool(call, kind)


def _merge(kind: str) -> Describe:
    return lambda call: steps.merged(call, kind)


def _identity(call: Call) -> Sequence[LayerStep]:
    return steps.identity()


def _normalization(call: Call) -> Sequence[LayerStep]:
    described = {"kind": "batch_normalization", "epsilon": call.settings["epsilon"]}
    scale, center = call.settings["scale"], call.settings["center"]

    def weights(values: list[np.ndarray]) -> list[np.ndarray]:
        """Give a one or a zero where it was built without gamma or beta."""
        if len(values) < 2:
            return values
        *affine, mean, variance = values
        gamma = affine.pop(0) if scale else np.ones_like(mean)
        beta = affine.pop(0) if center else np.zeros_like(mean)
        return [gamma, beta, mean, variance]

    return [LayerStep(described, weights=weights)]


def _rescaling(call: Call) -> Sequence[LayerStep]:
    # The factor of a plain one goes into the weights behind it (`input_scale`); the layer itself does nothing.
    return steps.identity() if is_plain_rescaling(call.layer) and not call.apart else steps.rescaled(call)


def _dropout(call: Call) -> Sequence[LayerStep]:
    return [LayerStep({"kind": "dropout", "rate": call.settings["rate"]})]


def _function(name: str, *settings: str) -> Describe:
    def describe(call: Call) -> Sequence[LayerStep]:
        return [LayerStep(steps.activation(function_text(name, *steps.numbers(call, *settings))))]

    return describe


def _time_distributed(call: Call) -> Sequence[LayerStep]:
    inner = frames.inner_layers(call.layer, call.where)
    apart = replace(call, apart=True)
    return frames.distributed(apart, inner, steps_of, _shape_of_step)


def _shape_of_step(step: LayerStep, shapes: list[Shape]) -> Shape:
    found = _ANY_LAYER.validate_python({**step.described, "name": "step", "inputs": ["input"] * len(shapes)})
    return output_shape(found, "step", tuple(shapes))


_ANY_LAYER: TypeAdapter[Layer] = TypeAdapter(Layer)

_DESCRIBE: dict[str, Describe] = {
    "Conv2D": _convolution("conv2d"),
    "Conv1D": _convolution("conv1d"),
    "DepthwiseConv2D": _convolution("depthwise_conv2d"),
    "DepthwiseConv1D": _convolution("depthwise_conv1d"),
    "SeparableConv2D": _convolution("separable_conv2d"),
    "SeparableConv1D": _convolution("separable_conv1d"),
    "MaxPooling2D": _pool("max_pool"),
    "MaxPooling1D": _pool("max_pool"),
    "AveragePooling2D": _pool("average_pool"),
    "AveragePooling1D": _pool("average_pool"),
    "GlobalAveragePooling2D": _global_pool("global_average_pool"),
    "GlobalAveragePooling1D": _global_pool("global_average_pool"),
    "GlobalMaxPooling2D": _global_pool("global_max_pool"),
    "GlobalMaxPooling1D": _global_pool("global_max_pool"),
    "ZeroPadding2D": _padding,
    "ZeroPadding1D": _padding,
    "Cropping2D": image_edges.cropped,
    "Cropping1D": image_edges.cropped,
    "CenterCrop": image_edges.center_cropped,
    "RandomCrop": image_edges.of_this_size,
    "Resizing": image_edges.of_this_size,
    "UpSampling2D": steps.upsampled,
    "UpSampling1D": steps.upsampled,
    "Flatten": _plain("flatten"),
    "Reshape": steps.reshaped,
    "Permute": steps.permuted,
    "RepeatVector": steps.repeated_vector,
    "Add": _merge("add"),
    "Subtract": _merge("subtract"),
    "Multiply": _merge("multiply"),
    "Maximum": _merge("maximum"),
    "Minimum": _merge("minimum"),
    "Average": _merge("average"),
    "Concatenate": steps.concatenated,
    "ReLU": steps.relu,
    "LeakyReLU": steps.leaky_relu,
    "PReLU": steps.prelu,
    "ELU": _function("elu", "alpha"),
    "ThresholdedReLU": steps.thresholded_relu,
    "Softmax": steps.softmax,
    "Activation": _own_activation,
    "Dense": _dense,
    "EinsumDense": _einsum_dense,
    "BatchNormalization": _normalization,
    "Normalization": steps.normalized,
    "Rescaling": _rescaling,
    "Dropout": _dropout,
    "TimeDistributed": _time_distributed,
    **dict.fromkeys(IDENTITIES, _identity),
}
