"""The activation functions that Keras knows by a name, as functions here."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf

from siliconv.models.architectures.functions import function_text

_SIXTH = 1.0 / 6.0

_OF_ANY_KERAS: Mapping[str, str] = {
    "silu": "swish",
    "relu6": function_text("relu", 6.0),
    "hard_silu": "hard_swish",
    "celu": "elu",
    "sparse_sigmoid": function_text("line", 0.5, 0.5),
    **{
        name: name
        for name in (
            *("relu", "tanh", "sigmoid", "softmax", "elu", "selu", "softplus", "softsign", "swish", "gelu"),
            *("exponential", "mish", "hard_swish", "hard_tanh", "log_sigmoid", "tanh_shrink", "squareplus"),
            *("sparse_plus", "soft_shrink", "hard_shrink"),
        )
    },
    "leaky_relu": function_text("relu", inf, 0.2),
}


def function_of_name(name: str, keras: int) -> str | None:
    """Give the function that Keras of a major version calls so; None for one that has no equal here."""
    if name == "hard_sigmoid":
        # 0.2 x + 0.5 until Keras 2, relu6(x + 3) / 6 since Keras 3.
        return function_text("line", _SIXTH if keras >= 3 else 0.2, 0.5)
    return _OF_ANY_KERAS.get(name)


def known_names() -> tuple[str, ...]:
    """Give the names that are known, for a message."""
    return (*sorted(_OF_ANY_KERAS), "hard_sigmoid")
