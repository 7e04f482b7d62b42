"""Models in a model laid flat, and pruning wrappers taken away: what is left is a configuration of single layers.

A model that is used as a layer computes what its layers compute one after the other, so its layers take its place. A
`PruneLowMagnitude` wrapper multiplies the weights of its layer by masks, in every prediction, and does nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from siliconv.errors import ModelError
from siliconv.models.architectures.keras_graph import Config, is_reference, is_tensors, references, tensors_of
from siliconv.models.architectures.keras_operators import with_layers_for_operators

NamedArrays = dict[str, list[tuple[str, np.ndarray]]]
"""Layer name -> its variables by their names in the file, in Keras' order."""

_MODELS = ("Sequential", "Functional", "Model")
_PRUNING = "PruneLowMagnitude"
_OF_WRAPPER = ("mask", "threshold", "pruning_step")


def inner_layers(config: Mapping[str, Any]) -> list[Config]:
    """Give the layers of a model's configuration, as they are written."""
    model = config["config"]
    return list(model["layers"] if isinstance(model, Mapping) else model)


def flat_model(config: Config, weights: NamedArrays, *, where: str) -> tuple[Config, dict[str, list[np.ndarray]]]:
    """Give the configuration of the same model without models and wrappers inside, and the weights of its layers.

    A model that is called more than once becomes layers that are. Operators such as ``a + b`` become layers.

    Raises
    ------
    ModelError
        ``MODEL-NESTED`` for an inner model that is called with a dictionary, or with another number of tensors than it
        has inputs.
    """
    config = with_layers_for_operators(config)
    written = inner_layers(config)
    if not any(is_inside(layer) for layer in written):
        return config, {name: _in_order(values) for name, values in weights.items()}
    flat = _Flat(where)
    outputs = flat.call(config, (), weights, None)
    model = config["config"]
    settings = {key: model[key] for key in ("name",) if isinstance(model, Mapping) and key in model}
    inputs = [name for name, layer in flat.layers.items() if layer["class_name"] == "InputLayer"]
    if isinstance(model, Mapping) and len(inputs) > 1:
        inputs = list(references(model["input_layers"]))
    settings |= {
        "layers": list(flat.layers.values()),
        "input_layers": [[name, 0, 0] for name in inputs],
        "output_layers": [[name, number, 0] for name, number in outputs],
    }
    kept = {key: config[key] for key in ("module", "registered_name") if key in config}
    return {**kept, "class_name": "Functional", "config": settings}, flat.weights


Tensor = tuple[str, int]
"""What one use of a layer gives: its name, and which use it is."""


