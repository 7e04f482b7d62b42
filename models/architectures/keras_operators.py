"""What a model writes as a function or an operator, such as ``a + b``, ``x / 255`` or ``tf.nn.relu(x)``: as the layer
that computes the same.

Keras 3 keeps an operation beside its layers, Keras 2 a `TFOpLambda` with the name of a function of TensorFlow.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from siliconv.models.architectures.keras_graph import Config, is_number, is_reference, is_tensors

_OF_TENSORFLOW: Mapping[str, str] = {
    "__operators__.add": "Add",
    "math.add": "Add",
    "math.subtract": "Subtract",
    "math.multiply": "Multiply",
    "math.truediv": "Divide",
    "math.divide": "Divide",
    "math.negative": "Negative",
    "math.square": "Square",
    "math.pow": "Power",
    "math.maximum": "Maximum",
    "math.minimum": "Minimum",
    "math.sigmoid": "Sigmoid",
    "math.tanh": "Tanh",
    "math.exp": "Exp",
    "math.softplus": "Softplus",
    "nn.relu": "Relu",
    "nn.relu6": "Relu6",
    "nn.leaky_relu": "LeakyRelu",
    "nn.softmax": "Softmax",
    "nn.elu": "Elu",
    "nn.selu": "Selu",
    "nn.softsign": "Softsign",
    "nn.silu": "Silu",
    "nn.gelu": "Gelu",
    "clip_by_value": "Clip",
    "concat": "Concatenate",
    "reshape": "Reshape",
    "compat.v1.transpose": "Transpose",
    "math.reduce_mean": "Mean",
    "math.reduce_max": "Max",
}
"""Functions of TensorFlow by the name that a `TFOpLambda` keeps; the same in Keras 3 is a class of this name."""

_MODULES = ("keras.src.ops.numpy", "keras.src.ops.nn", "keras.src.activations.activations")
_SAME = {"TrueDivide": "Divide"}
_ARGUMENTS: Mapping[str, str] = {
    "clip_value_min": "x_min",
    "clip_value_max": "x_max",
    "shape": "newshape",
    "perm": "axes",
    "alpha": "negative_slope",
}
"""Arguments of TensorFlow that Keras 3 calls otherwise."""

_CONSTANT = "_CONSTANT_VALUE"
"""What Keras 2 writes in place of a layer's name where the first operand is a number."""


class _Operation(NamedTuple):
    """An operation: its operands (tensors as they are written, or numbers), and its settings by Keras 3's names."""

    name: str
    operands: Sequence[Any]
    settings: Mapping[str, Any]
    of_keras_3: bool


class _Equal(NamedTuple):
    """The layer that computes an operation: class, settings, and the tensors that it reads."""

    class_name: str
    settings: Mapping[str, Any]
    tensors: Sequence[Any]


def with_layers_for_operators(config: Config) -> Config:
    """Give the configuration of the same model with layers in place of operators that have an equal; others stay."""
    model = config["config"]
    written = model["layers"] if isinstance(model, Mapping) else model
    layers = [_as_layer(layer) for layer in written]
    return {**config, "config": {**model, "layers": layers} if isinstance(model, Mapping) else layers}


def _as_layer(layer: Config) -> Config:
    inner = layer.get("config")
    if isinstance(inner, Mapping) and isinstance(inner.get("layers"), list) and "class_name" in layer:
        return with_layers_for_operators(layer)
    found = _operation(layer)
    make = _EQUALS.get(found.name) if found is not None else None
    equal = make(found) if make is not None and found is not None else None
    if equal is None or found is None:
        return layer
    name = layer["config"]["name"]
    known = {"module": "keras.layers", "registered_name": None} if "module" in layer else {}
    settings = {"name": name, "trainable": True, "dtype": "float32", **equal.settings}
    tensors = list(equal.tensors)
    node: Any = {"args": [tensors if len(tensors) > 1 else tensors[0]], "kwargs": {}}
    if not found.of_keras_3:
        node = [[*one, {}] for one in tensors]
    return {**known, "class_name": equal.class_name, "name": name, "config": settings, "inbound_nodes": [node]}


