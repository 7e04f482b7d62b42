"""Networks of several inputs or outputs, described as ones of rows: what their ports are, and how they are put on.

All that trains, quantizes and compares handles one array an example: the values of all inputs one behind the other, and
those of all outputs. In front of the network its row is cut into the inputs, behind it the outputs are joined; neither
is hardware, and the integer network has the inputs and outputs themselves (`siliconv.network.ports`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from math import prod
from typing import Any, Literal, NamedTuple

from siliconv.errors import ModelError
from siliconv.models.architectures import layers as kinds
from siliconv.models.architectures.architecture import (
    INPUT,
    Architecture,
    named_layers,
    output_activation,
    without_output_activation,
)
from siliconv.models.architectures.layers import Layer, LayerList
from siliconv.models.architectures.shapes import Shape, layer_table

OUTPUT_ROW = "output_row"
"""Name of the layer that joins the outputs."""

Function = Literal["sigmoid", "softmax"]


class InputPort(NamedTuple):
    """One of several inputs: its name, its shape, and the layer that has it."""

    name: str
    shape: Shape
    layer: str


class OutputPort(NamedTuple):
    """An output: its name, its shape, and the sigmoid or softmax behind its logits."""

    name: str
    shape: Shape
    function: Function | None = None


class Ports(NamedTuple):
    """What a network takes and gives; `inputs` are none where there is a single one."""

    inputs: tuple[InputPort, ...]
    outputs: tuple[OutputPort, ...]

    @property
    def are_several(self) -> bool:
        """Whether there are several inputs or several outputs."""
        return len(self.inputs) > 1 or len(self.outputs) > 1

    @property
    def columns(self) -> tuple[slice, ...]:
        """Where each output stands in a row of all of them."""
        found, start = [], 0
        for output in self.outputs:
            found.append(slice(start, start + prod(output.shape)))
            start = found[-1].stop
        return tuple(found)


def input_layer(name: str) -> str:
    """Name the layer that has one of several inputs, and the node that it becomes."""
    return f"{name}_in"


def flat_layer(name: str) -> str:
    """Name the layer that makes a row of an output that is none."""
    return f"{name}_as_row"


def as_logits(architecture: Architecture) -> Architecture:
    """Return the network that ends with its logits, each output of several with its own."""
    return without_functions(architecture) if architecture.outputs else without_output_activation(architecture)


def port_layers(architecture: Architecture) -> frozenset[str]:
    """Give the layers that cut a row into inputs or join outputs to one: no hardware."""
    cut = {name for one in architecture.inputs for name in (input_layer(one), f"{input_layer(one)}_row")}
    joins = {OUTPUT_ROW, *(flat_layer(name) for name in architecture.outputs)} if architecture.outputs else set()
    return frozenset(cut | joins)


def logit_layers(architecture: Architecture) -> dict[str, str]:
    """Give the layer that has the logits of each of several outputs, as it is deployed, and the output's function."""
    functions = functions_of(architecture) if architecture.outputs else {}
    nodes = {node.name: node for node in named_layers(as_logits(architecture))}
    found = {}
    for name, source in zip(architecture.outputs, nodes[OUTPUT_ROW].inputs if functions else (), strict=False):
        flat = nodes[source]
        found[flat.inputs[0] if source == flat_layer(name) else source] = str(functions.get(name) or "")
    return {name: function for name, function in found.items() if function}


def ports_of(architecture: Architecture) -> Ports:
    """Give the ports of a network.

    Raises
    ------
    ModelError
        As `layer_table`.
    """
    rows = {row.name: row for row in layer_table(architecture)}
    inputs = tuple(InputPort(name, shape, input_layer(name)) for name, shape in architecture.inputs.items())
    if not architecture.outputs:
        last = list(rows.values())[-1]
        return Ports(inputs, (OutputPort(last.name, last.output_shape, output_activation(architecture)),))
    functions = functions_of(architecture)
    outputs = (OutputPort(name, rows[name].output_shape, functions.get(name)) for name in architecture.outputs)
    return Ports(inputs, tuple(outputs))


def functions_of(architecture: Architecture) -> dict[str, Function]:
    """Give the sigmoid or softmax of each of several outputs that ends in one, which no layer inside reads.

    One whose logits are an output as well stays a layer: each output has a tensor of its own.
    """
    nodes = named_layers(architecture)
    behind = {OUTPUT_ROW, *(flat_layer(name) for name in architecture.outputs)}
    read = {source for node in nodes for source in node.inputs if node.name not in behind}
    taken = {INPUT, *(input_layer(name) for name in architecture.inputs), *architecture.outputs}
    found: dict[str, Function] = {}
    for name, layer, inputs in nodes:
        function = getattr(layer, "activation", None)
        if name not in architecture.outputs or name in read or function not in ("sigmoid", "softmax"):
            continue
        if isinstance(layer, kinds.Activation):
            if inputs[0] in taken:
                continue
            taken.add(inputs[0])
        found[name] = function
    return found


