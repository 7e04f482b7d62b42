"""What a quantizer of QKeras is, as data: its class and its arguments, however a file spells them.

QKeras writes ``quantized_relu(6, 0)`` as a text, as class and configuration, or as the name of a function; qkeras-v3
writes its own package beside. A text is read by a grammar of names, numbers, truth values and quoted words; it is never
evaluated.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from siliconv.bounded_reading import UnreadableError

NO_EFFECT = {"var_name": None, "use_ste": None, "use_variables": None}
"""Arguments that only training looks at."""

CLASSES: Mapping[str, tuple[str, ...]] = {
    "quantized_bits": (
        *("bits", "integer", "symmetric", "keep_negative", "alpha", "use_stochastic_rounding", "scale_axis"),
        *("qnoise_factor", "var_name", "use_ste", "use_variables"),
    ),
    "quantized_relu": (
        *("bits", "integer", "use_sigmoid", "negative_slope", "use_stochastic_rounding", "relu_upper_bound"),
        *("is_quantized_clip", "qnoise_factor", "var_name", "use_ste", "use_variables"),
    ),
    "quantized_po2": (
        *("bits", "max_value", "use_stochastic_rounding", "quadratic_approximation", "log2_rounding"),
        *("qnoise_factor", "var_name", "use_ste", "use_variables"),
    ),
    "quantized_relu_po2": (
        *("bits", "max_value", "negative_slope", "use_stochastic_rounding", "quadratic_approximation"),
        *("log2_rounding", "qnoise_factor", "var_name", "use_ste", "use_variables"),
    ),
    "quantized_tanh": ("bits", "use_stochastic_rounding", "symmetric", "use_real_tanh"),
    "quantized_sigmoid": ("bits", "symmetric", "use_real_sigmoid", "use_stochastic_rounding"),
    "binary": ("use_01", "alpha", "use_stochastic_rounding"),
    "ternary": ("alpha", "threshold", "use_stochastic_rounding", "number_of_unrolls"),
}
"""Classes of QKeras, with their arguments in the order in which a text may give them."""

FUNCTIONS = ("binary_tanh", "binary_sigmoid", "hard_tanh", "hard_sigmoid", "smooth_tanh", "smooth_sigmoid")
"""QKeras' functions without arguments."""

_BY_CHANCE_IN_TRAINING: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "stochastic_binary": ("binary", ("alpha", "temperature", "use_real_sigmoid")),
    "stochastic_ternary": (
        "ternary",
        ("alpha", "threshold", "temperature", "use_real_sigmoid", "number_of_unrolls"),
    ),
}
"""Classes that draw their values by chance while they are trained: what each is in a prediction, and its arguments."""

KERAS_HARD_SIGMOID = "line(0.2,0.5)"
"""What layers of Keras 2 call hard_sigmoid; to layers of QKeras' that name is ``x / 2 + 1 / 2``, one of the above."""

_WITHOUT_MEANING = {
    "bernoulli": "draws its values by chance in every prediction",
    "quantized_ulaw": "has steps of different sizes, which no fixed-point type has",
    "quantized_hswish": "multiplies by its input, which no fixed-point type does",
    "quantized_linear": "belongs to an unreleased QKeras; use quantized_bits",
}

_TEXT = re.compile(r"\s*(?P<name>\w+)\s*(?:\((?P<arguments>[^()]*)\))?\s*")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)


class Quantizer(NamedTuple):
    """A class or function of QKeras by its name, with the arguments that are given."""

    name: str
    arguments: Mapping[str, Any]

    def as_json(self) -> Any:
        """Return what `read_quantizer` reads: the name of a function, or class and arguments."""
        return self.name if self.name in FUNCTIONS else {"class_name": self.name, "config": dict(self.arguments)}


def read_quantizer(written: Any) -> Quantizer | None:
    """Read a quantizer as QKeras writes it; None where there is none.

    Raises
    ------
    UnreadableError
        For a class that has no exact meaning or is not QKeras', and for arguments that it does not have.
    """
    if written is None or written == "linear":
        return None
    if isinstance(written, str):
        return _of_text(written)
    if not isinstance(written, Mapping) or "class_name" not in written:
        raise UnreadableError(f"{written!r} is no quantizer")
    name, inner = str(written["class_name"]), written.get("config")
    _refuse_foreign(name, written)
    if name == "function" and isinstance(inner, str):
        return _of_text(inner)
    if (name not in CLASSES and name not in _BY_CHANCE_IN_TRAINING) or not isinstance(inner, Mapping):
        raise UnreadableError(_why_unknown(name))
    return _checked(name, {key: plain_value(value) for key, value in inner.items()})


def is_keras_activation(written: Any) -> bool:
    """Whether an activation is a function of Keras' own and not of QKeras'."""
    name = written.get("config") if isinstance(written, Mapping) else written
    own = (*CLASSES, *FUNCTIONS, *_BY_CHANCE_IN_TRAINING, *_WITHOUT_MEANING)
    return isinstance(name, str) and name.isidentifier() and name not in own