def _operation(layer: Config) -> _Operation | None:
    """Read a layer that is an operation and called once; None for any other."""
    kind, inner, nodes = layer.get("class_name"), layer.get("config"), layer.get("inbound_nodes")
    if not isinstance(inner, Mapping) or not isinstance(nodes, list) or len(nodes) != 1:
        return None
    if kind == "TFOpLambda":
        name = _OF_TENSORFLOW.get(str(inner.get("function")))
        found = _of_keras_2(nodes[0]) if name is not None else None
        return _Operation(str(name), *found, of_keras_3=False) if found is not None else None
    # An .h5 file leaves the module out; a layer has settings that an operation has not.
    written = layer.get("module") in _MODULES and layer.get("registered_name") == kind
    if not written and ("module" in layer or "trainable" in inner or "dtype" in inner):
        return None
    node = nodes[0]
    if not isinstance(node, Mapping) or node.get("kwargs") or not isinstance(node.get("args"), list):
        return None
    operands = node["args"]
    if len(operands) == 1 and isinstance(operands[0], list):
        operands = operands[0]
    settings = {key: value for key, value in inner.items() if key != "name"}
    return _Operation(_SAME.get(str(kind), str(kind)), operands, settings, of_keras_3=True)


def _of_keras_2(node: Any) -> tuple[list[Any], dict[str, Any]] | None:
    """Give operands and settings of a call such as ``["x", 0, 0, {"y": 2.0, "name": None}]``."""
    if not isinstance(node, list) or not node:
        return None
    calls = node if isinstance(node[0], list) else [node]
    if any(len(call) != 4 or not is_reference(call) or not isinstance(call[3], Mapping) for call in calls):
        return None
    settings = {key: value for key, value in calls[0][3].items() if value is not None and key != "name"}
    if any(call[3] != calls[0][3] for call in calls):
        return None
    operands: list[Any] = [call[2] if call[0] == _CONSTANT else call[:3] for call in calls]
    if "y" in settings:
        operands.append(settings.pop("y"))
    settings.pop("conjugate", None)
    return operands, {_ARGUMENTS.get(key, key): value for key, value in settings.items()}


def _is_tensor(operand: Any) -> bool:
    return is_reference(operand) if isinstance(operand, list) else is_tensors(operand)


def _scaled(one: Any, scale: float, offset: float) -> _Equal:
    return _Equal("Rescaling", {"scale": scale, "offset": offset}, [one])


def _of_two(found: _Operation) -> _Equal | None:
    """Sums, differences, products and quotients of two tensors, or of one and a number."""
    if len(found.operands) != 2 or found.settings:
        return None
    one, other = found.operands
    if _is_tensor(one) and _is_tensor(other):
        return _Equal(found.name, {}, found.operands) if found.name != "Divide" else None
    left = _is_tensor(one)
    tensor, number = (one, other) if left else (other, one)
    if not _is_tensor(tensor) or not is_number(number):
        return None
    match found.name:
        case "Add":
            return _scaled(tensor, 1.0, float(number))
        case "Subtract":
            return _scaled(tensor, 1.0, -float(number)) if left else _scaled(tensor, -1.0, float(number))
        case "Multiply":
            return _scaled(tensor, float(number), 0.0)
        case "Divide" if left and number:
            return _scaled(tensor, 1.0 / number, 0.0)
        case "Maximum" if number == 0:
            return _Equal("Activation", {"activation": "relu"}, [tensor])
    return None


def _of_one(make: Callable[[Any, Mapping[str, Any]], _Equal | None], *known: str) -> Callable[..., _Equal | None]:
    """Read an operation on one tensor that has no settings but those known."""

    def equal(found: _Operation) -> _Equal | None:
        if len(found.operands) != 1 or not _is_tensor(found.operands[0]) or set(found.settings) - set(known):
            return None
        return make(found.operands[0], found.settings)

    return equal


def _function(name: str) -> Callable[..., _Equal | None]:
    return _of_one(lambda one, settings: _Equal("Activation", {"activation": name}, [one]))


def _elu(found: _Operation) -> _Equal | None:
    slope = found.settings.get("alpha", 1.0)
    return _function("elu")(found._replace(settings={})) if slope == 1.0 and set(found.settings) <= {"alpha"} else None


def _gelu(found: _Operation) -> _Equal | None:
    exact = not found.settings.get("approximate", found.of_keras_3) and set(found.settings) <= {"approximate"}
    return _function("gelu")(found._replace(settings={})) if exact else None


