"""What becomes of every setting that Keras writes of a layer: used, harmless for a reason, or refused.

One table a class, by the name of the setting. A setting that stands in no table is refused by its name, and so is a
class without a table: nothing of a file is passed over. To read more, turn a row into `USED` and use it in
`siliconv.models.architectures.keras_config`; a test walks every setting of every class here, in Keras 2 and 3.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Used:
    """The reader uses it; `optional` where not every Keras writes it."""

    optional: bool = False


@dataclass(frozen=True)
class Harmless:
    """It changes nothing of what a trained network computes, because of `reason`."""

    reason: str


@dataclass(frozen=True)
class Only:
    """Refused, unless it has one of these values; `fix` says what to do."""

    values: tuple[Any, ...]
    fix: str = ""


@dataclass(frozen=True)
class LastAxis:
    """Refused, unless it names the last axis of the layer's input, the channels."""


@dataclass(frozen=True)
class Float32:
    """Refused, unless it is the type or policy float32."""


Treatment = Used | Harmless | Only | LastAxis | Float32
Table = Mapping[str, Treatment]

USED, OPTIONAL = Used(), Used(optional=True)

_FROM_FILE = Harmless("only the start of a training, and the file has the weights; without them Glorot's is taken")
_IN_THE_LOSS = Harmless("part of the loss that Keras minimized; a prediction has none of it")
_IN_TRAINING = Harmless("applied to weights after each step of Keras' training; the file has the result")
_OF_TRAINING = Harmless("what is trained here, and how, is said in the project's train section")
_ONLY_IN_TRAINING = Harmless("the layer does nothing but in training, which has its own seeds here")

_CHANNELS_LAST = Only(("channels_last", None), "build the model with data_format='channels_last'")
_DILATION = Only((1, [1], [1, 1], None), "use a dilation rate of 1")
_ONE_GROUP = Only((1, None), "use one group")

EVERY_LAYER: Table = {
    "name": USED,
    "trainable": _OF_TRAINING,
    "dtype": Float32(),
    "batch_input_shape": OPTIONAL,  # of the first layer of a sequential model, in Keras 2
    "batch_shape": OPTIONAL,
}
"""Settings that every class has."""

_ACTIVATED: Table = {"activation": OPTIONAL, "use_bias": USED, "activity_regularizer": _IN_THE_LOSS}


def _weight(name: str) -> Table:
    return {
        f"{name}_initializer": _FROM_FILE,
        f"{name}_regularizer": _IN_THE_LOSS,
        f"{name}_constraint": _IN_TRAINING,
    }


# Keras 3 writes these where a layer was changed by them; what they do to the weights is not read.
_NOT_ADAPTED: Table = {
    "lora_rank": Only((None,), "merge the adapters into the weights: model.save after layer.enable_lora is undone"),
    "lora_alpha": Only((None,), "merge the adapters into the weights"),
    "quantization_config": Only((None,), "save the model before model.quantize"),
    "quantization_mode": Only((None,), "save the model before model.quantize"),
}

_WINDOWS: Table = {
    "kernel_size": USED,
    "strides": USED,
    "padding": USED,
    "data_format": _CHANNELS_LAST,
    "dilation_rate": _DILATION,
    "groups": _ONE_GROUP,
    **_ACTIVATED,
    **_weight("bias"),
    **_NOT_ADAPTED,
}
_CONVOLUTION: Table = {"filters": USED, **_WINDOWS, **_weight("kernel")}
_DEPTHWISE: Table = {"depth_multiplier": USED, **_WINDOWS, **_weight("depthwise")}
# Keras 2 writes the settings of an ordinary kernel too, which a separable convolution does not have.
_SEPARABLE: Table = {"filters": USED, **_DEPTHWISE, **_weight("pointwise"), **_weight("kernel")}
_POOL: Table = {"pool_size": USED, "strides": OPTIONAL, "padding": USED, "data_format": _CHANNELS_LAST}
_GLOBAL_POOL: Table = {
    "data_format": _CHANNELS_LAST,
    "keepdims": OPTIONAL,
}
_ZERO_PADDING: Table = {"padding": USED, "data_format": _CHANNELS_LAST}

