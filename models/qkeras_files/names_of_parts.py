"""Layers that are called as a part of another layer: a layer that becomes several nodes names each behind its own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from siliconv.models.architectures.keras_graph import Config

_ACTIVATION = ("input", "positive", "negative", "high", "low", "threshold", "relu", "rising", "slope", "below", "room")
_SCALED = ("input", "step", "scaled")
_AVERAGE = ("sum", "average")
_PARTS = {
    **dict.fromkeys(("Activation", "QActivation", "ReLU", "LeakyReLU", "Softmax"), _ACTIVATION),
    **dict.fromkeys(("BatchNormalization", "QBatchNormalization", "Rescaling", "Average"), _SCALED),
    **dict.fromkeys(("QAveragePooling2D", "QGlobalAveragePooling2D"), _AVERAGE),
}
_OWN_ACTIVATION = ("activation", "sigmoid", "tanh", "hard_sigmoid", "softmax")
_NUMBERED = re.compile(r"(?P<whole>.+)_(part|place)[0-9]+")


def names_of_parts(layers: Iterable[Config]) -> frozenset[str]:
    """Give the names of layers that a part of another layer of the model may have as well."""
    written = {str(layer["config"]["name"]): layer for layer in layers}
    found = {"network_input"} & written.keys()
    for name, layer in written.items():
        found |= written.keys() & {f"{name}_{part}" for part in _parts(layer)}
        numbered = _NUMBERED.fullmatch(name)
        if numbered is not None and numbered["whole"] in written:
            found.add(name)
    return frozenset(found)


def _parts(layer: Config) -> Iterator[str]:
    kind = str(layer["class_name"])
    yield from _PARTS.get(kind, ())
    if kind not in _PARTS and layer["config"].get("activation") not in (None, "linear"):
        yield from _OWN_ACTIVATION
    if "Separable" in kind or "Depthwise" in kind:
        yield from ("repeated", "depthwise")
