"""Networks by name: the lecture's CNN and its variants, and a few that the field compares itself with."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches

from siliconv.errors import ModelError
from siliconv.models.architectures.architecture import Architecture
from siliconv.models.architectures.layers import (
    Add,
    AveragePool,
    Conv1D,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePool,
    Layer,
    MaxPool,
)
from siliconv.models.architectures.ports import architecture_of_layers


def preset(name: str) -> Architecture:
    """Return the architecture of that name (see `preset_names`), or raise `ModelError` ``MODEL-PRESET``."""
    if name not in _PRESETS:
        near = get_close_matches(name, _PRESETS, n=1)
        raise ModelError(
            "MODEL-PRESET",
            f"there is no network called {name!r}",
            where="model.preset",
            fix=(f"did you mean {near[0]}? " if near else "") + "use one of: " + ", ".join(preset_names()),
        )
    return _PRESETS[name]()


def preset_names() -> tuple[str, ...]:
    """Return the names `preset` knows."""
    return tuple(_PRESETS)


def _digits() -> Architecture:
    return Architecture(
        input_shape=(8, 8, 1),
        layers=(
            Conv2D(filters=8, activation="relu"),
            MaxPool(),
            Conv2D(filters=16, activation="relu"),
            MaxPool(),
            Flatten(),
            Dense(units=32, activation="relu"),
            Dense(units=10),
        ),
    )


def _lecture() -> Architecture:
    """L1: 388,673 parameters, feature map 8x8x256."""
    return Architecture(
        input_shape=(64, 64, 3), layers=(*_lecture_features(MaxPool()), GlobalAveragePool(), _sigmoid())
    )


def _lecture_flatten() -> Architecture:
    """L2: the head that no board holds."""
    return Architecture(
        input_shape=(64, 64, 3),
        layers=(*_lecture_features(MaxPool()), Flatten(), Dense(units=16384, activation="relu"), _sigmoid()),
    )


def _lecture_average() -> Architecture:
    """L4: average pooling in place of max pooling."""
    return Architecture(
        input_shape=(64, 64, 3), layers=(*_lecture_features(AveragePool()), GlobalAveragePool(), _sigmoid())
    )


def _lecture_strided() -> Architecture:
    """L3: strides in place of pooling; the same weights, the same feature map."""
    return Architecture(
        input_shape=(64, 64, 3),
        layers=(
            Conv2D(filters=32, stride=2, activation="relu"),
            Dropout(),
            Conv2D(filters=64, stride=2, activation="relu"),
            Dropout(),
            Conv2D(filters=128, stride=2, activation="relu"),
            Conv2D(filters=256, activation="relu"),
            GlobalAveragePool(),
            _sigmoid(),
        ),
    )


def _lecture_features(pool: Layer) -> tuple[Layer, ...]:
    return (
        Conv2D(filters=32, activation="relu"),
        pool,
        Dropout(),
        Conv2D(filters=64, activation="relu"),
        pool,
        Dropout(),
        Conv2D(filters=128, activation="relu"),
        pool,
        Conv2D(filters=256, activation="relu"),
    )


def _sigmoid() -> Layer:
    return Dense(units=1, activation="sigmoid")


def _dnn_baseline() -> Architecture:
    """L8: 64x64 grey pixels, 4096 -> 500: 2,048,000 weights before the first decision."""
    return Architecture(input_shape=(64, 64, 1), layers=(Flatten(), Dense(units=500, activation="relu"), _sigmoid()))


def _svhn() -> Architecture:
    """The CNN of the hls4ml study on street-view house numbers (arXiv:2101.05108)."""
    return Architecture(
        input_shape=(32, 32, 3),
        layers=(
            Conv2D(filters=16, padding="valid", activation="relu"),
            MaxPool(),
            Conv2D(filters=16, padding="valid", activation="relu"),
            MaxPool(),
            Conv2D(filters=24, padding="valid", activation="relu"),
            MaxPool(),
            Flatten(),
            Dense(units=42, activation="relu"),
            Dense(units=64, activation="relu"),
            Dense(units=10, activation="softmax"),
        ),
    )


def _resnet8() -> Architecture:
    """The image classification network of MLPerf Tiny: three residual stacks of 16, 32, 64 channels,
    CIFAR-10.
    """
    layers: list[Layer] = [Conv2D(name="stem", filters=16, activation="relu")]
    shortcut = "stem"
    for stack, (filters, stride) in enumerate(((16, 1), (32, 2), (64, 2)), start=1):
        first, second, skip, total = (f"stack{stack}_{part}" for part in ("conv1", "conv2", "skip", "add"))
        layers.append(Conv2D(name=first, filters=filters, stride=stride, activation="relu", inputs=(shortcut,)))
        layers.append(Conv2D(name=second, filters=filters))
        if stride != 1:
            layers.append(Conv2D(name=skip, filters=filters, kernel=1, stride=stride, inputs=(shortcut,)))
            shortcut = skip
        layers.append(Add(name=total, inputs=(second, shortcut), activation="relu"))
        shortcut = total
    layers += [GlobalAveragePool(), Dense(units=10, activation="softmax")]
    return Architecture(input_shape=(32, 32, 3), layers=tuple(layers))


def _waveform_cnn() -> Architecture:
    """L5: a 1-D CNN that tells pulse shapes of 128 samples apart."""
    return Architecture(
        input_shape=(128, 1),
        layers=(
            Conv1D(filters=8, kernel=7, stride=2, activation="relu"),
            MaxPool(),
            Conv1D(filters=16, kernel=5, activation="relu"),
            MaxPool(),
            Conv1D(filters=32, activation="relu"),
            GlobalAveragePool(),
            Dense(units=3, activation="softmax"),
        ),
    )


def _jets() -> Architecture:
    """The jet tagger of hls4ml's papers and tutorial: 16 features, five classes."""
    hidden = tuple(Dense(units=units, activation="relu") for units in (64, 32, 32))
    return Architecture(input_shape=(16,), layers=(*hidden, Dense(units=5, activation="softmax")))


