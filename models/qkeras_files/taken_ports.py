"""QKeras models of several inputs or outputs, as models of rows, as `models/architectures/ports.py` has float ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import prod
from typing import Literal, cast

from siliconv.errors import ModelError
from siliconv.models.architectures.architecture import INPUT
from siliconv.models.architectures.ports import OUTPUT_ROW, InputPort, OutputPort, Ports, flat_layer, input_layer
from siliconv.models.qkeras_files.qkeras_reading import TakenLayer, TakenModel
from siliconv.models.qkeras_files.taken_shapes import shapes_of

Shape = tuple[int, ...]
Ending = Literal["sigmoid", "softmax"]


def in_rows(
    inputs: Mapping[str, Shape], layers: Sequence[TakenLayer], outputs: Sequence[str], ending: Ending | None, where: str
) -> TakenModel:
    """Give the model that takes the row of all inputs and gives that of all outputs' logits.

    Parameters
    ----------
    inputs
        Shape of each by the layer that has it, a single one `INPUT`.
    layers
        In the order of the data.
    outputs
        Layers that are outputs, where there are several.
    ending
        The function that was taken away behind a single output.
    where
        For messages.

    Raises
    ------
    ModelError
        ``MODEL-PORTS`` for an output that is named twice, or is an input.
    """
    for name in outputs:
        if outputs.count(name) > 1 or name in inputs:
            raise ModelError(
                "MODEL-PORTS",
                f"the output {name!r} is " + ("an input" if name in inputs else "named twice"),
                where=where,
                fix="build it with keras.Model(inputs, outputs), each output a layer of its own",
            )
    endings, logits, kept = _without_endings(layers, outputs)
    several = len(inputs) > 1
    shape = (sum(prod(one) for one in inputs.values()),) if several else next(iter(inputs.values()))
    cut = [*(_cut(inputs) if several else ()), *kept]
    alone = TakenModel(input_shape=shape, layers=tuple(cut))
    known = shapes_of(alone)
    joins = _joined([(name, logits[name], known[logits[name]]) for name in outputs]) if outputs else ()
    return TakenModel(
        input_shape=shape,
        layers=(*cut, *joins),
        ending=ending,
        inputs={name.removesuffix("_in"): tuple(one) for name, one in inputs.items()} if several else {},
        outputs=tuple(outputs),
        endings=endings,
    )


def ports_of_taken(model: TakenModel) -> Ports:
    """Give inputs and outputs of a model that is taken as it is; errors as `shapes_of`."""
    inputs = tuple(InputPort(name, shape, input_layer(name)) for name, shape in model.inputs.items())
    shapes = shapes_of(model)
    if not model.outputs:
        last = model.layers[-1].name
        return Ports(inputs, (OutputPort(last, shapes[last], model.ending),))
    by_name = {layer.name: layer for layer in model.layers}
    found = []
    for name, source in zip(model.outputs, by_name[OUTPUT_ROW].inputs, strict=True):
        shape = shapes[by_name[source].inputs[0]] if source == flat_layer(name) else shapes[source]
        found.append(OutputPort(name, shape, model.endings.get(name)))
    return Ports(inputs, tuple(found))


def _without_endings(
    layers: Sequence[TakenLayer], outputs: Sequence[str]
) -> tuple[dict[str, Ending], dict[str, str], list[TakenLayer]]:
    """Take the sigmoid or softmax of each output away that no layer inside reads; give the layer of its logits."""
    read = {source for layer in layers for source in layer.inputs}
    taken = {INPUT, *outputs}
    endings: dict[str, Ending] = {}
    logits: dict[str, str] = {}
    kept = []
    for layer in layers:
        logits[layer.name] = layer.name
        function = "softmax" if layer.kind == "Softmax" else layer.settings.get("activation")
        if layer.name not in outputs or layer.name in read or function not in ("sigmoid", "softmax"):
            kept.append(layer)
            continue
        alone = layer.kind in ("Activation", "QActivation", "Softmax")
        if alone and layer.inputs[0] in taken:
            kept.append(layer)  # its logits are an output as well, or an input
            continue
        endings[layer.name] = cast("Ending", function)
        if alone:
            logits[layer.name] = layer.inputs[0]
            taken.add(layer.inputs[0])
        else:
            kept.append(layer.model_copy(update={"settings": {**layer.settings, "activation": None}}))
    return endings, logits, kept


def _cut(inputs: Mapping[str, Shape]) -> Iterator[TakenLayer]:
    start = 0
    for name, shape in inputs.items():
        size = prod(shape)
        cropped = name if len(shape) == 1 else f"{name}_row"
        settings = {"order": [0], "before": [start], "sizes": [size], "repeats": [1]}
        yield TakenLayer(name=cropped, kind="RearrangedElements", settings=settings, inputs=(INPUT,))
        if cropped != name:
            yield TakenLayer(name=name, kind="Reshape", settings={"target_shape": list(shape)}, inputs=(cropped,))
        start += size


def _joined(outputs: Sequence[tuple[str, str, Shape]]) -> Iterator[TakenLayer]:
    parts = []
    for name, layer, shape in outputs:
        parts.append(layer if len(shape) == 1 else flat_layer(name))
        if len(shape) > 1:
            yield TakenLayer(name=parts[-1], kind="Flatten", settings={}, inputs=(layer,))
    yield TakenLayer(name=OUTPUT_ROW, kind="Concatenate", settings={"axis": -1}, inputs=tuple(parts))
