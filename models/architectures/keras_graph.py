"""The graph of a Keras model's configuration: which layer reads which, as Keras 2 and Keras 3 write it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from siliconv.errors import ModelError
from siliconv.models.architectures.keras_settings import SETTINGS, why_call_refused

Config = Mapping[str, Any]


def layers_in_a_row(written: list[Config]) -> Iterator[tuple[Config, list[str]]]:
    """Yield the layers of a sequential model, each with the name of the one before."""
    before: list[str] = []
    for layer in written:
        yield layer, before
        before = [layer["config"]["name"]]


def layers_of_graph(written: list[Config], model: Config, where: str) -> Iterator[tuple[Config, list[str]]]:
    """Yield the layers that the output depends on, in order, with the names of those they read."""
    (output,) = only_one(references(model["output_layers"]), "outputs", where)
    sources = {}
    for layer in written:
        nodes = layer["inbound_nodes"]
        if len(nodes) > 1:
            raise refused(layer, "it is used more than once", where)
        for node in nodes:
            _check_call(layer, node, where)
        sources[layer["config"]["name"]] = list(references(nodes))
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


def references(found: Any) -> Iterator[str]:
    """Yield layer names from Keras 2's ``["name", 0, 0, {}]`` and Keras 3's ``keras_history``,
    however nested.
    """
    if isinstance(found, Mapping):
        if "keras_history" in found:
            yield found["keras_history"][0]
        else:
            for value in found.values():
                yield from references(value)
    elif isinstance(found, list | tuple):
        if len(found) >= 3 and isinstance(found[0], str) and isinstance(found[1], int):
            yield found[0]
        else:
            for value in found:
                yield from references(value)


def _check_call(layer: Config, node: Any, where: str) -> None:
    """Refuse a call with more than input tensors: Keras 2 writes ``[name, 0, 0, {...}]``, Keras 3 args and kwargs."""
    called: dict[str, Any] = {}
    if isinstance(node, Mapping):
        called = dict(node.get("kwargs") or {})
        if any(not _is_tensors(argument) for argument in node.get("args") or ()):
            called["another argument"] = next(one for one in node["args"] if not _is_tensors(one))
    elif isinstance(node, list | tuple):
        for reference in node if node and isinstance(node[0], list | tuple) else [node]:
            called |= reference[3] if len(reference) > 3 and isinstance(reference[3], Mapping) else {}
    for argument, value in called.items():
        why = why_call_refused(argument, value)
        if why is not None:
            raise refused(layer, why, where)


def _is_tensors(argument: Any) -> bool:
    if isinstance(argument, list | tuple):
        return all(_is_tensors(one) for one in argument)
    return isinstance(argument, Mapping) and argument.get("class_name") == "__keras_tensor__"


def only_one(found: Iterator[str], what: str, where: str) -> list[str]:
    """Give the one name there is, or raise `ModelError` ``MODEL-FILE``."""
    names = list(found)
    if len(names) != 1:
        raise ModelError(
            "MODEL-FILE",
            f"the model has {len(names)} {what}",
            where=where,
            fix="give it one input and one output",
        )
    return names


def refused(layer: Config, why: str, where: str, fix: str = "") -> ModelError:
    """Give the error for a layer that has no equal here: ``MODEL-LAYER`` with its name and class."""
    name, kind = layer.get("config", {}).get("name", layer.get("name")), layer["class_name"]
    known = kind in SETTINGS
    return ModelError(
        "MODEL-LAYER",
        f"layer {name!r} of class {kind!r} cannot be read: {why}",
        where=where,
        fix=fix or "change that setting in Keras and save the model again"
        if known or fix
        else "replace it by one of: " + ", ".join(sorted(set(SETTINGS) - {"InputLayer"})),
    )
