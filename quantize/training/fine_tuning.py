"""From the float model to the quantized one with its final weights: calibrate, round, prune and fine-tune."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from siliconv.models.data.image_store import Dataset, spread
from siliconv.models.training.history import History
from siliconv.models.training.prediction import predictor
from siliconv.models.training.scoring import Judge
from siliconv.models.training.train_config import TrainConfig
from siliconv.models.training.training import fit
from siliconv.progress import Progress, Silent
from siliconv.quantize.input_type import fixed_point_of
from siliconv.quantize.qkeras.qkeras_model import quantized_model, snap_weights
from siliconv.quantize.qkeras.quantization import Quantization
from siliconv.quantize.recipe import Recipe
from siliconv.quantize.training.calibration import as_text, choose_types
from siliconv.quantize.training.calibration_record import calibration_record
from siliconv.quantize.training.start import started, weights_of_float_layers, with_known


@dataclass(frozen=True, eq=False)
class Quantized:
    """A quantized network and how it came about.

    ``model``: the QKeras model with rounded weights.
    ``types``: of weights, biases and activations.
    ``rounded_logits``: of the test images, with the float weights rounded and nothing trained, (n, outputs).
    ``history``: of the fine-tuning, None without one.
    ``helped``: whether the fine-tuned weights are the ones kept.
    ``zeros``: zeros and weights of each kernel, by layer.
    ``calibration``: how the types were chosen and how they fit, for a JSON file.
    ``trained``: the weights before they were rounded, by the names of the float model's.
    """

    model: Any
    types: dict[str, Quantization]
    rounded_logits: NDArray[np.floating]
    history: History | None
    helped: bool
    zeros: dict[str, tuple[int, int]]
    calibration: dict[str, Any]
    trained: dict[str, np.ndarray]

    @property
    def sparsity(self) -> float:
        """Share of the weights that are zero."""
        weights = sum(count for _, count in self.zeros.values())
        return sum(zeros for zeros, _ in self.zeros.values()) / weights if weights else 0.0


def quantize(
    float_model: Any,
    dataset: Dataset,
    recipe: Recipe,
    *,
    work: Path,
    progress: Progress | None = None,
    dropout: float | None = None,
    function: str | None = None,
) -> Quantized:
    """Quantize a float model by a recipe.

    Parameters
    ----------
    float_model
        The deployed float model: logits, no batch normalization.
    dataset
        Training images for calibration and fine-tuning, validation images for choosing, test images for the record.
    recipe
        Bits, calibration, pruning, fine-tuning.
    work
        Folder of the checkpoints: called again after an interruption, it goes on from there to the same bits.
    progress
        Told about every step.
    dropout
        Rate of the dropout layers while training; that of the float model by default.
    function
        The sigmoid or softmax that stands behind the model's logits, or None.
    """
    from siliconv.quantize.training.distillation import distillation

    progress, start, known = progress or Silent(), float_model, dict[str, Quantization]()
    if recipe.start is not None:
        start, known = started(float_model, recipe.start)
    images = dataset.train.values(spread(len(dataset.train), recipe.calibration_images))
    if recipe.pruning is not None and recipe.pruning.before is not None:
        start = _pruned(
            start, dataset, recipe, work=work / "pruning", progress=progress, dropout=dropout, function=function
        )
    types = with_known(choose_types(start, recipe, images), known)
    fits = calibration_record(start, types, recipe, images)
    train, pruner, unsettled = recipe.train, None, 0
    if recipe.pruning is not None:
        from siliconv.quantize.training.pruning import (  # imports the pruning toolkit, which takes seconds
            Pruner,
            settled,
        )

        epochs, steps = (train.epochs, _steps(dataset, train.batch_size)) if train else (1, 1)
        # Without fine-tuning there is no later: the full sparsity at once.
        begun = recipe.pruning.before is not None or train is None
        pruner = Pruner(start, recipe, epochs=epochs, steps=steps, begun=begun)
        unsettled = 0 if begun or train is None else settled(recipe.pruning, train)
    model = quantized_model(
        start,
        types,
        dropout=dropout,
        masks=pruner.masks if pruner else None,
        input_type=fixed_point_of(dataset.input),
    )
    if pruner is not None:
        pruner.watch(model)
        if train is None:
            pruner.prune(0)
    predict = predictor(model)
    rounded_logits = predict(dataset.test, progress)
    history, helped = None, True
    if train is not None:
        rounded_weights, rounded_score = model.get_weights(), _goodness(predict, dataset, function)
        # Another number of epochs is another schedule of pruning, but more of the same without it.
        about = {
            "recipe": recipe.model_dump(mode="json", exclude={"train", "start"}),
            "epochs": train.epochs if pruner else None,
        }
        history = fit(
            model,
            dataset,
            train,
            work=work,
            progress=progress,
            activity_name="Fine-tuning",
            before_step=pruner.before_step if pruner else None,
            mix=distillation(float_model, recipe.distillation, Judge.of(dataset, function))
            if recipe.distillation
            else None,
            about=json.dumps({**about, "types": as_text(types)}, sort_keys=True),
            settled=unsettled,
            function=function,
        )
        # Rounded weights that were not pruned are no answer to a recipe that prunes.
        helped = pruner is not None or _goodness(predict, dataset, function) >= rounded_score
        if not helped:
            model.set_weights(rounded_weights)
    trained = weights_of_float_layers(float_model, model)
    snap_weights(model)
    return Quantized(model, types, rounded_logits, history, helped, _zeros(model), fits, trained)


def dropout_of(recipe: Recipe, train: TrainConfig | None) -> float | None:
    """Give the rate of dropout in fine-tuning: with as little as a network was trained it is fine-tuned."""
    configs = [config for config in (recipe.train, train) if config is not None]
    return next((config.dropout for config in configs if config.dropout is not None), None)


def _pruned(
    float_model: Any,
    dataset: Dataset,
    recipe: Recipe,
    *,
    work: Path,
    progress: Progress,
    dropout: float | None,
    function: str | None,
) -> Any:
    """Train the float model until it has the zeros that the recipe asks for."""
    from siliconv.quantize.training.pruning import Pruner, settled, with_masks

    assert recipe.pruning is not None
    assert recipe.pruning.before is not None
    train = recipe.pruning.before
    pruner = Pruner(float_model, recipe, epochs=train.epochs, steps=_steps(dataset, train.batch_size))
    model = with_masks(float_model, pruner.masks, dropout=dropout)
    pruner.watch(model)
    about = {**recipe.model_dump(mode="json", include={"pruning", "layers"}), "epochs": train.epochs}
    fit(
        model,
        dataset,
        train,
        work=work,
        progress=progress,
        activity_name="Pruning",
        before_step=pruner.before_step,
        about=json.dumps(about, sort_keys=True),
        settled=settled(recipe.pruning, train),
        function=function,
    )
    return model


def _zeros(model: Any) -> dict[str, tuple[int, int]]:
    """Count the zeros of each kernel of a model whose weights are rounded: (zeros, weights) by layer."""
    kernels = {layer.name: layer.kernel.numpy() for layer in model.layers if hasattr(layer, "kernel")}
    return {name: (int((kernel == 0).sum()), kernel.size) for name, kernel in kernels.items()}


def _steps(dataset: Dataset, batch_size: int) -> int:
    return math.ceil(len(dataset.train) / batch_size)


def _goodness(predict: Callable[..., NDArray[np.floating]], dataset: Dataset, function: str | None) -> float:
    """How good the answers on the validation images are; without any, fine-tuning has the last word."""
    if not len(dataset.val):
        return 0.0
    judge = Judge.of(dataset, function)
    return judge.score(judge.outputs(predict(dataset.val)), dataset.val).goodness
