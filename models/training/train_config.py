"""The `train` section of a project: how the float network is trained (and the quantized one fine-tuned)."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, Field, PlainValidator, PrivateAttr

from siliconv.bounded_reading import SECTION
from siliconv.models.architectures.model_source import is_function
from siliconv.models.data.augmentation import AugmentConfig

LossKind = Literal[
    "auto", "binary_crossentropy", "categorical_crossentropy", "sparse_categorical_crossentropy", "mse", "mae", "huber"
]
OptimizerKind = Literal["adam", "adamw", "sgd", "rmsprop"]
ScheduleKind = Literal["constant", "cosine", "plateau"]


def _known_loss(value: object) -> object:
    if isinstance(value, str) and (value in get_args(LossKind) or is_function(value)):
        return value
    raise ValueError(f"use one of {', '.join(get_args(LossKind))}, or module:function")


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
    _folder: Path = PrivateAttr(default=Path())

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
    loss: Annotated[str, PlainValidator(_known_loss)] = Field(
        default="auto",
        description="auto: binary_crossentropy for one output or several labels, sparse_categorical_crossentropy for "
        "classes, mse for numbers; or mae, huber; or module:function beside the project file",
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

    def beside(self, folder: Path) -> TrainConfig:
        """Give the same section of a project file in `folder`: there the module of a loss is looked for."""
        placed = self.model_copy()
        placed._folder = folder
        return placed

    @property
    def own_loss(self) -> str | None:
        """The user's own loss, ``module:function``, or None."""
        return self.loss if is_function(self.loss) else None

    @property
    def folder(self) -> Path:
        """Where the module of a loss is looked for."""
        return self._folder

    @property
    def code_of_loss(self) -> str:
        """A hash of the module of the user's own loss, as far as it lies beside the project file; else nothing."""
        if self.own_loss is None:
            return ""
        path = self._folder / f"{self.loss.partition(':')[0].replace('.', '/')}.py"
        return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
