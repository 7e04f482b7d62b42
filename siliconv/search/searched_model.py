"""The float model with learned bits in it, and the bit operations that they cost."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from siliconv import legacy_keras
from siliconv.models.architectures.functions import relu_bound
from siliconv.models.architectures.own_keras_layers import function_of
from siliconv.models.architectures.standardization import STANDARDIZE
from siliconv.network.fixed_point import FixedPoint
from siliconv.network.span import positions, span
from siliconv.network.windows import same_padding
from siliconv.quantize.qkeras.activation_forms import BoundedRelu
from siliconv.quantize.qkeras.fractions import places_of_average, sources
from siliconv.quantize.qkeras.qkeras_model import quantized_model
from siliconv.quantize.qkeras.quantization import Quantization
from siliconv.quantize.qkeras.weight_levels import WeightLevels
from siliconv.quantize.recipe import FEWEST
from siliconv.quantize.training.calibration import WEIGHT_LAYERS, kernel_of
from siliconv.quantize.training.start import weights_of_float_layers
from siliconv.search.learned_bits import LEARNED, BitRange, LearnedInput, LearnedRelu

keras = legacy_keras.load()

import tensorflow as tf  # noqa: E402

MOST_WEIGHT_BITS, MOST_ACTIVATION_BITS = 8, 8

Bits = Callable[[], Any]
"""Magnitude bits of a tensor: now, or as a tensor in a loss."""


@dataclass(frozen=True, eq=False)
class _Product:
    """A layer that multiplies: how often each weight is used, and what it is fed with."""

    layer: Any
    counts: NDArray[np.int64]
    """Of the shape of the kernel."""
    cost_before: Bits
    bits_before: Bits

    @property
    def soft_spans(self) -> Any:
        """What the loss takes for the spans of all products, as a tensor."""
        return tf.reduce_sum(self.layer.learned.soft_span(kernel_of(self.layer)) * self.counts.astype(np.float32))

    @property
    def spans(self) -> int:
        """Spans of all products, as the kernel is rounded now."""
        return int((span(self.codes) * self.counts).sum())

    @property
    def codes(self) -> NDArray[np.int64]:
        """The kernel as it is rounded now, in whole steps."""
        learned = self.layer.learned
        kind = learned.type
        step = 2.0**kind.exponent if isinstance(kind, WeightLevels) else kind.step
        return np.rint(learned(kernel_of(self.layer)).numpy() / step).astype(np.int64)


class SearchedModel:
    """A model for `siliconv.models.training.training.fit` that learns its bits.

    Parameters
    ----------
    float_model
        The deployed float model that outputs logits.
    types
        What every tensor starts with, as `choose_types` gives them; what has no learned form keeps its type.
    input_type
        Of the data.
    learns_input
        Whether the input's bits are learned too.
    dropout
        As in `quantized_model`.
    """

    def __init__(
        self,
        float_model: Any,
        types: Mapping[str, Quantization],
        input_type: FixedPoint,
        *,
        learns_input: bool,
        dropout: float | None = None,
    ) -> None:
        self._float_model, self._types = float_model, types
        self._relus: dict[str, LearnedRelu] = {}
        self._kernels: dict[str, Any] = {}
        inner = quantized_model(float_model, types, dropout=dropout, input_type=input_type, own=self._own)
        self._inner = inner
        self.input = LearnedInput(input_type, learns=learns_input, name="searched_input")
        entrance = keras.Input(inner.input_shape[1:])
        self.model = keras.Model(entrance, inner(self.input(entrance)))
        self._products = self._found_products()
        self.model.add_loss(self._pressure)

    @property
    def span_operations(self) -> int:
        """Span bit operations of the layers with learned bits, as their weights and bits are now."""
        return sum(one.spans * int(one.bits_before()) for one in self._products)

    @property
    def types(self) -> dict[str, Quantization]:
        """The types of kernels and activations now."""
        kernels = {f"{name}.kernel": layer.learned.type for name, layer in self._kernels.items()}
        return kernels | {name: layer.learned.type for name, layer in self._relus.items()}

    @property
    def input_type(self) -> FixedPoint:
        """The type of the input now."""
        kind = self.input.learned.type
        assert isinstance(kind, FixedPoint)  # no levels without `ternary`
        return kind

    @property
    def weights(self) -> dict[str, np.ndarray]:
        """The weights of the float model's layers, by the names that they have there."""
        return weights_of_float_layers(self._float_model, self._inner)

    def update_shares(self) -> None:
        """Tell the loss how much of the soft span is span, and take the integer bits away that no weight needs."""
        for one in self._products:
            soft = float(one.soft_spans)
            one.layer.span_share.assign(one.spans / soft if soft else 1.0)
            if not self.is_settled:
                one.layer.learned.tighten(one.codes)

    def settle(self) -> None:
        """Let no bits change any more; the weights are trained on."""
        for layer in (self.input, *self._kernels.values(), *self._relus.values()):
            layer.learned.settle()

    @property
    def is_settled(self) -> bool:
        """Whether bits do not change any more."""
        return float(self.input.learned.moves) == 0.0

    def _own(self, layer: Any) -> Any:
        kind = type(layer).__name__
        config = layer.get_config()
        if kind in WEIGHT_LAYERS and layer.name != STANDARDIZE:
            start = _fixed(self._types[f"{layer.name}.kernel"])
            allowed = BitRange(signed=True, fewest=1, most=MOST_WEIGHT_BITS - 1, ternary=True)
            self._kernels[layer.name] = LEARNED[kind](kind=start, allowed=allowed, **config)
            return self._kernels[layer.name]
        bound = relu_bound(function_of(layer) or "")
        if bound is not None and type(sources(layer)[0]).__name__ in WEIGHT_LAYERS:
            chosen = self._types[layer.name]
            start = chosen.type if isinstance(chosen, BoundedRelu) else _fixed(chosen)
            bound = chosen.bound if isinstance(chosen, BoundedRelu) else bound
            allowed = BitRange(signed=False, fewest=FEWEST, most=MOST_ACTIVATION_BITS)
            self._relus[layer.name] = LearnedRelu(start, allowed, bound, name=layer.name)
            return self._relus[layer.name]
        # The firmware's average of whole codes would need the fraction that is being learned.
        return type(layer).from_config(config) if "AveragePooling" in kind else None

    def _pressure(self) -> Any:
        costs = [one.soft_spans * one.cost_before() * one.layer.span_share for one in self._products]
        return self.input.pressure * tf.add_n(costs) / tf.maximum(self.input.target, 1.0)

    def _found_products(self) -> list[_Product]:
        """Follow the bits of the tensors through the layers."""
        cost: dict[str, Bits] = {}
        now: dict[str, Bits] = {}
        found = []
        for layer in self._float_model.layers:
            name, before = layer.name, sources(layer)
            if not before:
                cost[name], now[name] = _cost_of(self.input), _bits_of(self.input)
            elif name in self._kernels:
                own, source = self._kernels[name], before[0].name
                found.append(_Product(own, _counts(layer), cost[source], now[source]))
                grown = math.ceil(math.log2(max(_fan_in(layer), 2)))
                cost[name] = _sum(_cost_of(own), cost[source], grown)
                now[name] = _sum(_bits_of(own), now[source], grown)
            elif name in self._relus:
                relu = self._relus[name]
                cost[name], now[name] = _cost_of(relu), _bits_of(relu)
            elif name in self._types:
                bits = _output_bits(self._types[name])
                cost[name], now[name] = _constant(bits), _constant(bits)
            else:
                more = places_of_average(layer) if "AveragePooling" in type(layer).__name__ else 0
                cost[name] = _largest([cost[one.name] for one in before], more)
                now[name] = _largest([now[one.name] for one in before], more)
        return found


