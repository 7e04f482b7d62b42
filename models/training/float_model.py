"""The first stage of the road: from an architecture and images to the trained float network that is
deployed.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from siliconv.models.architectures.architecture import Architecture, output_activation
from siliconv.models.architectures.folding import fold_batch_normalization
from siliconv.models.architectures.keras_file import Weights
from siliconv.models.architectures.keras_model import build_model
from siliconv.models.architectures.layers import Dropout
from siliconv.models.architectures.standardization import set_standardization
from siliconv.models.architectures.user_model import set_weights
from siliconv.models.data.image_store import Dataset
from siliconv.models.training.history import History
from siliconv.models.training.train_config import TrainConfig
from siliconv.models.training.training import fit
from siliconv.progress import Progress


def train_float(
    architecture: Architecture,
    dataset: Dataset,
    config: TrainConfig,
    *,
    work: Path,
    weights: Weights | None = None,
    progress: Progress | None = None,
    before_step: Callable[[int], None] | None = None,
) -> tuple[Any, History]:
    """Train the float network and return it as it is deployed: logits, batch normalization folded away.

    Parameters
    ----------
    architecture, dataset, config
        The network, the images, how it is trained.
    work
        Folder of the checkpoint.
    weights
        By layer, to start from: those of a network that was trained before, which then gets no further batch
        normalizations. Drawn from the seed without.
    progress, before_step
        As for `fit`.

    Raises
    ------
    ModelError
        As `build_model` and `fit`.
    """
    model = build_model(
        with_dropout(architecture, config.dropout),
        output="logits" if config.from_logits else "probabilities",
        seed=config.seed,
        batch_normalization=config.batch_normalization and not weights,
    )
    statistics = dataset.summary.statistics
    if statistics is not None:
        set_standardization(model, *(np.asarray(one, np.float64) for one in (statistics.means, statistics.deviations)))
    if weights:
        set_weights(model, weights)
    function = output_activation(architecture)
    history = fit(model, dataset, config, work=work, progress=progress, before_step=before_step, function=function)
    return fold_batch_normalization(model, architecture), history


def with_dropout(architecture: Architecture, rate: float | None) -> Architecture:
    """Return the network with that rate in every dropout layer; None leaves it as it is."""
    if rate is None:
        return architecture
    layers = tuple(
        layer.model_copy(update={"rate": rate}) if isinstance(layer, Dropout) else layer
        for layer in architecture.layers
    )
    return architecture.model_copy(update={"layers": layers})