_KEPT_FOR_KERAS = OPTIONAL
"""Of a layer that does nothing but in training: Keras builds it from these to predict, and nothing else uses them."""
_RANDOM = ("seed", "data_format", "rng_type")
_FILLED = ("fill_mode", "fill_value", "interpolation", *_RANDOM)
_IDENTITIES: Mapping[str, tuple[str, ...]] = {
    "SpatialDropout2D": ("rate", "noise_shape", *_RANDOM),
    "SpatialDropout1D": ("rate", "noise_shape", *_RANDOM),
    "GaussianDropout": ("rate", "seed"),
    "GaussianNoise": ("stddev", "seed"),
    "AlphaDropout": ("rate", "noise_shape", "seed"),
    "ActivityRegularization": ("l1", "l2"),
    "Identity": (),
    "RandomFlip": ("mode", *_RANDOM),
    "RandomRotation": ("factor", *_FILLED),
    "RandomZoom": ("height_factor", "width_factor", *_FILLED),
    "RandomTranslation": ("height_factor", "width_factor", *_FILLED),
    "RandomShear": ("x_factor", "y_factor", *_FILLED),
    "RandomPerspective": ("factor", "scale", *_FILLED),
    "RandomElasticTransform": ("factor", "scale", "value_range", *_FILLED),
    "RandomErasing": ("factor", "scale", "fill_value", "value_range", *_RANDOM),
    "RandomHeight": ("factor", "interpolation", *_RANDOM),
    "RandomWidth": ("factor", "interpolation", *_RANDOM),
    "RandomGrayscale": ("factor", *_RANDOM),
    "RandomGaussianBlur": ("factor", "kernel_size", "sigma", "value_range", *_RANDOM),
    "RandomColorJitter": (
        *("brightness_factor", "contrast_factor", "saturation_factor", "hue_factor", "value_range", *_RANDOM),
    ),
    **dict.fromkeys(
        (
            *("RandomContrast", "RandomBrightness", "RandomSaturation", "RandomHue", "RandomInvert", "RandomSharpness"),
            *("RandomColorDegeneration", "RandomPosterization"),
        ),
        ("factor", "value_range", *_RANDOM),
    ),
    "Solarization": ("addition_factor", "threshold_factor", "value_range", *_RANDOM),
    "AugMix": (*("value_range", "num_chains", "chain_depth", "factor", "alpha", "all_ops", "interpolation", *_RANDOM),),
    "RandAugment": ("value_range", "num_ops", "factor", "interpolation", *_RANDOM),
    "CutMix": ("factor", *_RANDOM),
    "MixUp": ("alpha", *_RANDOM),
}
IDENTITIES = tuple(_IDENTITIES)
"""Classes that do nothing to what a trained network computes."""

_OF_A_SIZE: Table = {"height": USED, "width": USED, "data_format": Only(("channels_last", None))}

SETTINGS: Mapping[str, Table] = {
    "Conv2D": _CONVOLUTION,
    "Conv1D": _CONVOLUTION,
    "DepthwiseConv2D": _DEPTHWISE,
    "DepthwiseConv1D": _DEPTHWISE,
    "SeparableConv2D": _SEPARABLE,
    "SeparableConv1D": _SEPARABLE,
    "MaxPooling2D": _POOL,
    "MaxPooling1D": _POOL,
    "AveragePooling2D": _POOL,
    "AveragePooling1D": _POOL,
    "GlobalAveragePooling2D": _GLOBAL_POOL,
    "GlobalAveragePooling1D": _GLOBAL_POOL,
    "GlobalMaxPooling2D": _GLOBAL_POOL,
    "GlobalMaxPooling1D": _GLOBAL_POOL,
    "ZeroPadding2D": _ZERO_PADDING,
    "ZeroPadding1D": _ZERO_PADDING,
    "Flatten": {"data_format": _CHANNELS_LAST},
    "Cropping2D": {"cropping": USED, "data_format": _CHANNELS_LAST},
    "Cropping1D": {"cropping": USED},
    "UpSampling2D": {
        "size": USED,
        "data_format": _CHANNELS_LAST,
        "interpolation": Only(("nearest",), "use interpolation='nearest'"),
    },
    "UpSampling1D": {"size": USED},
    "Reshape": {"target_shape": USED},
    "Permute": {"dims": USED},
    "RepeatVector": {"n": USED},
    **{name: {} for name in ("Add", "Subtract", "Multiply", "Maximum", "Minimum", "Average")},
    "Concatenate": {"axis": USED},
    "ReLU": {"max_value": USED, "negative_slope": USED, "threshold": USED},
    "LeakyReLU": {"alpha": OPTIONAL, "negative_slope": OPTIONAL},
    "PReLU": {"shared_axes": USED, **_weight("alpha")},
    "ELU": {"alpha": USED},
    "ThresholdedReLU": {"theta": USED},
    "Softmax": {"axis": USED},
    "Activation": {"activation": USED},
    "Dense": {"units": USED, **_ACTIVATED, **_weight("kernel"), **_weight("bias"), **_NOT_ADAPTED},
    "EinsumDense": {
        "equation": USED,
        "output_shape": USED,
        "bias_axes": USED,
        "activation": OPTIONAL,
        "activity_regularizer": _IN_THE_LOSS,
        **_weight("kernel"),
        **_weight("bias"),
        **_NOT_ADAPTED,
    },
    "BatchNormalization": {
        "axis": LastAxis(),
        "epsilon": USED,
        "center": USED,
        "scale": USED,
        "momentum": Harmless("how fast Keras' training moved the statistics; the file has the statistics"),
        "synchronized": Harmless("between devices, in training"),
        "renorm": Only((False, None), "use batch normalization without renorm"),
        "renorm_clipping": Harmless("of renorm, which is refused"),
        "renorm_momentum": Harmless("of renorm, which is refused"),
        "virtual_batch_size": Only((None,), "use batch normalization without virtual batches"),
        "fused": Harmless("which kernel of TensorFlow computes it"),
        **_weight("beta"),
        **_weight("gamma"),
        "moving_mean_initializer": _FROM_FILE,
        "moving_variance_initializer": _FROM_FILE,
    },
    "Dropout": {"rate": USED, "noise_shape": _ONLY_IN_TRAINING, "seed": _ONLY_IN_TRAINING},
    "CenterCrop": _OF_A_SIZE,
    "RandomCrop": {**_OF_A_SIZE, **dict.fromkeys(_RANDOM, _KEPT_FOR_KERAS)},
    "Resizing": {
        **_OF_A_SIZE,
        **dict.fromkeys(
            (
                *("interpolation", "crop_to_aspect_ratio", "pad_to_aspect_ratio", "fill_mode", "fill_value"),
                "antialias",
            ),
            _KEPT_FOR_KERAS,
        ),
    },
    "Rescaling": {"scale": USED, "offset": USED},
    "Normalization": {"axis": USED, "mean": USED, "variance": USED, "invert": OPTIONAL},
    **{name: dict.fromkeys(settings, _KEPT_FOR_KERAS) for name, settings in _IDENTITIES.items()},
    "TimeDistributed": {"layer": USED},
    "InputLayer": {
        "dtype": USED,
        "sparse": Only((False, None), "use a dense input"),
        "ragged": Only((False, None), "use an input of a fixed shape"),
        "optional": Only((False, None), "the network needs its input"),
        "input_shape": OPTIONAL,
    },
}
"""By the class' name."""

