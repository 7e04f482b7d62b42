"""The `train` section of a project: how the float network is trained (and the quantized one fine-tuned)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from siliconv.bounded_reading import SECTION
from siliconv.models.data.augmentation import AugmentConfig

LossKind = Literal[
    "auto", "binary_crossentropy", "categorical_crossentropy", "sparse_categorical_crossentropy", "mse", "mae", "huber"
]
OptimizerKind = Literal["adam", "adamw", "sgd", "rmsprop"]
ScheduleKind = Literal["constant", "cosine", "plateau"]
ClassWeight = Annotated[float, Field(ge=0.0, le=1e6)]
Monitor = Literal["accuracy", "loss"]


class TrainConfig(BaseModel):
    """How a network is trained."""

    model_config = SECTION

    epochs: int = Field(
        default=30,
        ge=1,
        le=100_000,
        description="Passes over the training images; raise it later to train on",
    )
    batch_size: int = Field(default=32, ge=1, le=65536, description="Images a step")
    optimizer: OptimizerKind = Field(default="adam", description="adam, adamw, sgd (Nesterov momentum 0.9) or rmsprop")
    learning_rate: float = Field(default=1e-3, gt=0.0, le=10.0, description="Step size at the start")
    weight_decay: float = Field(default=0.0, ge=0.0, le=1.0, description="Decoupled weight decay, for adamw and sgd")
    schedule: ScheduleKind = Field(
        default="cosine",
        description="constant; cosine: down to a hundredth; plateau: halved when validation stalls",
    )
    warmup_epochs: int = Field(
        default=0, ge=0, le=100_000, description="Epochs over which the learning rate rises from zero"
    )
    plateau_epochs: int = Field(
        default=3, ge=1, le=100_000, description="Epochs without progress after which plateau halves it"
    )
    patience: int = Field(
        default=0,
        ge=0,
        le=100_000,
        description="Stop after so many epochs without a better validation; 0 never stops early",
    )
    monitor: Monitor = Field(default="accuracy", description="What is better on validation: accuracy or loss")
    keep: Literal["best", "last"] = Field(
        default="best", description="End with the weights of the best validation or of the last epoch"
    )
    loss: LossKind = Field(
        default="auto",
        description="auto: binary_crossentropy for one output or several labels, sparse_categorical_crossentropy for "
        "classes, mse for numbers; or mae, huber",
    )
    from_logits: bool = Field(
        default=True, description="Loss from logits (numerically stable) or, false, from probabilities"
    )
    label_smoothing: float = Field(
        default=0.0, ge=0.0, lt=1.0, description="Share of each label that is spread over all classes"
    )
    class_weights: Literal["equal", "balanced"] | dict[str, ClassWeight] = Field(
        default="equal", description="balanced weighs rare classes up; or a weight for each class name"
    )
    batch_normalization: bool = Field(
        default=True, description="Batch normalization in training, folded into the convolutions afterwards"
    )
    dropout: float | None = Field(
        default=None,
        ge=0.0,
        lt=1.0,
        description="Rate of every dropout layer in training, in place of the one written in the network",
    )
    augmentation: AugmentConfig = Field(
        default=AugmentConfig(), description="Changes of the training images, online and at random"
    )
    seed: int = Field(
        default=1, ge=0, lt=2**31, description="Of initial weights, order of images, dropout, augmentation"
    )
