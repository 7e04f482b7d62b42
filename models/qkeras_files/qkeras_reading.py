"""From the configuration that QKeras writes of a trained model to its layers as data; nothing is imported or run.

Every setting is used, harmless for a stated reason, or refused by its name, as for Keras' own files. What is read can
be written as JSON and read again; `siliconv.quantize.taken` builds the model of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from pydantic import BaseModel, Field

from siliconv.bounded_reading import SECTION, UnreadableError
from siliconv.errors import ModelError
from siliconv.models.architectures.architecture import INPUT
from siliconv.models.architectures.keras_config import KerasPorts, input_shapes, name_here
from siliconv.models.architectures.keras_file import Weights
from siliconv.models.architectures.keras_frames import inner_layers as distributed_layers
from siliconv.models.architectures.keras_graph import (
    Config,
    ends_of_graph,
    is_foreign,
    layers_in_a_row,
    layers_of_graph,
    references,
    refused,
)
from siliconv.models.architectures.keras_settings import EVERY_LAYER, SETTINGS, Harmless, Used, refusal
from siliconv.models.architectures.keras_steps import Call
from siliconv.models.architectures.nested_models import inner_layers
from siliconv.models.architectures.ports import input_layer
from siliconv.models.architectures.refused_layers import refuse_among_quantized, refuse_class
from siliconv.models.architectures.shapes import Shape
from siliconv.models.qkeras_files.names_of_parts import names_of_parts
from siliconv.models.qkeras_files.qkeras_settings import (
    NORMALIZATION_QUANTIZERS,
    QKERAS_SETTINGS,
    QUANTIZERS,
    qkeras_treatment,
)
from siliconv.models.qkeras_files.quantizer_settings import KERAS_HARD_SIGMOID, is_keras_activation, read_quantizer

_OF_NO_LAYER = ("name", "trainable", "dtype", "batch_input_shape", "batch_shape", "input_shape")


class TakenLayer(BaseModel):
    """A layer of the user's model: its class, what it was built with, and the layers that it reads."""

    model_config = SECTION

    name: str
    kind: str
    settings: dict[str, Any]
    inputs: tuple[str, ...]


class TakenModel(BaseModel):
    """A trained QKeras model as it was read: layers in the order of the data, the last one gives the logits.

    `ending` is the function behind them. Of several inputs, `inputs` has names and shapes, and the input is their row;
    of several outputs, `outputs` has names, `endings` their functions, and the last layer joins their logits.
    """

    model_config = SECTION

    input_shape: tuple[int, ...]
    layers: tuple[TakenLayer, ...] = Field(min_length=1)
    ending: Literal["sigmoid", "softmax"] | None = None
    inputs: dict[str, tuple[int, ...]] = {}
    outputs: tuple[str, ...] = ()
    endings: dict[str, Literal["sigmoid", "softmax"]] = {}


@dataclass(frozen=True, eq=False)
class QKerasFile:
    """A QKeras model as somebody wrote it.

    ``model``, ``weights``: its layers, and their arrays by the layers' names here. ``written``: the arrays by the names
    in the file. ``config``: the configuration up to the logits, models in it laid flat. ``made``: the model
    itself, where a function made it. ``ports``: inputs and outputs in the file, of a model that has several.
    """

    model: TakenModel
    weights: Weights
    written: Weights
    config: Config
    made: Any = None
    ports: KerasPorts | None = None


def is_qkeras(config: Config) -> bool:
    """Whether a model's configuration has layers or activations of QKeras'."""
    return any(_is_of_qkeras(layer) for layer in inner_layers(config))


def _is_of_qkeras(layer: Config) -> bool:
    module, kind = str(layer.get("module") or "qkeras"), str(layer.get("class_name"))
    if kind.startswith("Q") and kind not in SETTINGS and module.startswith("qkeras"):
        return True
    settings = layer.get("config")
    if not isinstance(settings, Mapping):
        return False
    activation, inner, inside = (settings.get(key) for key in ("activation", "layer", "layers"))
    if isinstance(activation, Mapping) and str(activation.get("module") or "").startswith("qkeras"):
        return True
    # What a wrapper holds: a layer, or a model.
    held = [inner, *(inside if isinstance(inside, list) else ())]
    return any(_is_of_qkeras(one) for one in held if isinstance(one, Mapping))


def _with_distributed(layer: Config, where: str) -> list[Config]:
    """Give a layer, and those on the steps of a sequence where it is a TimeDistributed of some."""
    if layer["class_name"] != "TimeDistributed":
        return [layer]
    return [layer, *distributed_layers(layer, where)]


