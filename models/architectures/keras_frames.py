"""TimeDistributed: one layer, or a row of them, on each step of a sequence, as layers that there are.

What acts on positions one by one acts on all steps at once. Anything else is computed step by step: a step is cut out,
goes through copies of the layers with the same weights, and the results are joined again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from siliconv.models.architectures.keras_graph import Config, layers_in_a_row, layers_of_graph, refused
from siliconv.models.architectures.keras_steps import Arrays, Call, LayerStep
from siliconv.models.architectures.shapes import Shape

Expand = Callable[[Call], Sequence[LayerStep]]
ShapeOf = Callable[[LayerStep, list[Shape]], Shape]

_BY_POSITION = (
    *("Activation", "ReLU", "LeakyReLU", "ELU", "ThresholdedReLU", "Softmax", "Dense", "Dropout", "Identity"),
    *("QActivation", "QDense"),
)
_MOST_AXES = 3


def inner_layers(layer: Config, where: str) -> list[Config]:
    """Give the layers that are distributed, in their order.

    Raises
    ------
    ModelError
        ``MODEL-LAYER`` for a model that is no row of layers.
    """
    inner = layer["config"].get("layer")
    if not isinstance(inner, Mapping) or not isinstance(inner.get("config"), Mapping):
        raise refused(layer, "it says no layer", where)
    if inner["class_name"] == "Sequential":
        return [use.layer for use in layers_in_a_row(inner["config"]["layers"]) if not _is_input(use.layer)]
    if inner["class_name"] in ("Functional", "Model"):
        uses = list(layers_of_graph(inner["config"]["layers"], inner["config"], where))
        before = [(), *(((use.layer["config"]["name"], use.number),) for use in uses[:-1])]
        if [use.reads for use in uses] != before:
            raise refused(layer, "it distributes a model with branches; use a row of layers", where)
        return [use.layer for use in uses if not _is_input(use.layer)]
    if inner["class_name"] == "TimeDistributed":
        found = inner_layers(inner, where)
        if all(_acts_by_position(one) for one in found):
            return found
    if inner["class_name"] in ("TimeDistributed", "Bidirectional"):
        raise refused(layer, f"it distributes a {inner['class_name']}; use keras.Sequential", where)
    return [inner]


def _is_input(layer: Config) -> bool:
    return bool(layer["class_name"] == "InputLayer")


def distributed(call: Call, inner: Sequence[Config], expand: Expand, shape_of: ShapeOf) -> list[LayerStep]:
    """Give the layers that a TimeDistributed becomes.

    Parameters
    ----------
    call
        The use of it; its input is (steps, ...).
    inner
        The layers that are distributed.
    expand
        What one layer becomes.
    shape_of
        The shape that a step gives for those it reads.
    """
    if len(call.shape) <= _MOST_AXES and all(_acts_by_position(layer) for layer in inner):
        found = _Chain(shape_of, call.shape)
        for layer, taken in _with_weights(inner):
            found.add(expand(replace(call, layer=layer, shapes=(found.shape,))), taken)
        return found.steps
    return _by_steps(call, inner, expand, shape_of)


def _acts_by_position(layer: Config) -> bool:
    # An axis that is counted from the front is another one with the steps before it.
    other = layer["class_name"] == "Softmax" and layer["config"]["axis"] not in (-1, [-1])
    return layer["class_name"] in _BY_POSITION and not other


def _by_steps(call: Call, inner: Sequence[Config], expand: Expand, shape_of: ShapeOf) -> list[LayerStep]:
    times, *rest = call.shape
    if len(rest) > _MOST_AXES:
        raise refused(call.layer, f"its steps have {len(rest)} axes", call.where)
    rows = (times * rest[0], *rest[1:]) if len(rest) > 1 else (times, rest[0])
    whole = _Chain(shape_of, call.shape)
    if tuple(rows) != call.shape:
        whole.add([LayerStep({"kind": "reshape", "shape": tuple(rows)})], suffix="rows")
    start, ends = len(whole.steps) - 1, []
    height = rows[0] // times
    for step in range(times):
        before, after = step * height, (times - 1 - step) * height
        none = (0,) * (len(rows) - 1)
        cut = LayerStep({"kind": "rearrange", "before": (before, *none), "after": (after, *none)})
        frame = _Chain(shape_of, tuple(rows), len(whole.steps), start)
        frame.add([cut], suffix=f"step{step}")
        if len(rest) == 1:
            frame.add([LayerStep({"kind": "flatten"})], suffix=f"step{step}_vector")
        for number, (layer, taken) in enumerate(_with_weights(inner)):
            made = expand(replace(call, layer=layer, shapes=(frame.shape,)))
            frame.add(made, taken, suffix=f"step{step}_layer{number}")
        result = frame.shape
        if len(result) == 1:
            frame.add([LayerStep({"kind": "reshape", "shape": (1, *result)})], suffix=f"step{step}_row")
        whole.steps += frame.steps
        ends.append(len(whole.steps) - 1)
    joined = LayerStep({"kind": "concatenate", "axis": 0}, "joined", tuple(ends))
    target = (times, *result)
    if len(result) == 1:
        return [*whole.steps, replace(joined, suffix="")] if times > 1 else whole.steps
    steps = [*whole.steps, joined] if times > 1 else whole.steps
    return [*steps, LayerStep({"kind": "reshape", "shape": target})]


class _Chain:
    """Steps one behind the other, with the shape so far; numbers count from those that stand before the chain."""

    def __init__(self, shape_of: ShapeOf, shape: Shape, before: int = 0, reads: int = -1) -> None:
        self.steps: list[LayerStep] = []
        self.shape = shape
        self._shape_of, self._before, self._last = shape_of, before, reads

    def add(self, made: Sequence[LayerStep], taken: slice | None = None, suffix: str = "") -> None:
        """Add what one layer becomes; it reads the last step, and takes some of the weights."""
        start, inputs, shapes = self._before + len(self.steps), self._last, list[Shape]()
        for number, step in enumerate(made):
            reads = step.reads if step.reads is not None else (number - 1,)
            places = [inputs if at < 0 else start + at for at in reads]
            found = self._shape_of(step, [self.shape if at < 0 else shapes[at] for at in reads])
            shapes.append(found)
            name = "_".join(part for part in (suffix, step.suffix) if part)
            self.steps.append(replace(step, suffix=name, reads=tuple(places), weights=_of(step.weights, taken)))
        self._last, self.shape = self._before + len(self.steps) - 1, shapes[-1]


def _of(weights: Callable[[Arrays], Arrays] | None, taken: slice | None) -> Callable[[Arrays], Arrays] | None:
    if weights is None or taken is None:
        return weights
    make = weights
    return lambda values: make(values[taken])


def _with_weights(inner: Sequence[Config]) -> Iterator[tuple[Config, slice]]:
    """Give each layer with its part of all weights, which stand in the order of the layers."""
    start = 0
    for layer in inner:
        count = _arrays(layer)
        yield layer, slice(start, start + count)
        start += count


def _arrays(layer: Config) -> int:
    kind, settings = layer["class_name"].removeprefix("Q"), layer["config"]
    if kind.endswith("Batchnorm"):
        # Kernel, mean, variance, and how many steps it was trained.
        return 4 + bool(settings["use_bias"]) + bool(settings["scale"]) + bool(settings["center"])
    if kind == "BatchNormalization":
        return 2 + bool(settings["scale"]) + bool(settings["center"])
    if kind == "PReLU":
        return 1
    return (1 + kind.startswith("Separable") + bool(settings["use_bias"])) if "use_bias" in settings else 0
