"""What was read of a model file is compared with Keras' own prediction, which no table of settings can replace."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from siliconv.commands.cli import run_command_line
from siliconv.errors import ModelError
from siliconv.flow.artefacts import AGREEMENT_FILE
from siliconv.legacy_keras import load
from siliconv.models.architectures import keras_steps
from siliconv.models.architectures.folding import without_batch_normalization
from siliconv.models.architectures.keras_prediction import for_prediction
from siliconv.models.architectures.keras_steps import LayerStep
from siliconv.models.architectures.user_model import UserModel, load_user_model
from siliconv.progress import Silent
from siliconv.stages import keras_agreement
from siliconv.stages.keras_agreement import compare_with_keras, directed_inputs

keras = load()
layers = keras.layers

SHAPE = (6, 8, 2)


@pytest.fixture
def here(monkeypatch):
    """Keras 2 predicts in this process, which has it already."""
    monkeypatch.setattr(
        keras_agreement, "call_apart", lambda function, *arguments, progress: function(*arguments, progress=progress)
    )


def save(tmp_path, model, seed=1, ending="keras"):
    random = np.random.default_rng(seed)
    model.set_weights([random.uniform(0.1, 1.0, v.shape) - 0.5 * (v.ndim > 1) for v in model.get_weights()])
    model.save(tmp_path / f"net.{ending}")
    return tmp_path / f"net.{ending}"


def compare(path, user=None):
    user = user or load_user_model(path.name, folder=path.parent)
    images = np.random.default_rng(2).integers(0, 256, (8, *user.architecture.input_shape), np.uint8)
    _, deployed = without_batch_normalization(user.build(), user.architecture)
    return compare_with_keras(user, deployed, path, images, progress=Silent())


def branches(axis=-1):
    image = keras.Input(SHAPE)
    one = layers.Conv2D(3, 3, padding="same", activation="relu", name="one")(image)
    other = layers.BatchNormalization(name="norm")(layers.Conv2D(3, 1, name="other")(image))
    joined = layers.Concatenate(axis=axis, name="joined")([one, other])
    flat = layers.Flatten(name="flat")(layers.AveragePooling2D(2, name="pool")(joined))
    return keras.Model(image, layers.Dense(3, activation="softmax", name="last")(flat))


@pytest.mark.parametrize("ending", ["keras", "h5"])
def test_a_file_that_is_read_rightly_agrees(here, tmp_path, ending):
    found = compare(save(tmp_path, branches(), ending=ending))
    assert found.largest_difference <= found.tolerance
    assert found.probabilities < 1e-6
    assert found.largest_output > 1
    assert sum(found.inputs.values()) == 8 + 2 + 2 + 3
    assert found.keras == f"Keras {keras.__version__}"
    assert json.loads(json.dumps(found.as_json()))["inputs"]["ramp along axis 1"] == 1


def test_the_directed_inputs_tell_axes_and_channels_apart():
    found = directed_inputs((4, 1, 2))
    assert list(found) == [
        "all low",
        "all high",
        "channel 0 alone",
        "channel 1 alone",
        "ramp along axis 0",
        "ramp along axis 2",
    ]
    assert found["ramp along axis 0"][:, 0, 1].tolist() == [0, 85, 170, 255]
    assert found["channel 1 alone"].sum() == 4 * 255


@pytest.mark.parametrize("layer", ["one", "other", "norm", "last"])
def test_the_first_layer_that_differs_is_named(here, tmp_path, layer):
    path = save(tmp_path, branches())
    user = load_user_model(path.name, folder=tmp_path)
    kernel, *others = user.weights[layer]
    weights = {**user.weights, layer: [kernel * np.float32(1.001), *others]}
    with pytest.raises(ModelError, match="MODEL-DIFFERS") as caught:
        compare(path, UserModel(user.architecture, weights, user.keras_names, user.takes_pixels))
    assert f"the first layer that differs is '{layer}'" in caught.value.what


def test_an_axis_that_is_passed_over_does_not_get_through(here, tmp_path, monkeypatch):
    """The kind of mistake that started this: branches joined along the height, read as channels."""
    path = save(tmp_path, branches(axis=1))
    compare(path)

    def along_channels(fields, *rest, **named):
        return LayerStep({**fields, "axis": -1} if "axis" in fields else fields, *rest, **named)

    monkeypatch.setattr(keras_steps, "LayerStep", along_channels)
    with pytest.raises(ModelError, match="MODEL-DIFFERS") as caught:
        compare(path)
    assert "the first layer that differs is 'joined'" in caught.value.what


def rescaled(factor, between=layers.MaxPooling2D):
    return keras.Sequential(
        [
            keras.Input(SHAPE),
            layers.Rescaling(factor),
            between(2, name="between"),
            layers.Flatten(),
            layers.Dense(2, name="last"),
        ]
    )


@pytest.mark.parametrize("factor", [-1 / 255, 0.0, -3.0])
def test_a_maximum_is_not_moved_past_a_factor_that_is_not_positive(here, tmp_path, factor):
    compare(save(tmp_path, rescaled(factor)))


@pytest.mark.parametrize(
    ("factor", "between"),
    [(1 / 255, layers.MaxPooling2D), (-1 / 255, layers.AveragePooling2D), (-0.5, layers.ZeroPadding2D)],
)
def test_any_other_factor_is(here, tmp_path, factor, between):
    found = compare(save(tmp_path, rescaled(factor, between)))
    assert found.largest_difference <= found.tolerance


def test_a_branch_beside_the_rescaling_sees_pixels_too(here, tmp_path):
    image = keras.Input(SHAPE)
    one = layers.Conv2D(2, 1, name="one")(layers.Rescaling(1 / 255)(image))
    other = layers.Conv2D(2, 1, name="other")(image)
    out = layers.Dense(2)(layers.Flatten()(layers.Add()([one, other])))
    assert compare(save(tmp_path, keras.Model(image, out))).largest_output > 100


def test_a_fixed_batch_and_whole_numbers_are_fed_as_the_model_takes_them(here, tmp_path):
    image = keras.Input(SHAPE, batch_size=3, dtype="uint8")
    out = layers.Dense(2, activation="sigmoid")(layers.Flatten()(layers.Rescaling(1 / 255)(image)))
    found = compare(save(tmp_path, keras.Model(image, layers.Dense(1)(out))))
    assert found.largest_difference <= found.tolerance


def test_weights_that_are_no_numbers_are_told_as_such(here, tmp_path):
    model = branches()
    path = save(tmp_path, model)
    kernel, bias = model.layers[-1].get_weights()
    model.layers[-1].set_weights([np.full_like(kernel, np.inf), bias])
    model.save(path)
    with pytest.raises(ModelError, match="not finite"):
        compare(path)


@keras.utils.register_keras_serializable("mine")
class Regularizer(keras.regularizers.L2):
    """A class of the user's that only training needs."""


