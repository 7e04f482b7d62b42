"""Descriptions of networks: names, inputs, normal form, shapes and costs without TensorFlow."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from siliconv.errors import ModelError
from siliconv.models.architectures import layers as kinds
from siliconv.models.architectures.architecture import (
    Architecture,
    named_layers,
    normal_form,
    output_activation,
    without_output_activation,
)
from siliconv.models.architectures.presets import preset, preset_names
from siliconv.models.architectures.shapes import layer_table


def test_l1_lecture_parameters_and_feature_map() -> None:
    table = {row.name: row for row in layer_table(preset("lecture"))}
    weighted = [row.parameters for row in table.values() if row.parameters]
    assert weighted == [896, 18_496, 73_856, 295_168, 257]
    assert sum(weighted) == 388_673
    assert table["conv2d_4"].output_shape == (8, 8, 256)
    assert table["conv2d_1"].multiplications == 64 * 64 * 27 * 32


def test_a_description_as_a_project_file_has_it() -> None:
    found = Architecture.model_validate(
        {
            "input_shape": [28, 28, 3],
            "layers": [
                {"kind": "conv2d", "filters": 4, "kernel": [5, 3], "padding": "valid"},
                {"kind": "flatten"},
                {"kind": "dense", "units": 2, "activation": "softmax"},
            ],
        }
    )
    assert [row.output_shape for row in layer_table(found)] == [(24, 26, 4), (2496,), (2,)]
    assert [node.name for node in normal_form(found)] == [
        "conv2d_1",
        "flatten_1",
        "dense_1",
        "dense_1_softmax",
    ]


@pytest.mark.parametrize(
    "layer",
    [
        {"kind": "conv2d", "filters": 0},
        {"kind": "conv2d", "filters": 4, "kernal": 3},
        {"kind": "dense", "units": 2, "activation": "swosh"},
        {"kind": "lambda"},
        {"kind": "dropout", "rate": 1.0},
    ],
)
def test_unknown_keys_and_values_out_of_range_are_refused(layer: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Architecture.model_validate({"input_shape": [8, 8, 1], "layers": [layer]})


def test_an_empty_shape_names_layer_shape_and_formula() -> None:
    tiny = Architecture(
        input_shape=(7, 4, 1),
        layers=(kinds.MaxPool(), kinds.Conv2D(filters=2, padding="valid", name="second")),
    )
    with pytest.raises(ModelError, match=r"'second' cannot take 3x2x1.*floor\(\(2 \+ 0 - 3\) / 1\) \+ 1 = 0") as found:
        layer_table(tiny)
    assert found.value.code == "MODEL-SHAPE"


@pytest.mark.parametrize(
    ("layers", "code", "says"),
    [
        ((kinds.Flatten(inputs=("nowhere",)),), "MODEL-INPUT", "nowhere"),
        ((kinds.Flatten(name="a"), kinds.Dense(units=1, name="a")), "MODEL-NAME", "'a'"),
        ((kinds.Flatten(name="input"),), "MODEL-NAME", "'input'"),
        ((kinds.Add(),), "MODEL-INPUT", "1 input"),
        ((kinds.Flatten(inputs=("input", "input")),), "MODEL-INPUT", "2 input"),
        ((kinds.Dense(units=3),), "MODEL-SHAPE", "vector"),
        ((kinds.Conv1D(filters=3),), "MODEL-SHAPE", "length x channels"),
        ((kinds.Flatten(), kinds.GlobalMaxPool()), "MODEL-SHAPE", "nothing left"),
        ((kinds.Flatten(), kinds.ZeroPadding()), "MODEL-SHAPE", "nothing left to pad"),
        (
            (
                kinds.Conv2D(filters=3, name="a"),
                kinds.Conv2D(filters=4, name="b"),
                kinds.Add(inputs=("a", "b")),
            ),
            "MODEL-SHAPE",
            "8x8x4",
        ),
        (
            (
                kinds.Conv2D(filters=3, name="a"),
                kinds.MaxPool(name="b"),
                kinds.Concatenate(inputs=("a", "b")),
            ),
            "MODEL-SHAPE",
            "4x4x3",
        ),
    ],
)
def test_networks_that_cannot_be_are_refused(layers: tuple[kinds.Layer, ...], code: str, says: str) -> None:
    with pytest.raises(ModelError, match=says) as found:
        layer_table(Architecture(input_shape=(8, 8, 1), layers=layers))
    assert found.value.code == code


def test_normal_form_makes_each_computation_a_node_and_rewires_its_readers() -> None:
    network = Architecture(
        input_shape=(8, 8, 4),
        layers=(
            kinds.SeparableConv2D(filters=4, activation="relu", name="a"),
            kinds.Conv2D(filters=4, name="b"),
            kinds.Add(inputs=("a", "b"), activation="relu", name="sum"),
            kinds.GlobalAveragePool(),
        ),
    )
    assert [(node.name, node.inputs) for node in normal_form(network)] == [
        ("a_depthwise", ("input",)),
        ("a", ("a_depthwise",)),
        ("a_relu", ("a",)),
        ("b", ("a_relu",)),
        ("sum", ("a_relu", "b")),
        ("sum_relu", ("sum",)),
        ("global_average_pool_1", ("sum_relu",)),
    ]


@pytest.mark.parametrize("name", preset_names())
def test_normal_form_keeps_parameters_and_multiplications(name: str) -> None:
    network = preset(name)
    layers = tuple(node.layer for node in normal_form(network))
    rewritten = Architecture(input_shape=network.input_shape, layers=layers)
    for column in ("parameters", "multiplications"):
        assert sum(getattr(row, column) for row in layer_table(rewritten)) == sum(
            getattr(row, column) for row in layer_table(network)
        )


def test_the_output_activation_can_be_taken_off() -> None:
    assert output_activation(preset("lecture")) == "sigmoid"
    logits = without_output_activation(preset("lecture"))
    assert output_activation(logits) is None
    assert named_layers(logits)[-1].name == "dense_1"
    assert without_output_activation(preset("digits")) == preset("digits")


def test_an_unknown_preset_names_the_known_ones() -> None:
    with pytest.raises(ModelError, match=r"lecture_strided"):
        preset("alexnet")
