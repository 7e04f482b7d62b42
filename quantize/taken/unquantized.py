"""What has no quantizer in a QKeras model: taken exactly where few bits hold it, else rounded, and counted.

Weights are rounded to so many bits at the place of the binary point with the least error. A sigmoid or tanh inside the
network becomes the table that the firmware looks up; an average over three or nine is truncated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from siliconv.errors import NetworkError
from siliconv.models.architectures.keras_file import Weights
from siliconv.models.qkeras_files.qkeras_reading import TakenLayer, TakenModel
from siliconv.models.qkeras_files.quantizer_settings import KERAS_HARD_SIGMOID
from siliconv.network.table_types import FUNCTIONS, table_input, table_output
from siliconv.quantize.lowering.quantized_weights import WIDEST, WIDEST_BIAS, dyadic_weights
from siliconv.quantize.recipe import Unquantized
from siliconv.quantize.taken.taken_averages import with_truncated_averages

TABLE = "TableActivation"
"""The kind of a layer that looks a function up."""

_NAMES = {**{name: name for name in FUNCTIONS}, KERAS_HARD_SIGMOID: "hard_sigmoid"}
"""Functions that become tables, and what Keras calls them."""

_ROLES = {
    "Dense": ("kernel", "bias"),
    "Conv1D": ("kernel", "bias"),
    "Conv2D": ("kernel", "bias"),
    "DepthwiseConv1D": ("depthwise", "bias"),
    "DepthwiseConv2D": ("depthwise", "bias"),
    "SeparableConv1D": ("depthwise", "pointwise", "bias"),
    "SeparableConv2D": ("depthwise", "pointwise", "bias"),
}
_FOLDED = ("QConv2DBatchnorm", "QDepthwiseConv2DBatchnorm")


@dataclass(frozen=True)
class Rounded:
    """What was rounded, to how many bits, and its error: root mean square, as a share of the values' own."""

    name: str
    bits: int
    error: float


def with_quantizers(
    model: TakenModel, weights: Weights, bits: Unquantized
) -> tuple[TakenModel, Weights, tuple[Rounded, ...]]:
    """Give the model in which nothing is left without an exact form, with its weights, and what was rounded for it."""
    layers: list[TakenLayer] = []
    found = dict(weights)
    rounded: list[Rounded] = []
    outputs: dict[str, str] = {}
    for written in model.layers:
        layer = written.model_copy(update={"inputs": tuple(outputs.get(one, one) for one in written.inputs)})
        if layer.name in found:
            found[layer.name] = _rounded(layer, found[layer.name], bits.weights, rounded)
        function = layer.settings.get("activation")
        if not isinstance(function, str) or function not in _NAMES:
            layers.append(layer)
            continue
        rounded.append(Rounded(f"{layer.name} ({_NAMES[function]})", bits.activations, 0.0))
        if layer.kind in ("Activation", "QActivation"):
            layers.append(_table(layer.name, function, layer.inputs, bits.activations))
            continue
        layers.append(layer.model_copy(update={"settings": {**layer.settings, "activation": None}}))
        name = f"{layer.name}_{_NAMES[function]}"
        layers.append(_table(name, function, (layer.name,), bits.activations))
        outputs[layer.name] = name
    model, truncated = with_truncated_averages(model.model_copy(update={"layers": tuple(layers)}), found)
    averages = (Rounded(f"{name} (average, behind the point)", places, 0.0) for name, places in truncated.items())
    return model, found, (*averages, *rounded)


def _table(name: str, function: str, inputs: tuple[str, ...], bits: int) -> TakenLayer:
    types = {"inputs": str(table_input(function)), "outputs": str(table_output(function, bits))}
    return TakenLayer(name=name, kind=TABLE, settings={"function": function, **types}, inputs=inputs)


def _rounded(layer: TakenLayer, values: list[Any], bits: int, rounded: list[Rounded]) -> list[Any]:
    kind = layer.kind.removeprefix("Q")
    if layer.kind == "BatchNormalization" and _is_factor(layer, values):
        return _rounded_factor(layer, values, bits, rounded)
    if kind not in _ROLES or layer.kind in _FOLDED:
        return values
    result: list[Any] = []
    some = False
    for role, array in zip(_ROLES[kind], values, strict=False):
        # Beside rounded weights, a bias of many bits would only widen the sums.
        if layer.settings.get(f"{role}_quantizer") is None and (some or not _is_exact(array, role)):
            some = True
            nearest = nearest_fixed(array, bits)
            scale = float(np.sqrt(np.mean(np.square(array)))) or 1.0
            error = float(np.sqrt(np.mean(np.square(nearest - array)))) / scale
            rounded.append(Rounded(f"{layer.name}.{role}", bits, error))
            array = nearest.astype(np.float32)
        result.append(array)
    return result


def _is_factor(layer: TakenLayer, values: list[Any]) -> bool:
    """Whether a normalization is a factor and an offset, such as that of an average of three tensors."""
    if len(values) != 4:
        return False
    _, _, mean, variance = values
    return not np.any(mean) and bool(np.all(variance + np.float32(layer.settings["epsilon"]) == 1.0))


def _rounded_factor(layer: TakenLayer, values: list[Any], bits: int, rounded: list[Rounded]) -> list[Any]:
    gamma, *others = values
    if _is_exact(gamma, "kernel"):
        return values
    nearest = nearest_fixed(gamma, bits)
    error = float(np.sqrt(np.mean(np.square(nearest - gamma)))) / float(np.sqrt(np.mean(np.square(gamma))))
    rounded.append(Rounded(f"{layer.name} (factor)", bits, error))
    return [nearest.astype(np.float32), *others]


def _is_exact(values: NDArray[np.floating], role: str) -> bool:
    try:
        dyadic_weights(values, role, widest=WIDEST_BIAS if role == "bias" else WIDEST)
    except NetworkError:
        return False
    return True


def nearest_fixed(values: NDArray[np.floating], bits: int) -> NDArray[np.float64]:
    """Round to so many bits, the sign included, where the binary point makes the least mean squared error."""
    exact = np.asarray(values, np.float64)
    top = int(np.ceil(np.log2(max(float(np.abs(exact).max(initial=0.0)), 2.0**-100)))) + 1
    best, least = exact, np.inf
    for integer in range(top - 3, top + 1):
        step = 2.0 ** (integer + 1 - bits)
        found = np.clip(np.rint(exact / step), -(2 ** (bits - 1)), 2 ** (bits - 1) - 1) * step
        error = float(np.mean(np.square(found - exact)))
        if error < least:
            best, least = found, error
    return best
