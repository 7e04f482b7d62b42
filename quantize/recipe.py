"""The recipe: how many bits each tensor gets, and how the quantized network is fine-tuned."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, Field, PlainValidator, WithJsonSchema, model_validator

from siliconv.bounded_reading import SECTION, BoundedPath
from siliconv.models.architectures.standardization import STANDARDIZE
from siliconv.models.training.train_config import TrainConfig

FEWEST, MOST = 2, 16
Bits = Annotated[int, Field(ge=FEWEST, le=MOST)]
LevelKind = Literal["binary", "ternary", "po2"]


def _bits_or_levels(value: object) -> object:
    # As a union of types, pydantic would tell of two mistakes where there is one.
    if value in get_args(LevelKind) or (type(value) is int and FEWEST <= value <= MOST):
        return value
    raise ValueError(f"use {FEWEST} to {MOST} bits, or one of {', '.join(get_args(LevelKind))}")


_SCHEMA = {"anyOf": [{"type": "integer", "minimum": FEWEST, "maximum": MOST}, {"enum": list(get_args(LevelKind))}]}
WeightBits = Annotated[int | LevelKind, PlainValidator(_bits_or_levels), WithJsonSchema(_SCHEMA)]
Sparsity = Annotated[float, Field(ge=0.0, lt=1.0)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]


class LayerBits(BaseModel):
    """Bits for the layers that a pattern names; what is left out keeps the recipe's own number."""

    model_config = SECTION

    weights: WeightBits | None = Field(None, description="bits of each weight, or binary, ternary, po2")
    biases: Bits | None = Field(None, description="bits of each bias, the sign included")
    activations: Bits | None = Field(None, description="bits of the activation behind the layer")
    relu_bound: Annotated[float, Field(gt=0.0, le=65536.0)] | None = Field(
        None, description="upper bound of the ReLU behind the layer, such as 6; without it the type is the bound"
    )
    functions: Literal["table", "hard"] | None = Field(
        None, description="tanh and sigmoid: exact table, or QKeras' hard"
    )
    sparsity: Sparsity | None = Field(None, description="share of zero weights that pruning leaves; 0 prunes nothing")


class Pruning(BaseModel):
    """Which weights become zero, and when; the smallest of a layer first."""

    model_config = SECTION

    sparsity: Sparsity = Field(0.5, description="share of each kernel's weights that end as zero")
    pattern: Literal["free", "2:4"] = Field(
        "free", description="free: anywhere; 2:4: two of any four neighbouring input channels, whatever the sparsity"
    )
    schedule: Literal["polynomial", "constant"] = Field(
        "polynomial", description="polynomial: rising from begin to end; constant: at once, at begin"
    )
    initial_sparsity: Sparsity = Field(0.0, description="where the polynomial starts")
    power: Annotated[float, Field(gt=0.0, le=10.0)] = Field(3.0, description="of the polynomial; 3 rises fast first")
    begin: Share = Field(0.0, description="share of the epochs after which pruning begins")
    end: Share = Field(0.5, description="share of the epochs after which the polynomial is at its full sparsity")
    every: Annotated[int, Field(ge=1, le=2**31 - 1)] = Field(
        20, description="steps between two choices of what is zero"
    )
    before: TrainConfig | None = Field(
        None, description="training that prunes the float network before it is quantized; null prunes in fine-tuning"
    )

    @model_validator(mode="after")
    def _in_order(self) -> Pruning:
        if self.begin > self.end:
            raise ValueError("pruning would end before it begins")
        return self


class Distillation(BaseModel):
    """Learning from the float network's outputs too, not from the labels alone."""

    model_config = SECTION

    weight: Annotated[float, Field(gt=0.0, le=1.0)] = Field(
        0.5, description="share of the loss that compares with the float network; the labels have the rest"
    )
    temperature: Annotated[float, Field(gt=0.0, le=100.0)] = Field(
        2.0, description="both networks' logits are divided by it before they are compared"
    )