def qkeras_model_of(config: Config, weights: Weights, *, where: str, made: Any = None) -> QKerasFile:
    """Read a QKeras model's configuration, and put its weights beside it.

    Raises
    ------
    ModelError
        ``MODEL-LAYER`` for a layer, a setting or a quantizer that has no exact meaning here, with its name; all of
        them in one message. ``MODEL-FILE`` for what is no model, ``MODEL-PORTS`` for inputs and outputs
        without a meaning.
    """
    model = config["config"]
    written = inner_layers(config)
    _refuse_all(written, where)
    row = config["class_name"] == "Sequential"
    ends = ((), ()) if row else ends_of_graph(model)
    shapes = input_shapes(written, model, ends[0], where)
    from siliconv.models.qkeras_files.taken_steps import taken_layers

    only = next(iter(shapes.values()))
    others = names_of_parts(written)
    names: dict[tuple[str, int], str] = {}
    layers: list[TakenLayer] = []
    found: Weights = {}
    sizes: dict[str, Shape] = {}
    for layer, number, reads in layers_in_a_row(written) if row else layers_of_graph(written, model, where):
        name = str(layer["config"]["name"])
        if layer["class_name"] == "InputLayer":
            names[name, 0] = input_layer(name_here(name, names.values())) if len(shapes) > 1 else INPUT
            sizes[names[name, 0]] = tuple(shapes.get(name, only))
            continue
        wanted = f"{name}_layer" if name in others else name
        here = name_here(wanted if number == 0 else f"{wanted}_use{number + 1}", [*sizes, *names.values(), INPUT])
        names[name, number] = here
        inputs = tuple(names[source] for source in reads) or (INPUT,)
        if not reads:
            sizes[INPUT] = tuple(only)
        call = Call(layer, tuple(sizes[one] for one in inputs), where, keras=2)
        become = taken_layers(
            call, here, inputs, weights.get(name, []), lambda one: dict(_used_settings(one, where)), sizes
        )
        for one, arrays, shape in become:
            layers.append(one)
            sizes[one.name] = shape
            if arrays:
                found[one.name] = arrays
    several = len(ends[1]) > 1
    outputs = tuple(names[use] for use in ends[1]) if several else ()
    # The function of a layer that is used inside as well is no ending.
    inside = len(ends[1]) == 1 and sum(name == ends[1][0][0] for name, _ in names) > 1
    ending, layers = (None, layers) if several or inside else _without_ending(layers)
    if not layers:
        raise ModelError(
            "MODEL-FILE",
            "no layer stands before the function that the model ends in" if ending else "the model has no layers",
            where=where,
            fix="save the whole model",
        )
    if len(shapes) == 1 and not several:
        taken = TakenModel(input_shape=tuple(only), layers=tuple(layers), ending=ending)
        return QKerasFile(taken, found, weights, _logits_config(config, ending), made)
    from siliconv.models.qkeras_files.taken_ports import in_rows

    given = {names[name, 0]: shape for name, shape in shapes.items()}
    taken = in_rows(given, layers, outputs, ending, where)
    ended = (name for (name, _), here in names.items() if here in taken.endings)
    linear = _linear_at(config, set(ended)) if several else _logits_config(config, ending)
    of_outputs = tuple(name in taken.endings for name in outputs) or (ending is not None,)
    ports = KerasPorts(tuple(shapes.items()), ends[1], of_outputs)
    return QKerasFile(taken, found, weights, linear, made, ports)


Ending = Literal["sigmoid", "softmax"] | None


def _without_ending(layers: list[TakenLayer]) -> tuple[Ending, list[TakenLayer]]:
    """Take the sigmoid or softmax at the end away; for logits to be compared it would only round."""
    if not layers:
        return None, layers
    *before, last = layers
    function = "softmax" if last.kind == "Softmax" else last.settings.get("activation")
    if function not in ("sigmoid", "softmax"):
        return None, layers
    ending = cast("Ending", function)
    if last.kind in _ENDINGS:
        return ending, before if before and last.inputs == (before[-1].name,) else []
    return ending, [*before, last.model_copy(update={"settings": {**last.settings, "activation": None}})]


_ENDINGS = ("Activation", "QActivation", "Softmax")


def _logits_config(config: Config, ending: Ending) -> Config:
    if ending is None:
        return config
    layers, model = inner_layers(config), config["config"]
    name = layers[-1]["config"]["name"]
    if isinstance(model, Mapping) and "output_layers" in model:
        (name,) = references(model["output_layers"])
    return _linear_at(config, {name})


def _linear_at(config: Config, names: Collection[str]) -> Config:
    """Give a configuration in which some layers end without their function."""
    layers, model = inner_layers(config), config["config"]
    without = [_linear(layer) if layer["config"]["name"] in names else layer for layer in layers]
    return {**config, "config": {**model, "layers": without} if isinstance(model, Mapping) else without}


