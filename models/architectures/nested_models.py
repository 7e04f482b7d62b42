"""Models in a model laid flat, and pruning wrappers taken away: what is left is a configuration of single layers.

A model that is used as a layer computes what its layers compute one after the other, so its layers take its place. A
`PruneLowMagnitude` wrapper multiplies the weights of its layer by masks, in every prediction, and does nothing else.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from siliconv.errors import ModelError
from siliconv.models.architectures.keras_graph import Config, references
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

    Operators such as ``a + b`` become layers.

    Raises
    ------
    ModelError
        ``MODEL-NESTED`` for an inner model of several inputs or outputs, or one that is used twice.
    """
    config = with_layers_for_operators(config)
    written = inner_layers(config)
    if not any(is_inside(layer) for layer in written):
        return config, {name: _in_order(values) for name, values in weights.items()}
    flat = _Flat(where)
    flat.add(config, weights, outside=None)
    model = config["config"]
    settings = {key: model[key] for key in ("name",) if isinstance(model, Mapping) and key in model}
    inputs = [layer["config"]["name"] for layer in flat.layers if layer["class_name"] == "InputLayer"]
    if isinstance(model, Mapping) and len(inputs) > 1:
        inputs = list(references(model["input_layers"]))
    outputs = [[name, 0, 0] for name in flat.outputs]
    settings |= {"layers": flat.layers, "input_layers": [[name, 0, 0] for name in inputs], "output_layers": outputs}
    kept = {key: config[key] for key in ("module", "registered_name") if key in config}
    return {**kept, "class_name": "Functional", "config": settings}, flat.weights


class _Flat:
    """The layers so far, with the weights of each and the names that the outputs of models stand for."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.layers: list[Config] = []
        self.weights: dict[str, list[np.ndarray]] = {}
        self.outputs: list[str] = []

    def add(self, config: Config, weights: NamedArrays, outside: list[str] | None) -> list[str]:
        """Add the layers of a model whose input is what `outside` names, or its own; give the names of its outputs."""
        stands_for: dict[str, list[str]] = {}
        model, before, renamed = config["config"], list[str](), list[str]()
        written = inner_layers(config)
        row = config["class_name"] == "Sequential"
        for layer in written:
            name = str(layer["config"]["name"])
            sources = before if row else [one for node in layer["inbound_nodes"] for one in references(node)]
            inputs = [new for source in sources for new in stands_for.get(source, [source])]
            if layer["class_name"] == "InputLayer" and outside is not None:
                renamed = outside
            elif _is_model(layer):
                self._check_one(layer, name)
                inner = inputs or outside
                renamed = self.add(layer, _of_inner(layer, weights.get(name, [])), inner)
            else:
                models = {str(one["config"]["name"]) for one in written if _is_model(one)}
                given = inputs or list(outside or [])
                renamed = [self._add_layer(layer, weights.get(name, []), given, stands_for, models, row)]
            stands_for[name], before = renamed, [name]
        last = before if row else list(references(model["output_layers"]))
        self.outputs = [new for name in last for new in stands_for[name]]
        return self.outputs

    def _check_one(self, layer: Config, name: str) -> None:
        model = layer["config"]
        several = isinstance(model, Mapping) and any(
            len(list(references(model.get(key, [])))) > 1 for key in ("input_layers", "output_layers")
        )
        if several or len(layer.get("inbound_nodes") or [0]) > 1:
            raise ModelError(
                "MODEL-NESTED",
                f"the model {name!r} inside the model "
                + ("has several inputs or outputs" if several else "is used more than once"),
                where=self.where,
                fix="call its layers one by one in the outer model",
            )

    def _add_layer(
        self,
        layer: Config,
        weights: Sequence[tuple[str, np.ndarray]],
        inputs: list[str],
        stands_for: Mapping[str, list[str]],
        models: Collection[str],
        row: bool,
    ) -> str:
        if layer["class_name"] == _PRUNING:
            layer, weights = _stripped(layer, weights, self.where)
        name = unused = str(layer["config"]["name"])
        number = 1
        known = {one["config"]["name"] for one in self.layers}
        while unused in known:
            unused, number = f"{name}_{number}", number + 1
        nodes = [] if layer["class_name"] == "InputLayer" or not inputs else [[[one, 0, 0, {}] for one in inputs]]
        if not row and layer.get("inbound_nodes"):
            nodes = [_renamed(node, stands_for, models) for node in layer["inbound_nodes"]]
        self.layers.append(
            {**layer, "name": unused, "config": {**layer["config"], "name": unused}, "inbound_nodes": nodes}
        )
        if weights:
            self.weights[unused] = _in_order(weights)
        return unused


def is_inside(layer: Config) -> bool:
    """Whether a layer is a model or a pruning wrapper, in whose place its layers are put."""
    return _is_model(layer) or layer["class_name"] == _PRUNING


def _is_model(layer: Config) -> bool:
    return layer["class_name"] in _MODELS and isinstance(layer.get("config"), Mapping | list)


def _of_inner(model: Config, weights: Sequence[tuple[str, np.ndarray]]) -> NamedArrays:
    """Share the variables of a model among its layers, by the layer's name in the variable's."""
    found: NamedArrays = {}
    names = {str(layer["config"]["name"]) for layer in inner_layers(model)}
    for variable, value in weights:
        owner = next((part for part in variable.split("/")[:-1] if part in names), None)
        if owner is not None:
            rest = variable.split("/")
            found.setdefault(owner, []).append(("/".join(rest[rest.index(owner) + 1 :]) or variable, value))
    return found


def _renamed(node: Any, stands_for: Mapping[str, list[str]], models: Collection[str]) -> Any:
    """Give a call as it is written, with the names of what took the place of models, whose only use is the first."""
    if isinstance(node, Mapping):
        if "keras_history" in node:
            name, *rest = node["keras_history"]
            found = [stands_for[name][0], *rest] if name in stands_for else [name, *rest]
            return {**node, "keras_history": [found[0], 0, 0] if name in models else found}
        return {key: _renamed(value, stands_for, models) for key, value in node.items()}
    if isinstance(node, list | tuple):
        if len(node) >= 3 and isinstance(node[0], str) and isinstance(node[1], int):
            number, tensor = (0, 0) if node[0] in models else node[1:3]
            return [stands_for.get(node[0], [node[0]])[0], number, tensor, *node[3:]]
        return [_renamed(value, stands_for, models) for value in node]
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
