"""One layer of a Keras model as the layers that it becomes here: most become one, some a few that compute the same.

Each step says which layer it is, what it reads, and what of the layer's weights it takes. Broadcasting, causal padding,
several outputs a channel, averages, slopes below zero and the like are all made of layers that there are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import inf, isfinite, prod
from typing import Any

import numpy as np

from siliconv.models.architectures.functions import function_text
from siliconv.models.architectures.keras_graph import Config, refused
from siliconv.models.architectures.shapes import Shape

Arrays = list[np.ndarray]

EPSILON = 2.0**-20
"""Of a normalization that is nothing but a factor and an offset: its variance is 1 less this, exactly."""


@dataclass(frozen=True)
class LayerStep:
    """A layer that a layer of Keras becomes, or one of them.

    Parameters
    ----------
    described
        Its kind and settings, without name and inputs.
    suffix
        Of its name; the last step has the layer's own name.
    reads
        Steps before it by their number, and inputs of the layer: -1 is the first. None for the step before, or for all
        inputs of the layer.
    weights
        What it takes of the layer's weights; None for a step without.
    """

    described: dict[str, Any]
    suffix: str = ""
    reads: tuple[int, ...] | None = None
    weights: Callable[[Arrays], Arrays] | None = None


def as_they_are(values: Arrays) -> Arrays:
    """Give the weights of a layer that keeps its own."""
    return values


@dataclass(frozen=True)
class Call:
    """One use of a layer: what its configuration says, the shapes that it reads, and which Keras wrote it."""

    layer: Config
    shapes: tuple[Shape, ...]
    where: str
    keras: int
    apart: bool = False
    """Whether a factor on the pixels stays a layer of its own, because the weights cannot take it up."""

    @property
    def settings(self) -> Config:
        """What is set of the layer."""
        found: Config = self.layer["config"]
        return found

    @property
    def shape(self) -> Shape:
        """The shape of the first input."""
        return self.shapes[0]


def numbers(call: Call, *names: str) -> list[float]:
    """Give settings that have to be finite numbers, 0 where nothing is said."""
    found = []
    for name in names:
        value = call.settings.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value)):
            raise refused(call.layer, f"{name} = {value!r} is no finite number", call.where)
        found.append(float(value or 0.0))
    return found


def by_channel(call: Call, value: Any, name: str) -> np.ndarray:
    """Give a number a channel, from one for all or one for each."""
    try:
        found = np.asarray(value, np.float64).reshape(-1)
        if not np.isfinite(found).all():
            raise ValueError
        return np.broadcast_to(found, call.shape[-1:])
    except (TypeError, ValueError) as error:
        what = f"{name} = {value!r} is not a finite number, nor one for each of {call.shape[-1]} channels"
        raise refused(call.layer, what, call.where) from error


def identity() -> list[LayerStep]:
    """Give what a layer becomes that does nothing to a trained network."""
    return [LayerStep({"kind": "dropout", "rate": 0.0})]


def activation(function: str) -> dict[str, Any]:
    """Describe an activation as a layer of its own."""
    return {"kind": "activation", "activation": function}


def affine(scale: Any, offset: Any, shape: Shape, suffix: str = "", reads: tuple[int, ...] | None = None) -> LayerStep:
    """Give a factor and an offset a channel, as a normalization that is folded where it can be."""
    channels = shape[-1]

    def weights(_: Arrays) -> Arrays:
        gamma, beta = (np.broadcast_to(np.asarray(one, np.float64), (channels,)) for one in (scale, offset))
        return normalization(gamma, beta)

    return LayerStep({"kind": "batch_normalization", "epsilon": EPSILON}, suffix, reads, weights)


def normalization(gamma: np.ndarray, beta: np.ndarray) -> Arrays:
    """Give the weights of a normalization that multiplies by gamma and adds beta."""
    plain = np.zeros(gamma.shape, np.float32), np.full(gamma.shape, 1.0 - EPSILON, np.float32)
    return [np.array(gamma, np.float32), np.array(beta, np.float32), *plain]


def dense(call: Call, described: dict[str, Any]) -> list[LayerStep]:
    """Give a dense layer; on positions it is a convolution of one pixel."""
    axes = len(call.shape) - 1
    if not axes:
        return [LayerStep(described, weights=as_they_are)]
    if axes > 2:
        raise refused(call.layer, f"it stands on {axes} axes of positions", call.where)
    kept = {key: value for key, value in described.items() if key not in ("kind", "units")}
    kind = {"kind": f"conv{axes}d", "filters": described["units"], "kernel": 1, "stride": 1, "padding": "valid"}

    def weights(values: Arrays) -> Arrays:
        kernel, *bias = values
        return [kernel.reshape((1,) * axes + kernel.shape), *bias]

    return [LayerStep({**kind, **kept}, weights=weights if axes else as_they_are)]


def convolution(call: Call, described: dict[str, Any]) -> list[LayerStep]:
    """Give a convolution; a causal one is padded at its beginning first."""
    if described["padding"] != "causal":
        return [LayerStep(described, weights=as_they_are)]
    padding = {"kind": "zero_padding", "before": described["kernel"] - 1, "after": 0}
    return [LayerStep(padding, "causal"), LayerStep({**described, "padding": "valid"}, weights=as_they_are)]


def depthwise(call: Call, described: dict[str, Any], times: int) -> list[LayerStep]:
    """Give a depthwise convolution; with several outputs a channel, each channel is repeated first."""
    steps = convolution(call, described)
    if times == 1:
        return steps
    *before, last = steps

    def weights(values: Arrays) -> Arrays:
        kernel, *bias = values
        return [kernel.reshape(*kernel.shape[:-2], -1, 1), *bias]

    return [_repeated_channels(call.shape, times), *before, replace(last, weights=weights)]


def separable(call: Call, described: dict[str, Any], times: int) -> list[LayerStep]:
    """Give a separable convolution as the two that it is."""
    rank = described["kind"][-2:]
    activated = {"activation": described["activation"], "use_bias": described["use_bias"]}
    window = {key: described[key] for key in ("kernel", "stride", "padding")}
    first = {"kind": f"depthwise_conv{rank}", **window, "use_bias": False, "activation": None}
    second = {"kind": f"conv{rank}", "filters": described["filters"], "kernel": 1, "stride": 1, "padding": "valid"}
    *before, last = depthwise(call, first, times)
    taken = last.weights or as_they_are
    by_channel = replace(last, suffix="depthwise", weights=lambda values: taken(values[:1]))
    return [*before, by_channel, LayerStep({**second, **activated}, weights=lambda values: values[1:])]


def _repeated_channels(shape: Shape, times: int) -> LayerStep:
    return LayerStep({"kind": "rearrange", "repeats": (*(1 for _ in shape[:-1]), times)}, "repeated")


def global_pool(call: Call, kind: str) -> list[LayerStep]:
    """Give a global pooling; where it keeps its axes, they are put back."""
    if not call.settings.get("keepdims"):
        return [LayerStep({"kind": kind})]
    kept = (*(1 for _ in call.shape[:-1]), call.shape[-1])
    return [LayerStep({"kind": kind}, "pooled"), LayerStep({"kind": "reshape", "shape": kept})]


def merged(call: Call, kind: str) -> list[LayerStep]:
    """Give a function of several tensors, the smaller ones repeated where Keras broadcasts them."""
    try:
        target = np.broadcast_shapes(*call.shapes)
    except ValueError as error:
        raise refused(
            call.layer, f"its inputs have the shapes {[list(one) for one in call.shapes]}", call.where
        ) from error
    steps: list[LayerStep] = []
    reads = []
    for number, shape in enumerate(call.shapes, start=1):
        reads.append(-number)
        if len(shape) < len(target):
            shape = (*(1 for _ in range(len(target) - len(shape))), *shape)
            steps.append(LayerStep({"kind": "reshape", "shape": shape}, f"input{number}", (reads[-1],)))
            reads[-1] = len(steps) - 1
        if shape != target:
            repeats = tuple(wide // one for wide, one in zip(target, shape, strict=True))
            steps.append(LayerStep({"kind": "rearrange", "repeats": repeats}, f"repeated{number}", (reads[-1],)))
            reads[-1] = len(steps) - 1
    if kind == "average":
        steps.append(LayerStep({"kind": "add"}, "sum", tuple(reads)))
        return [*steps, affine(1.0 / len(reads), 0.0, target)]
    return [*steps, LayerStep({"kind": kind}, reads=tuple(reads))]


def concatenated(call: Call) -> list[LayerStep]:
    """Give tensors joined along the axis that is said, which Keras counts with the batch."""
    axis, rank = call.settings["axis"], len(call.shape) + 1
    if isinstance(axis, bool) or not isinstance(axis, int) or not -rank < axis < rank or axis == 0:
        raise refused(call.layer, f"axis = {axis!r} is none of its inputs'", call.where)
    place = axis % rank - 1
    return [LayerStep({"kind": "concatenate", "axis": -1 if place == rank - 2 else place})]


def reshaped(call: Call) -> list[LayerStep]:
    """Give the same elements in another shape, of which one size may be left open."""
    shape = [int(size) for size in call.settings["target_shape"]]
    if shape.count(-1) == 1:
        known = -prod(shape)
        shape[shape.index(-1)] = prod(call.shape) // max(known, 1)
    if prod(shape) != prod(call.shape) or min(shape, default=1) < 1:
        raise refused(call.layer, f"target_shape = {shape} for {prod(call.shape)} elements", call.where)
    if tuple(shape) == call.shape:
        return identity()
    return [LayerStep({"kind": "flatten"} if len(shape) == 1 else {"kind": "reshape", "shape": tuple(shape)})]


def upsampled(call: Call) -> list[LayerStep]:
    """Give every pixel several times, the nearest one's value."""
    size = call.settings["size"]
    sizes = [size] if isinstance(size, int) else size
    axes = len(call.shape) - 1
    repeats = tuple(int(one) for one in (sizes if len(sizes) == axes else [sizes[0]] * axes))
    return [LayerStep({"kind": "rearrange", "repeats": (*repeats, 1)})]