def without_functions(architecture: Architecture) -> Architecture:
    """Return a network of several outputs that gives the logits of each."""
    functions = functions_of(architecture)
    moved: dict[str, str] = {}
    layers: list[Layer] = []
    for name, layer, written in named_layers(architecture):
        inputs = tuple(moved.get(source, source) for source in written)
        if name in functions and isinstance(layer, kinds.Activation):
            moved[name] = inputs[0]
            continue
        update: dict[str, Any] = {"name": name, "inputs": inputs}
        layers.append(layer.model_copy(update=update | ({"activation": None} if name in functions else {})))
    return architecture.model_copy(update={"layers": tuple(layers)})


def described_in_rows(
    inputs: Mapping[str, Shape], layers: Sequence[Mapping[str, Any]], outputs: Mapping[str, Shape]
) -> dict[str, Any]:
    """Give the fields of the `Architecture` of a network of several inputs or outputs.

    Parameters
    ----------
    inputs
        Name and shape of each input, in their order.
    layers
        As they are described, each with its name and the names of those it reads; an input is read as `input_layer`.
    outputs
        Name and shape of each output, in their order.
    """
    cut = list(_cut(inputs)) if len(inputs) > 1 else []
    shape = (sum(prod(one) for one in inputs.values()),) if len(inputs) > 1 else next(iter(inputs.values()))
    join = list(_joined(outputs)) if len(outputs) > 1 else []
    return {
        "input_shape": shape,
        "layers": [*cut, *layers, *join],
        "inputs": dict(inputs) if cut else {},
        "outputs": tuple(outputs) if join else (),
    }


def _cut(inputs: Mapping[str, Shape]) -> Iterable[dict[str, Any]]:
    """Cut the row of all inputs into each of them."""
    before, total = 0, sum(prod(shape) for shape in inputs.values())
    for name, shape in inputs.items():
        size, layer = prod(shape), input_layer(name)
        cropped = layer if len(shape) == 1 else f"{layer}_row"
        after = total - before - size
        yield {"kind": "rearrange", "name": cropped, "inputs": (INPUT,), "before": (before,), "after": (after,)}
        if cropped != layer:
            yield {"kind": "reshape", "name": layer, "inputs": (cropped,), "shape": tuple(shape)}
        before += size


def _joined(outputs: Mapping[str, Shape]) -> Iterable[dict[str, Any]]:
    """Join the outputs to a row."""
    parts = []
    for name, shape in outputs.items():
        flat = name if len(shape) == 1 else flat_layer(name)
        if flat != name:
            yield {"kind": "flatten", "name": flat, "inputs": (name,)}
        parts.append(flat)
    yield {"kind": "concatenate", "name": OUTPUT_ROW, "inputs": tuple(parts)}


def architecture_of_layers(inputs: Mapping[str, Shape], layers: Sequence[Any], outputs: Sequence[str]) -> Architecture:
    """Give the network that is described with several inputs or outputs, which layers read by their own names.

    Raises
    ------
    ModelError
        ``MODEL-OUTPUT`` for an output that is no layer or is named twice, ``MODEL-INPUT`` for an input that nothing
        reads; the rest as `Architecture` and `layer_table`.
    """
    renamed = {name: input_layer(name) for name in inputs} if len(inputs) > 1 else dict.fromkeys(inputs, INPUT)
    written: list[dict[str, Any]] = []
    count: Counter[str] = Counter()
    checked = LayerList.model_validate({"layers": layers}).layers
    for number, layer in enumerate(one.model_dump(exclude_unset=True) for one in checked):
        count[str(layer.get("kind"))] += 1
        before = written[-1]["name"] if number else renamed[next(iter(inputs))]
        name = layer.get("name") or f"{layer.get('kind')}_{count[str(layer.get('kind'))]}"
        reads = layer.get("inputs")
        sources = (before,) if reads is None else tuple(renamed.get(one, one) for one in reads)
        written.append({**layer, "name": name, "inputs": sources})
    names = [layer["name"] for layer in written]
    wanted = tuple(outputs) or tuple(names[-1:])
    if unread := [name for name in inputs if not any(renamed[name] in layer["inputs"] for layer in written)]:
        raise ModelError(
            "MODEL-INPUT", f"no layer reads the input {unread[0]!r}", where="model.inputs", fix="leave it out"
        )
    for name in wanted:
        if names.count(name) != 1 or wanted.count(name) != 1:
            raise ModelError(
                "MODEL-OUTPUT",
                f"the output {name!r} is no layer, or is named twice",
                where="model.outputs",
                fix="use names of layers: " + ", ".join(names),
            )
    alone = Architecture.model_validate(described_in_rows(inputs, written, {}))
    shapes = {row.name: row.output_shape for row in layer_table(alone)}
    return Architecture.model_validate(described_in_rows(inputs, written, {name: shapes[name] for name in wanted}))
