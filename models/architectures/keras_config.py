"""From the configuration that Keras 2 or 3 writes of a model to an architecture, by reading: no class is
imported.

What the configuration names is looked up in a table of known layers, so a Lambda layer or a custom class can
do
nothing here but be refused by its name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from pydantic import ValidationError

from siliconv.errors import ModelError
from siliconv.models.architectures.architecture import INPUT, Architecture

Config = Mapping[str, Any]

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
    except (KeyError, TypeError, IndexError, AttributeError, ValidationError) as error:
        raise ModelError(
            "MODEL-FILE",
            f"the model's configuration cannot be read: {type(error).__name__} {error}",
            where=where,
            fix="save the model again with model.save('model.keras')",
        ) from error


def _read(config: Config, where: str) -> tuple[Architecture, dict[str, str]]:
    if config["class_name"] not in ("Sequential", "Functional", "Model"):
        raise ModelError(
            "MODEL-FILE",
            f"a model of class {config['class_name']!r} cannot be read",
            where=where,
            fix="build it with keras.Sequential or keras.Model(inputs, outputs)",
        )
    model = config["config"]
    written = list(model["layers"] if isinstance(model, Mapping) else model)
    sequential = config["class_name"] == "Sequential"
    sources = _chain(written) if sequential else _graph(written, model, where)
    input_shape = _input_shape(written, model, where)
    names: dict[str, str] = {}
    layers: list[dict[str, Any]] = []
    result: dict[str, str] = {}
    for layer, layer_sources in sources:
        name = layer["config"]["name"]
        if layer["class_name"] == "InputLayer":
            result[name] = INPUT
            continue
        inputs = [result[source] for source in layer_sources] if layer_sources else [INPUT]
        if layer["class_name"] == "Rescaling" and inputs != [INPUT]:
            raise _refused(layer, "it does not stand right behind the input", where)
        names[name] = _name(name, [*names.values(), INPUT])
        described = _describe(layer, where)
        layers.append({**described, "name": names[name], "inputs": inputs})
        result[name] = names[name]
    return Architecture.model_validate({"input_shape": input_shape, "layers": layers}), names


def _chain(written: list[Config]) -> Iterator[tuple[Config, list[str]]]:
    before: list[str] = []
    for layer in written:
        yield layer, before
        before = [layer["config"]["name"]]


def _graph(written: list[Config], model: Config, where: str) -> Iterator[tuple[Config, list[str]]]:
    """Yield the layers that the output depends on, in order, with the names of those they read."""
    (output,) = _only(_references(model["output_layers"]), "outputs", where)
    sources = {}
    for layer in written:
        nodes = layer["inbound_nodes"]
        if len(nodes) > 1:
            raise _refused(layer, "it is used more than once", where)
        sources[layer["config"]["name"]] = list(_references(nodes))
    needed, waiting = set(), [output]
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.add(name)
            waiting += sources[name]
    # The last layer is the output of an architecture; layers come in an order in which inputs go first.
    ordered = [layer for layer in written if layer["config"]["name"] in needed]
    for layer in ordered:
        yield layer, sources[layer["config"]["name"]]


def _references(found: Any) -> Iterator[str]:
    """Yield layer names from Keras 2's ``["name", 0, 0, {}]`` and Keras 3's ``keras_history``,
    however nested.
    """
    if isinstance(found, Mapping):
        if "keras_history" in found:
            yield found["keras_history"][0]
        else:
            for value in found.values():
                yield from _references(value)
    elif isinstance(found, list | tuple):
        if len(found) >= 3 and isinstance(found[0], str) and isinstance(found[1], int):
            yield found[0]
        else:
            for value in found:
                yield from _references(value)


def _only(found: Iterator[str], what: str, where: str) -> list[str]:
    names = list(found)
    if len(names) != 1:
        raise ModelError(
            "MODEL-FILE",
            f"the model has {len(names)} {what}",
            where=where,
            fix="give it one input and one output",
        )
    return names


def _input_shape(written: list[Config], model: Any, where: str) -> list[int]:
    inputs = [layer for layer in written if layer["class_name"] == "InputLayer"]
    if len(inputs) > 1:
        _only(iter([layer["config"]["name"] for layer in inputs]), "inputs", where)
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
    return list(shape[1:])


def _name(written: str, taken: list[str]) -> str:
    name = re.sub(r"\W", "_", written, flags=re.ASCII)
    name = name if name[:1].isalpha() else f"layer_{name}"
    while name in taken:
        name += "_"
    return name


def _describe(layer: Config, where: str) -> dict[str, Any]:
    kind, settings = layer["class_name"], layer["config"]
    module, registered = layer.get("module"), layer.get("registered_name")
    foreign = bool(registered) or (module is not None and not str(module).startswith(_MODULES))
    if kind == "Lambda":
        raise _refused(layer, "a Lambda layer holds code, which is not run", where)
    if foreign or kind not in _DESCRIBE:
        raise _refused(layer, "the class is not known here", where)
    for setting, neutral in _NEUTRAL.items():
        value = settings.get(setting, neutral[0])
        if (list(value) if isinstance(value, tuple) else value) not in neutral:
            raise _refused(layer, f"{setting} = {value!r} has no equal here", where)
    return _DESCRIBE[kind](layer, where)


# Settings whose other values no layer here has: the first one is what Keras means when it does not write it.
_NEUTRAL: dict[str, tuple[Any, ...]] = {
    "data_format": ("channels_last", None),
    "dilation_rate": (1, [1], [1, 1]),
    "groups": (1,),
    "depth_multiplier": (1,),
    "keepdims": (False,),
    "max_value": (None,),
    "negative_slope": (0.0, None),
    "threshold": (0.0, None),
}


def _activation(layer: Config, where: str) -> str | None:
    found = layer["config"].get("activation", "linear")
    name = found if isinstance(found, str) else (found or {}).get("config", found)
    if name in (None, "linear"):
        return None
    if name not in _ACTIVATIONS:
        raise _refused(layer, f"activation {name!r} is none of {', '.join(_ACTIVATIONS)}", where)
    return str(name)


def _size(found: Any) -> Any:
    if isinstance(found, int):
        return found
    return found[0] if len(found) == 1 else tuple(found)


def _convolution(kind: str) -> Callable[[Config, str], dict[str, Any]]:
    def describe(layer: Config, where: str) -> dict[str, Any]:
        settings = layer["config"]
        filters = {} if kind.startswith("depthwise") else {"filters": settings["filters"]}
        if settings["padding"] not in ("same", "valid"):
            raise _refused(layer, f"padding {settings['padding']!r} has no equal here", where)
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
    if np.any(layer["config"].get("offset", 0.0)) or np.ndim(layer["config"]["scale"]):
        raise _refused(layer, "it has an offset, or a factor for each channel", where)
    return {"kind": "dropout", "rate": 0.0}


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


def _refused(layer: Config, why: str, where: str) -> ModelError:
    name = layer.get("config", {}).get("name", layer.get("name"))
    return ModelError(
        "MODEL-LAYER",
        f"layer {name!r} of class {layer['class_name']!r} cannot be read: {why}",
        where=where,
        fix="replace it by one of: " + ", ".join(sorted(_DESCRIBE)),
    )
