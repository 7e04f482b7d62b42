"""Users' own models: files of Keras 2 and Keras 3 read as data, what has no equal refused by name."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from siliconv.errors import ModelError
from siliconv.flow.apart import call_apart
from siliconv.legacy_keras import load
from siliconv.models.architectures.keras_config import architecture_of
from siliconv.models.architectures.keras_prediction import predict_file
from siliconv.models.architectures.user_model import load_user_model
from siliconv.progress import Silent

MODELS = """
def sequential(keras):
    layers = keras.layers
    return keras.Sequential([
        keras.Input((12, 10, 3)),
        layers.Conv2D(4, 3, activation="relu", name="first.conv"),
        layers.BatchNormalization(scale=False, epsilon=0.01),
        layers.DepthwiseConv2D(3, padding="same", use_bias=False),
        layers.ReLU(),
        layers.SeparableConv2D(5, (3, 1), strides=2),
        layers.MaxPooling2D((1, 2)),
        layers.Dropout(0.5),
        layers.Flatten(),
        layers.Dense(6, activation="tanh"),
        layers.BatchNormalization(),
        layers.Dense(3, activation="softmax"),
    ])

def functional(keras):
    layers = keras.layers
    image = keras.Input((8, 8, 2))
    a = layers.Conv2D(4, 3, padding="same", name="z")(image)
    b = layers.Activation("relu")(layers.Conv2D(4, 1, name="y")(a))
    c = layers.Concatenate()([layers.Add()([a, b]), b])
    layers.Dense(7)(layers.Flatten()(c))
    c = layers.ZeroPadding2D(((1, 0), (2, 3)))(c)
    d = layers.GlobalAveragePooling2D()(layers.AveragePooling2D(2)(c))
    return keras.Model(image, layers.Activation("sigmoid")(layers.Dense(1)(d)))

def waveform(keras):
    layers = keras.layers
    return keras.Sequential([
        keras.Input((32, 2)), layers.Conv1D(4, 5, strides=2, activation="relu"), layers.MaxPooling1D(2),
        layers.SeparableConv1D(3, 3), layers.ZeroPadding1D((0, 2)),
        layers.DepthwiseConv1D(3), layers.GlobalMaxPooling1D(), layers.Dense(2),
    ])

def rescaled(keras):
    layers = keras.layers
    return keras.Sequential([
        keras.Input((8, 8, 3)), layers.Rescaling(1 / 255), layers.MaxPooling2D(2),
        layers.SeparableConv2D(4, 3, activation="relu"), layers.Flatten(), layers.Dense(2),
    ])

def nested(keras):
    layers, image = keras.layers, keras.Input((8, 8, 1))
    inner = keras.Sequential([keras.Input((6,)), layers.Dense(6, activation="relu")])
    inside = keras.Input((6,))
    middle = keras.Model(inside, inner(inner(inside)))
    vector = layers.Dense(6)(layers.Flatten()(1.0 - image * 0.5))
    return keras.Model(image, layers.Dense(2)(layers.Add()([inner(vector), middle(vector)])))
"""
NAMES = ("sequential", "functional", "waveform", "rescaled")

SAVE = (
    MODELS
    + """
import sys
import numpy as np
import {keras} as keras
for make in (sequential, functional, waveform, rescaled, nested):
    keras.utils.set_random_seed(3)
    model = make(keras)
    random = np.random.default_rng(3)
    model.set_weights([random.uniform(0.1, 1.0, w.shape) - 0.5 * (w.ndim > 1) for w in model.get_weights()])
    images = (random.uniform(size=(5, *model.input_shape[1:])) * (255 if make is rescaled else 1)).astype("float32")
    np.savez(f"{{sys.argv[1]}}/{{make.__name__}}.npz", images=images, outputs=model(images))
    for ending in ("keras", "h5"):
        model.save(f"{{sys.argv[1]}}/{{make.__name__}}.{{ending}}")
    open(f"{{sys.argv[1]}}/{{make.__name__}}.json", "w").write(model.to_json())
    model.save_weights(f"{{sys.argv[1]}}/{{make.__name__}}.weights.h5")
"""
)


@pytest.fixture(scope="module", params=["keras", "tf_keras"])
def saved(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the models above, saved by Keras 3 and by Keras 2 in a process of their own."""
    folder: Path = tmp_path_factory.mktemp(request.param)
    code = SAVE.format(keras=request.param)
    subprocess.run([sys.executable, "-P", "-c", code, str(folder)], check=True, capture_output=True)
    return folder


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("ending", ["keras", "h5", "json"])
def test_a_file_computes_what_its_owner_computed(saved: Path, name: str, ending: str) -> None:
    beside = f"{name}.weights.h5" if ending == "json" else None
    found = load_user_model(f"{name}.{ending}", folder=saved, weights=beside)
    with np.load(saved / f"{name}.npz") as expected:
        written = name in ("waveform", "rescaled")
        model = found.build(output="logits" if written else "probabilities")
        # A model that rescales takes pixels from 0 to 255; here they come as k/256.
        images = expected["images"] / (256 if name == "rescaled" else 1)
        np.testing.assert_allclose(model(images).numpy(), expected["outputs"], rtol=1e-4, atol=1e-5)


