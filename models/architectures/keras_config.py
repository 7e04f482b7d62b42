"""From the configuration that Keras 2 or 3 writes of a model to an architecture, by reading: no class is imported.

What the configuration names is looked up in a table of known layers, so a Lambda layer or a custom class can do
nothing here but be refused by its name. What becomes of each setting of a layer says
`siliconv.models.architectures.keras_settings`; one that is not there is refused as well.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from pydantic import TypeAdapter, ValidationError

from siliconv.errors import ModelError
from siliconv.models.architectures.architecture import INPUT, Architecture
from siliconv.models.architectures.field_problems import problems_of
from siliconv.models.architectures.keras_describe import check_activation, is_plain_rescaling, known_classes, steps_of
from siliconv.models.architectures.keras_frames import inner_layers
from siliconv.models.architectures.keras_graph import (
    Config,
    Use,
    is_foreign,
    layers_in_a_row,
    layers_of_graph,
    only_one,
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
from siliconv.models.architectures.refused_layers import refuse_class
from siliconv.models.architectures.shapes import Shape, output_shape


@dataclass(frozen=True)
class Taken:
    """Where a layer of an architecture takes its weights: the Keras layer, and what is made of that one's."""

    layer: str
    weights: Callable[[Arrays], Arrays]


class ReadModel(NamedTuple):
    """What a configuration describes.

    ``names``: of each layer here that has the value of one in Keras, that one's name. ``taken``: of each layer with
    weights, where they come from. ``rescaling``: layers that multiply pixels, which the weights behind have to take up.
    """

    architecture: Architecture
    names: Mapping[str, str]
    taken: Mapping[str, Taken]
    rescaling: Mapping[str, float]


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
        ``MODEL-FILE`` for what is no sequential or functional model of one input and one output.
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
    reader = _Reader(where, keras, apart, tuple(_input_shape(written, model, where)))
    for use in uses:
        reader.take(use)
    _check_input_type(written, where)
    described = {"input_shape": reader.shapes[INPUT], "layers": reader.layers}
    return ReadModel(Architecture.model_validate(described), reader.names, reader.taken, reader.rescaling)


class _Reader:
    """The layers of an architecture so far: names, shapes, and where weights come from."""

    def __init__(self, where: str, keras: int, apart: bool, input_shape: Shape) -> None:
        self.where, self.keras, self.apart = where, keras, apart
        self.layers: list[dict[str, Any]] = []
        self.shapes: dict[str, Shape] = {INPUT: input_shape}
        self.names: dict[str, str] = {}
        self.taken: dict[str, Taken] = {}
        self.rescaling: dict[str, float] = {}
        self._result: dict[tuple[str, int], str] = {}

    def take(self, use: Use) -> None:
        """Add one use of a layer."""
        layer, name = use.layer, use.layer["config"]["name"]
        if layer["class_name"] == "InputLayer":
            _check_settings(layer, len(self.shapes[INPUT]) + 1, self.where)
            self._result[name, use.number] = INPUT
            return
        inputs = [self._result[source] for source in use.reads] if use.reads else [INPUT]
        shapes = tuple(self.shapes[source] for source in inputs)
        _check_class(layer, self.where)
        _check_settings(layer, len(shapes[0]) + 1, self.where)
        apart = self.apart or inputs != [INPUT]
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
        if is_plain_rescaling(layer) and not apart:
            self.rescaling[last] = float(layer["config"]["scale"])
        self._result[name, use.number] = last
        if use.number == 0:
            self.names[last] = name


def _refuse_all(written: list[Config], where: str, keras: int) -> None:
    """Refuse all layers at once that cannot be read whatever stands before them; the others one by one later."""
    errors = []
    for layer in written:
        try:
            for one in (layer, *inner_layers(layer, where)) if layer["class_name"] == "TimeDistributed" else (layer,):
                if one["class_name"] != "InputLayer":
                    _check_class(one, where)
                _check_settings(one, None, where)
                check_activation(one, where, keras)
        except ModelError as error:
            errors.append(error)
    if len(errors) == 1:
        raise errors[0]
    if errors:
        fixes = dict.fromkeys(error.fix for error in errors)
        raise ModelError("MODEL-LAYER", "; ".join(one.what for one in errors), where=where, fix="; ".join(fixes))


_ANY_LAYER: TypeAdapter[Layer] = TypeAdapter(Layer)


def _shape_of(layer: Config, described: Config, sources: list[Shape], where: str) -> Shape:
    try:
        found = _ANY_LAYER.validate_python(described)
    except ValidationError as error:
        wrong = "; ".join(f"{one.path[-1]}: {one.says}" for one in problems_of(error))
        raise refused(layer, wrong, where) from error
    return output_shape(found, described["name"], tuple(sources))


def _check_input_type(written: list[Config], where: str) -> None:
    """Whole numbers are what a network takes that rescales them; any other is fed fractions."""
    rescales = any(layer["class_name"] in ("Rescaling", "Normalization") for layer in written)
    for layer in written:
        kind = dtype_name(layer["config"].get("dtype")) if layer["class_name"] == "InputLayer" else "float32"
        if kind != "float32" and not (rescales and kind in _WHOLE_NUMBERS):
            raise refused(layer, f"dtype = {kind!r} is not float32; use keras.Input(shape, dtype='float32')", where)


_WHOLE_NUMBERS = ("uint8", "int16", "uint16", "int32", "int64")


def _input_shape(written: list[Config], model: Any, where: str) -> list[int]:
    inputs = [layer for layer in written if layer["class_name"] == "InputLayer"]
    if len(inputs) > 1:
        only_one(iter([layer["config"]["name"] for layer in inputs]), "inputs", where)
    first = (inputs or written)[0]["config"]
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
