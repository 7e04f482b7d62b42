"""What becomes of every setting that QKeras writes of a layer, beside those of Keras' own layers.

A row as in `siliconv.models.architectures.keras_settings`. `QUANTIZER` rows hold a quantizer, `ACTIVATION` rows one of
Keras' functions as well.
"""

from __future__ import annotations

from collections.abc import Mapping

from siliconv.models.architectures.keras_settings import (
    EVERY_LAYER,
    OPTIONAL,
    SETTINGS,
    Harmless,
    Only,
    Table,
    Treatment,
)

QUANTIZERS = ("kernel_quantizer", "bias_quantizer", "depthwise_quantizer", "pointwise_quantizer", "average_quantizer")
NORMALIZATION_QUANTIZERS = ("gamma_quantizer", "beta_quantizer", "mean_quantizer", "variance_quantizer")
"""Settings that hold a quantizer."""

_RANGE = Harmless("an old name of what the quantizer says; QKeras looks at it in no prediction")
_FREEZE = Harmless("after how many steps of training the statistics stand still; the file has the statistics")
_RANGES: Table = {"kernel_range": _RANGE, "bias_range": _RANGE, "depthwise_range": _RANGE}
_MASK: Table = {"mask": Only((None,), "multiply the kernel by its mask and leave the mask out")}
_QUANTIZED: Table = {"kernel_quantizer": OPTIONAL, "bias_quantizer": OPTIONAL, **_RANGES, **_MASK}
_NORMALIZED: Table = {
    **SETTINGS["BatchNormalization"],
    "adjustment": Only((None,), "use batch normalization without adjustment"),
}
_FOLDED: Table = {
    **_NORMALIZED,
    "ema_freeze_delay": _FREEZE,
    # Both modes take the moving statistics in a prediction.
    "folding_mode": Only(("ema_stats_folding", "batch_stats_folding"), "use ema_stats_folding"),
}
_DEPTHWISE: Table = {
    **SETTINGS["DepthwiseConv2D"],
    **_QUANTIZED,
    "depthwise_quantizer": OPTIONAL,
}
_SEPARABLE: Table = {"depthwise_quantizer": OPTIONAL, "pointwise_quantizer": OPTIONAL, "bias_quantizer": OPTIONAL}
_POOL: Table = {"average_quantizer": OPTIONAL, "activation": OPTIONAL}

_LAST_AXIS = Only((-1, [-1]), "use axis=-1, the last one")

QKERAS_SETTINGS: Mapping[str, Table] = {
    "QDense": {**SETTINGS["Dense"], **_QUANTIZED},
    "QConv1D": {**SETTINGS["Conv1D"], **_QUANTIZED},
    "QConv2D": {**SETTINGS["Conv2D"], **_QUANTIZED},
    "QDepthwiseConv2D": _DEPTHWISE,
    "QSeparableConv1D": {**SETTINGS["SeparableConv1D"], **_SEPARABLE},
    "QSeparableConv2D": {**SETTINGS["SeparableConv2D"], **_SEPARABLE},
    "QConv2DBatchnorm": {**SETTINGS["Conv2D"], **_QUANTIZED, **_FOLDED},
    "QDepthwiseConv2DBatchnorm": {**_DEPTHWISE, **_FOLDED},
    "QBatchNormalization": {
        **_NORMALIZED,
        **dict.fromkeys(NORMALIZATION_QUANTIZERS, OPTIONAL),
        "activation": Only((None,), "put the activation behind the layer"),
        "inverse_quantizer": Only((None,), "use batch normalization without a quantizer of the inverse"),
        "gamma_range": _RANGE,
        "beta_range": _RANGE,
    },
    "QActivation": {"activation": OPTIONAL},
    "QAveragePooling2D": {**SETTINGS["AveragePooling2D"], **_POOL},
    "QGlobalAveragePooling2D": {**SETTINGS["GlobalAveragePooling2D"], **_POOL},
}
"""By the class' name."""


def qkeras_treatment(kind: str, setting: str) -> Treatment | None:
    """Give what becomes of a setting of a class of QKeras' or of Keras'; None for one that is in no table."""
    if (kind, setting) == ("Softmax", "axis"):
        return _LAST_AXIS  # axes are not judged by the shape of a layer's input here
    return QKERAS_SETTINGS.get(kind, SETTINGS.get(kind, {})).get(setting, EVERY_LAYER.get(setting))
