"""Dropout whose random stream can be set: what makes an interrupted training end with the bits of an
undisturbed one.

Importing this module imports TensorFlow; it is imported by functions only.
"""

from __future__ import annotations

from typing import Any

from siliconv.legacy_keras import load, tensorflow

tf_keras = load()
tf = tensorflow()


@tf_keras.utils.register_keras_serializable("siliconv")
class SeededDropout(tf_keras.layers.Layer):  # type: ignore[name-defined]
    """Dropout with a random generator of its own that `reseed` puts to a known state.

    Keras' own layer draws from a stream whose position cannot be saved. The rate is taken as a multiple of
    1/256 where it is one, else as the nearest multiple of 1/65536.
    """

    def __init__(self, rate: float, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate = float(rate)
        self.seed = int(seed)
        self._generator = tf.random.Generator.from_seed(self.seed, alg="philox")

    def reseed(self, seed: int) -> None:
        """Start the stream of this layer anew, from `seed` and the layer's own seed."""
        self._generator.reset_from_seed(seed * 1_000_003 + self.seed)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Drop values while training; the identity otherwise."""
        if not training or self.rate == 0.0:
            return inputs
        # One draw from the stream is the seed of many: the stateless kernel uses all cores. Each of its
        # 32-bit numbers decides on several values, because the drawing is what costs time here.
        kind, steps = (tf.uint8, 2**8) if (self.rate * 2**8).is_integer() else (tf.uint16, 2**16)
        count, share = tf.size(inputs), 4 // kind.size
        seed = self._generator.uniform_full_int([2], dtype=tf.int64)
        drawn = tf.random.stateless_uniform(
            [(count + share - 1) // share], seed, minval=None, maxval=None, dtype=tf.int32, alg="philox"
        )
        parts = tf.reshape(tf.reshape(tf.bitcast(drawn, kind), [-1])[:count], tf.shape(inputs))
        dropped = min(round(self.rate * steps), steps - 1)
        return inputs * (tf.cast(parts >= tf.constant(dropped, kind), inputs.dtype) * (steps / (steps - dropped)))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the input's shape."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return what a model file needs to build the layer again."""
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}


def reseed_dropout(model: Any, seed: int) -> None:
    """Put every seeded dropout layer of a model to the state that belongs to `seed`."""
    for layer in model.submodules:
        if isinstance(layer, SeededDropout):
            layer.reseed(seed)
