"""Sums, differences and products of two tensors that a model writes as ``a + b``: as the layers that compute the same.

Keras 3 keeps an operation beside its layers, Keras 2 a `TFOpLambda` with the name of a function of TensorFlow.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from siliconv.models.architectures.keras_graph import Config

_OF_TENSORFLOW = {
    "__operators__.add": "Add",
    "math.add": "Add",
    "math.subtract": "Subtract",
    "math.multiply": "Multiply",
    "math.maximum": "Maximum",
    "math.minimum": "Minimum",
}
_OPERATIONS = "keras.src.ops.numpy"


def with_layers_for_operators(config: Config) -> Config:
    """Give the configuration of the same model with `Add` and the like in place of operators; others stay."""
    model = config["config"]
    written = model["layers"] if isinstance(model, Mapping) else model
    layers = [_as_layer(layer) for layer in written]
    return {**config, "config": {**model, "layers": layers} if isinstance(model, Mapping) else layers}


def _as_layer(layer: Config) -> Config:
    inner = layer.get("config")
    if isinstance(inner, Mapping) and isinstance(inner.get("layers"), list) and "class_name" in layer:
        return with_layers_for_operators(layer)
    kind, nodes = _kind_of(layer), layer.get("inbound_nodes")
    if kind is None or not isinstance(nodes, list):
        return layer
    calls = [_of_two(node) for node in nodes]
    if not all(calls):
        return layer
    name = layer["config"]["name"]
    known = {"module": "keras.layers", "registered_name": None} if "module" in layer else {}
    settings = {"name": name, "trainable": True, "dtype": "float32"}
    return {**known, "class_name": kind, "name": name, "config": settings, "inbound_nodes": calls}


def _kind_of(layer: Config) -> str | None:
    kind, inner = layer.get("class_name"), layer.get("config")
    if kind == "TFOpLambda" and isinstance(inner, Mapping):
        return _OF_TENSORFLOW.get(str(inner.get("function")))
    of_keras = layer.get("module") == _OPERATIONS and layer.get("registered_name") == kind
    return str(kind) if of_keras and kind in _OF_TENSORFLOW.values() else None


def _of_two(node: Any) -> Any:
    """Give a call with two tensors as a layer is called with a list of them; None for any other call."""
    if isinstance(node, Mapping):
        tensors = node.get("args")
        if node.get("kwargs") or not isinstance(tensors, list) or len(tensors) != 2:
            return None
        if any(not isinstance(one, Mapping) or one.get("class_name") != "__keras_tensor__" for one in tensors):
            return None
        return {"args": [tensors], "kwargs": {}}
    if not isinstance(node, list) or len(node) != 4 or not isinstance(node[0], str) or not isinstance(node[3], Mapping):
        return None
    other = node[3].get("y")
    rest = {key: value for key, value in node[3].items() if key != "y" and value is not None}
    if rest or not isinstance(other, list) or len(other) < 3 or not isinstance(other[0], str):
        return None
    return [[*node[:3], {}], [*other[:3], {}]]
