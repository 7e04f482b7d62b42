"""Networks of several inputs and outputs: as described, as files of Keras 2, and what means nothing refused by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from siliconv.errors import ModelError
from siliconv.legacy_keras import load
from siliconv.models.architectures.architecture import Architecture
from siliconv.models.architectures.folding import without_batch_normalization
from siliconv.models.architectures.keras_config import architecture_of
from siliconv.models.architectures.keras_model import build_model
from siliconv.models.architectures.ports import architecture_of_layers, logit_layers, ports_of
from siliconv.models.architectures.presets import preset
from siliconv.models.architectures.standardization import with_standardization
from siliconv.models.architectures.user_model import load_user_model

LAYERS: tuple[dict[str, Any], ...] = (
    {"kind": "flatten", "name": "flat", "inputs": ["image"]},
    {"kind": "dense", "name": "side", "units": 4, "activation": "relu", "inputs": ["numbers"]},
    {"kind": "concatenate", "name": "both", "inputs": ["flat", "side"]},
    {"kind": "dense", "name": "kind", "units": 3, "activation": "softmax", "inputs": ["both"]},
    {"kind": "dense", "name": "size", "units": 1, "inputs": ["both"]},
)
INPUTS = {"image": (2, 3, 1), "numbers": (5,)}


def rows(*parts: np.ndarray) -> np.ndarray:
    return np.concatenate([part.reshape(len(part), -1) for part in parts], axis=1)


def test_a_described_network_is_one_of_rows_and_knows_its_ports() -> None:
    architecture = architecture_of_layers(INPUTS, LAYERS, ("kind", "size"))
    ports = ports_of(architecture)
    assert architecture.input_shape == (11,)
    assert [(one.name, one.shape, one.layer) for one in ports.inputs] == [
        ("image", (2, 3, 1), "image_in"),
        ("numbers", (5,), "numbers_in"),
    ]
    assert [tuple(one) for one in ports.outputs] == [("kind", (3,), "softmax"), ("size", (1,), None)]
    assert ports.columns == (slice(0, 3), slice(3, 4))
    assert logit_layers(architecture) == {"kind": "softmax"}
    again = Architecture.model_validate(json.loads(architecture.model_dump_json()))
    assert ports_of(again) == ports


def test_the_logits_of_each_output_are_those_without_its_function() -> None:
    architecture = architecture_of_layers(INPUTS, LAYERS, ("kind", "size"))
    logits, shares = (build_model(architecture, output=output) for output in ("logits", "probabilities"))
    shares.set_weights(logits.get_weights())
    values = np.random.default_rng(0).normal(size=(4, 11)).astype(np.float32)
    one, other = np.asarray(logits(values)), np.asarray(shares(values))
    np.testing.assert_array_equal(one[:, 3:], other[:, 3:])
    powers = np.exp(one[:, :3] - one[:, :3].max(axis=1, keepdims=True))
    np.testing.assert_allclose(powers / powers.sum(axis=1, keepdims=True), other[:, :3], rtol=1e-5)


def test_an_output_that_is_read_inside_keeps_its_function() -> None:
    more = ({"kind": "dense", "name": "last", "units": 2, "inputs": ["kind"]},)
    architecture = architecture_of_layers(INPUTS, (*LAYERS, *more), ("kind", "last"))
    assert [one.function for one in ports_of(architecture).outputs] == [None, None]


def test_logits_and_their_softmax_may_both_be_outputs() -> None:
    more = (
        {"kind": "dense", "name": "logits", "units": 3, "inputs": ["both"]},
        {"kind": "activation", "name": "shares", "activation": "softmax", "inputs": ["logits"]},
    )
    architecture = architecture_of_layers(INPUTS, (*LAYERS[:3], *more), ("logits", "shares"))
    assert [one.function for one in ports_of(architecture).outputs] == [None, None]
    alone = architecture_of_layers(INPUTS, (*LAYERS, *more), ("size", "shares"))
    assert [one.function for one in ports_of(alone).outputs] == [None, "softmax"]


def test_a_network_of_one_input_and_one_output_is_written_as_ever() -> None:
    assert set(json.loads(preset("digits").model_dump_json())) == {"input_shape", "layers"}


@pytest.mark.parametrize(
    ("inputs", "outputs", "code"),
    [
        (INPUTS, ("kind", "nothing"), "MODEL-OUTPUT"),
        (INPUTS, ("kind", "kind"), "MODEL-OUTPUT"),
        ({**INPUTS, "more": (2,)}, ("kind", "size"), "MODEL-INPUT"),
    ],
)
def test_ports_that_are_not_there_are_refused(inputs: Any, outputs: tuple[str, ...], code: str) -> None:
    with pytest.raises(ModelError, match=code):
        architecture_of_layers(inputs, LAYERS, outputs)


def test_a_standardization_in_front_of_several_inputs_is_refused() -> None:
    with pytest.raises(ModelError, match="MODEL-PORTS"):
        with_standardization(architecture_of_layers(INPUTS, LAYERS, ("kind", "size")))


def crossing(tf_keras: Any) -> Any:
    layers = tf_keras.layers
    vector, image = tf_keras.Input((5,), name="vector"), tf_keras.Input((6, 6, 2), name="image")
    seen = layers.BatchNormalization()(layers.Conv2D(3, 3, name="seen")(image))
    both = layers.Concatenate()([layers.Flatten()(seen), layers.Dense(4, activation="tanh")(vector)])
    kind = layers.Dense(3, activation="softmax", name="kind")(both)
    return tf_keras.Model([image, vector], [layers.Dense(1, name="size")(both), kind, seen])


@pytest.mark.parametrize("ending", ["keras", "h5"])
def test_a_file_of_several_inputs_and_outputs_computes_the_same_row(tmp_path: Path, ending: str) -> None:
    model = crossing(load())
    model.save(tmp_path / f"model.{ending}")
    user = load_user_model(f"model.{ending}", folder=tmp_path)
    assert list(user.architecture.inputs) == ["image", "vector"]
    assert [one.shape for one in ports_of(user.architecture).outputs] == [(1,), (3,), (4, 4, 3)]
    random = np.random.default_rng(1)
    image, vector = (random.normal(size=(3, *shape)).astype(np.float32) for shape in ((6, 6, 2), (5,)))
    expected = rows(*(np.asarray(one) for one in model([image, vector])))
    given = rows(image, vector)
    np.testing.assert_allclose(user.build(output=user.output_as_written)(given), expected, rtol=1e-4, atol=1e-5)
    _, deployed = without_batch_normalization(user.build(), user.architecture)
    np.testing.assert_allclose(np.asarray(deployed(given))[:, 4:], expected[:, 4:], rtol=1e-4, atol=1e-4)


def _unread(tf_keras: Any) -> Any:
    one, other = tf_keras.Input((3,), name="one"), tf_keras.Input((3,), name="other")
    return tf_keras.Model([one, other], tf_keras.layers.Dense(2)(one))


def _twice(tf_keras: Any) -> Any:
    one = tf_keras.Input((3,), name="one")
    dense = tf_keras.layers.Dense(2)(one)
    return tf_keras.Model(one, [dense, dense])


def _input_out(tf_keras: Any) -> Any:
    one = tf_keras.Input((3,), name="one")
    return tf_keras.Model(one, [one, tf_keras.layers.Dense(2)(one)])


@pytest.mark.parametrize(
    ("make", "says"),
    [(_unread, "'other' is read by no layer"), (_twice, "named twice"), (_input_out, "is an input")],
)
def test_ports_without_a_meaning_are_refused_by_name(make: Any, says: str) -> None:
    with pytest.raises(ModelError, match=says) as caught:
        architecture_of(json.loads(make(load()).to_json()), where="x")
    assert caught.value.code == "MODEL-PORTS"
