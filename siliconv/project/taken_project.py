"""A project whose network is a trained QKeras model: what may stand in its file besides, and what may not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from siliconv.errors import ModelError
from siliconv.project.project import ProjectConfig
from siliconv.quantize.recipe import Recipe, Unquantized

if TYPE_CHECKING:
    from siliconv.models.qkeras_files.qkeras_reading import QKerasFile


def taken(project: ProjectConfig) -> QKerasFile | None:
    """Give the trained QKeras model that a project takes as it is; None where its network is a float one.

    Raises
    ------
    ModelError
        ``MODEL-QUANTIZED`` where the project file asks for something else beside it.
    """
    found = project.model.qkeras
    said = project.quantize.model_fields_set
    if found is None:
        if project.quantize.unquantized is not None and project.model.fold is None:
            raise _refused(
                "the network is no QKeras model, so that every layer of it is quantized by the recipe",
                "quantize.unquantized",
                "say weights, biases and activations in its place",
            )
        return None
    if "train" in project.model_fields_set and project.train is not None:
        raise _refused(
            "a trained QKeras model is taken as it is, and train: would train it",
            "train",
            "take train: out; to fold and fine-tune it: model: {fold: fine_tune}",
        )
    if project.data.standardize:
        raise _refused(
            "a standardization in front of a QKeras model would be a layer without a quantizer",
            "data.standardize",
            "standardize the data as the training did, and take standardize: out",
        )
    others = sorted(said - {"unquantized", "simplify"})
    if others:
        raise _refused(
            f"the quantizers of a QKeras model are its recipe, and {', '.join(others)} would be another",
            f"quantize.{others[0]}",
            "leave quantize: out; what has no quantizer may get bits: quantize: {unquantized: {weights: 8}}",
        )
    return found


def as_taken(project: ProjectConfig) -> ProjectConfig:
    """Give the project as its pre-flight rules see it: a model that is taken is neither trained nor fine-tuned."""
    if taken(project) is None:
        return project
    return project.model_copy(update={"train": None, "quantize": Recipe(train=None)})


def unquantized(project: ProjectConfig) -> Unquantized:
    """Give the bits for what has no quantizer."""
    return project.quantize.unquantized or Unquantized()


def _refused(what: str, where: str, fix: str) -> ModelError:
    return ModelError("MODEL-QUANTIZED", what, where=where, fix=fix)
