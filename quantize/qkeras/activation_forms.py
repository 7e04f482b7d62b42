"""Quantized activations that are more than a fixed-point type: bounded ReLUs, tables, QKeras' hard functions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from siliconv.network.fixed_point import FixedPoint, Overflow, Rounding, parse_type
from siliconv.network.output_softmax import OUTPUT, input_type

_TABLE = re.compile(r"table (?P<function>\S+) (?P<inputs>\S+) (?P<outputs>\S+)|softmax<(?P<integer>\d+)>")
_SLOPED = re.compile(r"sloped<(?P<type>.*>),(?P<slope>[\d.e+-]+)>")
_TEXT = re.compile(r"hard_(?P<function>tanh|sigmoid)<(?P<width>\d+)>|relu<(?P<type>.*>),(?P<bound>[\d.e+-]+)>")


@dataclass(frozen=True)
class BoundedRelu:
    """`quantized_relu` with ``relu_upper_bound``: values of `type`, none above `bound`, a multiple of its step."""

    type: FixedPoint
    bound: float

    def __str__(self) -> str:
        """Give the text that `parse_activation` reads."""
        return f"relu<{self.type},{self.bound:g}>"

    @property
    def fraction(self) -> int:
        """Fractional bits of the values."""
        return self.type.fraction

    @property
    def largest(self) -> float:
        """The largest value."""
        return self.bound

    def nearest(self, values: NDArray[np.floating]) -> NDArray[np.float64]:
        """Give the value that each is rounded to."""
        return np.clip(np.rint(np.asarray(values, np.float64) / self.type.step) * self.type.step, 0.0, self.bound)


class _HasType(Protocol):
    """What has the type of its values."""

    @property
    def output(self) -> FixedPoint:
        """The type."""


class _OfOneType:
    """Forms whose values are those of one type, `output`."""

    @property
    def fraction(self: _HasType) -> int:
        """Fractional bits of the values."""
        return self.output.fraction

    @property
    def largest(self: _HasType) -> float:
        """The largest value."""
        return self.output.codes.high * self.output.step

    def nearest(self: _HasType, values: NDArray[np.floating]) -> NDArray[np.float64]:
        """Give the value of its grid that each value of the function is nearest to."""
        scaled = np.rint(np.asarray(values, np.float64) / self.output.step)
        return np.clip(scaled, *self.output.codes) * self.output.step


@dataclass(frozen=True)
class SlopedRelu(_OfOneType):
    """A ReLU whose slope below zero is a power of two, rounded to the signed type `output`."""

    output: FixedPoint
    slope: float

    def __str__(self) -> str:
        """Give the text that `parse_activation` reads."""
        return f"sloped<{self.output},{self.slope!r}>"


@dataclass(frozen=True)
class HardFunction(_OfOneType):
    """`quantized_tanh` or `quantized_sigmoid` of so many bits, as QKeras computes them: a line with two ends."""

    function: Literal["tanh", "sigmoid"]
    width: int

    def __str__(self) -> str:
        """Give the text that `parse_activation` reads."""
        return f"hard_{self.function}<{self.width}>"

    @property
    def output(self) -> FixedPoint:
        """The type of its values."""
        signed = self.function == "tanh"
        return FixedPoint(signed, self.width, int(signed), Rounding.RND_CONV, Overflow.SAT)


@dataclass(frozen=True)
class TabledFunction(_OfOneType):
    """A function of one element by a table: the types of its index and of its entries."""

    function: str
    inputs: FixedPoint
    output: FixedPoint

    def __str__(self) -> str:
        """Give the text that `parse_activation` reads."""
        return f"table {self.function} {self.inputs} {self.output}"


@dataclass(frozen=True)
class TabledSoftmax:
    """A softmax inside a network, by the tables of the one at its end; `integer` bits, with the sign, of its input."""

    integer: int

    def __str__(self) -> str:
        """Give the text that `parse_activation` reads."""
        return f"softmax<{self.integer}>"

    @property
    def inputs(self) -> FixedPoint:
        """The type that its input is brought into."""
        return input_type(self.integer)

    @property
    def fraction(self) -> int:
        """Fractional bits of the values."""
        return OUTPUT.fraction

    @property
    def largest(self) -> float:
        """The largest value."""
        return 1.0

    def nearest(self, values: NDArray[np.floating]) -> NDArray[np.float64]:
        """Give the value of its grid that each value of the function is nearest to."""
        return np.rint(np.asarray(values, np.float64) / OUTPUT.step) * OUTPUT.step


ActivationForm = BoundedRelu | SlopedRelu | HardFunction | TabledFunction | TabledSoftmax


def parse_activation(text: str) -> ActivationForm | None:
    """Read what the ``str`` of these wrote; None for anything else."""
    table = _TABLE.fullmatch(text)
    if table is not None and table["integer"] is not None:
        return TabledSoftmax(int(table["integer"]))
    if table is not None:
        return TabledFunction(table["function"], parse_type(table["inputs"]), parse_type(table["outputs"]))
    sloped = _SLOPED.fullmatch(text)
    if sloped is not None:
        return SlopedRelu(parse_type(sloped["type"]), float(sloped["slope"]))
    match = _TEXT.fullmatch(text)
    if match is None:
        return None
    if match["type"] is not None:
        return BoundedRelu(parse_type(match["type"]), float(match["bound"]))
    return HardFunction("tanh" if match["function"] == "tanh" else "sigmoid", int(match["width"]))
