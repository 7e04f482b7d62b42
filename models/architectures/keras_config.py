"""From the configuration that Keras 2 or 3 writes of a model to an architecture, by reading: no class is imported.

What the configuration names is looked up in a table of known layers, so a Lambda layer or a custom class can do
nothing here but be refused by its name. What becomes of each setting of a layer says
`siliconv.models.architectures.keras_settings`; one that is not there is refused as well.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from pydantic import TypeAdapter, ValidationError

from siliconv.errors import ModelError
from siliconv.models.architectures.architecture import INPUT, Architecture
from siliconv.models.architectures.field_problems import problems_of
from siliconv.models.architectures.keras_graph import Config, layers_in_a_row, layers_of_graph, only_one, refused
from siliconv.models.architectures.keras_settings import (
    EVERY_LAYER,
    SETTINGS,
    Used,
    dtype_name,
    why_refused,
)
from siliconv.models.architectures.layers import Layer
from siliconv.models.architectures.refused_layers import refuse_class
from siliconv.models.architectures.shapes import Shape, output_shape

_MODULES = ("keras", "tf_keras", "tensorflow.keras", "tensorflow.python.keras")
_ACTIVATIONS = ("relu", "tanh", "sigmoid", "softmax")


def architecture_of(config: Config, *, where: str) -> tuple[Architecture, dict[str, str]]:
    """Return the architecture a model configuration describes, and for each Keras layer name its name there.

    Raises
    ------
    ModelError
        ``MODEL-LAYER`` for a layer, or a setting of one, that has no equal here: with its name and class.
        ``MODEL-FILE`` for what is no sequential or functional model of one input and one output.
    """
    try:
        return _read(config, where)
    except ValidationError as error:
        raise ModelError(
            "MODEL-FILE",
            "the model's configuration cannot be read: " + "; ".join(str(one) for one in problems_of(error)),
            where=where,
            fix="build the model with other values of these settings",
        ) from error
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise ModelError(
            "MODEL-FILE",
            f"the model's configuration cannot be read: {type(error).__name__} {error}",
            where=where,
            fix="save the model again with model.save('model.keras')",
        ) from error


def _read(config: Config, where: str) -> tuple[Architecture, dict[str, str]]:
    # Keras 3 registers these under their own names; a class of the user's may be called like them.
    if config["class_name"] not in ("Sequential", "Functional", "Model") or is_foreign(
        {"module": config.get("module")}
    ):
        raise ModelError(
            "MODEL-FILE",
            f"a model of class {config['class_name']!r} cannot be read",
            where=where,
            fix="build it with keras.Sequential or keras.Model(inputs, outputs)",
        )
    model = config["config"]
    written = list(model["layers"] if isinstance(model, Mapping) else model)
    sequential = config["class_name"] == "Sequential"
    sources = layers_in_a_row(written) if sequential else layers_of_graph(written, model, where)
    _refuse_all(written, where)
    input_shape = _input_shape(written, model, where)
    names: dict[str, str] = {}
    layers: list[dict[str, Any]] = []
    result: dict[str, str] = {}
    shapes: dict[str, Shape] = {INPUT: tuple(input_shape)}
    for layer, layer_sources in sources:
        name = layer["config"]["name"]
        if layer["class_name"] == "InputLayer":
            _check_settings(layer, len(input_shape) + 1, where)
            result[name] = INPUT
            continue
        inputs = [result[source] for source in layer_sources] if layer_sources else [INPUT]
        described = _describe(layer, len(shapes[inputs[0]]) + 1, where)
        if layer["class_name"] == "Rescaling" and inputs != [INPUT]:
            raise refused(layer, "it does not stand right behind the input", where)
        names[name] = name_here(name, [*names.values(), INPUT])
        layers.append({**described, "name": names[name], "inputs": inputs})
        result[name] = names[name]
        shapes[names[name]] = _shape_of(layer, layers[-1], [shapes[source] for source in inputs], where)
    _check_input_type(written, where)
    return Architecture.model_validate({"input_shape": input_shape, "layers": layers}), names


def _refuse_all(written: list[Config], where: str) -> None:
    """Refuse all layers at once that cannot be read whatever stands before them; the others one by one later."""
    errors = []
    for layer in written:
        try:
            if layer["class_name"] == "InputLayer":
                _check_settings(layer, None, where)
            else:
                _describe(layer, None, where)
        except ModelError as error:
            errors.append(error)
    if len(errors) == 1:
        raise errors[0]
    if errors:
        fixes = dict.fromkeys(error.fix for error in errors)
        raise ModelError("MODEL-LAYER", "; ".join(one.what for one in errors), where=where, fix="; ".join(fixes))


_ANY_LAYER: TypeAdapter[Layer] = TypeAdapter(Layer)


def _shape_of(layer: Config, described: Config, sources: list[Shape], where: str) -> Shape:
    try:
        found = _ANY_LAYER.validate_python(described)
    except ValidationError as error:
        wrong = "; ".join(f"{one.path[-1]}: {one.says}" for one in problems_of(error))
        raise refused(layer, wrong, where) from error
    return output_shape(found, described["name"], tuple(sources))


def _check_input_type(written: list[Config], where: str) -> None:
    """Whole numbers are what a network takes that rescales them; any other is fed fractions."""
    rescales = any(layer["class_name"] == "Rescaling" for layer in written)
    for layer in written:
        kind = dtype_name(layer["config"].get("dtype")) if layer["class_name"] == "InputLayer" else "float32"
        if kind != "float32" and not (rescales and kind in _WHOLE_NUMBERS):
            raise refused(layer, f"dtype = {kind!r} is not float32; use keras.Input(shape, dtype='float32')", where)


_WHOLE_NUMBERS = ("uint8", "int16", "uint16", "int32", "int64")


def _input_shape(written: list[Config], model: Any, where: str) -> list[int]:
    inputs = [layer for layer in written if layer["class_name"] == "InputLayer"]
    if len(inputs) > 1:
        only_one(iter([layer["config"]["name"] for layer in inputs]), "inputs", where)
    first = (inputs or written)[0]["config"]
    shape = first.get("batch_shape") or first.get("batch_input_shape")
    if shape is None and isinstance(model, Mapping):
        shape = model.get("build_input_shape")
    if shape is None or any(size is None for size in shape[1:]):
        raise ModelError(
            "MODEL-FILE",
            f"the model's input has the shape {shape}",
            where=where,
            fix="give it a fixed shape: keras.Input((height, width, channels))",
        )
    if len(shape) not in (2, 3, 4):
        axes = {1: "a single number"}.get(len(shape), f"{len(shape) - 1} axes")
        raise ModelError(
            "MODEL-SHAPE",
            f"the model's input has {axes}; a network here reads images, waveforms or vectors",
            where=where,
            fix="give it the shape (height, width, channels), (length, channels) or (features,)",
        )
    return list(shape[1:])


def name_here(written: str, taken: list[str]) -> str:
    """Give the name of a layer here: letters, digits and underscores, unlike those taken."""
    name = re.sub(r"\W", "_", written, flags=re.ASCII)
    name = name if name[:1].isalpha() else f"layer_{name}"
    while name in taken:
        name += "_"
    return name


def _describe(layer: Config, rank: int | None, where: str) -> dict[str, Any]:
    _check_class(layer, where)
    _check_settings(layer, rank, where)
    return _DESCRIBE[layer["class_name"]](layer, where)


def _check_class(layer: Config, where: str) -> None:
    refuse_class(layer, where)
    if is_foreign(layer) or layer["class_name"] not in _DESCRIBE:
        raise refused(layer, "the class is not known here", where)


def _check_settings(layer: Config, rank: int | None, where: str) -> None:
    """Account for every setting, and for the ones that are missing; axes only where the input's rank is known."""
    kind, settings = layer["class_name"], layer["config"]
    for setting, value in settings.items():
        why = why_refused(kind, setting, value, rank)
        if why is not None:
            raise refused(layer, why, where)
    for setting, found in {**EVERY_LAYER, **SETTINGS[kind]}.items():
        if setting not in settings and isinstance(found, Used) and not found.optional and setting != "dtype":
            raise refused(layer, f"its setting {setting!r} is missing", where)


