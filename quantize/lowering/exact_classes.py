"""Which class a layer or a quantizer is: exactly, because a subclass may compute something else than its parent.

A class counts as known by its module and its name. Subclasses of our own that compute what QKeras and Keras do in
prediction are listed here; any other one, QKeras' and the user's alike, has no meaning here.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np

_LIBRARIES = ("tf_keras", "qkeras", "siliconv")

_OURS: Mapping[str, str] = {
    "TrainedActivation": "QActivation",
    "QuantizingMaxPooling1D": "MaxPooling1D",
    "QuantizingMaxPooling2D": "MaxPooling2D",
    "TruncatedAveragePooling1D": "AveragePooling1D",
    "TruncatedAveragePooling2D": "AveragePooling2D",
    "TruncatedGlobalAveragePooling1D": "GlobalAveragePooling1D",
    "TruncatedGlobalAveragePooling2D": "GlobalAveragePooling2D",
    "SeededDropout": "Dropout",
    "TableActivation": "TableActivation",
    "SoftmaxActivation": "SoftmaxActivation",
    "SlopedActivation": "SlopedActivation",
    "RearrangedElements": "RearrangedElements",
    "QDepthwiseConv1D": "QDepthwiseConv1D",
    "FixedPointBits": "quantized_bits",
    "FixedPointRelu": "quantized_relu",
    "BinaryWeights": "binary",
    "TernaryWeights": "ternary",
    "PowerOfTwoWeights": "quantized_po2",
}
"""Classes of ours, and the ones that they stand for."""


def exact_class(thing: Any) -> str | None:
    """Give the name of the library class that a layer, quantizer or model is of; None for any other class."""
    kind = type(thing)
    library = str(kind.__module__).split(".")[0]
    if library not in _LIBRARIES:
        return None
    return _OURS.get(kind.__name__) if library == "siliconv" else kind.__name__


def class_in_words(thing: Any) -> str:
    """Say of which class something is, and whose subclass where the class itself is nobody's that is known."""
    kind = type(thing)
    parents = [one.__name__ for one in kind.__mro__[1:] if str(one.__module__).split(".")[0] in _LIBRARIES]
    if parents and parents[0] not in ("Layer", "BaseQuantizer", "Module"):
        return f"{kind.__name__}, a subclass of {parents[0]} that may compute something else,"
    return kind.__name__


def quantizer_in_words(quantizer: Any) -> str:
    """Say what a quantizer is as QKeras writes it; by its settings where QKeras cannot write it itself."""
    alpha = getattr(quantizer, "alpha", None)
    if alpha is not None and np.size(alpha) > 1:
        without = copy.copy(quantizer)
        without.alpha = None
        return f"{without} with {np.size(alpha)} scales from {np.min(alpha):g} to {np.max(alpha):g}"
    try:
        return str(quantizer)
    except TypeError:  # quantized_po2 with stochastic rounding and without a largest value
        settings = quantizer.get_config().items() if hasattr(quantizer, "get_config") else ()
        return f"{type(quantizer).__name__}({','.join(f'{key}={value}' for key, value in settings)})"
