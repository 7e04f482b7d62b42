"""The Keras model that is lowered, as a graph of single calls; what it must not be is refused in its own words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from siliconv import legacy_keras
from siliconv.errors import NetworkError
from siliconv.quantize.lowering.exact_classes import class_in_words, exact_class


def model_graph(model: Any) -> tuple[Any, Mapping[str, Any]]:
    """Give the functional model of the same layers, and of each layer the Keras node of its only call there.

    Raises
    ------
    NetworkError
        ``LOWER-MODEL`` for what is no functional or sequential model, ``LOWER-CALL`` for a
        layer that is called twice, or with more than its inputs.
    """
    kind = exact_class(model)
    if kind not in ("Functional", "Sequential"):
        raise _refused(f"a model of class {class_in_words(model)} is no functional or sequential one", model)
    if not model.inputs:
        raise _refused("the model was not built: nothing says what its input is", model)
    if any(_is_model(layer) for layer in model.layers):
        model = _flat(model)
    elif kind == "Sequential":
        # Its input layer is not among the layers of a sequential model.
        model = legacy_keras.load().Model(model.inputs, model.outputs, name=model.name)
    called: dict[str, Any] = {}
    for nodes in model._nodes_by_depth.values():
        for node in nodes:
            _check_call(node.layer, node, called)
            called[node.layer.name] = node
    return model, called


def _is_model(layer: Any) -> bool:
    return exact_class(layer) in ("Functional", "Sequential")


def _flat(model: Any) -> Any:
    """Give the model that calls the layers of its inner models itself, one by one."""
    try:
        return legacy_keras.load().Model(model.inputs, _called_again(model, model.inputs), name=model.name)
    except ValueError as error:
        raise _refused(f"the models in it cannot be taken apart: {error}", model) from error


def _called_again(model: Any, inputs: list[Any]) -> list[Any]:
    tensors = {id(own): given for own, given in zip(model.inputs, inputs, strict=True)}
    for depth in sorted(model._nodes_by_depth, reverse=True):
        for node in model._nodes_by_depth[depth]:
            if node.is_input:
                continue
            if _is_model(node.layer):
                given = [tensors[id(one)] for one in node.keras_inputs]
                outputs = _called_again(node.layer, given)
            else:
                first, *rest = node.call_args
                several = isinstance(first, list | tuple)
                found = [tensors[id(one)] for one in (first if several else [first])]
                outputs = node.layer(found if several else found[0], *rest, **node.call_kwargs)
            own = node.outputs if isinstance(node.outputs, list | tuple) else [node.outputs]
            given = outputs if isinstance(outputs, list | tuple) else [outputs]
            tensors |= {id(one): new for one, new in zip(own, given, strict=True)}
    return [tensors[id(one)] for one in model.outputs]


def _check_call(layer: Any, node: Any, called: Mapping[str, Any]) -> None:
    more = {name: value for name, value in (node.call_kwargs or {}).items() if value is not None and value is not False}
    arguments = [value for value in (node.call_args or ())[1:] if value is not None and value is not False]
    if layer.name not in called and not more and not arguments:
        return
    what = "is used more than once" if layer.name in called else "is called with more than its inputs"
    shown = ", ".join([*(f"{name}={value!r}" for name, value in more.items()), *(repr(value) for value in arguments)])
    raise NetworkError(
        "LOWER-CALL",
        f"the layer {what}" + (f": {shown}" if shown else ""),
        where=f"layer '{layer.name}'",
        fix="give each use a layer of its own, called with its inputs alone",
    )


def refuse_settings(layer: Any) -> None:
    """Refuse what no layer here has, whatever its class.

    Raises
    ------
    NetworkError
        ``LOWER-SETTING`` for channels first, a padding other than same and valid, float16 arithmetic.
    """
    padding = getattr(layer, "padding", "valid")
    if getattr(layer, "data_format", "channels_last") != "channels_last":
        wrong, fix = "its channels come first", "use data_format='channels_last'"
    elif isinstance(padding, str) and padding not in ("same", "valid"):
        wrong, fix = f"padding is {padding!r}", "use same or valid, or a ZeroPadding layer before it"
    elif layer.compute_dtype not in ("float32", "float64"):
        wrong, fix = f"it computes in {layer.compute_dtype}", "use float32 layers"
    else:
        return
    raise NetworkError("LOWER-SETTING", wrong, where=f"layer '{layer.name}'", fix=fix)


def node_name_of(layer: Any) -> str:
    """Give the name of the node that has the value of a layer: behind its own activation, where it has one."""
    own = getattr(layer, "activation", None)
    does_more = layer.weights or exact_class(layer) in ("QAveragePooling2D", "QGlobalAveragePooling2D")
    return f"{layer.name}_activation" if does_more and own is not None and not is_linear(own) else str(layer.name)


def is_linear(activation: Any) -> bool:
    """Say whether an activation is Keras' own identity, not a function that is called so."""
    return activation is legacy_keras.load().activations.linear


def _refused(what: str, model: Any) -> NetworkError:
    return NetworkError(
        "LOWER-MODEL",
        what,
        where=f"model '{getattr(model, 'name', '?')}'",
        fix="build it with keras.Sequential([keras.Input(shape), ...]) or keras.Model(inputs, outputs)",
    )