class Unquantized(BaseModel):
    """Bits for what a QKeras model has no quantizer of its own for."""

    model_config = SECTION

    weights: Bits = Field(16, description="bits of each weight and bias without a quantizer, the sign included")
    activations: Bits = Field(16, description="bits of a tanh or sigmoid without a quantizer, inside the network")


class Recipe(BaseModel):
    """Bits by kind of tensor, exceptions by layer, calibration and fine-tuning."""

    model_config = SECTION

    weights: WeightBits = Field(
        6, description="bits of each weight, the sign included; or binary, ternary, po2 (powers of two)"
    )
    biases: Bits = Field(8, description="bits of each bias, the sign included")
    activations: Bits = Field(6, description="bits of each activation")
    relu_bound: Annotated[float, Field(gt=0.0, le=65536.0)] | None = Field(
        None, description="upper bound of every ReLU, such as 6; without it the type of the activation is the bound"
    )
    functions: Literal["table", "hard"] = Field(
        "table",
        description="tanh and sigmoid inside the network: table, within half a last place of the function; or"
        " hard, QKeras' straight lines",
    )
    layers: dict[str, LayerBits] = Field(
        default_factory=dict, description="exceptions by layer name or pattern, such as conv2d_*; the last match wins"
    )
    calibration_images: Annotated[int, Field(ge=1, le=100_000)] = Field(
        256, description="training images that the ranges of the activations are measured on"
    )
    calibration: Literal["least_error", "percentile"] = Field(
        "least_error",
        description="how integer bits are chosen: least_error (mean square over all values) or percentile (holds it)",
    )
    percentile: Annotated[float, Field(gt=50.0, le=100.0)] = Field(
        99.9, description="share of the values, in percent, that calibration by percentile keeps from saturating"
    )
    train: TrainConfig | None = Field(
        default_factory=lambda: TrainConfig(epochs=10, learning_rate=2e-4),
        description="fine-tuning; null rounds the float weights and leaves it at that",
    )
    start: BoundedPath | None = Field(
        None,
        description="a file of weights and types beside the project file, such as siliconv search writes: fine-tuning"
        " starts from them, not from the float network's",
    )
    pruning: Pruning | None = Field(None, description="zero weights, such as {sparsity: 0.5}; null prunes nothing")
    unquantized: Unquantized | None = Field(
        None,
        description="beside a QKeras model alone: bits for what has no quantizer in it, such as {weights: 8}; what few"
        " bits hold exactly is taken exactly",
    )
    simplify: bool = Field(
        False,
        description="take out of the integer network what changes no bit of its output: constant and unread channels,"
        " bits that are always zero",
    )
    distillation: Distillation | None = Field(
        None, description="fine-tuning towards the float network's outputs, such as {weight: 0.5, temperature: 2}"
    )

    @model_validator(mode="after")
    def _trains_on_logits(self) -> Recipe:
        for config in (self.train, self.pruning.before if self.pruning else None):
            if config is not None and not config.from_logits:
                raise ValueError("the quantized network gives logits; leave from_logits at true")
        return self

    def bits(self, layer: str) -> LayerBits:
        """Give the bits of one layer, every field set.

        A layer that standardizes the inputs (``standardize``, or a name that ends so) has 16 bits for weights, biases
        and what it gives, where no pattern names it: means and deviations of different features lie far apart.
        """
        wide = {"weights": MOST, "biases": MOST, "activations": MOST, "sparsity": 0.0}
        of_standardization = wide if layer.split("_")[-1] == STANDARDIZE else {}
        chosen = LayerBits(
            weights=self.weights,
            biases=self.biases,
            activations=self.activations,
            relu_bound=self.relu_bound,
            functions=self.functions,
            sparsity=self.pruning.sparsity if self.pruning else 0.0,
        )
        chosen = chosen.model_copy(update=of_standardization)
        for pattern, exception in self.layers.items():
            if fnmatchcase(layer, pattern):
                chosen = chosen.model_copy(update=exception.model_dump(exclude_none=True))
        return chosen
