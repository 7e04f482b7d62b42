"""What happened epoch by epoch, and what follows from it: the best epoch, whether to stop, the
learning rate.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from siliconv.models.training.train_config import TrainConfig

COSINE_FLOOR = 0.01
"""Share of the learning rate that the cosine schedule ends with."""


@dataclass(frozen=True)
class EpochRecord:
    """Means over one epoch; `val_*` are None without validation images. Seconds do not count in
    comparisons.
    """

    epoch: int
    loss: float
    accuracy: float
    val_loss: float | None
    val_accuracy: float | None
    learning_rate: float
    seconds: float = field(compare=False)


@dataclass(frozen=True)
class History:
    """The record of a training, over all its runs.

    `runs` holds, for each time that a finished training was told to go on, how many epochs were done by then.
    `metric` is what stands in the records as accuracy.
    """

    epochs: tuple[EpochRecord, ...] = ()
    runs: tuple[int, ...] = ()
    metric: str = "accuracy"

    def __len__(self) -> int:
        return len(self.epochs)

    def with_epoch(self, record: EpochRecord) -> History:
        """Return the history with one more epoch."""
        return replace(self, epochs=(*self.epochs, record))

    def best_epoch(self, config: TrainConfig, settled: int = 0) -> int | None:
        """Return the index of the best epoch by validation, the first of equals; None before there is one.
        The first `settled` epochs don't count.
        """
        scores = [_score(record, config, self.metric) for record in self.epochs[settled:]]
        return settled + scores.index(max(scores)) if scores else None

    def should_stop(self, config: TrainConfig, settled: int = 0) -> bool:
        """Whether all epochs are done or patience has run out."""
        best = self.best_epoch(config, settled)
        stalled = config.patience > 0 and best is not None and len(self) - 1 - best >= config.patience
        return len(self) >= config.epochs or stalled

    def continued(self) -> History:
        """Return the history of a finished training that goes on from here."""
        return replace(self, runs=(*self.runs, len(self)))

    def as_json(self) -> dict[str, Any]:
        """Return it as plain dictionaries and lists."""
        return {"epochs": [asdict(record) for record in self.epochs], "runs": list(self.runs), "metric": self.metric}

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> History:
        """Read what `as_json` gave."""
        records = tuple(EpochRecord(**record) for record in found["epochs"])
        return cls(records, tuple(found["runs"]), found.get("metric", "accuracy"))


def learning_rate(config: TrainConfig, history: History, step: int, steps: int) -> float:
    """Return the learning rate of step `step` of `steps` in the epoch that follows `history`.

    It depends on nothing else, so a resumed training has the same.
    """
    done = len(history) + step / steps
    if done < config.warmup_epochs:
        return config.learning_rate * (done + 1 / steps) / config.warmup_epochs
    match config.schedule:
        case "cosine":
            span = max(config.epochs - config.warmup_epochs, 1)
            share = min((done - config.warmup_epochs) / span, 1.0)
            cosine = 0.5 * (1.0 + math.cos(math.pi * share))
            return config.learning_rate * (COSINE_FLOOR + (1.0 - COSINE_FLOOR) * cosine)
        case "plateau":
            return config.learning_rate * 0.5 ** _plateaus(config, history)
        case "constant":
            return config.learning_rate


def _plateaus(config: TrainConfig, history: History) -> int:
    best, waited, plateaus = -math.inf, 0, 0
    for record in history.epochs:
        score = -(record.val_loss if record.val_loss is not None else record.loss)
        if score > best:
            best, waited = score, 0
        else:
            waited += 1
        if waited >= config.plateau_epochs:
            plateaus, waited = plateaus + 1, 0
    return plateaus


def _score(record: EpochRecord, config: TrainConfig, metric: str) -> tuple[float, float]:
    loss = record.val_loss if record.val_loss is not None else record.loss
    accuracy = record.val_accuracy if record.val_accuracy is not None else record.accuracy
    if "error" in metric:
        return -loss, -accuracy
    # The metric of several outputs is that of one of them, their loss is that of all.
    by_metric = config.monitor == "accuracy" and " of " not in metric
    return (accuracy, -loss) if by_metric else (-loss, accuracy)