@pytest.mark.parametrize("ending", ["keras", "h5"])
def test_what_only_training_needs_is_not_loaded(here, tmp_path, monkeypatch, ending):
    dense = layers.Dense(2, kernel_regularizer=Regularizer(0.1))
    path = save(tmp_path, keras.Sequential([keras.Input(SHAPE), layers.Flatten(), dense]), ending=ending)
    monkeypatch.delitem(keras.utils.get_custom_objects(), "mine>Regularizer")
    found = compare(path)
    assert found.largest_difference <= found.tolerance


EVIL = {"module": "antigravity", "class_name": "fly", "config": {"name": "float32"}, "registered_name": "fly"}


@pytest.mark.parametrize("key", ["dtype", "kernel_initializer", "bias_regularizer", "kernel_constraint", "trainable"])
def test_keras_is_given_nothing_that_was_not_looked_at(key):
    dense = {"name": "d", "units": 2, "use_bias": True, "activation": "linear", key: EVIL}
    layer = {"module": "keras.layers", "class_name": "Dense", "config": dense, "build_config": EVIL, "name": "d"}
    config = {
        "class_name": "Sequential",
        "module": "keras",
        "config": {"layers": [layer], "x": EVIL},
        "compile_config": EVIL,
    }
    shown = json.dumps(for_prediction(config))
    assert "antigravity" not in shown
    assert json.loads(shown)["config"]["layers"][0]["config"]["units"] == 2


def test_a_file_that_keras_cannot_load_is_an_error(here, tmp_path, monkeypatch):
    path = save(tmp_path, branches())
    user = load_user_model(path.name, folder=tmp_path)
    monkeypatch.setattr(keras.models, "load_model", lambda *_, **__: (_ for _ in ()).throw(ValueError("no")))
    with pytest.raises(ModelError, match="MODEL-KERAS"):
        compare(path, user)


KERAS_3 = """
import sys, numpy as np, keras
keras.utils.set_random_seed(1)
layers = keras.layers
image = keras.Input((6, 8, 2))
x = layers.Conv2D(4, 3, activation="relu")(layers.Rescaling(1 / 255)(image))
x = layers.BatchNormalization(epsilon=0.01)(layers.SeparableConv2D(3, 2)(x))
keras.Model(image, layers.Dense(10, activation="softmax")(layers.Flatten()(x))).save(sys.argv[1])
"""


@pytest.mark.long
def test_a_file_of_keras_3_is_compared_with_keras_3_in_a_process_of_its_own(tmp_path, capsys):
    path = tmp_path / "own" / "net.keras"
    path.parent.mkdir()
    subprocess.run([sys.executable, "-P", "-c", KERAS_3, str(path)], check=True, capture_output=True)
    arrays = np.random.default_rng(1).integers(0, 256, (60, 6, 8, 2), np.uint8)
    np.savez(path.with_name("data.npz"), x=arrays, y=np.arange(60) % 10)
    (path.parent / "project.yml").write_text("model: {file: net.keras}\ndata: {source: npz, path: data.npz}\n")
    assert run_command_line(["train", str(path.parent)]) == 0
    assert "Keras 3" in capsys.readouterr().err
    found = json.loads((path.parent / "build" / "float" / AGREEMENT_FILE).read_text())
    assert found["keras"].startswith("Keras 3")
    assert found["largest_difference"] <= found["tolerance"]
