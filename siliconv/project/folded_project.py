"""A project whose QKeras model is folded and quantized again: with the bits of the quantizers that the model had."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from siliconv.quantize.recipe import LayerBits

if TYPE_CHECKING:
    from siliconv.models.architectures.user_model import WrittenModel
    from siliconv.project.project import ProjectConfig


def without_quantizers(written: WrittenModel) -> WrittenModel:
    """Give the float model of a QKeras model: the same layers and weights, and no quantizers.

    Raises
    ------
    ModelError
        ``MODEL-LAYER`` for a layer or an activation that has no float counterpart.
    """
    from siliconv.models.architectures.user_model import understanding
    from siliconv.models.qkeras_files.without_quantizers import float_config

    with understanding(written.source):
        return replace(written, config=float_config(written.config, written.source))


def write_float_model(written: WrittenModel, folder: Path) -> tuple[Path, Path]:
    """Write the float model as a configuration and a file of weights, which Keras itself can load."""
    import h5py

    config, weights = folder / "float.json", folder / "float.h5"
    config.write_text(json.dumps(without_quantizers(written).config), encoding="utf-8")
    with h5py.File(weights, "w") as file:
        file.attrs["layer_names"] = list(written.weights)
        for name, arrays in written.weights.items():
            group = file.create_group(name)
            group.attrs["weight_names"] = [f"weight_{number}" for number in range(len(arrays))]
            for number, values in enumerate(arrays):
                group.create_dataset(f"weight_{number}", data=values)
    return config, weights


def folded(project: ProjectConfig) -> ProjectConfig:
    """Give the project with the bits of its model's own quantizers, where the project file says no others.

    Raises
    ------
    ModelError
        ``MODEL-...`` for a model that cannot be read without its quantizers.
    """
    from siliconv.models.architectures.user_model import understanding
    from siliconv.models.qkeras_files.without_quantizers import own_bits

    written = project.model.written
    with understanding(written.source):
        found = own_bits(written.config)
    names = {there: here for here, there in project.model.user_model.keras_names.items()}
    layers = {names[name]: LayerBits(**bits) for name, bits in found.items() if name in names}
    recipe = project.quantize.model_copy(update={"layers": {**layers, **project.quantize.layers}})
    return project.model_copy(update={"quantize": recipe})