CALL: Table = {
    "training": Only((False, None), "call the layer without training=True"),
    "mask": Only((None,), "call the layer without a mask"),
}
"""What a layer may be called with besides its inputs, where a functional model is built."""


def treatment(kind: str, setting: str) -> Treatment | None:
    """Give what becomes of a setting of a class; None for one that is in no table."""
    return SETTINGS.get(kind, {}).get(setting, EVERY_LAYER.get(setting))


def why_refused(kind: str, setting: str, value: Any, rank: int | None) -> str | None:
    """Say why a setting of this value cannot be read; None where it can.

    Parameters
    ----------
    kind, setting, value
        As they stand in the file.
    rank
        Axes of the layer's input, that of the batch included; None where they are not known: axes are not judged then.
    """
    return refusal(treatment(kind, setting), setting, value, rank)


def why_call_refused(argument: str, value: Any) -> str | None:
    """Say why a layer that is called with this argument cannot be read; None where it can."""
    return refusal(CALL.get(argument), f"called with {argument}", value, 0)


def refusal(found: Treatment | None, setting: str, value: Any, rank: int | None) -> str | None:
    """Say why a setting that is treated so cannot have this value; None where it can."""
    value = list(value) if isinstance(value, tuple) else value
    match found:
        case None:
            return f"{setting} = {value!r} is not known here"
        case Only(values, fix):
            # True is 1 in Python, and a setting that is one of them is not the other.
            same = any(type(value) in _alike(one) and value == one for one in values)
            return None if same else f"{setting} = {value!r} has no equal here" + (f"; {fix}" if fix else "")
        case LastAxis():
            axes = value if isinstance(value, list) else [value]
            if rank is None:
                return None
            if axes in ([-1], [rank - 1]) and not isinstance(axes[0], bool):
                return None
            return f"{setting} = {value!r} is not its last axis, the channels ({rank - 1} or -1)"
        case Float32():
            name = dtype_name(value)
            return None if name == "float32" else f"{setting} = {name!r} is not float32; save it with float32 layers"
    return None


def _alike(value: Any) -> tuple[type, ...]:
    return (int, float) if type(value) in (int, float) else (type(value),)


def dtype_name(written: Any) -> Any:
    """Give the name of a type or policy as either Keras writes it; ``float32`` where nothing is said."""
    if isinstance(written, Mapping):
        inner = written.get("config")
        return inner.get("name") if isinstance(inner, Mapping) else inner
    return "float32" if written is None else written