class _Flat:
    """The layers so far by their names, with all their uses, and the weights of each."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.layers: dict[str, dict[str, Any]] = {}
        self.weights: dict[str, list[np.ndarray]] = {}
        self._names: dict[tuple[str, ...], str] = {}

    def call(
        self, config: Config, path: tuple[str, ...], weights: NamedArrays, given: Sequence[Tensor] | None
    ) -> list[Tensor]:
        """Add one use of a model's layers, and give its outputs.

        Parameters
        ----------
        config
            The model.
        path
            Names of the models that it is in, and its own.
        weights
            Of its layers.
        given
            What its inputs are; None for those of its own.
        """
        if config["class_name"] == "Sequential":
            return self._row(config, path, weights, given)
        written = {str(layer["config"]["name"]): layer for layer in inner_layers(config)}
        model = config["config"]
        inputs = list(references(model["input_layers"]))
        if given is not None:
            self._check_inputs(model["input_layers"], len(inputs), len(given), path)
        found = {(name, 0, 0): one for name, one in zip(inputs, given or (), strict=False)}
        uses = [
            (name, number, node)
            for name, layer in written.items()
            for number, node in enumerate(layer["inbound_nodes"] or [[]])
            if (name, number, 0) not in found
        ]
        first = _first_uses(written, [*(node for _, _, node in uses), model["output_layers"]])
        while uses:
            ready = next((use for use in uses if found.keys() >= set(_tensors(use[2], first))), None)
            if ready is None:
                raise ValueError("its layers read each other in a circle")
            uses.remove(ready)
            name, number, node = ready
            if is_model(written[name]):
                self._check_call(node, (*path, name))
                outputs = self._inner(written[name], path, weights, [found[one] for one in _tensors(node, first)])
                found |= {(name, number, tensor): one for tensor, one in enumerate(outputs)}
            else:
                node = _renamed(node, found, first)
                found[name, number, 0] = self._add_use(written[name], path, weights, node)
        return [found[one] for one in _tensors(model["output_layers"], first)]

    def _row(
        self, config: Config, path: tuple[str, ...], weights: NamedArrays, given: Sequence[Tensor] | None
    ) -> list[Tensor]:
        before = list(given or ())
        for layer in inner_layers(config):
            if layer["class_name"] == "InputLayer" and given is not None:
                self._check_inputs([], 1, len(given), path)
            elif is_model(layer):
                before = self._inner(layer, path, weights, before or None)
            else:
                node = [[name, number, 0, {}] for name, number in before]
                before = [self._add_use(layer, path, weights, node)]
        return before

    def _inner(
        self, layer: Config, path: tuple[str, ...], weights: NamedArrays, given: Sequence[Tensor] | None
    ) -> list[Tensor]:
        name = str(layer["config"]["name"])
        return self.call(layer, (*path, name), _of_inner(layer, weights.get(name, [])), given)

    def _check_inputs(self, written: Any, inputs: int, given: int, path: tuple[str, ...]) -> None:
        if isinstance(written, Mapping) or inputs != given:
            raise ModelError(
                "MODEL-NESTED",
                f"the model {path[-1]!r} inside the model "
                + ("takes a dictionary" if isinstance(written, Mapping) else f"has {inputs} inputs, and {given} given"),
                where=self.where,
                fix="call it with a list of its inputs, in their order",
            )

    def _check_call(self, node: Any, path: tuple[str, ...]) -> None:
        tensors = node.get("args") if isinstance(node, Mapping) else node
        if not isinstance(tensors, list) or (isinstance(node, Mapping) and not all(map(is_tensors, tensors))):
            raise ModelError(
                "MODEL-NESTED",
                f"the model {path[-1]!r} inside the model is called with something else than a list of tensors",
                where=self.where,
                fix="call it with a list of its inputs, in their order",
            )

    def _add_use(self, layer: Config, path: tuple[str, ...], weights: NamedArrays, node: Any) -> Tensor:
        """Add a use of a layer, and the layer with its weights where it is the first; `node` names what it reads."""
        own = (*path, str(layer["config"]["name"]))
        if own in self._names:
            name = self._names[own]
            self.layers[name]["inbound_nodes"].append(node)
            return name, len(self.layers[name]["inbound_nodes"]) - 1
        values: Sequence[tuple[str, np.ndarray]] = weights.get(own[-1], [])
        if not values and (first := self._same_elsewhere(layer, own)) is not None:
            self._names[own] = first
            return self._add_use(layer, path, weights, node)
        if layer["class_name"] == _PRUNING:
            layer, values = _stripped(layer, values, self.where)
        name = written = str(layer["config"]["name"])
        number = 1
        while name in self.layers:
            name, number = f"{written}_{number}", number + 1
        self._names[own] = name
        nodes = [node] if node else []
        self.layers[name] = {
            **layer,
            "name": name,
            "config": {**layer["config"], "name": name},
            "inbound_nodes": nodes,
        }
        if values:
            self.weights[name] = _in_order(values)
        return name, 0

    def _same_elsewhere(self, layer: Config, own: tuple[str, ...]) -> str | None:
        """Give the layer with weights that this one is, in a model that stands in two others.

        An archive keeps such weights once, with the first of the two.
        """

        def is_this(known: tuple[str, ...], name: str) -> bool:
            other = self.layers[name]
            if known[-2:] != own[-2:] or name not in self.weights or other["class_name"] != layer["class_name"]:
                return False
            return bool(_without_ids({**other["config"], "name": known[-1]}) == _without_ids(layer["config"]))

        return next((name for known, name in self._names.items() if is_this(known, name)), None)


def _without_ids(settings: Any) -> Any:
    """Give settings without the numbers by which Keras tells objects apart that stand in a file more than once."""
    if isinstance(settings, Mapping):
        return {key: _without_ids(value) for key, value in settings.items() if key != "shared_object_id"}
    return settings


def _first_uses(written: Mapping[str, Config], read: Sequence[Any]) -> dict[str, int]:
    """Give the number that the first call of each inner model has: 1 in Keras 2, which counts the model itself."""
    first: dict[str, int] = {}
    for name, number, _ in tensors_of(read):
        if is_model(written[name]):
            first[name] = min(number, first.get(name, number))
    return first


def _tensors(node: Any, first: Mapping[str, int]) -> list[tuple[str, int, int]]:
    return [(name, number - first.get(name, 0), tensor) for name, number, tensor in tensors_of(node)]


def is_inside(layer: Config) -> bool:
    """Whether a layer is a model or a pruning wrapper, in whose place its layers are put."""
    return is_model(layer) or layer["class_name"] == _PRUNING


def is_model(layer: Config) -> bool:
    """Whether a layer is a model itself."""
    return layer["class_name"] in _MODELS and isinstance(layer.get("config"), Mapping | list)


def _of_inner(model: Config, weights: Sequence[tuple[str, np.ndarray]]) -> NamedArrays:
    """Share the variables of a model among its layers, by the layer's name in the variable's.

    An ``.h5`` file leaves out which of the models inside a layer belongs to.
    """
    found: NamedArrays = {}
    owners = dict(_owners(model))
    for variable, value in weights:
        parts = variable.split("/")
        place = next((i for i, part in enumerate(parts[:-1]) if part in owners), None)
        if place is not None:
            owner = owners[parts[place]]
            rest = parts[place + (owner == parts[place]) :]
            found.setdefault(owner, []).append(("/".join(rest), value))
    return found


def _owners(model: Config) -> Iterator[tuple[str, str]]:
    """Yield the name of each layer in a model, also of those in models inside, and of the model's own that holds it."""
    for layer in inner_layers(model):
        name = str(layer["config"]["name"])
        if is_model(layer):
            yield from ((inside, name) for inside, _ in _owners(layer))
        yield name, name