@pytest.mark.long
@pytest.mark.parametrize("ending", ["keras", "h5", "json"])
def test_keras_itself_predicts_with_models_in_the_model(saved: Path, ending: str) -> None:
    """A model that is called twice, alone and in another one, with an operator before it, in every form of file."""
    if ending == "h5" and saved.name.startswith("tf_keras"):
        pytest.skip("Keras 2 itself writes the calls of one model into another's into such a file")
    beside = "nested.weights.h5" if ending == "json" else None
    found = load_user_model(f"nested.{ending}", folder=saved, weights=beside)
    weights = saved / beside if beside else None
    with np.load(saved / "nested.npz") as expected:
        images, outputs = expected["images"], expected["outputs"]
    own = call_apart(predict_file, str(saved / f"nested.{ending}"), images, [], weights, None, progress=Silent())
    assert own.keras.startswith("Keras 3" if saved.name.startswith("keras") else "Keras 2")
    np.testing.assert_allclose(own.outputs, outputs, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found.build(output="logits")(images).numpy(), outputs, rtol=1e-4, atol=1e-5)


@pytest.mark.long
@pytest.mark.parametrize("name", ["sequential", "nested"])
def test_an_archive_of_keras_2_14_is_read_and_predicted(saved: Path, tmp_path: Path, name: str) -> None:
    """Its folders of weights have another name, which Keras itself reads no more."""
    import h5py

    if saved.name.startswith("keras"):
        pytest.skip("Keras 3 never wrote such a file")
    with zipfile.ZipFile(saved / f"{name}.keras") as archive, zipfile.ZipFile(tmp_path / "old.keras", "w") as old:
        for one in ("metadata.json", "config.json"):
            old.writestr(one, archive.read(one))
        (tmp_path / "w.h5").write_bytes(archive.read("model.weights.h5"))
        with h5py.File(tmp_path / "w.h5", "r+") as file:
            places: list[str] = []
            file.visit(places.append)
            for place in sorted((one for one in places if one.split("/")[-1] == "layers"), key=len, reverse=True):
                file.move(place, f"{place.removesuffix('layers')}_layer_checkpoint_dependencies")
        old.write(tmp_path / "w.h5", "model.weights.h5")
    found = load_user_model("old.keras", folder=tmp_path)
    with np.load(saved / f"{name}.npz") as expected:
        images, outputs = expected["images"], expected["outputs"]
    own = call_apart(predict_file, str(tmp_path / "old.keras"), images, [], None, None, progress=Silent())
    np.testing.assert_allclose(own.outputs, outputs, rtol=1e-4, atol=1e-5)
    built = found.build(output=found.output_as_written)
    np.testing.assert_allclose(built(images).numpy(), outputs, rtol=1e-4, atol=1e-5)


def _config(layer: Any) -> dict[str, Any]:
    tf_keras = load()
    model = tf_keras.Sequential([tf_keras.Input((8, 8, 1)), layer])
    config: dict[str, Any] = json.loads(model.to_json())
    return config


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda layers: layers.Lambda(lambda x: x, name="mine"), "'mine' of class 'Lambda'"),
        (lambda layers: layers.Conv2DTranspose(2, 3, name="up"), "'up' of class 'Conv2DTranspose'"),
        (lambda layers: layers.Conv2D(2, 3, dilation_rate=2), "dilation_rate"),
        (lambda layers: layers.UpSampling2D(2, interpolation="bilinear"), "interpolation"),
        (lambda layers: layers.Resizing(4, 4), "'Resizing'"),
    ],
)
def test_what_has_no_equal_is_refused_by_name(make: Any, says: str) -> None:
    with pytest.raises(ModelError, match=says) as found:
        architecture_of(_config(make(load().layers)), where="my_model.keras")
    assert found.value.code == "MODEL-LAYER"


def test_a_custom_class_is_refused_by_name_even_under_a_known_one() -> None:
    config = _config(load().layers.Conv2D(2, 3, name="hidden"))
    config["config"]["layers"][1]["module"] = "evil.layers"
    with pytest.raises(ModelError, match="'hidden' of class 'Conv2D'"):
        architecture_of(config, where="my_model.keras")


def test_a_registered_custom_class_is_refused_by_name() -> None:
    config = _config(load().layers.Conv2D(2, 3, name="hidden"))
    config["config"]["layers"][1] |= {"module": None, "registered_name": "Custom>Conv2D"}
    with pytest.raises(ModelError, match="'hidden' of class 'Conv2D'"):
        architecture_of(config, where="my_model.keras")


