"""Keras layers of ours: a function of one element by its text, and elements in another order.

Importing this module imports TensorFlow; it is imported by functions only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from siliconv.legacy_keras import load, tensorflow
from siliconv.models.architectures.functions import tensor_function

tf_keras = load()
tf = tensorflow()


@tf_keras.utils.register_keras_serializable("siliconv")
class FunctionActivation(tf_keras.layers.Layer):  # type: ignore[name-defined]
    """A function of one element by its text (`siliconv.models.architectures.functions`)."""

    def __init__(self, function: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.function = function
        self._compute = tensor_function(function)

    def call(self, inputs: Any) -> Any:
        """Compute it."""
        return self._compute(inputs)

    def get_config(self) -> dict[str, Any]:
        """Give what the layer is made of."""
        return {**super().get_config(), "function": self.function}


@tf_keras.utils.register_keras_serializable("siliconv")
class RearrangedElements(tf_keras.layers.Layer):  # type: ignore[name-defined]
    """Axes swapped, then cropped, then every place repeated, as a `Rearrange` node does.

    Parameters
    ----------
    order
        Which axis of the input each axis is, counted from 0 without the batch.
    before, sizes
        The first place of each axis that is kept, and how many.
    repeats
        How many times each place stands.
    """

    def __init__(
        self, order: Sequence[int], before: Sequence[int], sizes: Sequence[int], repeats: Sequence[int], **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.order, self.before, self.sizes, self.repeats = map(tuple, (order, before, sizes, repeats))

    def call(self, inputs: Any) -> Any:
        """Move the elements."""
        moved = tf.transpose(inputs, [0, *(axis + 1 for axis in self.order)])
        moved = tf.slice(moved, [0, *self.before], [-1, *self.sizes])
        for axis, times in enumerate(self.repeats, start=1):
            moved = tf.repeat(moved, times, axis=axis) if times > 1 else moved
        # Known sizes: slices of a batch of any size do not tell them.
        shape = [size * times for size, times in zip(self.sizes, self.repeats, strict=True)]
        return tf.ensure_shape(moved, [None, *shape])

    def get_config(self) -> dict[str, Any]:
        """Give what the layer is made of."""
        own = {"order": self.order, "before": self.before, "sizes": self.sizes, "repeats": self.repeats}
        return {**super().get_config(), **own}


def own_layers() -> dict[str, Any]:
    """Give the layers of ours that a float model may have, by their names."""
    from siliconv.models.architectures.dropout import SeededDropout

    return {one.__name__: one for one in (SeededDropout, FunctionActivation, RearrangedElements)}


def function_of(layer: Any) -> str | None:
    """Give the function that a layer of a float model is, by its name or text; None for any other layer."""
    if isinstance(layer, FunctionActivation):
        return str(layer.function)
    return str(layer.activation.__name__) if type(layer).__name__ == "Activation" else None