def _fixed(kind: Quantization) -> FixedPoint:
    assert isinstance(kind, FixedPoint)  # the search starts from numbers of bits
    return kind


def _output_bits(kind: Quantization) -> int:
    """Magnitude bits of what a layer that keeps its type gives."""
    form = getattr(kind, "output", getattr(kind, "type", kind))
    return form.width - form.signed if isinstance(form, FixedPoint) else MOST_ACTIVATION_BITS


def _cost_of(layer: Any) -> Bits:
    return lambda: layer.learned.cost


def _bits_of(layer: Any) -> Bits:
    return lambda: layer.learned.bits


def _constant(bits: int) -> Bits:
    return lambda: bits


def _sum(one: Bits, other: Bits, more: int) -> Bits:
    return lambda: one() + other() + more


def _largest(bits: list[Bits], more: int) -> Bits:
    def find() -> Any:
        values = [one() for one in bits]
        tensors = [one for one in values if tf.is_tensor(one)]
        if not tensors:
            return max(values) + more
        return tf.reduce_max(tf.stack([tf.cast(one, tf.float32) for one in values])) + more

    return find


def _fan_in(layer: Any) -> int:
    shape = kernel_of(layer).shape
    return int(np.prod(shape[:-1])) if "Depthwise" not in type(layer).__name__ else int(np.prod(shape[:-2]))


def _counts(layer: Any) -> NDArray[np.int64]:
    """Count how often each weight of a layer is multiplied with a real element, for one image."""
    shape = tuple(kernel_of(layer).shape)
    if type(layer).__name__ == "Dense":
        return np.full(shape, int(np.prod(layer.output_shape[1:-1], dtype=np.int64)), np.int64)
    window, strides, spatial = tuple(layer.kernel_size), tuple(layer.strides), tuple(layer.input_shape[1:-1])
    nothing = ((0, 0),) * len(window)
    padding = same_padding(spatial, window, strides) if layer.padding == "same" else nothing
    counts = positions(spatial, window, strides, padding)
    return np.broadcast_to(counts.reshape(*window, 1, 1), shape)
