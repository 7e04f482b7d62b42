"""The recipe, as fields of a project file, that says the bits which a search found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from siliconv.models.architectures.standardization import STANDARDIZE
from siliconv.models.data.input_choice import InputChoice
from siliconv.models.data.number_type import NumberType
from siliconv.models.training.train_config import TrainConfig
from siliconv.network.fixed_point import FixedPoint
from siliconv.project.project import ProjectConfig
from siliconv.quantize.qkeras.fractions import sources
from siliconv.quantize.qkeras.quantization import Quantization, parse_quantization
from siliconv.quantize.qkeras.weight_levels import WeightLevels
from siliconv.search.gradient_search import FrontPoint, taught

EPOCHS, LEARNING_RATE = 20, 1e-4
"""Of the fine-tuning with fixed bits, from weights that were trained with nearly the same."""


def changes_of(point: FrontPoint, layers: Sequence[Any], project: ProjectConfig, given: InputChoice) -> dict[str, Any]:
    """Give the fields that make a project's recipe that of a point of a front.

    Parameters
    ----------
    point
        What was found.
    layers
        The layers of the float model that have weights.
    project
        The project; what the search does not know keeps its settings.
    given
        The input that was searched on.
    """
    types = {name: parse_quantization(text) for name, text in point.types.items()}
    kept = other_exceptions(project)
    bits: dict[str, dict[str, Any]] = {}
    for layer in layers:
        if layer.name == STANDARDIZE:
            continue
        bits[layer.name] = {**kept.pop(layer.name, {}), "weights": weight_setting(types[f"{layer.name}.kernel"])}
        behind = [node.outbound_layer for node in layer.outbound_nodes]
        activation = next((types[one.name] for one in behind if one.name in types and sources(one)[0] is layer), None)
        if isinstance(activation, FixedPoint):
            bits[layer.name]["activations"] = activation.width
    return {
        **input_changes(point.input, given),
        "quantize.layers": {**kept, **bits},
        **teaching(project),
        "quantize.train": fine_tuning(project),
    }


def other_exceptions(project: ProjectConfig) -> dict[str, dict[str, Any]]:
    """Give what the recipe's exceptions say by pattern of all that no search chooses; none that say nothing else."""
    searched = {"weights", "activations", "sparsity"}
    found = {
        pattern: exception.model_dump(mode="json", exclude_none=True, exclude=searched)
        for pattern, exception in project.quantize.layers.items()
    }
    return {pattern: said for pattern, said in found.items() if said}


def weight_setting(kind: Quantization) -> int | str:
    """Give what a recipe says for the type of a kernel."""
    if isinstance(kind, WeightLevels):
        return kind.kind
    assert isinstance(kind, FixedPoint)  # kernels have no other
    return kind.width


def input_changes(found: NumberType, given: InputChoice) -> dict[str, Any]:
    """Give the fields that make the input of a type; none where it has that type already."""
    if found == given.type:
        return {}
    if given.is_pixels:
        return {"data.pixel_bits": found.bits}
    return {"data.input": {"bits": found.bits, "integer": found.integer, "signed": found.signed}}


def teaching(project: ProjectConfig) -> dict[str, Any]:
    """Give the fields by which the float network teaches a candidate: as the project says, or as it does by default."""
    return {"quantize.distillation": taught(project.quantize).model_dump(mode="json")}


def fine_tuning(project: ProjectConfig) -> Mapping[str, Any]:
    """Give the fine-tuning of a candidate: as the project trains, shorter, and judged by the loss on validation."""
    base = project.quantize.train or project.train or TrainConfig()
    written = base.model_dump(mode="json", exclude_defaults=True)
    chosen = {"epochs": EPOCHS, "learning_rate": LEARNING_RATE, "monitor": "loss"}
    dropped = {"schedule", "warmup_epochs", "patience", "optimizer", "keep", "seed"}
    return {**{name: value for name, value in written.items() if name not in dropped}, **chosen}