def test_a_layer_that_is_used_twice_is_two_with_the_same_weights(tmp_path: Path) -> None:
    tf_keras = load()
    image = tf_keras.Input((4, 4, 1))
    shared = tf_keras.layers.Conv2D(1, 3, name="shared", padding="same")
    between = tf_keras.layers.ReLU(name="between")
    model = tf_keras.Model(image, tf_keras.layers.Add()([shared(between(shared(image))), image]))
    for ending in ("keras", "h5"):
        model.save(tmp_path / f"model.{ending}")
        found = load_user_model(f"model.{ending}", folder=tmp_path)
        assert [layer.name for layer in found.architecture.layers][:3] == ["shared", "between", "shared_use2"]
        pixels = np.random.default_rng(0).uniform(size=(3, 4, 4, 1)).astype(np.float32)
        np.testing.assert_allclose(found.build()(pixels), model(pixels), rtol=1e-5, atol=1e-6)


def test_open_sizes_are_refused() -> None:
    tf_keras = load()
    flexible = tf_keras.Sequential([tf_keras.Input((None, None, 3)), tf_keras.layers.Conv2D(1, 3)])
    with pytest.raises(ModelError, match="fixed shape"):
        architecture_of(json.loads(flexible.to_json()), where="x")


@pytest.mark.parametrize("content", [None, b"", b"PK\3\4 nothing", b"\x89HDF\r\n\x1a\n nothing"])
def test_a_missing_or_damaged_file_is_one_message(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "model.keras").write_bytes(content)
    with pytest.raises(ModelError, match="MODEL-FILE"):
        load_user_model("model.keras", folder=tmp_path)


@pytest.mark.parametrize("name", ["weights.h5", "model.weights.h5"])
def test_a_file_of_weights_alone_says_what_is_missing(tmp_path: Path, name: str) -> None:
    """Keras 2 writes the first in its own layout, and the second in that of its archives."""
    tf_keras = load()
    tf_keras.Sequential([tf_keras.Input((3,)), tf_keras.layers.Dense(2)]).save_weights(tmp_path / name)
    with pytest.raises(ModelError, match="holds the weights of a model") as caught:
        load_user_model(name, folder=tmp_path)
    assert f"weights: {name}" in caught.value.fix


def test_an_archive_without_meaning_is_one_message(tmp_path: Path) -> None:
    for config in ({"class_name": "Custom", "config": {}}, {"class_name": "Sequential", "config": {}}, [1]):
        with zipfile.ZipFile(tmp_path / "model.keras", "w") as archive:
            archive.writestr("config.json", json.dumps(config))
            archive.writestr("model.weights.h5", b"nothing")
        with pytest.raises(ModelError, match="MODEL-FILE"):
            load_user_model("model.keras", folder=tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("planted", ["external", "virtual", "link"])
def test_weights_of_an_archive_that_lie_in_another_file_are_refused(saved: Path, tmp_path: Path, planted: str) -> None:
    """The archive's own array is replaced by one that reads a file of the user's."""
    import h5py

    other, weights = tmp_path / "other.h5", tmp_path / "model.weights.h5"
    with zipfile.ZipFile(saved / "sequential.keras") as archive:
        config = archive.read("config.json")
        weights.write_bytes(archive.read("model.weights.h5"))
    with h5py.File(weights, "r+") as file:
        names: list[str] = []
        file.visit(lambda name: names.append(name) if isinstance(file[name], h5py.Dataset) else None)
        shape = file[names[0]].shape
        del file[names[0]]
        if planted == "external":
            file.create_dataset(names[0], shape, "f4", external=[(str(other), 0, h5py.h5f.UNLIMITED)])
        elif planted == "virtual":
            layout = h5py.VirtualLayout(shape, "f4")
            layout[...] = h5py.VirtualSource(str(other), "x", shape)
            file.create_virtual_dataset(names[0], layout)
        else:
            file[names[0]] = h5py.ExternalLink(str(other), "/x")
    with h5py.File(other, "w") as file:
        file["x"] = np.ones(shape, np.float32)
    with zipfile.ZipFile(tmp_path / "model.keras", "w") as archive:
        archive.writestr("config.json", config)
        archive.write(weights, "model.weights.h5")
    with pytest.raises(ModelError, match=r"in another file|a link"):
        load_user_model("model.keras", folder=tmp_path)


def test_a_function_gives_a_model_or_an_architecture(tmp_path: Path) -> None:
    code = MODELS + (
        "from siliconv.legacy_keras import load\n"
        "from siliconv.models.architectures.presets import preset\n"
        "def mine():\n    return functional(load())\n"
        "def described():\n    return preset('digits')\n"
        "def wrong():\n    return 3\n"
        "def broken():\n    return 1 / 0\n"
    )
    (tmp_path / "my_networks.py").write_text(code)
    found = load_user_model("my_networks:mine", folder=tmp_path)
    images = np.random.default_rng(1).uniform(size=(3, 8, 8, 2)).astype(np.float32)
    assert found.build(output="probabilities")(images).shape == (3, 1)
    assert found.weights
    assert load_user_model("my_networks:described", folder=tmp_path).weights == {}
    for name, says in (("wrong", "returns int"), ("broken", "ZeroDivisionError"), ("none", "AttributeError")):
        with pytest.raises(ModelError, match=says) as error:
            load_user_model(f"my_networks:{name}", folder=tmp_path)
        assert error.value.code == "MODEL-FUNCTION"
    assert str(tmp_path) not in sys.path