def _of_text(text: str) -> Quantizer | None:
    match = _TEXT.fullmatch(text)
    if match is None:
        raise UnreadableError(f"{text!r} is no quantizer")
    name, arguments = match["name"], match["arguments"]
    if name in FUNCTIONS and arguments is None:
        return Quantizer(name, {})
    if name not in CLASSES and name not in _BY_CHANCE_IN_TRAINING:
        raise UnreadableError(_why_unknown(name))
    known = _arguments(name)
    given: dict[str, Any] = {}
    for position, part in enumerate(part.strip() for part in (arguments or "").split(",") if part.strip()):
        key, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals:
            key, value = (known[position] if position < len(known) else f"argument {position}"), part
        given[key] = _value(value)
    return _checked(name, given)


def _value(text: str) -> Any:
    if text in ("True", "False", "None"):
        return {"True": True, "False": False, "None": None}[text]
    if text[:1] in "'\"" and text[-1:] == text[:1] and len(text) > 1:
        return text[1:-1]
    if _NUMBER.fullmatch(text):
        return int(text) if re.fullmatch(r"[+-]?\d+", text) else float(text)
    raise UnreadableError(f"{text!r} is no number and no quoted word")


def plain_value(value: Any) -> Any:
    """Give a number, or numbers, as themselves where Keras wrote an array of NumPy's."""
    if isinstance(value, Mapping) and value.get("class_name") == "__numpy__":
        return value["config"]["value"]
    return value


def _checked(name: str, given: Mapping[str, Any]) -> Quantizer:
    arguments: dict[str, Any] = {}
    in_prediction = _BY_CHANCE_IN_TRAINING[name][0] if name in _BY_CHANCE_IN_TRAINING else name
    for key, value in given.items():
        if key not in _arguments(name):
            if value is None and key == "post_training_scale":
                continue
            raise UnreadableError(f"{key} = {value!r} of {name} is not known here")
        if key in NO_EFFECT or key not in CLASSES[in_prediction]:
            continue
        listed = isinstance(value, list) and all(type(one) in (int, float) for one in _leaves(value))
        if not (value is None or type(value) in (bool, int, float, str) or (listed and key == "alpha")):
            raise UnreadableError(f"{key} = {value!r} of {name} is no number")
        arguments[key] = value
    _check_numbers(name, arguments)
    return Quantizer(in_prediction, arguments)


def _arguments(name: str) -> tuple[str, ...]:
    return _BY_CHANCE_IN_TRAINING[name][1] if name in _BY_CHANCE_IN_TRAINING else CLASSES[name]


_OF_WHOLE_POWERS = ("quantized_bits", "quantized_relu", "quantized_hswish")
"""They take 2 to the power of a whole number, which TensorFlow refuses below 0."""


_LARGEST_POWER = 30
"""The largest power of two that is a whole number of 32 bits."""


def _check_numbers(name: str, arguments: Mapping[str, Any]) -> None:
    for key, (low, high) in {"bits": (1, 64), "integer": (-64, 64)}.items():
        value = arguments.get(key, low)
        if isinstance(value, float) and value == int(value):
            value = int(value)
        if type(value) is not int or not low <= value <= high:
            raise UnreadableError(f"{key} = {arguments.get(key)!r} of {name} is no whole number from {low} to {high}")
    if name in _OF_WHOLE_POWERS and int(arguments.get("integer") or 0) < 0:
        raise UnreadableError(f"integer = {arguments['integer']!r} of {name} is below 0, where QKeras computes nothing")
    for key in ("bits", "integer") if name == "quantized_relu" else ("integer",):
        if name in _OF_WHOLE_POWERS and int(arguments.get(key) or 0) > _LARGEST_POWER:
            raise UnreadableError(
                f"{key} = {arguments[key]!r} of {name} is above {_LARGEST_POWER}, where QKeras overflows"
            )
    if isinstance(arguments.get("alpha"), str) and arguments["alpha"] not in ("auto", "auto_po2"):
        raise UnreadableError(f"alpha = {arguments['alpha']!r} of {name} is neither a number nor 'auto' or 'auto_po2'")


def _leaves(value: Any) -> list[Any]:
    return [leaf for one in value for leaf in _leaves(one)] if isinstance(value, list) else [value]


def _refuse_foreign(name: str, written: Mapping[str, Any]) -> None:
    module, registered = written.get("module"), written.get("registered_name")
    known = module is None or str(module).split(".")[0] in ("qkeras", "builtins", "keras", "tf_keras")
    if not known or registered not in (None, name, f"qkeras>{name}", "function"):
        raise UnreadableError(f"the quantizer {name!r} of {registered or module} is not QKeras' own")


def _why_unknown(name: str) -> str:
    if name in _WITHOUT_MEANING:
        return f"the quantizer {name!r} {_WITHOUT_MEANING[name]}"
    return f"the quantizer {name!r} is none of {', '.join((*CLASSES, *FUNCTIONS))}"