def is_foreign(written: Config) -> bool:
    """Whether something is of another library than Keras, such as a class of the user's that is called like one."""
    module = written.get("module")
    known = module is None or any(str(module) == one or str(module).startswith(f"{one}.") for one in _MODULES)
    return bool(written.get("registered_name")) or not known


def _activation(layer: Config, where: str) -> str | None:
    found = layer["config"].get("activation", "linear")
    if isinstance(found, Mapping):
        # A function of the user's that is called relu is written as one, with its own module.
        foreign = is_foreign({**found, "registered_name": None}) or found.get("class_name") != "function"
        if foreign or not isinstance(found.get("config"), str):
            raise refused(layer, f"the activation {found.get('class_name')!r} is not one of Keras' functions", where)
        found = found["config"]
    if found in (None, "linear"):
        return None
    if found not in _ACTIVATIONS:
        raise refused(layer, f"activation {found!r} is none of {', '.join(_ACTIVATIONS)}", where)
    return str(found)


def _size(found: Any) -> Any:
    if isinstance(found, int):
        return found
    return found[0] if len(found) == 1 else tuple(found)


def _convolution(kind: str) -> Callable[[Config, str], dict[str, Any]]:
    def describe(layer: Config, where: str) -> dict[str, Any]:
        settings = layer["config"]
        filters = {} if kind.startswith("depthwise") else {"filters": settings["filters"]}
        if settings["padding"] not in ("same", "valid"):
            raise refused(layer, f"padding {settings['padding']!r} has no equal here", where)
        return {
            "kind": kind,
            **filters,
            "kernel": _size(settings["kernel_size"]),
            "stride": _size(settings["strides"]),
            "padding": settings["padding"],
            "use_bias": settings["use_bias"],
            "activation": _activation(layer, where),
        }

    return describe


