"""The Python API, from a Keras model or an integer network to firmware, in a process that holds Keras 3."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from small_network import small_network

import siliconv
from siliconv.api.codes import calibration_codes
from siliconv.errors import DataError, ModelError, ProjectError, WorkSaysNoError
from siliconv.network import reference
from siliconv.network.fixed_point import to_values
from siliconv.network.intervals import prove


@pytest.fixture
def firmware():
    return siliconv.convert(small_network(), progress=None)


def pixels(count: int = 7) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 4), dtype=np.uint8)


def test_prediction_and_trace_are_those_of_the_reference(firmware):
    images, network = pixels(), small_network()
    expected = reference.run(network, images.astype(np.int64), keep=[node.name for node in network.nodes])
    traced = firmware.trace(images)
    assert list(traced) == [node.name for node in network.nodes]
    for node in network.nodes:
        np.testing.assert_array_equal(traced[node.name], to_values(expected[node.name], node.type))
    np.testing.assert_array_equal(firmware.predict(images), traced["relu"])


def test_values_and_codes_are_the_same_input(firmware):
    np.testing.assert_array_equal(firmware.predict(pixels() / 256), firmware.predict(pixels()))


@pytest.mark.parametrize(
    ("images", "code"),
    [
        (np.zeros((2, 5), np.uint8), "INPUT-SHAPE"),
        (np.zeros(4, np.uint8), "INPUT-SHAPE"),
        (np.full((1, 4), "a"), "INPUT-TYPE"),
        (np.full((1, 4), 256), "INPUT-VALUE"),
        (np.full((1, 4), -1), "INPUT-VALUE"),
        (np.full((1, 4), 1 / 255), "INPUT-VALUE"),
        (np.full((1, 4), np.nan), "INPUT-VALUE"),
        (np.full((1, 4), 1.0), "INPUT-VALUE"),
    ],
)
def test_what_is_no_input_is_refused(firmware, images, code):
    with pytest.raises(DataError) as raised:
        firmware.predict(images)
    assert raised.value.code == code


def test_an_estimate_is_worth_looking_at(firmware):
    found = firmware.estimate
    assert found.lut.low <= found.lut.value <= found.lut.high
    assert found.latency_us == found.latency_cycles.value * found.clock_ns / 1000
    assert "LUT" in repr(found)
    assert found.board in found._repr_html_()
    assert found.line in repr(firmware)


def test_what_was_saved_is_the_same_firmware(firmware, tmp_path):
    saved = firmware.save(tmp_path / "kept")
    again = siliconv.load(saved)
    assert again.hls == firmware.hls
    np.testing.assert_array_equal(again.predict(pixels()), firmware.predict(pixels()))
    with pytest.raises(ProjectError) as raised:
        firmware.save(saved)
    assert raised.value.code == "WRITE-FOLDER"
    with pytest.raises(ProjectError) as raised:
        siliconv.load(tmp_path)
    assert raised.value.code == "LOAD-FOLDER"


def test_a_board_is_fitted_or_refused_with_what_binds():
    fitted = siliconv.convert(small_network(), board="pynq-z2")
    assert fitted.hls.part == "xc7z020clg400-1"
    with pytest.raises(WorkSaysNoError) as raised:
        siliconv.convert(small_network(), board="pynq-z2", images_per_second=1e12)
    assert raised.value.code == "FIT-NONE"


@pytest.mark.parametrize(
    ("arguments", "error", "code"),
    [
        ({"model": 3}, ModelError, "MODEL-KIND"),
        ({"model": "nowhere.keras"}, ModelError, "MODEL-FILE"),
        ({"model": small_network(), "weights": 40}, ProjectError, "CONVERT-BITS"),
        ({"model": small_network(), "weights": 4, "recipe": siliconv.Recipe()}, ProjectError, "CONVERT-BITS"),
    ],
)
def test_bad_arguments_get_one_clear_message(arguments, error, code):
    arguments = {"calibration": np.zeros((2, 4), np.uint8), **arguments}
    with pytest.raises(error) as raised:
        siliconv.convert(arguments.pop("model"), **arguments)
    assert raised.value.code == code


@pytest.mark.parametrize("inputs", [None, np.empty((0, 4)), np.array([["a", "b"]])])
def test_what_is_no_calibration_is_one_clear_message(inputs):
    with pytest.raises(DataError) as raised:
        calibration_codes(inputs, None, siliconv.Recipe())
    assert raised.value.code == "DATA-CALIBRATION"


@pytest.mark.long
def test_simulation_is_certified_and_writes_the_project_it_simulated(firmware, tmp_path):
    certificate = firmware.simulate(pixels())
    assert certificate.exact
    assert certificate.vectors_by_origin["images"] == 7
    assert "no QKeras model took part" in repr(certificate)
    written = firmware.write(tmp_path / "project")
    assert (written / "firmware" / "small.cpp").is_file()
    assert firmware.certificate is certificate
    assert siliconv.load(firmware.save(tmp_path / "kept")).certificate == certificate
    prove(firmware.network)


NOTEBOOK = """
import keras
import numpy as np
import siliconv

