"""The forms that a tensor of the integer network takes inside an ONNX graph, and the exact ways between them.

A code is held as ``code * 2**-exponent`` in float32 or float64, or as it is in an integer. A form is only asked for
where the proven bounds of the tensor fit it, so going from one to another never changes a value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from onnx import helper

from siliconv.network.emulator.onnx_graph import OnnxGraph
from siliconv.network.fixed_point import Interval
from siliconv.network.graph import Node
from siliconv.network.intervals import Bounds

F32, F64, I64, U8, I8 = "float32", "float64", "int64", "uint8", "int8"
ROADS = (F32, F64, I64)
"""From fast to wide."""

LARGEST: Mapping[str, int] = {F32: 1 << 24, F64: 1 << 53, I64: 1 << 62}
"""Integers up to this magnitude, all of them, are exact."""

LARGEST_EXPONENT = 60
"""Scaling by more than ``2**60`` leaves the floating-point roads: far inside the range of float32's exponent."""


class Form(NamedTuple):
    """How a tensor is held: its type, whether channels come first, and the power of two it is divided by."""

    dtype: str
    first: bool
    exponent: int = 0


@dataclass
class _Value:
    form: Form
    name: str


class Tensors:
    """The tensors that exist so far, each in one or more forms."""

    def __init__(self, graph: OnnxGraph, bounds: Mapping[str, Bounds]) -> None:
        self.graph = graph
        self.bounds = bounds
        self._values: dict[str, list[_Value]] = {}

    def put(self, node: Node, form: Form, value: str) -> None:
        """Enter the value of a node in the form in which it was computed."""
        self._values.setdefault(node.name, []).append(_Value(_settled(node, form), value))

    def natural(self, node: Node) -> Form:
        """Give the form in which a node was computed."""
        return self._values[node.name][0].form

    def get(self, node: Node, dtype: str, *, first: bool, exponent: int = 0) -> str:
        """Give the value of a node in a form, by adding operations where it does not exist yet."""
        wanted = _settled(node, Form(dtype, first, exponent))
        values = self._values[node.name]
        for value in values:
            if value.form == wanted:
                return value.name
        start = next((value for value in values if value.form.first == wanted.first), values[0])
        name, form = start.name, start.form
        if form.exponent != exponent and form.dtype in (F32, F64):
            name, form = self._scaled(name, form, exponent), form._replace(exponent=exponent)
        if form.dtype != dtype:
            name = self.graph.op("Cast", name, to=_onnx_type(dtype))
            form = form._replace(dtype=dtype)
        if form.exponent != exponent:
            name, form = self._scaled(name, form, exponent), form._replace(exponent=exponent)
        if form.first != wanted.first:
            axes = len(node.shape) + 1
            order = [0, axes - 1, *range(1, axes - 1)] if wanted.first else [0, *range(2, axes), 1]
            name = self.graph.op("Transpose", name, perm=order)
        values.append(_Value(wanted, name))
        return name

    def road(self, *nodes: Node) -> str:
        """Give the fastest road that holds every code of these nodes."""
        return road_for(*(magnitude(self.bounds[node.name].interval) for node in nodes))

    def _scaled(self, name: str, form: Form, exponent: int) -> str:
        return self.graph.op("Mul", name, self.graph.constant(2.0 ** (form.exponent - exponent), form.dtype))


def magnitude(interval: Interval) -> int:
    """Give the largest absolute value of an interval."""
    return max(abs(interval.low), abs(interval.high))


def road_for(*magnitudes: int) -> str:
    """Give the fastest road on which integers of these magnitudes are exact; int64 holds what a type can hold."""
    return next((road for road in ROADS if max(magnitudes) <= LARGEST[road]), I64)


def _settled(node: Node, form: Form) -> Form:
    # Without spatial axes, channels first and last are the same.
    return form._replace(first=form.first and len(node.shape) > 1)


def _onnx_type(dtype: str) -> int:
    return int(helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))