def permuted(call: Call) -> list[LayerStep]:
    """Give the axes in another order; Keras counts them from one."""
    order = tuple(int(axis) - 1 for axis in call.settings["dims"])
    if order == tuple(range(len(call.shape))):
        return identity()
    return [LayerStep({"kind": "rearrange", "order": order})]


def repeated_vector(call: Call) -> list[LayerStep]:
    """Give a vector as so many equal rows."""
    row = LayerStep({"kind": "reshape", "shape": (1, call.shape[-1])}, "row")
    return [row, LayerStep({"kind": "rearrange", "repeats": (int(call.settings["n"]), 1)})]


def relu(call: Call) -> list[LayerStep]:
    """Give a ReLU with what is said of it: an upper bound, a slope, a threshold."""
    most, slope, threshold = numbers(call, "max_value", "negative_slope", "threshold")
    most = inf if call.settings["max_value"] is None else most
    return [LayerStep(activation(function_text("relu", most, slope, threshold)))]


def thresholded_relu(call: Call) -> list[LayerStep]:
    """Give what is left of a tensor above a threshold."""
    return [LayerStep(activation(function_text("relu", inf, 0.0, *numbers(call, "theta"))))]


def leaky_relu(call: Call) -> list[LayerStep]:
    """Give a ReLU with a slope below zero."""
    name = next((one for one in ("negative_slope", "alpha") if call.settings.get(one) is not None), None)
    if name is None:
        raise refused(call.layer, "it says no slope", call.where)
    return [LayerStep(activation(function_text("relu", inf, *numbers(call, name))))]