def _renamed(node: Any, found: Mapping[tuple[str, int, int], Tensor], first: Mapping[str, int]) -> Any:
    """Give a call as it is written, with the uses of layers that take the place of what it reads."""
    if isinstance(node, Mapping):
        if "keras_history" in node:
            (read,) = _tensors(node, first)
            return {**node, "keras_history": [*found[read], 0]}
        return {key: _renamed(value, found, first) for key, value in node.items()}
    if isinstance(node, list | tuple):
        if is_reference(node):
            (read,) = _tensors(node, first)
            return [*found[read], 0, *node[3:]]
        return [_renamed(value, found, first) for value in node]
    return node


def _stripped(
    wrapper: Config, weights: Sequence[tuple[str, np.ndarray]], where: str
) -> tuple[Config, list[tuple[str, np.ndarray]]]:
    """Give the layer in a pruning wrapper, its weights multiplied by their masks as in every prediction."""
    inner = wrapper["config"]["layer"]
    own = [(name, value) for name, value in weights if not _is_of_wrapper(name)]
    masks = [value for name, value in weights if "mask" in name.split("/")[-1]]
    if any(name.isdigit() for name, _ in weights):
        # An archive numbers the wrapper's variables: mask and threshold of each pruned weight, then the step.
        own = [(name.removeprefix("layer/"), value) for name, value in weights if name.startswith("layer/")]
        masks = [value for name, value in weights if name.isdigit() and value.ndim > 1]
    for mask in masks:
        place = next((i for i, (_, value) in enumerate(own) if value.shape == mask.shape), None)
        if place is None:
            raise ModelError(
                "MODEL-NESTED",
                f"a pruning mask of shape {mask.shape} belongs to no weight of its layer",
                where=f"{where}, layer {wrapper['config']['name']!r}",
                fix="take the wrappers away before saving: tfmot.sparsity.keras.strip_pruning(model)",
            )
        own[place] = (own[place][0], own[place][1] * mask)
    return {**wrapper, "class_name": inner["class_name"], "module": inner.get("module"), "config": inner["config"]} | {
        "registered_name": inner.get("registered_name")
    }, own


def _is_of_wrapper(name: str) -> bool:
    return any(part in name.split("/")[-1] for part in _OF_WRAPPER)


def _in_order(weights: Sequence[tuple[str, np.ndarray]]) -> list[np.ndarray]:
    """Give arrays in Keras' order: an archive keeps those of a normalization in a layer in a folder of their own."""
    within = ("batchnorm/", "layer/batchnorm/")
    inside = [value for name, value in weights if name.startswith(within)]
    own = [value for name, value in weights if not name.startswith(within)]
    if not inside:
        return own
    # The layer's own are kernel, bias and the count of its training steps.
    return [*own[:-1], *inside[:-2], *own[-1:], *inside[-2:]]
