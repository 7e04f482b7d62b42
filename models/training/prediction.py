"""Run a model over images of any number and return its raw outputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from siliconv.counting import example_word
from siliconv.legacy_keras import tensorflow
from siliconv.models.data.image_store import Images
from siliconv.progress import Progress, Silent, activity

BATCH = 256


def predict_logits(model: Any, images: Images, progress: Progress | None = None, *, batch: int = BATCH) -> np.ndarray:
    """Return the model's outputs, float32 (n, outputs), in the order of the images."""
    return predictor(model, batch=batch)(images, progress)


def predictor(model: Any, *, batch: int = BATCH) -> Callable[..., np.ndarray]:
    """Return (images, progress) -> outputs for repeated use: the graph is built once."""
    tf = tensorflow()
    shape = model.input_shape[1:]

    @tf.function(input_signature=[tf.TensorSpec((None, *shape), tf.float32)])
    def run(values: Any) -> Any:
        return model(values, training=False)

    def predict(images: Images, progress: Progress | None = None) -> np.ndarray:
        outputs = []
        with activity(progress or Silent(), "Predicting", len(images), f"{example_word(shape)}s") as shown:
            for start in range(0, len(images), batch):
                outputs.append(run(images.values(slice(start, start + batch))).numpy())
                shown.update(min(start + batch, len(images)))
        return np.concatenate(outputs) if outputs else np.zeros((0, *model.output_shape[1:]), np.float32)

    return predict