def _linear(layer: Config) -> Config:
    if layer["class_name"] == "TimeDistributed":
        return {**layer, "config": {**layer["config"], "layer": _linear(layer["config"]["layer"])}}
    if isinstance(layer["config"].get("layers"), list):
        *before, last = layer["config"]["layers"]
        return {**layer, "config": {**layer["config"], "layers": [*before, _linear(last)]}}
    settings = {key: value for key, value in layer["config"].items() if key != "axis"}
    kind = "Activation" if layer["class_name"] in _ENDINGS else layer["class_name"]
    return {**layer, "class_name": kind, "config": {**settings, "activation": "linear"}}


def kept_settings(layer: Config) -> dict[str, Any]:
    """Give the settings of a layer that a prediction looks at, as they are written."""
    kind = layer["class_name"]
    return {
        key: {**value, "config": kept_settings(value)} if (kind, key) == ("TimeDistributed", "layer") else value
        for key, value in layer["config"].items()
        if key in ("name", "batch_input_shape") or not isinstance(qkeras_treatment(kind, key), Harmless)
    }


def _refuse_all(written: list[Config], where: str) -> None:
    errors = []
    for layer in written:
        try:
            for one in _with_distributed(layer, where):
                _check_class(one, where)
                _check_settings(one, where)
                list(_used_settings(one, where))
        except ModelError as error:
            errors.append(error)
    if len(errors) == 1:
        raise errors[0]
    if errors:
        fixes = dict.fromkeys(error.fix for error in errors)
        raise ModelError("MODEL-LAYER", "; ".join(one.what for one in errors), where=where, fix="; ".join(fixes))


def _check_class(layer: Config, where: str) -> None:
    kind = layer["class_name"]
    refuse_class(layer, where)
    refuse_among_quantized(layer, where)
    if kind in QKERAS_SETTINGS:
        module, registered = str(layer.get("module") or "qkeras"), layer.get("registered_name")
        foreign = module.split(".")[0] != "qkeras" or registered not in (None, kind, f"qkeras>{kind}")
    else:
        foreign = is_foreign(layer) or kind not in SETTINGS
    if foreign:
        known = ", ".join(sorted(QKERAS_SETTINGS))
        raise refused(layer, "the class is not known here", where, f"replace it by one of: {known}")


def _check_settings(layer: Config, where: str) -> None:
    kind, settings = layer["class_name"], layer["config"]
    for setting, value in settings.items():
        # Axes are judged when the model is lowered: only then the rank of a layer's input is known.
        why = refusal(qkeras_treatment(kind, setting), setting, value, None)
        if why is not None:
            raise refused(layer, why, where, "change that setting in QKeras and save the model again")
    for setting, found in {**EVERY_LAYER, **QKERAS_SETTINGS.get(kind, SETTINGS.get(kind, {}))}.items():
        if setting not in settings and isinstance(found, Used) and not found.optional and setting != "dtype":
            raise refused(layer, f"its setting {setting!r} is missing", where)


def _used_settings(layer: Config, where: str) -> Iterator[tuple[str, Any]]:
    """Yield what a layer is built with; a quantizer as its class and arguments."""
    kind = layer["class_name"]
    for setting, value in layer["config"].items():
        if setting in _OF_NO_LAYER or isinstance(qkeras_treatment(kind, setting), Harmless):
            continue
        try:
            if setting in (*QUANTIZERS, *NORMALIZATION_QUANTIZERS):
                found = read_quantizer(value)
                value = found.as_json() if found is not None else None
            elif setting == "activation":
                value = _activation(value, by_qkeras=kind in QKERAS_SETTINGS)
        except UnreadableError as error:
            raise refused(layer, f"{setting}: {error}", where, "use a quantizer that docs/models.md lists") from error
        yield setting, value


def _activation(value: Any, *, by_qkeras: bool) -> Any:
    """Give the name of a function of Keras', or a quantizer as its class and arguments; who reads a text decides."""
    if value is None or value == "linear":
        return None
    name = value.get("config") if isinstance(value, Mapping) else value
    if name == KERAS_HARD_SIGMOID or (not by_qkeras and name == "hard_sigmoid"):
        return KERAS_HARD_SIGMOID
    if is_keras_activation(value):
        if isinstance(value, Mapping) and is_foreign({**value, "registered_name": None, "module": _keras(value)}):
            raise UnreadableError(f"the activation {value.get('config')!r} is not one of Keras' functions")
        name = str(value["config"] if isinstance(value, Mapping) else value)
        return None if name == "linear" else name
    found = read_quantizer(value)
    return found.as_json() if found is not None else None


def _keras(value: Mapping[str, Any]) -> Any:
    return None if value.get("module") == "builtins" else value.get("module")
