"""EinsumDense as layers that there are: axes swapped, a product with a matrix at each position, axes swapped back."""

from __future__ import annotations

from math import prod
from typing import NamedTuple

import numpy as np

from siliconv.models.architectures.keras_graph import refused
from siliconv.models.architectures.keras_steps import Arrays, Call, LayerStep
from siliconv.models.architectures.shapes import Shape


class _Axes(NamedTuple):
    """The letters of an equation without the batch, by what becomes of each axis of input and kernel."""

    inputs: str
    kernel: str
    outputs: str
    positions: str
    """In input and output: the same product at each."""
    own: str
    """In all three: a matrix of its own for each, which is a block of a larger one."""
    summed: str
    """In input and kernel."""
    new: str
    """In kernel and output."""


def einsum_dense(call: Call) -> list[LayerStep]:
    """Give the layers of an EinsumDense, without its activation.

    Raises
    ------
    ModelError
        ``MODEL-LAYER`` for an equation that is no product of its input with a matrix.
    """
    axes = _axes_of(call)
    sizes = dict(zip(axes.inputs, call.shape, strict=True))
    asked = _output_sizes(call, axes)
    sizes |= {letter: asked[letter] for letter in axes.new}
    matrix = _Matrix(axes, sizes, call.settings.get("bias_axes") or "")
    steps: list[LayerStep] = []
    shape = call.shape
    before = axes.positions + axes.own + axes.summed
    shape = _swapped(steps, shape, axes.inputs, before, "swapped")
    rows, outputs = prod(sizes[letter] for letter in axes.positions), matrix.outputs
    _shaped(steps, shape, (rows, matrix.inputs) if axes.positions else (matrix.inputs,), "rows")
    biased = call.settings.get("bias_axes") is not None
    kind = {"kind": "conv1d", "filters": outputs, "kernel": 1, "stride": 1, "padding": "valid"}
    described = kind if axes.positions else {"kind": "dense", "units": outputs}
    product = {**described, "use_bias": biased, "activation": None}
    steps.append(LayerStep(product, "product", weights=matrix.weights))
    behind = axes.positions + axes.own + axes.new
    shape = _shaped(
        steps,
        (rows, outputs) if axes.positions else (outputs,),
        tuple(sizes[letter] for letter in behind),
        "shaped",
    )
    _swapped(steps, shape, behind, axes.outputs, "ordered")
    return steps


class _Matrix:
    """The kernel of an equation as a matrix, and its bias."""

    def __init__(self, axes: _Axes, sizes: dict[str, int], bias_axes: str) -> None:
        self._axes, self._sizes, self._bias_axes = axes, sizes, bias_axes
        self._own, self._summed, self._new = (
            prod(sizes[letter] for letter in letters) for letters in (axes.own, axes.summed, axes.new)
        )
        self.inputs, self.outputs = self._own * self._summed, self._own * self._new

    def weights(self, values: Arrays) -> Arrays:
        """Give kernel and bias of the layer that multiplies."""
        kernel, *bias = values
        axes, sizes = self._axes, self._sizes
        # An axis that the kernel lacks has the same numbers at each place.
        known = [letter for letter in axes.own if letter in axes.kernel]
        order = [axes.kernel.index(letter) for letter in (*known, *axes.summed, *axes.new)]
        blocks = np.transpose(kernel, order).reshape(*(sizes[one] for one in known), self._summed, self._new)
        index = tuple(slice(None) if letter in axes.kernel else np.newaxis for letter in axes.own)
        whole = (*(sizes[letter] for letter in axes.own), self._summed, self._new)
        blocks = np.broadcast_to(blocks[index], whole).reshape(self._own, self._summed, self._new)
        matrix = np.zeros((self._own, self._summed, self._own, self._new), np.float32)
        every = np.arange(self._own)
        matrix[every, :, every, :] = blocks
        found = matrix.reshape(self.inputs, self.outputs)
        kernel_shape = (1, *found.shape) if axes.positions else found.shape
        return [found.reshape(kernel_shape), *(self._bias(one) for one in bias)]

    def _bias(self, written: np.ndarray) -> np.ndarray:
        axes, sizes = self._axes, self._sizes
        shape = tuple(sizes[letter] for letter in axes.outputs)
        full = np.broadcast_to(written, shape)
        # The same at all positions, which is why these are positions.
        order = [axes.outputs.index(letter) for letter in (*axes.positions, *axes.own, *axes.new)]
        flat = np.transpose(full, order).reshape(-1, self.outputs)
        return np.array(flat[0], np.float32)


