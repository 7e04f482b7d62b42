"""Max pooling with a gradient that costs half of TensorFlow's on a CPU, for models that are being trained.

Importing this module imports TensorFlow; it is imported by functions only.
"""

from __future__ import annotations

from typing import Any

from siliconv.models.legacy_keras import load, tensorflow

tf_keras = load()
tf = tensorflow()


class TrainedMaxPooling2D(tf_keras.layers.MaxPooling2D):  # type: ignore[name-defined]
    """Max pooling over windows that tile the image.

    The outputs are those of MaxPooling2D. Where values of a window are equal, each of them gets the gradient,
    not
    only the first: equal values behind a ReLU are zeros, which pass none on.
    """

    def call(self, inputs: Any) -> Any:
        """Return the largest value of each window."""
        pool = super().call
        size = inputs.shape[1:3]

        @tf.custom_gradient
        def largest(images: Any) -> tuple[Any, Any]:
            pooled = pool(images)

            def gradient(upstream: Any) -> Any:
                chosen = images == _enlarged(pooled, size)
                return tf.where(chosen, _enlarged(upstream, size), tf.zeros_like(images))

            return pooled, gradient

        return largest(inputs)


def tiles(size: Any, pool: tuple[int, int], stride: tuple[int, int]) -> bool:
    """Whether windows of this size and stride tile an image without overlap or rest."""
    return stride == pool and all(n % m == 0 for n, m in zip(size, pool, strict=True))


def _enlarged(values: Any, size: Any) -> Any:
    return tf.raw_ops.ResizeNearestNeighbor(
        images=values, size=list(size), align_corners=False, half_pixel_centers=False
    )
