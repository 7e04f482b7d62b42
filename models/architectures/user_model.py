"""The user's own model: a Keras file, or a function of theirs, as an architecture with weights."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from siliconv.bounded_reading import in_words
from siliconv.errors import DAMAGE, ModelError
from siliconv.legacy_keras import load
from siliconv.models.architectures import layers as kinds
from siliconv.models.architectures.architecture import Architecture, named_layers, output_activation
from siliconv.models.architectures.input_scale import InputScaleError, with_input_scale
from siliconv.models.architectures.keras_config import KerasPorts, ReadModel, architecture_of
from siliconv.models.architectures.keras_file import Weights, read_keras_file
from siliconv.models.architectures.keras_model import Output, build_model
from siliconv.models.architectures.keras_prediction import written_version
from siliconv.models.architectures.model_source import importable, is_function
from siliconv.models.architectures.nested_models import flat_model
from siliconv.models.architectures.shapes import layer_table
from siliconv.models.architectures.standardization import with_kept_normalization


@dataclass(frozen=True, eq=False)
class UserModel:
    """A network as described by its owner; `weights` is empty where only the architecture was given.

    `keras_names` has the name of each layer in the file; `takes_pixels` says whether the model as it was written takes
    pixels of 0 to 255, because it rescales them itself.
    """

    architecture: Architecture
    weights: Weights
    keras_names: Mapping[str, str] = field(default_factory=dict)
    takes_pixels: bool = False
    keras_model: Any = None
    """The model itself, where a function made it."""
    weights_file: Path | None = None
    """The file of weights beside a configuration."""
    ports: KerasPorts | None = None
    """Inputs and outputs in Keras, of a model that has several."""

    @property
    def output_as_written(self) -> Output:
        """What the network ends in."""
        several = bool(self.architecture.outputs)
        return "logits" if not several and output_activation(self.architecture) is None else "probabilities"

    def build(self, *, output: Output = "logits") -> Any:
        """Return the tf_keras model with these weights.

        Raises
        ------
        ModelError
            ``MODEL-FILE`` for weights that do not fit their layers.
        """
        model = build_model(self.architecture, output=output)
        if self.weights:
            set_weights(model, self.weights)
        return model


@dataclass(frozen=True, eq=False)
class WrittenModel:
    """A model as its owner gives it: configuration and weights as they are written, or an `Architecture`.

    ``made`` is the model itself, where a function made it; ``keras`` the major version of the Keras that wrote it.
    """

    source: str
    config: Any
    weights: Weights
    made: Any = None
    architecture: Architecture | None = None
    keras: int = 2
    weights_file: Path | None = None


def load_user_model(source: str, *, folder: Path, weights: str | None = None) -> UserModel:
    """Read ``my_model.keras``, ``my_model.h5``, ``my_model.json`` with its weights, or ``module:function``.

    A file is read as data: Lambda layers and unknown classes are refused by name, and no code in it is run.
    A function is the user's own code, named by the user; it may return an `Architecture` or a Keras 2 or 3
    model.

    Parameters
    ----------
    source
        The file, or module and function with a colon between them.
    folder
        Where a relative file, or the module, is looked for: the project's folder.
    weights
        The file of weights beside a ``.json``.

    Raises
    ------
    ModelError
        ``MODEL-FILE``, ``MODEL-LAYER``, ``MODEL-FUNCTION``, or ``MODEL-SHAPE`` for what comes out empty.
    """
    return user_model_of(read_written_model(source, folder=folder, weights=weights))


def read_written_model(source: str, *, folder: Path, weights: str | None = None) -> WrittenModel:
    """Read what a user's model says of itself, before it is understood; for the rest see `load_user_model`."""
    if not is_function(source):
        beside = folder / weights if weights is not None else None
        config, arrays = read_keras_file(folder / source, beside)
        keras = _major(written_version(folder / source))
        return WrittenModel(source, config, arrays, keras=keras, weights_file=beside)
    # A model made with `tf.keras` must be one of Keras 2: TensorFlow has to be imported here first. Layers are
    # numbered from one again, so that the same function gives the same names each time.
    load().backend.reset_uids()
    made = _call(source, folder)
    if isinstance(made, Architecture):
        return WrittenModel(source, {}, {}, architecture=made)
    named = {
        layer.name: [
            (getattr(one, "path", one.name), np.asarray(value))
            for one, value in zip(layer.weights, layer.get_weights(), strict=True)
        ]
        for layer in made.layers
    }
    config, arrays = flat_model(json.loads(made.to_json()), named, where=source)
    return WrittenModel(source, config, arrays, made, keras=3 if type(made).__module__.split(".")[0] == "keras" else 2)