def _axes_of(call: Call) -> _Axes:
    written = str(call.settings["equation"])
    parts = written.replace(" ", "").replace("->", ",").split(",")
    if len(parts) != 3:
        raise _refused(call, "names no input, kernel and output")
    letters = iter(sorted(set("ABCDEFGHIJKLMNOPQRSTUVWXYZ") - set(written)))
    missing = len(call.shape) + 1 - len(parts[0].replace("...", ""))
    spread = "".join(next(letters) for _ in range(missing)) if "..." in parts[0] and missing > 0 else ""
    inputs, kernel, outputs = (part.replace("...", spread) for part in parts)
    all_letters = inputs + kernel + outputs
    if not all_letters.isalpha() or len(inputs) != len(call.shape) + 1:
        raise _refused(call, f"does not fit an input of {len(call.shape)} axes")
    if any(len(set(part)) != len(part) for part in (inputs, kernel, outputs)):
        raise _refused(call, "names an axis twice")
    if inputs[0] != outputs[:1] or inputs[0] in kernel:
        raise _refused(call, "does not begin with the batch")
    inputs, outputs = inputs[1:], outputs[1:]
    if not set(inputs) <= set(kernel + outputs) or not set(kernel) <= set(inputs + outputs):
        raise _refused(call, "sums an axis that input or kernel has alone")
    if not set(outputs) <= set(inputs + kernel):
        raise _refused(call, "has an axis in its output that neither input nor kernel has")
    bias = str(call.settings.get("bias_axes") or "")
    both = [letter for letter in inputs if letter in outputs]
    # With a bias of its own at each position, the positions are blocks of one matrix.
    positions = "".join(letter for letter in both if letter not in kernel and letter not in bias)
    own = "".join(letter for letter in both if letter not in positions)
    summed = "".join(letter for letter in inputs if letter not in outputs)
    new = "".join(letter for letter in kernel if letter not in inputs)
    return _Axes(inputs, kernel, outputs, positions, own, summed, new)


def _output_sizes(call: Call, axes: _Axes) -> dict[str, int]:
    """Give the sizes that the layer's output shape says; a size that is left open is one of the input's."""
    written = call.settings["output_shape"]
    asked = [written] if isinstance(written, int) else list(written)
    # Leading axes that an ellipsis stands for are left out.
    named = axes.outputs[len(axes.outputs) - len(asked) :]
    found = dict(zip(named, asked, strict=True)) if len(named) == len(asked) else {}
    if any(not isinstance(found.get(letter), int) for letter in axes.new):
        raise _refused(call, f"has no size for each of its axes in output_shape = {written!r}")
    return {letter: int(found[letter]) for letter in axes.new}


def _swapped(steps: list[LayerStep], shape: Shape, before: str, after: str, suffix: str) -> Shape:
    order = tuple(before.index(letter) for letter in after)
    if order != tuple(range(len(order))):
        steps.append(LayerStep({"kind": "rearrange", "order": order}, suffix))
    return tuple(shape[axis] for axis in order)


def _shaped(steps: list[LayerStep], shape: Shape, target: Shape, suffix: str) -> Shape:
    if shape != target:
        steps.append(
            LayerStep({"kind": "flatten"} if len(target) == 1 else {"kind": "reshape", "shape": target}, suffix)
        )
    return target


def _refused(call: Call, why: str) -> Exception:
    written = call.settings["equation"]
    fix = "use an equation of input and kernel such as 'abc,cd->abd', or Dense"
    return refused(call.layer, f"its equation {written!r} {why}", call.where, fix)
