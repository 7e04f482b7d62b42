"""The shape that comes out of a QKeras model, as Keras itself gives it."""

from __future__ import annotations

import pytest
from qkeras_networks import in_a_row, read_back

from siliconv import legacy_keras
from siliconv.errors import ModelError
from siliconv.models.qkeras_files.qkeras_reading import TakenLayer, TakenModel
from siliconv.models.qkeras_files.taken_shapes import output_shape_of

keras = legacy_keras.load()

import qkeras  # noqa: E402

layers = keras.layers


def branches(axis):
    image = keras.Input((6, 6, 2))
    one, other = qkeras.QConv2D(2, 3, padding="same")(image), qkeras.QActivation("quantized_relu(4)")(image)
    return keras.Model(image, layers.Concatenate(axis=axis)([one, layers.Multiply()([one, other])]))


MODELS = {
    "windows": lambda: in_a_row(
        layers.Input((13, 11, 3)),
        layers.ZeroPadding2D(((1, 2), (0, 3))),
        qkeras.QConv2D(4, (3, 2), strides=2, padding="same"),
        qkeras.QDepthwiseConv2D(2, padding="valid"),
        layers.MaxPooling2D(2, strides=1),
        qkeras.QAveragePooling2D(2, padding="same"),
    ),
    "a sequence": lambda: in_a_row(
        layers.Input((20, 3)), layers.ZeroPadding1D(2), qkeras.QConv1D(5, 4, strides=3), layers.AveragePooling1D(2)
    ),
    "a vector": lambda: in_a_row(layers.Input((4, 5, 2)), layers.Flatten(), qkeras.QDense(7), layers.Dropout(0.1)),
    "an overall average": lambda: in_a_row(layers.Input((4, 5, 2)), qkeras.QGlobalAveragePooling2D()),
    "another shape": lambda: in_a_row(layers.Input((4, 6)), layers.Reshape((8, -1)), qkeras.QDense(2)),
    "joined channels": lambda: branches(-1),
    "joined rows": lambda: branches(1),
}


@pytest.mark.parametrize("name", MODELS)
def test_the_shape_is_that_of_keras(name):
    model = MODELS[name]()
    assert output_shape_of(read_back(model).model) == tuple(model.output_shape[1:])


def test_a_window_larger_than_its_image_and_a_layer_without_a_rule_are_refused():
    settings = {"filters": 2, "kernel_size": [5, 5], "strides": [1, 1], "padding": "valid"}
    large = TakenLayer(name="large", kind="QConv2D", settings=settings, inputs=("input",))
    with pytest.raises(ModelError, match="MODEL-SHAPE"):
        output_shape_of(TakenModel(input_shape=(3, 3, 1), layers=(large,)))
    strange = TakenLayer(name="strange", kind="QStrange", settings={}, inputs=("input",))
    with pytest.raises(ModelError, match="MODEL-LAYER"):
        output_shape_of(TakenModel(input_shape=(3, 3, 1), layers=(strange,)))
