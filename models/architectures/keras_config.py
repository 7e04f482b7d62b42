"""From the configuration that Keras 2 or 3 writes of a model to an architecture, by reading: no class is imported.

What the configuration names is looked up in a table of known layers, so a Lambda layer or a custom class can do
nothing here but be refused by its name. What becomes of each setting of a layer says
`siliconv.models.architectures.keras_settings`; one that is not there is refused as well.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from pydantic import TypeAdapter, ValidationError

from siliconv.errors import ModelError
from siliconv.models.architectures.architecture import INPUT, Architecture
from siliconv.models.architectures.field_problems import problems_of
from siliconv.models.architectures.keras_describe import (
    check_activation,
    is_plain_rescaling,
    known_classes,
    largest_factor,
    steps_of,
)
from siliconv.models.architectures.keras_frames import inner_layers
from siliconv.models.architectures.keras_graph import (
    Config,
    Use,
    ends_of_graph,
    is_foreign,
    layers_in_a_row,
    layers_of_graph,
    references,
    refused,
)
from siliconv.models.architectures.keras_settings import (
    EVERY_LAYER,
    SETTINGS,
    Used,
    dtype_name,
    why_refused,
)
from siliconv.models.architectures.keras_steps import Arrays, Call
from siliconv.models.architectures.layers import Layer
from siliconv.models.architectures.ports import described_in_rows, input_layer, ports_of
from siliconv.models.architectures.refused_layers import refuse_class
from siliconv.models.architectures.shapes import Shape, output_shape


@dataclass(frozen=True)
class Taken:
    """Where a layer of an architecture takes its weights: the Keras layer, and what is made of that one's."""

    layer: str
    weights: Callable[[Arrays], Arrays]


class KerasPorts(NamedTuple):
    """Inputs and outputs of a model in Keras, in their order.

    ``inputs``: names of its input layers with their shapes. ``outputs``: uses of layers, by name and number; ``ended``:
    whether each is a sigmoid or softmax behind logits.
    """

    inputs: tuple[tuple[str, Shape], ...]
    outputs: tuple[tuple[str, int], ...]
    ended: tuple[bool, ...]


class ReadModel(NamedTuple):
    """What a configuration describes.

    ``names``: of each layer here that has the value of one in Keras, that one's name. ``taken``: of each layer with
    weights, where they come from. ``rescaling``: layers that multiply pixels, which the weights behind have to take up.
    ``ports``: inputs and outputs, of a model that has several. ``rescales``: whether it rescales pixels of 0 to
    255 that it is fed; a factor behind the first layer that computes something says nothing about the inputs, nor does
    one that would leave pixels large.
    """

    architecture: Architecture
    names: Mapping[str, str]
    taken: Mapping[str, Taken]
    rescaling: Mapping[str, float]
    ports: KerasPorts | None = None
    rescales: bool = False


def architecture_of(config: Config, *, where: str, keras: int = 2, apart: bool = False) -> ReadModel:
    """Return what a model configuration describes.

    Parameters
    ----------
    config
        As Keras wrote it.
    where
        For messages.
    keras
        The major version of the Keras that wrote it: some functions changed their meaning.
    apart
        Whether factors on the pixels are layers of their own.

    Raises
    ------
    ModelError
        ``MODEL-LAYER`` for a layer, or a setting of one, that has no equal here: with its name and class.
        ``MODEL-FILE`` for what is no sequential or functional model, ``MODEL-PORTS`` for inputs that nothing reads, or
        outputs that are one.
    """
    try:
        return _read(config, where, keras, apart)
    except ValidationError as error:
        raise ModelError(
            "MODEL-FILE",
            "the model's configuration cannot be read: " + "; ".join(str(one) for one in problems_of(error)),
            where=where,
            fix="build the model with other values of these settings",
        ) from error
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise ModelError(
            "MODEL-FILE",
            f"the model's configuration cannot be read: {type(error).__name__} {error}",
            where=where,
            fix="save the model again with model.save('model.keras')",
        ) from error