def prelu(call: Call) -> list[LayerStep]:
    """Give a ReLU with trained slopes below zero: relu(x) - slope * relu(-x)."""
    shared = {axis - 1 for axis in call.settings.get("shared_axes") or ()}
    shape = call.shape
    alike = shared >= set(range(len(shape) - 1))
    channels = shape[-1:] if alike else (prod(shape),)
    alpha_shape = tuple(1 if axis in shared else size for axis, size in enumerate(shape))

    def slopes(values: Arrays) -> Arrays:
        whole = (*alpha_shape[:-1], shape[-1]) if alike else shape
        full = np.broadcast_to(values[0].reshape(alpha_shape), whole)
        gamma = -full.reshape(channels).astype(np.float64)
        return normalization(gamma, np.zeros(channels))

    first: list[LayerStep] = [] if alike else [LayerStep({"kind": "flatten"}, "flat")]
    start = len(first)
    read = (start - 1,) if first else (-1,)
    steps = [
        *first,
        LayerStep(activation("relu"), "positive", read),
        affine(-1.0, 0.0, channels, "negated", read),
        LayerStep(activation("relu"), "negative", (start + 1,)),
        LayerStep({"kind": "batch_normalization", "epsilon": EPSILON}, "slope", (start + 2,), slopes),
    ]
    added = LayerStep({"kind": "add"}, reads=(start, start + 3))
    if alike:
        return [*steps, added]
    return [*steps, replace(added, suffix="sum"), LayerStep({"kind": "reshape", "shape": shape})]


