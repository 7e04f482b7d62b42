"""Functions of one element by their text: a name, or a name with numbers such as ``relu(6)`` or ``elu(0.5)``.

What each of them is stands in the table `FUNCTIONS`; `siliconv.network.function_table` has the same functions in exact
arithmetic, and a test compares the two.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from siliconv.errors import ModelError

FUNCTIONS: Mapping[str, tuple[float | None, ...]] = {
    "elu": (1.0,),
    "selu": (),
    "softplus": (),
    "softsign": (),
    "swish": (),
    "gelu": (),
    "gelu_tanh": (),
    "exponential": (),
    "mish": (),
    "line": (None, None),
    "hard_swish": (),
    "hard_tanh": (),
    "log_sigmoid": (),
    "tanh_shrink": (),
    "squareplus": (4.0,),
    "sparse_plus": (),
    "soft_shrink": (0.5,),
    "hard_shrink": (0.5,),
    "relu": (math.inf, 0.0, 0.0),
}
"""By name the defaults of the parameters, None for one that has to be said.

``elu(a)``: a (exp(x) - 1) below zero. ``line(s, t)``: s x + t between 0 and 1. ``relu(m, s, t)``: m from m
on, s (x - t) up to t, x in between. ``gelu_tanh`` is the usual approximation of ``gelu``. ``squareplus(b)``: half of
x + sqrt(x^2 + b). The shrinking ones are those of Keras 3, with their threshold.
"""

IDENTITY = "relu(inf,1)"
"""As a layer of its own: what it reads, rounded to the bits of an activation."""

_TEXT = re.compile(r"(?P<name>[a-z_]+)(\((?P<numbers>[^()]*)\))?")


class ParsedFunction(NamedTuple):
    """A function and all of its parameters."""

    name: str
    parameters: tuple[float, ...]


def parse_function(text: str) -> ParsedFunction | None:
    """Read a function with its parameters; None where the text is none."""
    match = _TEXT.fullmatch(text)
    if match is None or match["name"] not in FUNCTIONS:
        return None
    defaults = FUNCTIONS[match["name"]]
    try:
        given = [float(number) for number in (match["numbers"] or "").split(",") if number.strip()]
    except ValueError:
        return None
    found = [*given, *defaults[len(given) :]]
    numbers = [number for number in found if number is not None and not math.isnan(number)]
    if len(given) > len(defaults) or len(numbers) != len(found):
        return None
    return ParsedFunction(match["name"], tuple(numbers))


def function_text(name: str, *parameters: float) -> str:
    """Give the text of a function, without parameters at its end that are the defaults."""
    defaults, given = FUNCTIONS[name], list(parameters)
    while given and given[-1] == defaults[len(given) - 1]:
        given.pop()
    return f"{name}({','.join(map(repr, given))})" if given else name


def checked(text: str) -> str:
    """Give the text of a function, or raise ValueError for one that is none."""
    if text not in ("relu", "tanh", "sigmoid", "softmax") and parse_function(text) is None:
        raise ValueError("is no function: use relu, tanh, sigmoid, softmax, " + ", ".join(FUNCTIONS))
    return text


def relu_bound(text: str) -> float | None:
    """Give the upper bound of a ReLU that has one and is nothing else besides; infinite for a plain one."""
    found = parse_function(text)
    return found.parameters[0] if found is not None and found.name == "relu" and not any(found.parameters[1:]) else None


def sloped_relu(text: str) -> float | None:
    """Give the slope below zero of a ReLU that has one, a power of two, and is nothing else besides; None otherwise.

    Such a slope moves the binary point, so the function is exact in fixed-point numbers.
    """
    found = parse_function(text)
    if found is None or found.name != "relu" or math.isfinite(found.parameters[0]) or found.parameters[2]:
        return None
    slope = found.parameters[1]
    return slope if slope > 0 and math.frexp(slope)[0] == 0.5 else None


def tensor_function(text: str) -> Any:
    """Give the function on TensorFlow's tensors.

    Raises
    ------
    ModelError
        ``MODEL-LAYER`` for a text that is no function.
    """
    from siliconv.legacy_keras import load, tensorflow

    tf, keras = tensorflow(), load()
    found = parse_function(text)
    if found is None:
        raise ModelError(
            "MODEL-LAYER",
            f"{text!r} is no function of one element",
            where="activation",
            fix="use one of " + ", ".join(FUNCTIONS),
        )
    numbers = found.parameters
    if found.name == "relu":
        most, slope, threshold = numbers
        bound = None if math.isinf(most) else most
        return lambda x: keras.backend.relu(x, alpha=slope, max_value=bound, threshold=threshold)
    return {
        "elu": lambda x: tf.where(x > 0, x, numbers[0] * tf.math.expm1(tf.minimum(x, 0.0))),
        "selu": tf.nn.selu,
        "softplus": tf.math.softplus,
        "softsign": tf.math.softsign,
        "swish": lambda x: x * tf.math.sigmoid(x),
        "gelu": lambda x: tf.nn.gelu(x, approximate=False),
        "gelu_tanh": lambda x: tf.nn.gelu(x, approximate=True),
        "exponential": tf.math.exp,
        "mish": lambda x: x * tf.math.tanh(tf.math.softplus(x)),
        "line": lambda x: tf.clip_by_value(numbers[0] * x + numbers[1], 0.0, 1.0),
        "hard_swish": lambda x: x * tf.clip_by_value(x / 6.0 + 0.5, 0.0, 1.0),
        "hard_tanh": lambda x: tf.clip_by_value(x, -1.0, 1.0),
        "log_sigmoid": tf.math.log_sigmoid,
        "tanh_shrink": lambda x: x - tf.math.tanh(x),
        "squareplus": lambda x: (x + tf.math.sqrt(x * x + numbers[0])) / 2.0,
        "sparse_plus": lambda x: tf.where(x <= -1, tf.zeros_like(x), tf.where(x < 1, (x + 1) ** 2 / 4.0, x)),
        "soft_shrink": lambda x: tf.nn.relu(x - numbers[0]) - tf.nn.relu(-x - numbers[0]),
        "hard_shrink": lambda x: tf.where(tf.abs(x) > numbers[0], x, tf.zeros_like(x)),
    }[found.name]