def _read(config: Config, where: str, keras: int, apart: bool) -> ReadModel:
    # Keras 3 registers these under their own names; a class of the user's may be called like them.
    if config["class_name"] not in ("Sequential", "Functional", "Model") or is_foreign(
        {"module": config.get("module")}
    ):
        raise ModelError(
            "MODEL-FILE",
            f"a model of class {config['class_name']!r} cannot be read",
            where=where,
            fix="build it with keras.Sequential or keras.Model(inputs, outputs)",
        )
    model = config["config"]
    written = list(model["layers"] if isinstance(model, Mapping) else model)
    sequential = config["class_name"] == "Sequential"
    uses = layers_in_a_row(written) if sequential else layers_of_graph(written, model, where)
    _refuse_all(written, where, keras)
    inputs, outputs = ((), ()) if sequential else ends_of_graph(model)
    shapes = input_shapes(written, model, inputs, where)
    reader = _Reader(where, keras, apart, shapes)
    for use in uses:
        reader.take(use)
    _check_input_type(written, where, rescales=reader.rescales)
    found = reader.outputs(outputs)
    architecture = Architecture.model_validate(described_in_rows(reader.inputs, reader.layers, found))
    ports = None
    if len(shapes) > 1 or len(found) > 1:
        ended = tuple(one.function is not None for one in ports_of(architecture).outputs)
        ports = KerasPorts(tuple(shapes.items()), outputs, ended)
    return ReadModel(architecture, reader.names, reader.taken, reader.rescaling, ports, reader.rescales)


_KEEPS_VALUES = {
    *("dropout", "flatten", "zero_padding", "reshape", "rearrange", "concatenate", "maximum", "minimum"),
    *("max_pool", "average_pool", "global_max_pool", "global_average_pool"),
}
"""Kinds whose results are values of the input, or means of some: a rescaling behind them is one of the input."""


OF_PIXELS = 1 / 16
"""A factor on the input up to here is one for pixels of 0 to 255; with 2 x - 1 they would reach 509."""


