"""Layers of Keras in a QKeras model that are others here: what moves elements, what does nothing, steps of a sequence.

QKeras' own layers, and all that has weights, stay what they are.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from siliconv.models.architectures import keras_frames as frames
from siliconv.models.architectures import layers as kinds
from siliconv.models.architectures.keras_config import name_here
from siliconv.models.architectures.keras_describe import steps_of
from siliconv.models.architectures.keras_graph import Config
from siliconv.models.architectures.keras_settings import IDENTITIES
from siliconv.models.architectures.keras_steps import Arrays, Call, LayerStep, as_they_are
from siliconv.models.architectures.shapes import Shape, moves_of
from siliconv.models.qkeras_files.qkeras_reading import TakenLayer
from siliconv.models.qkeras_files.taken_shapes import shape_of_layer

SettingsOf = Callable[[Config], Mapping[str, Any]]

_MOVES = (
    *("Cropping1D", "Cropping2D", "CenterCrop", "RandomCrop", "Resizing", "UpSampling1D", "UpSampling2D"),
    *("Permute", "RepeatVector"),
)
_MERGES = ("Add", "Subtract", "Multiply", "Maximum", "Minimum", "Average")


def taken_layers(
    call: Call, name: str, inputs: Sequence[str], arrays: Arrays, settings_of: SettingsOf, names: Container[str]
) -> Iterator[tuple[TakenLayer, Arrays, Shape]]:
    """Yield the layers that one use of a layer becomes, with their weights and the shapes that they give.

    Parameters
    ----------
    call
        The use: configuration and shapes of what it reads.
    name
        Of the last layer.
    inputs
        Names of the layers that it reads.
    arrays
        Its weights.
    settings_of
        What a layer's configuration says, quantizers read.
    names
        Names that are taken.

    Raises
    ------
    ModelError
        ``MODEL-LAYER`` or ``MODEL-SHAPE`` for what has no equal here.
    """
    found: list[str] = []
    shapes: list[Shape] = []
    steps = _steps(call, settings_of)
    for step in steps:
        at = step.reads if step.reads is not None else (len(found) - 1,) if found else _all(inputs)
        sources = [found[one] if one >= 0 else inputs[-1 - one] for one in at]
        given = [shapes[one] if one >= 0 else call.shapes[-1 - one] for one in at]
        own = name if step is steps[-1] else name_here(f"{name}_{step.suffix}", names)
        layer = _taken(step, own, sources, given)
        found.append(own)
        shapes.append(shape_of_layer(layer, given))
        yield layer, list(step.weights(arrays)) if step.weights is not None else [], shapes[-1]


def _all(inputs: Sequence[str]) -> tuple[int, ...]:
    return tuple(-1 - number for number in range(len(inputs)))


def _steps(call: Call, settings_of: SettingsOf) -> Sequence[LayerStep]:
    kind = call.layer["class_name"]
    if kind == "TimeDistributed":
        inner = frames.inner_layers(call.layer, call.where)
        return frames.distributed(call, inner, lambda one: _steps(one, settings_of), _shape_of_step)
    # Sums and the like repeat the smaller of their inputs; an average is a sum and a factor.
    if kind in (*_MOVES, *_MERGES) or kind in IDENTITIES:
        return steps_of(call)
    settings = settings_of(call.layer)
    if settings.get("padding") == "causal":
        before = {"kind": "ZeroPadding1D", "padding": [int(np.ravel(settings["kernel_size"])[0]) - 1, 0]}
        whole = {"kind": kind, **settings, "padding": "valid"}
        return [LayerStep(before, "causal"), LayerStep(whole, weights=as_they_are)]
    return [LayerStep({"kind": kind, **settings}, weights=as_they_are)]


def _shape_of_step(step: LayerStep, sources: list[Shape]) -> Shape:
    return shape_of_layer(_taken(step, "step", [], sources), sources)


def _taken(step: LayerStep, name: str, inputs: Sequence[str], sources: Sequence[Shape]) -> TakenLayer:
    """Give a step as a layer of Keras', or of ours that moves elements."""
    kind, settings = step.described["kind"], {key: one for key, one in step.described.items() if key != "kind"}
    if kind == "rearrange":
        moves = moves_of(kinds.Rearrange(**step.described), name, sources[0])
        kind, settings = "RearrangedElements", {key: list(one) for key, one in moves._asdict().items()}
    elif kind == "reshape":
        kind, settings = "Reshape", {"target_shape": list(settings["shape"])}
    elif kind == "concatenate":
        # Keras counts axes with the batch.
        kind, settings = "Concatenate", {"axis": settings["axis"] + (settings["axis"] >= 0)}
    elif kind == "batch_normalization":
        kind = "BatchNormalization"
    elif kind.islower():
        kind = kind.capitalize()
    return TakenLayer(name=name, kind=kind, settings=settings, inputs=tuple(inputs))
