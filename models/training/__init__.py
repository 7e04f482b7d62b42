"""Training of any Keras model, resumable to the same bits."""

from siliconv.models.training.history import History
from siliconv.models.training.train_config import TrainConfig

__all__ = ["History", "TrainConfig"]