class _Reader:
    """The layers of an architecture so far: names, shapes, and where weights come from."""

    def __init__(self, where: str, keras: int, apart: bool, inputs: Mapping[str, Shape]) -> None:
        self.where, self.keras, self.apart = where, keras, apart
        self.layers: list[dict[str, Any]] = []
        self.inputs: dict[str, Shape] = {}
        self.shapes: dict[str, Shape] = {}
        self._input_layers: dict[str, str] = {}
        for name, shape in inputs.items():
            here = name_here(name, [INPUT, *self.inputs])
            self.inputs[here] = shape
            self._input_layers[name] = input_layer(here) if len(inputs) > 1 else INPUT
            self.shapes[self._input_layers[name]] = shape
        self._of_input = frozenset(self.shapes)
        self._as_fed = dict.fromkeys(self.shapes, 1.0)
        self.rescales = False
        if len(inputs) > 1:
            # Taken by the layers that cut the row of all inputs.
            self.shapes |= dict.fromkeys((INPUT, *(f"{one}_row" for one in self._of_input)), ())
        self.names: dict[str, str] = {}
        self.taken: dict[str, Taken] = {}
        self.rescaling: dict[str, float] = {}
        self._result: dict[tuple[str, int], str] = {}

    def take(self, use: Use) -> None:
        """Add one use of a layer."""
        layer, name = use.layer, use.layer["config"]["name"]
        if layer["class_name"] == "InputLayer":
            here = self._input_layers[name]
            _check_settings(layer, len(self.shapes[here]) + 1, self.where)
            self._result[name, use.number] = here
            return
        inputs = [self._result[source] for source in use.reads] if use.reads else [INPUT]
        shapes = tuple(self.shapes[source] for source in inputs)
        _check_class(layer, self.where)
        _check_settings(layer, len(shapes[0]) + 1, self.where)
        fed = max((self._as_fed[one] for one in inputs if one in self._as_fed), default=0.0)
        factor = fed * largest_factor(layer)
        apart = self.apart or not self._of_input.issuperset(inputs) or factor > OF_PIXELS
        steps = steps_of(Call(layer, shapes, self.where, self.keras, apart))
        wanted = name if use.number == 0 else f"{name}_use{use.number + 1}"
        last = name_here(wanted, self.shapes)
        found: list[str] = []
        for step in steps:
            reads = step.reads if step.reads is not None else None
            if reads is None:
                sources = [found[-1]] if found else inputs
            else:
                sources = [found[at] if at >= 0 else inputs[-1 - at] for at in reads]
            own = name_here(f"{last}_{step.suffix}", self.shapes) if step is not steps[-1] else last
            self.layers.append({**step.described, "name": own, "inputs": sources})
            self.shapes[own] = _shape_of(layer, self.layers[-1], [self.shapes[one] for one in sources], self.where)
            found.append(own)
            if step.weights is not None:
                self.taken[own] = Taken(name, step.weights)
        if fed and layer["class_name"] == "Rescaling":
            self.rescales = self.rescales or factor <= OF_PIXELS
            self._as_fed[last] = factor
        elif fed and all(step.described["kind"] in _KEEPS_VALUES for step in steps):
            self._as_fed[last] = fed
        if is_plain_rescaling(layer) and not apart:
            self.rescaling[last] = float(layer["config"]["scale"])
        self._result[name, use.number] = last
        if use.number == 0:
            self.names[last] = name

    def outputs(self, uses: Sequence[tuple[str, int]]) -> dict[str, Shape]:
        """Give the layers that are outputs, with their shapes, of a model in which all inputs are needed."""
        for name in self._input_layers if len(self._input_layers) > 1 else ():
            if (name, 0) not in self._result:
                raise ModelError(
                    "MODEL-PORTS",
                    f"no output depends on the input {name!r}",
                    where=self.where,
                    fix="build the model without it: keras.Model(inputs, outputs)",
                )
        names = [self._result[use] for use in uses]
        for name in names:
            if names.count(name) > 1 or (len(names) > 1 and name in self._of_input):
                raise ModelError(
                    "MODEL-PORTS",
                    f"the output {name!r} is " + ("named twice" if names.count(name) > 1 else "an input"),
                    where=self.where,
                    fix="build it with keras.Model(inputs, outputs), each output a layer of its own",
                )
        return {name: self.shapes[name] for name in names}


_MOST_NAMES = 4


def _refuse_all(written: list[Config], where: str, keras: int) -> None:
    """Refuse all layers at once that cannot be read whatever stands before them; the others one by one later.

    Layers of one class that are refused for one reason are named together.
    """
    errors: dict[str, list[tuple[str, ModelError]]] = {}
    for layer in written:
        try:
            for one in (layer, *inner_layers(layer, where)) if layer["class_name"] == "TimeDistributed" else (layer,):
                if one["class_name"] != "InputLayer":
                    _check_class(one, where)
                _check_settings(one, None, where)
                check_activation(one, where, keras)
        except ModelError as error:
            name = repr(one["config"]["name"])
            errors.setdefault(error.what.replace(name, "", 1), []).append((name, error))
    if not errors:
        return
    alike = list(errors.values())
    if len(alike) == len(alike[0]) == 1:
        raise alike[0][0][1]
    fixes = dict.fromkeys(found[0][1].fix for found in alike)
    raise ModelError("MODEL-LAYER", "; ".join(map(_together, alike)), where=where, fix="; ".join(fixes))


def _together(found: Sequence[tuple[str, ModelError]]) -> str:
    """Give what is wrong with layers that are wrong in the same way, with the names of some."""
    (name, error), names = found[0], [name for name, _ in found]
    if len(names) == 1:
        return error.what
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return error.what.replace(f"layer {name}", f"layers {', '.join(names[:_MOST_NAMES])}{more}", 1)


_ANY_LAYER: TypeAdapter[Layer] = TypeAdapter(Layer)


