"""Two small networks that have every kind of layer between them, and the way of any to its integer network."""

from __future__ import annotations

import numpy as np

from siliconv.models.architectures import layers as kinds
from siliconv.models.architectures.architecture import Architecture
from siliconv.models.architectures.keras_model import build_model
from siliconv.quantize.lowering.lowering import lower
from siliconv.quantize.qkeras.qkeras_model import quantized_model, snap_weights
from siliconv.quantize.recipe import Recipe
from siliconv.quantize.training.calibration import choose_types


def lowered(architecture, *, images=6, seed=1, recipe=None):
    """Quantize an untrained model on smooth pictures, and lower it; the model, the network and input codes."""
    random = np.random.default_rng(seed)
    float_model = build_model(architecture, seed=seed)
    for layer in float_model.layers:
        if len(layer.get_weights()) == 2:
            kernel, bias = layer.get_weights()
            layer.set_weights([kernel, random.normal(0, 0.1, bias.shape)])
    codes = random.integers(0, 256, (images, *architecture.input_shape))
    types = choose_types(float_model, recipe or Recipe(), (codes / 256).astype(np.float32))
    model = quantized_model(float_model, types)
    snap_weights(model)
    return model, lower(model, name="net"), codes


TWO_DIMENSIONAL = Architecture(
    input_shape=(12, 10, 3),
    layers=(
        kinds.Conv2D(name="stem", filters=4, activation="tanh"),
        kinds.DepthwiseConv2D(name="depthwise", stride=2, activation="sigmoid"),
        kinds.SeparableConv2D(name="separable", filters=6, activation="relu", inputs=("depthwise",)),
        kinds.AveragePool(name="average", pool=3, stride=1, padding="same"),
        kinds.ZeroPadding(name="wider", before=(1, 0), after=2, inputs=("separable",)),
        kinds.MaxPool(name="maximum", pool=3, stride=1, padding="same", inputs=("separable",)),
        kinds.Add(name="sum", inputs=("average", "maximum", "separable"), activation="relu"),
        kinds.Concatenate(name="both", inputs=("sum", "average")),
        kinds.Conv2D(name="last", filters=5, kernel=1, activation="relu"),
        kinds.Conv2D(name="reduced", filters=2, kernel=2, stride=2, padding="valid", inputs=("wider",)),
        kinds.GlobalMaxPool(name="largest", inputs=("last",)),
        kinds.GlobalAveragePool(name="mean", inputs=("last",)),
        kinds.GlobalAveragePool(name="mean_reduced", inputs=("reduced",)),
        kinds.Concatenate(name="features", inputs=("largest", "mean", "mean_reduced")),
        kinds.Dense(units=3, activation="softmax"),
    ),
)

ONE_DIMENSIONAL = Architecture(
    input_shape=(23, 2),
    layers=(
        kinds.Conv1D(name="stem", filters=4, stride=2, activation="relu"),
        kinds.ZeroPadding(name="longer", before=0, after=1),
        kinds.DepthwiseConv1D(name="depthwise", padding="valid", kernel=2, activation="tanh"),
        kinds.SeparableConv1D(name="separable", filters=4, kernel=5),
        kinds.Add(name="sum", inputs=("stem", "separable"), activation="sigmoid"),
        kinds.Multiply(name="gated", inputs=("sum", "stem")),
        kinds.Subtract(name="difference", inputs=("gated", "sum")),
        kinds.Maximum(name="upper", inputs=("difference", "stem")),
        kinds.Minimum(name="lower", inputs=("upper", "sum")),
        kinds.Activation(name="bent", activation="relu(inf,0.25)"),
        kinds.Rearrange(name="moved", before=(1, 0), after=(1, 0), repeats=(2, 1)),
        kinds.Reshape(name="reshaped", shape=(10, 8)),
        kinds.AveragePool(name="average", pool=3, stride=2, padding="same"),
        kinds.MaxPool(name="maximum", pool=2, padding="same"),
        kinds.GlobalMaxPool(name="largest"),
        kinds.Dense(units=2),
    ),
)
