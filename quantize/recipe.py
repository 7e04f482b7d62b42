"""The recipe: how many bits each tensor gets, and how the quantized network is fine-tuned."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from siliconv.models.train_config import TrainConfig

Bits = Annotated[int, Field(ge=2, le=16)]


class LayerBits(BaseModel):
    """Bits for the layers that a pattern names; what is left out keeps the recipe's own number."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    weights: Bits | None = Field(None, description="bits of each weight, the sign included")
    biases: Bits | None = Field(None, description="bits of each bias, the sign included")
    activations: Bits | None = Field(None, description="bits of the activation behind the layer")


class Recipe(BaseModel):
    """Bits by kind of tensor, exceptions by layer, calibration and fine-tuning."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    weights: Bits = Field(6, description="bits of each weight, the sign included")
    biases: Bits = Field(8, description="bits of each bias, the sign included")
    activations: Bits = Field(6, description="bits of each activation")
    layers: dict[str, LayerBits] = Field(
        default_factory=dict, description="exceptions by layer name or pattern, such as conv2d_*; the last match wins"
    )
    calibration_images: Annotated[int, Field(ge=1, le=100_000)] = Field(
        256, description="training images that the ranges of the activations are measured on"
    )
    train: TrainConfig | None = Field(
        default_factory=lambda: TrainConfig(epochs=10, learning_rate=2e-4),
        description="fine-tuning; null rounds the float weights and leaves it at that",
    )

    def bits(self, layer: str) -> LayerBits:
        """Give the bits of one layer, every field set."""
        chosen = LayerBits(weights=self.weights, biases=self.biases, activations=self.activations)
        for pattern, exception in self.layers.items():
            if fnmatchcase(layer, pattern):
                chosen = chosen.model_copy(update=exception.model_dump(exclude_none=True))
        return chosen