def _leaky(found: _Operation) -> _Equal | None:
    key = "negative_slope" if found.of_keras_3 else "alpha"
    make = _of_one(
        lambda one, settings: _Equal("LeakyReLU", {key: settings.get("negative_slope", 0.2)}, [one]), *_LEAKY
    )
    return make(found)


_LEAKY = ("negative_slope",)


def _clip(one: Any, settings: Mapping[str, Any]) -> _Equal | None:
    low, high = settings.get("x_min"), settings.get("x_max")
    if low != 0 or not is_number(high):
        return None
    return _Equal("ReLU", {"max_value": high, **_PLAIN_RELU}, [one])


def _square(one: Any, settings: Mapping[str, Any]) -> _Equal:
    return _Equal("Multiply", {}, [one, one])


def _power(found: _Operation) -> _Equal | None:
    if len(found.operands) != 2 or not is_number(found.operands[1]) or found.operands[1] != 2:
        return None
    return _square(found.operands[0], {}) if _is_tensor(found.operands[0]) else None


def _concatenate(found: _Operation) -> _Equal | None:
    if len(found.operands) < 2 or not all(map(_is_tensor, found.operands)) or set(found.settings) - {"axis"}:
        return None
    return _Equal("Concatenate", {"axis": found.settings.get("axis", -1)}, found.operands)


def _reshape(one: Any, settings: Mapping[str, Any]) -> _Equal | None:
    shape = settings.get("newshape")
    if not isinstance(shape, list) or len(shape) < 2 or shape[0] not in (-1, None):
        return None
    if not all(isinstance(size, int) and size > 0 for size in shape[1:]):
        return None
    return _Equal("Reshape", {"target_shape": shape[1:]}, [one])


def _transpose(one: Any, settings: Mapping[str, Any]) -> _Equal | None:
    axes = settings.get("axes")
    return _Equal("Permute", {"dims": axes[1:]}, [one]) if isinstance(axes, list) and axes[:1] == [0] else None


def _over_positions(layer: str) -> Callable[..., _Equal | None]:
    """A mean or maximum over all positions of a sequence (axis 1) or an image (axes 1 and 2)."""

    def equal(one: Any, settings: Mapping[str, Any]) -> _Equal | None:
        axes, kept = settings.get("axis"), bool(settings.get("keepdims", False))
        axes = axes if isinstance(axes, list) else [axes]
        if axes not in ([1], [1, 2]) or settings.get("initial") is not None:
            return None
        return _Equal(f"Global{layer}Pooling{len(axes)}D", {"keepdims": kept, "data_format": "channels_last"}, [one])

    return _of_one(equal, "axis", "keepdims", "initial")


_PLAIN_RELU = {"negative_slope": 0.0, "threshold": 0.0}

_EQUALS: Mapping[str, Callable[[_Operation], _Equal | None]] = {
    **dict.fromkeys(("Add", "Subtract", "Multiply", "Divide", "Maximum", "Minimum"), _of_two),
    "Negative": _of_one(lambda one, settings: _scaled(one, -1.0, 0.0)),
    "Square": _of_one(_square),
    "Power": _power,
    "Elu": _elu,
    "Gelu": _gelu,
    "LeakyRelu": _leaky,
    "Clip": _of_one(_clip, "x_min", "x_max"),
    "Relu6": _of_one(lambda one, settings: _Equal("ReLU", {"max_value": 6.0, **_PLAIN_RELU}, [one])),
    "ReLU": _of_one(lambda one, settings: _Equal("ReLU", settings, [one]), "max_value", "negative_slope", "threshold"),
    "Softmax": _of_one(lambda one, settings: _Equal("Softmax", {"axis": settings.get("axis", -1)}, [one]), "axis"),
    "Concatenate": _concatenate,
    "Reshape": _of_one(_reshape, "newshape"),
    "Transpose": _of_one(_transpose, "axes"),
    "Mean": _over_positions("Average"),
    "Max": _over_positions("Max"),
    "Exp": _function("exponential"),
    "Silu": _function("swish"),
    **{one: _function(one.lower()) for one in ("Relu", "Sigmoid", "Tanh", "Selu", "Softplus", "Softsign")},
}
"""By the name of an operation, the layer that computes it; None where it has none with these operands and settings."""