def _autoencoder() -> Architecture:
    """The autoencoder of MLPerf Tiny (anomalies in the sound of a machine): 640 features through a vector of 8."""
    around = [Dense(units=128, activation="relu") for _ in range(4)]
    layers = (*around, Dense(units=8, activation="relu"), *around, Dense(units=640))
    return Architecture(input_shape=(640,), layers=layers)


def _calorimeter() -> Architecture:
    """The energy of a shower from an image of 16 x 16 cells."""
    return Architecture(
        input_shape=(16, 16, 1),
        layers=(
            Conv2D(filters=8, activation="relu"),
            AveragePool(),
            Conv2D(filters=16, activation="relu"),
            AveragePool(),
            Flatten(),
            Dense(units=32, activation="relu"),
            Dense(units=1),
        ),
    )


def _waveforms() -> Architecture:
    """A 1-D CNN that tells the kind of a pulse of 64 samples and its amplitude: two outputs."""
    layers = (
        {"kind": "conv1d", "filters": 8, "kernel": 5, "stride": 2, "activation": "relu"},
        {"kind": "max_pool"},
        {"kind": "conv1d", "filters": 16, "activation": "relu"},
        {"kind": "max_pool"},
        {"kind": "flatten"},
        {"kind": "dense", "name": "features", "units": 24, "activation": "relu"},
        {"kind": "dense", "name": "kind", "units": 3, "activation": "softmax", "inputs": ["features"]},
        {"kind": "dense", "name": "amplitude", "units": 1, "inputs": ["features"]},
    )
    return architecture_of_layers({"samples": (64, 1)}, layers, ("kind", "amplitude"))


_PRESETS: dict[str, Callable[[], Architecture]] = {
    "digits": _digits,
    "lecture": _lecture,
    "lecture_flatten": _lecture_flatten,
    "lecture_strided": _lecture_strided,
    "lecture_average": _lecture_average,
    "dnn_baseline": _dnn_baseline,
    "svhn": _svhn,
    "resnet8": _resnet8,
    "waveform_cnn": _waveform_cnn,
    "jets": _jets,
    "autoencoder": _autoencoder,
    "calorimeter": _calorimeter,
    "waveforms": _waveforms,
}

_CLASSIFIERS = frozenset(_PRESETS) - {"autoencoder", "calorimeter", "waveforms"}
"""Those that end with an output for each class, or with one for two of them."""


def preset_for_classes(name: str, classes: int | None) -> Architecture:
    """Return the architecture of that name, a classifier with an output for each of so many classes.

    One output stays one for two classes; None, and presets that do not classify, leave it as it is.
    """
    found = preset(name)
    last = found.layers[-1]
    if classes is None or name not in _CLASSIFIERS or not isinstance(last, Dense):
        return found
    if last.units == classes or (classes == 2 and last.units == 1):
        return found
    update = {"units": classes, **({"activation": "linear"} if last.units == 1 else {})}
    return found.model_copy(update={"layers": (*found.layers[:-1], last.model_copy(update=update))})