def softmax(call: Call) -> list[LayerStep]:
    """Give a softmax along the axis or axes that are said, which are brought to the end and made one."""
    written, rank = call.settings["axis"], len(call.shape) + 1
    axes = written if isinstance(written, list) else [written]
    wrong = any(isinstance(one, bool) or not isinstance(one, int) or not -rank < one < rank or one == 0 for one in axes)
    places = [] if wrong else [one % rank - 1 for one in axes]
    if not places or len(set(places)) < len(places):
        raise refused(call.layer, f"axis = {written!r} is not one of its input's", call.where)
    if places == [rank - 2]:
        return [LayerStep(activation("softmax"))]
    others = [place for place in range(rank - 1) if place not in places]
    order = [*others, *sorted(places)]
    moved = tuple(call.shape[place] for place in order)
    joined = (*moved[: len(others)], prod(moved[len(others) :]))
    together = {"kind": "reshape", "shape": joined} if others else {"kind": "flatten"}
    steps = [
        LayerStep({"kind": "rearrange", "order": tuple(order)}, "swapped"),
        LayerStep(together, "joined"),
        LayerStep(activation("softmax"), "shares"),
        LayerStep({"kind": "reshape", "shape": moved}, "parted"),
        LayerStep({"kind": "rearrange", "order": tuple(order.index(place) for place in range(rank - 1))}),
    ]
    if order == sorted(order):
        return [replace(steps[1], reads=(-1,)), steps[2], replace(steps[3], suffix="")]
    return steps if len(places) > 1 else [steps[0], steps[2], steps[4]]


def rescaled(call: Call) -> list[LayerStep]:
    """Give a factor and an offset, a number each or one a channel."""
    scale, offset = (by_channel(call, call.settings[name], name) for name in ("scale", "offset"))
    return [affine(scale, offset, call.shape)]


def normalized(call: Call) -> list[LayerStep]:
    """Give a Normalization, whose mean and variance stand in its settings or among its weights."""
    settings, rank = call.settings, len(call.shape) + 1
    axis = settings.get("axis", -1)
    axes = [] if axis is None else [axis] if isinstance(axis, int) else list(axis)
    if any(one % rank != rank - 1 for one in axes):
        raise refused(call.layer, f"axis = {axis!r} is not its last axis, the channels", call.where)

    def weights(values: Arrays) -> Arrays:
        stated = settings.get("mean") is not None
        mean, variance = (settings["mean"], settings["variance"]) if stated else values[:2]
        mean, variance = (by_channel(call, one, name) for one, name in ((mean, "mean"), (variance, "variance")))
        # Keras' own least deviation.
        deviation = np.maximum(np.sqrt(variance), 1e-7)
        if settings.get("invert"):
            return normalization(deviation, mean)
        return normalization(1.0 / deviation, -mean / deviation)

    return [LayerStep({"kind": "batch_normalization", "epsilon": EPSILON}, weights=weights)]


def behind(steps: Sequence[LayerStep], function: str) -> list[LayerStep]:
    """Give steps with an activation behind them that no layer has of its own."""
    *before, last = steps
    return [*before, replace(last, suffix="sum" if last.suffix == "" else last.suffix), LayerStep(activation(function))]
