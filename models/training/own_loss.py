"""A loss of the user's own: ``module:function`` beside the project file, Python code that the user names."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from siliconv.errors import ModelError
from siliconv.legacy_keras import tensorflow
from siliconv.models.architectures.model_source import importable


def load_loss(source: str, folder: Path) -> Callable[[Any, Any], Any]:
    """Return the function (right answers, outputs) -> loss of each image, (n,), as float32.

    The user's function is given tensors: class numbers (n,), or answers of the output's shape; and the outputs behind
    the sigmoid or softmax that the network ends in. It may give a loss for each image, for each value, or one for all.

    Raises
    ------
    ModelError
        ``TRAIN-LOSS`` where there is no such function.
    """
    module, _, name = source.partition(":")
    try:
        with importable(folder):
            function = getattr(importlib.import_module(module), name)
    except (Exception, SystemExit) as error:
        # It is the user's code: whatever it raises is what went wrong.
        raise ModelError(
            "TRAIN-LOSS",
            f"{source} cannot be imported: {type(error).__name__}: {error}",
            where="train.loss",
            fix=f"write {name}(answers, outputs) in {module}.py, in {folder}",
        ) from error
    tf = tensorflow()

    def loss(answers: Any, outputs: Any) -> Any:
        found = tf.cast(function(answers, outputs), tf.float32)
        if found.shape.rank == 0:
            return tf.fill((tf.shape(outputs)[0],), found)
        return tf.reduce_mean(tf.reshape(found, (tf.shape(outputs)[0], -1)), axis=1)

    return loss
