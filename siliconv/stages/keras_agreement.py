"""The network that was read of a model file, compared with Keras' own prediction of that file.

Images that calibrate the types, and inputs made to tell axes, channels and signs apart. Where the two differ by more
than float32 explains, the file was read wrongly, whatever is the reason, and the first layer that differs is named.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from siliconv.errors import ModelError
from siliconv.flow.apart import call_apart
from siliconv.models.data.image_files import PIXEL_SCALE
from siliconv.network.fixed_point import PIXEL, Codes, FixedPoint, to_values
from siliconv.progress import Progress

if TYPE_CHECKING:
    from siliconv.models.architectures.keras_prediction import KerasPrediction
    from siliconv.models.architectures.ports import Ports
    from siliconv.models.architectures.user_model import UserModel

MOST_IMAGES = 64
"""Calibration images among the inputs."""

_ROUNDINGS, _SHARE = 8, 1e-5
"""More than so many times the rounding of our float32, and than this share of the largest output, is a difference."""

_MOST_FEATURES = 32
"""Features of a vector, spread over it, that are alone in a directed input."""


@dataclass(frozen=True)
class KerasAgreement:
    """How far the float network and Keras' prediction of the file are apart, in units of the logits.

    `inputs` counts the images, and one for each directed input by its name. `rounding` is the largest difference
    between our own evaluations in float32 and float64, `largest_output` that of Keras; `probabilities` the largest
    difference behind the sigmoid or softmax.
    """

    keras: str
    inputs: dict[str, int]
    largest_difference: float
    tolerance: float
    rounding: float
    largest_output: float
    probabilities: float | None

    @property
    def in_words(self) -> str:
        """For the line of a stage."""
        return f"{self.keras} gives the same within {self.largest_difference:.2g} on {sum(self.inputs.values())} inputs"

    def as_json(self) -> dict[str, Any]:
        """Return it as plain lists and numbers."""
        return asdict(self)


def directed_inputs(shape: tuple[int, ...], kind: FixedPoint = PIXEL) -> dict[str, Codes]:
    """Give codes of inputs that tell axes and channels apart, by name."""
    lowest, highest = kind.codes
    low, high = np.full(shape, lowest, np.int64), np.full(shape, highest, np.int64)
    found = {"all low": low, "all high": high}
    channels = range(shape[-1])
    if len(shape) == 1 and shape[0] > _MOST_FEATURES:
        channels = range(0, shape[0], -(-shape[0] // _MOST_FEATURES))
    for channel in channels:
        alone = low.copy()
        alone[..., channel] = highest
        found[f"channel {channel} alone"] = alone
    for axis, size in enumerate(shape):
        if size > 1:
            ramp = np.linspace(lowest, highest, size).round().astype(np.int64)
            along = ramp.reshape([size if other == axis else 1 for other in range(len(shape))])
            found[f"ramp along axis {axis}"] = np.broadcast_to(along, shape).copy()
    return found


def directed_rows(shapes: Sequence[tuple[int, ...]], kind: FixedPoint = PIXEL) -> dict[str, Codes]:
    """Give codes of inputs that tell axes, channels and several inputs apart, by name; rows of several."""
    if len(shapes) == 1:
        return directed_inputs(shapes[0], kind)
    each = [directed_inputs(shape, kind) for shape in shapes]
    low = [found["all low"] for found in each]
    rows = {name: [found[name] for found in each] for name in ("all low", "all high")}
    for number, found in enumerate(each):
        rows |= {
            f"input {number + 1}, {name}": [*low[:number], codes, *low[number + 1 :]]
            for name, codes in found.items()
            if name != "all low"
        }
    return {name: np.concatenate([part.reshape(-1) for part in parts]) for name, parts in rows.items()}


def compare_with_keras(
    user: UserModel,
    deployed: Any,
    source: Path | None,
    images: Codes,
    kind: FixedPoint = PIXEL,
    *,
    progress: Progress,
) -> KerasAgreement:
    """Compare what was read of a model file with Keras' own prediction.

    Parameters
    ----------
    user
        The file as it was read.
    deployed
        Its float model as it is deployed: logits, batch normalization folded away.
    source
        The file; None for a model that a function made, which is saved for this.
    images
        Codes of some inputs that calibrate the types, (n, *input shape).
    kind
        Type of the input.
    progress
        Told what is done.

    Raises
    ------
    ModelError
        ``MODEL-DIFFERS`` with the first layer that differs; ``MODEL-KERAS`` when Keras cannot load the file.
    """
    from siliconv.legacy_keras import double_precision
    from siliconv.models.architectures.keras_prediction import predict_file
    from siliconv.models.architectures.ports import ports_of

    if source is None:
        with tempfile.TemporaryDirectory(prefix="siliconv-") as scratch:
            saved = Path(scratch) / "model.keras"
            user.keras_model.save(saved)
            return compare_with_keras(user, deployed, saved, images, kind, progress=progress)
    ports = ports_of(user.architecture)
    directed = directed_rows([one.shape for one in ports.inputs] or [tuple(user.architecture.input_shape)], kind)
    codes = np.concatenate([images[:MOST_IMAGES].astype(np.int64), np.stack(list(directed.values()))])
    pixels = to_values(codes, kind).astype(np.float32)  # exact: an input has 24 bits at most
    names = [*(f"image {number}" for number in range(len(images[:MOST_IMAGES]))), *directed]
    progress.say("Comparing the model that was read with Keras' own prediction of the file")
    taken, beside = _as_keras_takes(pixels, user), user.weights_file
    keras = call_apart(predict_file, str(source.resolve()), taken, [], beside, user.ports, progress=progress)
    if not np.isfinite(keras.logits).all():
        raise ModelError(
            "MODEL-WEIGHTS",
            f"{keras.keras} itself predicts NaN or infinity for {int((~np.isfinite(keras.logits)).sum())} outputs",
            where=str(source),
            fix="train the model again: some of its weights are no numbers, or much too large",
        )
    read, folded = _outputs(user.build(), pixels), _outputs(deployed, pixels)
    with double_precision():
        read64, folded64 = _outputs(user.build(), pixels), _outputs(_again(deployed), pixels)
    rounding = max(_largest(read, read64), _largest(folded, folded64))
    largest_output = float(np.abs(keras.logits).max(initial=0.0))
    tolerance = max(_ROUNDINGS * rounding, _SHARE * largest_output)
    ended = any(one.function is not None for one in ports.outputs)
    apart = _apart(folded, keras.logits if ended else keras.outputs)
    probabilities = _apart(_probabilities(folded, ports), keras.outputs) if ended else None
    agreement = KerasAgreement(
        keras.keras,
        {"images": len(images[:MOST_IMAGES]), **dict.fromkeys(directed, 1)},
        float(apart.max(initial=0.0)),
        tolerance,
        rounding,
        largest_output,
        float(probabilities.max(initial=0.0)) if probabilities is not None else None,
    )
    wrong = apart if not agreement.largest_difference <= tolerance else None
    if wrong is None and probabilities is not None and not probabilities.max(initial=0.0) <= max(_SHARE, tolerance):
        wrong = probabilities
    if wrong is not None:
        worst = int(np.nanargmax(np.where(np.isnan(wrong), np.inf, wrong)))
        raise _differs(user, source, pixels[worst : worst + 1], names[worst], agreement, progress)
    return agreement


def _differs(
    user: UserModel,
    source: Path,
    pixels: NDArray[np.floating],
    name: str,
    agreement: KerasAgreement,
    progress: Progress,
) -> ModelError:
    from siliconv.models.architectures.keras_prediction import predict_file

    layers = _compared_layers(user)
    taken, wanted = _as_keras_takes(pixels, user), list(layers.values())
    keras = call_apart(
        predict_file, str(source.resolve()), taken, wanted, user.weights_file, user.ports, progress=progress
    )
    first = _first_differing(user, layers, keras, pixels)
    at = f"the first layer that differs is {first!r}" if first else "no single layer differs, but their folding does"
    return ModelError(
        "MODEL-DIFFERS",
        f"the network that was read and {agreement.keras} differ by {agreement.largest_difference:.3g} for the input "
        f"'{name}' (float32 explains {agreement.tolerance:.1g}); {at}",
        where=str(source),
        fix="replace that layer by one that docs/models.md lists, and report it: it should have been refused by name",
    )


def _compared_layers(user: UserModel) -> dict[str, str]:
    """Give the layers whose values are those of Keras, and their names there.

    In a network that rescales its pixels these are the layers from the first weights on.
    """
    from siliconv.models.architectures.architecture import INPUT, named_layers

    same = set() if user.takes_pixels else {INPUT}
    found: dict[str, str] = {}
    for name, _, inputs in named_layers(user.architecture):
        if user.weights.get(name) or all(source in same for source in inputs):
            same.add(name)
            if name in user.keras_names:  # others cut inputs, join outputs, or are a part of a layer
                found[name] = user.keras_names[name]
    return found


def _first_differing(
    user: UserModel, layers: Mapping[str, str], keras: KerasPrediction, pixels: NDArray[np.floating]
) -> str | None:
    from siliconv.legacy_keras import double_precision, load

    def run() -> dict[str, NDArray[np.floating]]:
        model = user.build(output=user.output_as_written)
        known = {layer.name: layer.output for layer in model.layers}
        tensors = {name: known[_last_node(user, name)] for name in layers if _last_node(user, name) in known}
        values = load().Model(model.inputs, list(tensors.values()))(_values(pixels, model), training=False)
        return {name: np.asarray(value) for name, value in zip(tensors, _as_list(values), strict=True)}

    single = run()
    with double_precision():
        double = run()
    for name, value in double.items():
        expected = keras.layers[layers[name]]
        rounding, size = _largest(single[name], value), float(np.abs(expected).max(initial=0.0))
        if value.shape != expected.shape or not _largest(value, expected) <= max(_ROUNDINGS * rounding, _SHARE * size):
            return layers[name]
    return None


def _last_node(user: UserModel, name: str) -> str:
    """Give the layer of `build_model` that has the value of a layer of the file: its activation is one of its own."""
    from siliconv.models.architectures.architecture import named_layers

    layer = next(node.layer for node in named_layers(user.architecture) if node.name == name)
    activation = getattr(layer, "activation", None)
    return name if activation is None or layer.kind == "activation" else f"{name}_{activation}"


def _as_keras_takes(pixels: NDArray[np.floating], user: UserModel) -> NDArray[np.floating]:
    return pixels * np.float32(PIXEL_SCALE if user.takes_pixels else 1)


def _outputs(model: Any, pixels: NDArray[np.floating]) -> NDArray[np.float64]:
    from siliconv.models.architectures.keras_prediction import BATCH

    values = _values(pixels, model)
    parts = [
        np.asarray(model(values[start : start + BATCH], training=False), np.float64)
        for start in range(0, len(values), BATCH)
    ]
    return np.concatenate(parts)


def _again(model: Any) -> Any:
    """Build a model again in the precision of now, with the same weights."""
    from siliconv.legacy_keras import load
    from siliconv.models.architectures.own_keras_layers import own_layers

    keras = load()
    config = model.get_config()
    for layer in config["layers"]:
        layer["config"]["dtype"] = keras.backend.floatx()
    again = keras.Model.from_config(config, custom_objects=own_layers())
    again.set_weights(model.get_weights())
    return again


def _values(pixels: NDArray[np.floating], model: Any) -> NDArray[np.floating]:
    values: NDArray[np.floating] = pixels.astype(model.input.dtype.as_numpy_dtype)
    return values


def _probabilities(logits: NDArray[np.float64], ports: Ports) -> NDArray[np.float64]:
    """Give what stands behind the functions at the outputs, a row of several."""
    from siliconv.models.training.scoring import behind_logits

    if len(ports.outputs) == 1:
        return behind_logits(logits, ports.outputs[0].function)
    columns = zip(ports.outputs, ports.columns, strict=True)
    parts = (behind_logits(logits[:, of].reshape(-1, *one.shape), one.function) for one, of in columns)
    return np.concatenate([part.reshape(len(logits), -1) for part in parts], axis=1)


def _apart(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the largest difference of each input; infinite where the shapes differ."""
    if one.shape != other.shape:
        return np.full(len(one), np.inf)
    return np.abs(one - other).reshape(len(one), -1).max(axis=1, initial=0.0)


def _largest(one: NDArray[np.floating], other: NDArray[np.floating]) -> float:
    return float(np.abs(one.astype(np.float64) - other.astype(np.float64)).max(initial=0.0))


def _as_list(found: Any) -> list[Any]:
    return list(found) if isinstance(found, list | tuple) else [found]
