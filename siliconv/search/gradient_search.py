"""Search by gradient: one training in which the bits are parameters, and the front of its epochs."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from siliconv.bounded_reading import UnreadableError, read_as
from siliconv.models.data.augmentation import AugmentConfig
from siliconv.models.data.image_store import Dataset, spread
from siliconv.models.data.number_type import NumberType
from siliconv.models.training.history import EpochRecord
from siliconv.models.training.scoring import Judge
from siliconv.models.training.train_config import TrainConfig
from siliconv.models.training.training import fit
from siliconv.progress import Progress, Silent
from siliconv.project.atomic_write import write_atomically
from siliconv.quantize.input_type import fixed_point_of
from siliconv.quantize.recipe import Distillation, Recipe
from siliconv.quantize.training.calibration import as_text, choose_types
from siliconv.quantize.training.start import write_start

STEPS, FEWEST_EPOCHS, MOST_EPOCHS = 4800, 20, 240
"""So many steps are trained unless epochs are said, within these numbers of epochs."""

START_BITS = 6
LEARNING_RATE = 2e-3
_PRESSURE, _MOST_PRESSURE, _STEP, _CLOSE = 5e-3, 5.0, 0.1, 0.03
_RAMP, _RAMP_ENDS = 1 / 12, 0.8
_SETTLES, _NEAR, _SETTLED = 0.5, 0.9, 0.7
"""Towards a target: the share of the epochs after which bits may settle, the share of the target from which they do,
and the share of the epochs after which points are kept (earlier ones are good by luck)."""
_FRONT_FILE = "front.json"


@dataclass(frozen=True)
class GradientSettings:
    """How long, and towards what.

    Parameters
    ----------
    target
        Span bit operations that the training is driven to; None for a ramp from the start to a twelfth of it.
    epochs
        None for as many as make 4,800 steps, 20 to 240.
    seed
        Of the training.
    keep_input
        Whether the input keeps its bits.
    """

    target: int | None = None
    epochs: int | None = None
    seed: int = 1
    keep_input: bool = False


@dataclass(frozen=True)
class FrontPoint:
    """An epoch that no other beats in both: what it says on the validation images, and what it costs.

    Parameters
    ----------
    epoch
        Its number.
    goodness
        The accuracy on the validation images; the loss below zero in other tasks.
    loss
        On the validation images.
    span_operations
        Of the layers with learned bits.
    types
        Of kernels and activations, as text.
    input
        The type of the input.
    """

    epoch: int
    goodness: float
    loss: float
    span_operations: int
    types: dict[str, str]
    input: NumberType

    def beats(self, other: FrontPoint) -> bool:
        """Whether it is as good for less, or better for as much."""
        mine, others = (self.goodness, -self.loss), (other.goodness, -other.loss)
        return self.span_operations <= other.span_operations and mine >= others


@dataclass
class _Front:
    """The front of a training as it goes on, on the disk after every epoch."""

    folder: Path
    points: list[FrontPoint] = field(default_factory=list)

    def add(self, point: FrontPoint, write: Any) -> None:
        """Keep a point with its weights, unless another beats it; those that it beats go."""
        if any(one.beats(point) for one in self.points if one.epoch != point.epoch):
            return
        beaten = [one for one in self.points if point.beats(one)]
        write(self.weights(point))
        self.points = sorted(
            [*(one for one in self.points if one not in beaten), point], key=lambda one: one.span_operations
        )
        write_atomically(self.folder / _FRONT_FILE, json.dumps([asdict(one) for one in self.points], indent=1))
        for one in beaten:
            if one.epoch != point.epoch:
                self.weights(one).unlink(missing_ok=True)

    def weights(self, point: FrontPoint) -> Path:
        return weights_of(self.folder, point)

    def read(self, epochs: int) -> None:
        """Read what an earlier run left, as far as its checkpoint came."""
        try:
            found = read_as(self.folder / _FRONT_FILE, list[FrontPoint])
        except UnreadableError:
            return
        self.points = [one for one in found if one.epoch < epochs and self.weights(one).is_file()]


def weights_of(folder: Path, point: FrontPoint) -> Path:
    """Give the file of a point's weights and types, as `Recipe.start` takes it."""
    return folder / f"epoch-{point.epoch:05d}.npz"


