"""What a search by trial chooses between: a width for the input, for each kernel and for each activation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from siliconv.models.architectures.standardization import STANDARDIZE
from siliconv.models.data.augmentation import AugmentConfig
from siliconv.models.data.input_choice import InputChoice
from siliconv.models.data.number_type import NumberType
from siliconv.project.project import ProjectConfig
from siliconv.quantize.qkeras.fractions import sources
from siliconv.quantize.training.calibration import WEIGHT_LAYERS
from siliconv.search.recipe_of_bits import fine_tuning, input_changes, other_exceptions, teaching

Width = int | str
Proposal = dict[str, Width]
"""A width for each tensor of a space, by its name."""

WEIGHTS: tuple[Width, ...] = ("binary", "ternary", 3, 4, 5, 6, 7, 8)
ACTIVATIONS: tuple[Width, ...] = (2, 3, 4, 5, 6, 7, 8)


@dataclass(frozen=True)
class SearchedTensor:
    """A tensor whose width is chosen.

    Parameters
    ----------
    layer
        The layer that it belongs to; nothing for the input.
    part
        What of the layer it is.
    widths
        What may be chosen, the narrowest first.
    """

    layer: str
    part: Literal["input", "weights", "activations"]
    widths: tuple[Width, ...]

    @property
    def name(self) -> str:
        """Its name in a proposal."""
        return f"{self.layer}.{self.part}" if self.layer else self.part


def space_of(model: Any, project: ProjectConfig, given: InputChoice) -> tuple[SearchedTensor, ...]:
    """Give the tensors whose widths are searched, the input first.

    Parameters
    ----------
    model
        The deployed float model.
    project
        Pixels that training augments keep their bits.
    given
        The input as it is.
    """
    from siliconv.models.architectures.own_keras_layers import function_of

    found = []
    if not keeps_input(project):
        fewest = 1 + given.type.signed
        found.append(SearchedTensor("", "input", tuple(range(fewest, given.type.bits + 1))))
    for layer in model.layers:
        if type(layer).__name__ not in WEIGHT_LAYERS or layer.name == STANDARDIZE:
            continue
        found.append(SearchedTensor(layer.name, "weights", WEIGHTS))
        behind = [node.outbound_layer for node in layer.outbound_nodes]
        if any(function_of(one) not in (None, "softmax") and sources(one)[0] is layer for one in behind):
            found.append(SearchedTensor(layer.name, "activations", ACTIVATIONS))
    return tuple(found)


def keeps_input(project: ProjectConfig) -> bool:
    """Whether the input keeps its bits: augmentation changes 8-bit pixels, in the float training or in fine-tuning."""
    trainings = [one for one in (project.train, project.quantize.train) if one is not None]
    return any(one.augmentation != AugmentConfig() for one in trainings)


def widest(space: tuple[SearchedTensor, ...]) -> Proposal:
    """Give the proposal with all the bits that there are."""
    return {one.name: one.widths[-1] for one in space}


def narrower_by(space: tuple[SearchedTensor, ...], one: Proposal) -> int:
    """Count how many steps narrower than the widest a proposal is, over all tensors."""
    return sum(len(tensor.widths) - 1 - tensor.widths.index(one[tensor.name]) for tensor in space)


def changes_of_proposal(
    space: tuple[SearchedTensor, ...],
    one: Proposal,
    project: ProjectConfig,
    given: InputChoice,
    training: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """Give the fields of the project file that make its recipe that of a proposal.

    Parameters
    ----------
    space
        What is chosen.
    one
        The widths.
    project
        What is not chosen keeps its settings.
    given
        The input as it is.
    training
        What a candidate's fine-tuning has of its own, such as epochs; None for rounding alone.
    """
    layers = other_exceptions(project)
    of_layers: dict[str, dict[str, Any]] = {}
    for tensor in space:
        if tensor.layer:
            said = of_layers.setdefault(tensor.layer, dict(layers.pop(tensor.layer, {})))
            said[tensor.part] = one[tensor.name]
    changes = input_changes(input_type(one, given), given)
    changes["quantize.layers"] = {**layers, **of_layers}
    changes["quantize.train"] = {**fine_tuning(project), **training} if training is not None else None
    return changes if training is None else {**changes, **teaching(project)}


def input_type(one: Proposal, given: InputChoice) -> NumberType:
    """Give the type of the input in a proposal: fewer bits leave out the last places."""
    bits = one.get("input", given.type.bits)
    assert isinstance(bits, int)  # no levels are offered
    return NumberType(given.type.signed, bits, given.type.integer)