def _pool(kind: str) -> Callable[[Config, str], dict[str, Any]]:
    def describe(layer: Config, where: str) -> dict[str, Any]:
        settings = layer["config"]
        stride = settings.get("strides") or settings["pool_size"]
        pool = _size(settings["pool_size"])
        return {"kind": kind, "pool": pool, "stride": _size(stride), "padding": settings["padding"]}

    return describe


def _padding(layer: Config, where: str) -> dict[str, Any]:
    sides = layer["config"]["padding"]
    if not isinstance(sides[0], list | tuple):
        before, after = sides
        return {"kind": "zero_padding", "before": before, "after": after}
    (above, below), (left, right) = sides
    return {"kind": "zero_padding", "before": (above, left), "after": (below, right)}


def _plain(kind: str, **fixed: Any) -> Callable[[Config, str], dict[str, Any]]:
    return lambda layer, where: {"kind": kind, **fixed}


def _dense(layer: Config, where: str) -> dict[str, Any]:
    settings = layer["config"]
    activation = _activation(layer, where)
    return {
        "kind": "dense",
        "units": settings["units"],
        "use_bias": settings["use_bias"],
        "activation": activation,
    }


def _own_activation(layer: Config, where: str) -> dict[str, Any]:
    found = _activation(layer, where)
    return {"kind": "activation", "activation": found} if found else {"kind": "dropout", "rate": 0.0}


def _normalization(layer: Config, where: str) -> dict[str, Any]:
    return {"kind": "batch_normalization", "epsilon": layer["config"]["epsilon"]}


def _rescaling(layer: Config, where: str) -> dict[str, Any]:
    # The factor goes into the weights behind it (`input_scale`); the layer itself does nothing.
    scale, offset = layer["config"]["scale"], layer["config"]["offset"]
    if not _is_number(scale) or not _is_number(offset) or offset:
        raise refused(layer, "it has an offset, or a factor for each channel", where)
    return {"kind": "dropout", "rate": 0.0}


def _is_number(found: Any) -> bool:
    return isinstance(found, int | float) and not isinstance(found, bool) and bool(np.isfinite(found))


def _dropout(layer: Config, where: str) -> dict[str, Any]:
    return {"kind": "dropout", "rate": layer["config"]["rate"]}


_DESCRIBE: dict[str, Callable[[Config, str], dict[str, Any]]] = {
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
    "GlobalAveragePooling2D": _plain("global_average_pool"),
    "GlobalAveragePooling1D": _plain("global_average_pool"),
    "ZeroPadding2D": _padding,
    "ZeroPadding1D": _padding,
    "GlobalMaxPooling2D": _plain("global_max_pool"),
    "GlobalMaxPooling1D": _plain("global_max_pool"),
    "Flatten": _plain("flatten"),
    "Add": _plain("add"),
    "Concatenate": _plain("concatenate"),
    "ReLU": _plain("activation", activation="relu"),
    "Softmax": _plain("activation", activation="softmax"),
    "Activation": _own_activation,
    "Dense": _dense,
    "BatchNormalization": _normalization,
    "Dropout": _dropout,
    "Rescaling": _rescaling,
}


def known_classes() -> frozenset[str]:
    """Give the names of the Keras layers that can be read."""
    return frozenset(_DESCRIBE)