def _major(version: str) -> int:
    return max(int(version.partition(".")[0] or 2), 2)


def user_model_of(written: WrittenModel) -> UserModel:
    """Understand a float model; for the rest see `load_user_model`."""
    if written.architecture is not None:
        return UserModel(written.architecture, {})
    with understanding(written.source):
        return replace(_understood(written), weights_file=written.weights_file)


@contextmanager
def understanding(source: str) -> Iterator[None]:
    """Say of whatever a damaged configuration raises that the model cannot be understood: ``MODEL-FILE``."""
    try:
        yield
    except DAMAGE as error:
        raise ModelError(
            "MODEL-FILE",
            f"the model cannot be understood: {in_words(error)}",
            where=source,
            fix="save the whole model with model.save('model.keras')",
        ) from error


def _understood(written: WrittenModel) -> UserModel:
    """Give the architecture that a configuration describes, with the weights in its order and form."""
    config, weights, source, keras = written.config, written.weights, written.source, written.keras
    try:
        read = architecture_of(config, where=source, keras=keras)
        scaled = with_input_scale(read.architecture, _taken(read, weights), read.rescaling, pixels=read.rescales)
    except InputScaleError:
        # Something between the factor and the first weights is not proportional: it stays a layer of its own.
        read = architecture_of(config, where=source, keras=keras, apart=True)
        scaled = with_input_scale(read.architecture, _taken(read, weights), {}, pixels=read.rescales)
    layer_table(read.architecture)
    architecture = with_kept_normalization(read.architecture, scaled)
    built = _as_built(architecture, scaled)
    return UserModel(architecture, built, read.names, read.rescales, written.made, ports=read.ports)


def _taken(read: ReadModel, weights: Weights) -> Weights:
    """Give each layer the weights that it takes of those of the file; nothing where the file has none at all."""
    if not weights and not any(layer.kind == "batch_normalization" for layer in read.architecture.layers):
        return {}
    found = {name: taken.weights(weights.get(taken.layer, [])) for name, taken in read.taken.items()}
    return {name: values for name, values in found.items() if values}


def set_weights(model: Any, weights: Weights) -> None:
    """Give a model of `build_model` the weights of a user's model, by layer name.

    Raises
    ------
    ModelError
        ``MODEL-FILE`` where they do not fit.
    """
    for layer in (layer for layer in model.layers if layer.weights):
        wanted = [tuple(weight.shape) for weight in layer.weights]
        has = [values.shape for values in weights.get(layer.name, [])]
        if wanted != has:
            raise ModelError(
                "MODEL-FILE",
                f"layer {layer.name!r} has weights of shapes {has}, and needs {wanted}",
                where="model.file",
                fix="save the model again with model.save('model.keras')",
            )
        layer.set_weights(weights.get(layer.name, []))


def _call(source: str, folder: Path) -> Any:
    module, _, name = source.partition(":")
    try:
        with importable(folder):
            function = getattr(importlib.import_module(module), name)
            found = function()
    except (Exception, SystemExit) as error:
        # It is the user's code: whatever it raises is what went wrong. An exit would end this program in silence.
        raise ModelError(
            "MODEL-FUNCTION",
            f"{source} fails: {type(error).__name__}: {error}",
            where="model.file",
            fix=f"the function must be in {folder} or installed, take no argument and return a Keras model",
        ) from error
    if not isinstance(found, Architecture) and not hasattr(found, "to_json"):
        raise ModelError(
            "MODEL-FUNCTION",
            f"{source} returns {type(found).__name__}",
            where="model.file",
            fix="return a Keras model (Sequential or functional) or a siliconv Architecture",
        )
    return found


def _as_built(architecture: Architecture, weights: Weights) -> Weights:
    """Share the weights among the layers of `build_model`: separable convolutions are two there."""
    built: Weights = {}
    for name, layer, _ in named_layers(architecture):
        values = weights.get(name, [])
        if isinstance(layer, kinds.SeparableConv2D | kinds.SeparableConv1D) and values:
            built[f"{name}_depthwise"], built[name] = values[:1], values[1:]
        elif values:
            built[name] = values
    return built