assert keras.__version__.startswith("3"), keras.__version__
x = np.random.default_rng(0).integers(0, 256, (64, 8, 8, 1), dtype=np.uint8)
y = (x.mean(axis=(1, 2, 3)) > 127).astype(int)
model = keras.Sequential([
    keras.layers.Input((8, 8, 1)),
    keras.layers.Rescaling(1 / 256),
    keras.layers.Conv2D(4, 3, activation="relu"),
    keras.layers.Flatten(),
    keras.layers.Dense(2, activation="softmax"),
], name="from_keras_3")
firmware = siliconv.convert(model, calibration=x, weights=8, activations=8)
difference = np.abs(firmware.predict(x) - model.predict(x, verbose=0)).max()
assert difference < 0.05, difference
certificate = firmware.simulate(x[:3])
assert certificate.exact, certificate
assert any(layer.quantized_differs == 0 for layer in certificate.layers)
tuned = siliconv.fine_tune(model, (x, y), siliconv.Recipe(weights=4, train={"epochs": 1}))
assert siliconv.convert(tuned).network.name == "from_keras_3"
run = siliconv.Project("digits").run(until="lower")
assert [one.name for one in run.stages] == ["data", "train", "quantize", "lower"], run
assert siliconv.Project("digits").firmware.predict(np.zeros((1, 8, 8, 1), np.uint8)).shape == (1, 10)
assert keras.layers.Dense is type(model.layers[-1])
print("done")
"""


@pytest.mark.slow
def test_a_notebook_that_holds_keras_3_works(tmp_path):
    project = tmp_path / "firmware_projects" / "digits"
    project.mkdir(parents=True)
    (project / "project.yml").write_text(
        "model: {preset: digits}\ntrain: {epochs: 1}\nquantize: {train: null}\n", encoding="utf-8"
    )
    done = subprocess.run([sys.executable, "-c", NOTEBOOK], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.endswith("done\n"), done.stderr[-3000:]


@pytest.mark.slow
def test_a_model_of_real_features_gets_an_input_type_from_its_calibration_inputs(tmp_path):
    from siliconv.legacy_keras import load

    keras = load()
    model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(4, "relu"), keras.layers.Dense(2)])
    model.save(tmp_path / "tagger.keras")
    features = np.random.default_rng(0).normal(0, 3, (200, 5)).astype(np.float32)
    firmware = siliconv.convert(tmp_path / "tagger.keras", calibration=features, weights=8, activations=8)
    kind = firmware.network.input.type
    assert (kind.signed, kind.width) == (True, 16)
    stated = siliconv.InputConfig(bits=12, integer=5, signed=True)
    narrow = siliconv.convert(tmp_path / "tagger.keras", calibration=features, input=stated, weights=8, activations=8)
    kind = narrow.network.input.type
    assert (kind.signed, kind.width, kind.integer) == (True, 12, 5)
    rounded = np.rint(features / kind.step) * kind.step
    found, floats = narrow.predict(rounded), model.predict(rounded, verbose=0)
    assert np.abs(found - floats).max() < 0.15 * np.abs(floats).max()
