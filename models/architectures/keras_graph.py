"""The graph of a Keras model's configuration: which layer reads which, as Keras 2 and Keras 3 write it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, NamedTuple

from siliconv.errors import ModelError
from siliconv.models.architectures.keras_settings import SETTINGS, why_call_refused

Config = Mapping[str, Any]

_MODULES = ("keras", "tf_keras", "tensorflow.keras", "tensorflow.python.keras")


def is_foreign(written: Config) -> bool:
    """Whether something is of another library than Keras, such as a class of the user's that is called like one."""
    module = written.get("module")
    known = module is None or any(str(module) == one or str(module).startswith(f"{one}.") for one in _MODULES)
    return bool(written.get("registered_name")) or not known


class Use(NamedTuple):
    """One use of a layer: which one it is of the layer's, and the uses that it reads (name and number)."""

    layer: Config
    number: int
    reads: tuple[tuple[str, int], ...]


def layers_in_a_row(written: list[Config]) -> Iterator[Use]:
    """Yield the layers of a sequential model, each reading the one before."""
    before: tuple[tuple[str, int], ...] = ()
    for layer in written:
        yield Use(layer, 0, before)
        before = ((layer["config"]["name"], 0),)


def layers_of_graph(written: list[Config], model: Config, where: str) -> Iterator[Use]:
    """Yield the uses of layers that the outputs depend on, in order; a layer may be used more than once."""
    uses: dict[tuple[str, int], Use] = {}
    for layer in written:
        name = layer["config"]["name"]
        for number, node in enumerate(layer["inbound_nodes"] or [[]]):
            _check_call(layer, node, where)
            uses[name, number] = Use(layer, number, tuple(_references(node)))
    needed, waiting = set(), list(_references(model["output_layers"]))
    while waiting:
        use = waiting.pop()
        if use not in needed:
            needed.add(use)
            waiting += uses[use].reads
    # The last layer is the output of an architecture that has one; what is read goes before its readers.
    left, known = [use for use in uses if use in needed], set[tuple[str, int]]()
    while left:
        ready = next((use for use in left if known.issuperset(uses[use].reads)), None)
        if ready is None:
            raise ValueError("its layers read each other in a circle")
        left.remove(ready)
        known.add(ready)
        yield uses[ready]


def ends_of_graph(model: Config) -> tuple[tuple[str, ...], tuple[tuple[str, int], ...]]:
    """Give the names of a model's input layers, and its outputs as uses of layers, both in their order."""
    return tuple(references(model["input_layers"])), tuple(_references(model["output_layers"]))


def references(found: Any) -> Iterator[str]:
    """Yield the names of layers whose outputs are read, however it is written."""
    yield from (name for name, _ in _references(found))


def tensors_of(found: Any) -> Iterator[tuple[str, int, int]]:
    """Yield layer names, numbers of uses and of outputs from Keras 2's ``["name", 0, 0, {}]`` and Keras 3's
    ``keras_history``, however nested.
    """
    if isinstance(found, Mapping):
        if "keras_history" in found:
            name, number, tensor = found["keras_history"]
            yield name, number, tensor
        else:
            for value in found.values():
                yield from tensors_of(value)
    elif isinstance(found, list | tuple):
        if is_reference(found):
            name, number, tensor = found[:3]
            yield name, number, tensor
        else:
            for value in found:
                yield from tensors_of(value)


def is_reference(found: Sequence[Any]) -> bool:
    """Whether a list is how Keras 2 writes which use of a layer is read."""
    return len(found) >= 3 and isinstance(found[0], str) and isinstance(found[1], int)


def _references(found: Any) -> Iterator[tuple[str, int]]:
    for name, number, tensor in tensors_of(found):
        if tensor != 0:
            raise ValueError(f"output {tensor} of layer {name!r} is read; a layer has one")
        yield name, number


def _check_call(layer: Config, node: Any, where: str) -> None:
    """Refuse a call with more than input tensors: Keras 2 writes ``[name, 0, 0, {...}]``, Keras 3 args and kwargs."""
    called: dict[str, Any] = {}
    if isinstance(node, Mapping):
        # A prediction of Keras 3 says training=False to every layer, whatever it was built with.
        called = {key: value for key, value in (node.get("kwargs") or {}).items() if key != "training"}
        if any(not is_tensors(argument) for argument in node.get("args") or ()):
            called["another argument"] = next(one for one in node["args"] if not is_tensors(one))
    elif isinstance(node, list | tuple):
        for reference in node if node and isinstance(node[0], list | tuple) else [node]:
            called |= reference[3] if len(reference) > 3 and isinstance(reference[3], Mapping) else {}
    for argument, value in called.items():
        why = why_call_refused(argument, value)
        if why is not None:
            raise refused(layer, why, where)


def is_tensors(argument: Any) -> bool:
    """Whether an argument of a call, as Keras 3 writes it, is a tensor or a list of some."""
    if isinstance(argument, list | tuple):
        return all(is_tensors(one) for one in argument)
    return isinstance(argument, Mapping) and argument.get("class_name") == "__keras_tensor__"


def is_number(found: Any) -> bool:
    """Whether a setting or an argument is a finite number, which a truth value is not."""
    return isinstance(found, int | float) and not isinstance(found, bool) and math.isfinite(found)


def refused(layer: Config, why: str, where: str, fix: str = "") -> ModelError:
    """Give the error for a layer that has no equal here: ``MODEL-LAYER`` with its name and class."""
    name, kind = layer.get("config", {}).get("name", layer.get("name")), layer["class_name"]
    known = kind in SETTINGS
    alike = get_close_matches(kind, sorted(set(SETTINGS) - {"InputLayer"}), 3, 0.7)
    other = "replace it by layers that docs/layers.md lists" + (f", such as {', '.join(alike)}" if alike else "")
    return ModelError(
        "MODEL-LAYER",
        f"layer {name!r} of class {kind!r} cannot be read: {why}",
        where=where,
        fix=fix or ("change that setting in Keras and save the model again" if known else other),
    )
