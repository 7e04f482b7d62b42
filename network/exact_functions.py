"""Functions of one element in exact arithmetic: 60-digit decimals, or fractions where nothing is transcendental.

A function is named by a text, its parameters behind it in brackets: ``elu(0.5)``, ``relu(6,0.1,0)``. What each one
means is said in `siliconv.models.architectures.functions`, which has the same functions on floating-point tensors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Context, Decimal, localcontext
from fractions import Fraction
from math import inf

Exact = Callable[[Fraction], Fraction]

_PRECISION = Context(prec=60)

_FAR = 1400
"""Where the functions are nearer to their limits than the last place of any type: exp(-1400) < 2**-2000."""

_PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494")
_ERF_IS_ONE = 13
"""1 - erf(13) is below 10**-74."""

_SELU_SCALE = Fraction("1.0507009873554804934193349852946")
_SELU_ALPHA = Fraction("1.6732632423543772848170429916717")


def exact_function(text: str) -> Exact | None:
    """Give the function of a text; None where there is none of that name and number of parameters."""
    name, _, numbers = text.removesuffix(")").partition("(")
    given = [number for number in numbers.split(",") if number]
    defaults = DEFAULTS.get(name)
    if defaults is None or len(given) > len(defaults):
        return None
    parameters = [*given, *defaults[len(given) :]]
    if any(number is None for number in parameters):
        return None
    try:
        return _MAKERS[name](*(_number(number) for number in parameters if number is not None))
    except ValueError:
        return None


def _number(text: str) -> Fraction | float:
    return inf if text in ("inf", "infinity") else Fraction(text)


def exponential(x: Fraction) -> Fraction:
    """Give exp(x) to 60 significant digits, within what a type can hold."""
    x = min(max(x, Fraction(-_FAR)), Fraction(_FAR))
    with localcontext(_PRECISION):
        return Fraction((Decimal(x.numerator) / Decimal(x.denominator)).exp())


def sigmoid(x: Fraction) -> Fraction:
    """Give 1 / (1 + exp(-x)), to 60 significant digits however small it is."""
    if x == 0:
        return Fraction(1, 2)
    power = exponential(-abs(x))
    tail = _rounded(power / (1 + power))
    return tail if x < 0 else 1 - tail


def tanh(x: Fraction) -> Fraction:
    """Give the hyperbolic tangent."""
    return 2 * sigmoid(2 * x) - 1


def _rounded(value: Fraction) -> Fraction:
    with localcontext(_PRECISION):
        return Fraction(Decimal(value.numerator) / Decimal(value.denominator))


def _softplus(x: Fraction) -> Fraction:
    power = 1 + exponential(-abs(x))
    with localcontext(_PRECISION):
        tail = Fraction((Decimal(power.numerator) / Decimal(power.denominator)).ln())
    return max(x, Fraction(0)) + tail


def _normal_share(x: Fraction) -> Fraction:
    """Give the share of a normal distribution below x: (1 + erf(x / sqrt(2))) / 2."""
    with localcontext(_PRECISION):
        z = Decimal(x.numerator) / Decimal(x.denominator) / Decimal(2).sqrt()
        if abs(z) > _ERF_IS_ONE:
            return Fraction(int(z > 0))
        # All terms have one sign: nothing cancels.
        term = total = z
        number = 0
        while total + term != total:
            number += 1
            term = term * 2 * z * z / (2 * number + 1)
            total += term
        erf = 2 / _PI.sqrt() * (-z * z).exp() * total
        return Fraction((1 + erf) / 2)


def _gelu_tanh(x: Fraction) -> Fraction:
    with localcontext(_PRECISION):
        root = Fraction((2 / _PI).sqrt())
    return x * sigmoid(2 * root * (x + Fraction("0.044715") * x**3))


def _mish(x: Fraction) -> Fraction:
    square = (1 + exponential(min(x, Fraction(_FAR // 2)))) ** 2
    return x * (square - 1) / (square + 1)


def _elu(alpha: Fraction, scale: Fraction = Fraction(1)) -> Exact:
    return lambda x: scale * (x if x > 0 else alpha * (exponential(x) - 1))


def _squareplus(b: Fraction) -> Exact:
    def compute(x: Fraction) -> Fraction:
        square = x * x + b
        with localcontext(_PRECISION):
            root = Fraction((Decimal(square.numerator) / Decimal(square.denominator)).sqrt())
        # The smaller of the two solutions, by their product: no digit cancels.
        return (x + root) / 2 if x >= 0 else b / (2 * (root - x))

    return compute


def _sparse_plus(x: Fraction) -> Fraction:
    return Fraction(0) if x <= -1 else x if x >= 1 else (x + 1) ** 2 / 4


def _soft_shrink(threshold: Fraction) -> Exact:
    return lambda x: max(x - threshold, Fraction(0)) + min(x + threshold, Fraction(0))


def _hard_shrink(threshold: Fraction) -> Exact:
    return lambda x: x if abs(x) > threshold else Fraction(0)


def clipped_line(slope: Fraction, shift: Fraction, low: int = 0) -> Exact:
    """Give the function slope * x + shift, between low and one."""
    return lambda x: min(max(slope * x + shift, Fraction(low)), Fraction(1))


def _relu(most: Fraction, slope: Fraction, threshold: Fraction) -> Exact:
    def compute(x: Fraction) -> Fraction:
        if x >= most:
            return most
        return x if x > threshold else slope * (x - threshold)

    return compute


DEFAULTS: Mapping[str, tuple[str | None, ...]] = {
    "elu": ("1",),
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
    "log_sigmoid": (),
    "tanh_shrink": (),
    "squareplus": ("4",),
    "sparse_plus": (),
    "soft_shrink": ("0.5",),
    "hard_shrink": ("0.5",),
    "relu": ("inf", "0", "0"),
}
"""By name the defaults of the parameters, None for one that has to be said."""

_MAKERS: Mapping[str, Callable[..., Exact]] = {
    "elu": _elu,
    "selu": lambda: _elu(_SELU_ALPHA, _SELU_SCALE),
    "softplus": lambda: _softplus,
    "softsign": lambda: lambda x: x / (1 + abs(x)),
    "swish": lambda: lambda x: x * sigmoid(x),
    "gelu": lambda: lambda x: x * _normal_share(x),
    "gelu_tanh": lambda: _gelu_tanh,
    "exponential": lambda: exponential,
    "mish": lambda: _mish,
    "line": clipped_line,
    "hard_swish": lambda: lambda x: x * clipped_line(Fraction(1, 6), Fraction(1, 2))(x),
    "log_sigmoid": lambda: lambda x: -_softplus(-x),
    "tanh_shrink": lambda: lambda x: x - tanh(x),
    "squareplus": _squareplus,
    "sparse_plus": lambda: _sparse_plus,
    "soft_shrink": _soft_shrink,
    "hard_shrink": _hard_shrink,
    "relu": _relu,
}