def gradient_search(
    float_model: Any,
    dataset: Dataset,
    recipe: Recipe,
    settings: GradientSettings,
    *,
    work: Path,
    train: TrainConfig | None = None,
    progress: Progress | None = None,
    dropout: float | None = None,
    function: str | None = None,
) -> tuple[FrontPoint, ...]:
    """Train the bits of a network, taught by itself in float, and give the front of its epochs, the cheapest first.

    Parameters
    ----------
    float_model
        The deployed float model: logits, no batch normalization.
    dataset
        Training and validation images; the test images are never looked at.
    recipe
        Calibration, and the bits of what has no learned form.
    settings
        How long, and towards what.
    work
        Folder of checkpoint and front: called again after an interruption, it goes on from there to the same bits.
    train
        Batch size, loss, augmentation, weights of classes.
    progress
        Told about every step.
    dropout, function
        As for `siliconv.quantize.training.fine_tuning.quantize`.
    """
    from siliconv.quantize.training.distillation import distillation
    from siliconv.search.searched_model import SearchedModel

    start = recipe.model_copy(update={"weights": START_BITS, "activations": START_BITS, "layers": {}})
    images = dataset.train.values(spread(len(dataset.train), recipe.calibration_images))
    types = choose_types(float_model, start, images)
    config = training_of(settings, train, len(dataset.train))
    learns_input = not settings.keep_input and config.augmentation == AugmentConfig()
    searched = SearchedModel(
        float_model, types, fixed_point_of(dataset.input), learns_input=learns_input, dropout=dropout
    )
    searched.update_shares()
    begins = searched.span_operations
    searched.input.target.assign(_target(settings, begins, 0, config.epochs))
    searched.input.pressure.assign(_PRESSURE)
    front = _Front(work / "front")
    by_loss = dataset.task not in ("classification", "multilabel")

    def after_epoch(record: EpochRecord) -> None:
        if not front.points:
            front.read(record.epoch)
        operations = searched.span_operations
        loss = record.val_loss if record.val_loss is not None else record.loss
        right = record.val_accuracy if record.val_accuracy is not None else record.accuracy
        kind = searched.input_type
        point = FrontPoint(
            record.epoch,
            -loss if by_loss else right,
            loss,
            operations,
            as_text(searched.types),
            NumberType(kind.signed, kind.width, kind.integer),
        )
        if settings.target is None or record.epoch >= _SETTLED * (config.epochs - 1):
            front.add(point, lambda path: write_start(path, searched.weights, searched.types))
        if settings.target is not None and record.epoch >= _SETTLES * config.epochs:
            share = operations / settings.target
            if not searched.is_settled and _NEAR <= share <= 1.0:
                searched.settle()
        searched.update_shares()
        target = _target(settings, begins, record.epoch + 1, config.epochs)
        searched.input.target.assign(target)
        searched.input.pressure.assign(_pressed(float(searched.input.pressure.numpy()), operations / target))

    fit(
        searched.model,
        dataset,
        config,
        work=work,
        progress=progress or Silent(),
        activity_name="Searching bits",
        mix=distillation(float_model, taught(recipe), Judge.of(dataset, function)),
        about=json.dumps(
            {"settings": asdict(settings), "types": as_text(types), "taught": taught(recipe).model_dump()},
            sort_keys=True,
        ),
        function=function,
        after_epoch=after_epoch,
    )
    if not front.points:
        front.read(config.epochs)
    return tuple(front.points)


def taught(recipe: Recipe) -> Distillation:
    """Give how the float network teaches the searched one: as the recipe says, or as it does by default."""
    return recipe.distillation or Distillation()


def training_of(settings: GradientSettings, train: TrainConfig | None, images: int) -> TrainConfig:
    """Give the training of a search: the project's own way, as long and as fast as bits are learned well."""
    base = train or TrainConfig()
    epochs = settings.epochs or min(max(STEPS // math.ceil(images / base.batch_size), FEWEST_EPOCHS), MOST_EPOCHS)
    return base.model_copy(
        update={
            "epochs": epochs,
            "learning_rate": LEARNING_RATE,
            "optimizer": "adam",
            "schedule": "cosine",
            "warmup_epochs": 0,
            "patience": 0,
            "keep": "last",
            "seed": settings.seed,
        }
    )


def _target(settings: GradientSettings, begins: int, epoch: int, epochs: int) -> float:
    if settings.target is not None:
        return float(settings.target)
    return float(begins * _RAMP ** min(epoch / (_RAMP_ENDS * epochs), 1.0))


def _pressed(pressure: float, share: float) -> float:
    """Give the weight of the cost in the loss, from the operations as a share of the target."""
    step = math.copysign(_STEP, math.log(max(share, 1e-9))) if abs(math.log(max(share, 1e-9))) > _CLOSE else 0.0
    return min(pressure * math.exp(step), _MOST_PRESSURE)


def best_within(points: Sequence[FrontPoint], most: int) -> FrontPoint | None:
    """Give the best point that costs no more than so many span bit operations."""
    return max(
        (one for one in points if one.span_operations <= most),
        key=lambda one: (one.goodness, -one.loss),
        default=None,
    )