def _shape_of(layer: Config, described: Config, sources: list[Shape], where: str) -> Shape:
    try:
        found = _ANY_LAYER.validate_python(described)
    except ValidationError as error:
        wrong = "; ".join(f"{one.path[-1]}: {one.says}" for one in problems_of(error))
        raise refused(layer, wrong, where) from error
    return output_shape(found, described["name"], tuple(sources))


def _check_input_type(written: list[Config], where: str, *, rescales: bool) -> None:
    """Whole numbers are what a network takes that rescales or normalizes them; any other is fed fractions."""
    rescales = rescales or any(layer["class_name"] == "Normalization" for layer in written)
    for layer in written:
        kind = dtype_name(layer["config"].get("dtype")) if layer["class_name"] == "InputLayer" else "float32"
        if kind != "float32" and not (rescales and kind in _WHOLE_NUMBERS):
            raise refused(layer, f"dtype = {kind!r} is not float32; use keras.Input(shape, dtype='float32')", where)


_WHOLE_NUMBERS = ("uint8", "int16", "uint16", "int32", "int64")


def inputs_of(config: Config) -> tuple[str, ...]:
    """Give the names that the inputs of a model have here, in their order; none of a row of layers."""
    model = config["config"]
    if config["class_name"] == "Sequential" or not isinstance(model, Mapping) or "input_layers" not in model:
        return ()
    found: list[str] = []
    for name in ends_of_graph(model)[0]:
        found.append(name_here(name, [INPUT, *found]))
    return tuple(found)


def input_shapes(written: list[Config], model: Any, names: Sequence[str], where: str) -> dict[str, Shape]:
    """Give the shape of each input by the name of its layer, in the order of `names` where there are several."""
    layers = {layer["config"]["name"]: layer for layer in written if layer["class_name"] == "InputLayer"}
    if len(layers) < 2:
        name, *_ = [*layers, ""]
        return {name: tuple(_input_shape((list(layers.values()) or written)[0], model, where))}
    read = {name for layer in written for name in references(layer.get("inbound_nodes") or [])}
    if unread := [name for name in layers if name not in names or name not in read]:
        raise ModelError(
            "MODEL-PORTS",
            f"the input {unread[0]!r} is read by no layer",
            where=where,
            fix="build the model without it: keras.Model(inputs, outputs)",
        )
    return {name: tuple(_input_shape(layers[name], model, where)) for name in names}


def _input_shape(layer: Config, model: Any, where: str) -> list[int]:
    first = layer["config"]
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
    if len(shape) not in (2, 3, 4, 5):
        axes = {1: "a single number"}.get(len(shape), f"{len(shape) - 1} axes")
        raise ModelError(
            "MODEL-SHAPE",
            f"the model's input has {axes}; a network here reads images, rows of images, waveforms or vectors",
            where=where,
            fix="give it the shape (height, width, channels), (length, channels) or (features,)",
        )
    return list(shape[1:])


def name_here(written: str, taken: Container[str]) -> str:
    """Give the name of a layer here: letters, digits and underscores, unlike those taken."""
    name = re.sub(r"\W", "_", written, flags=re.ASCII)
    name = name if name[:1].isalpha() else f"layer_{name}"
    while name in taken:
        name += "_"
    return name


def _check_class(layer: Config, where: str) -> None:
    refuse_class(layer, where)
    if is_foreign(layer) or layer["class_name"] not in known_classes():
        raise refused(layer, "the class is not known here", where)


def _check_settings(layer: Config, rank: int | None, where: str) -> None:
    """Account for every setting, and for the ones that are missing; axes only where the input's rank is known."""
    kind, settings = layer["class_name"], layer["config"]
    for setting, value in settings.items():
        why = why_refused(kind, setting, value, rank)
        if why is not None:
            raise refused(layer, why, where)
    for setting, found in {**EVERY_LAYER, **SETTINGS[kind]}.items():
        if setting not in settings and isinstance(found, Used) and not found.optional and setting != "dtype":
            raise refused(layer, f"its setting {setting!r} is missing", where)
