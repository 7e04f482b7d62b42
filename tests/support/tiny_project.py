"""A project file that is built in seconds: one dense layer on the digits, rounded, two vectors."""

import textwrap

TINY = textwrap.dedent(
    """
    model:
      input_shape: [8, 8, 1]
      layers: [{kind: flatten}, {kind: dense, units: 10}]
    train: {epochs: 1, batch_size: 256}
    quantize: {train: null, calibration_images: 32}
    csim: {images: 2, corner_vectors: false}
    """
)
