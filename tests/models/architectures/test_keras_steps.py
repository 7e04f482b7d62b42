"""Every way in which a layer of Keras is read: the float network is Keras' own, and the integer network QKeras'."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import keras_zoo
import numpy as np
import pytest
from keras_zoo import NETWORKS, ON_PIXELS, ONLY_KERAS_3, read_and_lowered, shaken

from siliconv.legacy_keras import load
from siliconv.models.architectures.functions import FUNCTIONS, function_text, parse_function

ALL = {**NETWORKS, **ON_PIXELS}

SAVE = """
import sys
sys.path.insert(0, {support!r})
import keras
import numpy as np
import keras_zoo
networks = {{**keras_zoo.NETWORKS, **keras_zoo.ON_PIXELS, **keras_zoo.ONLY_KERAS_3}}
for number, (name, build) in enumerate(networks.items()):
    model = keras_zoo.shaken(build(keras))
    pixels = np.random.default_rng(5).integers(0, 256, (6, *model.input_shape[1:]))
    taken = pixels if name in keras_zoo.ON_PIXELS else pixels / 256
    np.save(f"{{sys.argv[1]}}/{{number}}.npy", model(taken.astype("float32"), training=False))
    model.save(f"{{sys.argv[1]}}/{{number}}.keras")
"""


def check(path: Path, expected: np.ndarray) -> None:
    outputs, network = read_and_lowered(path)
    np.testing.assert_allclose(outputs, expected, rtol=0, atol=2e-5 * max(np.abs(expected).max(), 1.0))
    assert len(network.nodes) > 1


@pytest.mark.long
@pytest.mark.parametrize("name", ALL)
def test_a_network_of_keras_2_is_read_and_lowered(name: str, tmp_path: Path) -> None:
    model = shaken(ALL[name](load()))
    pixels = np.random.default_rng(5).integers(0, 256, (6, *model.input_shape[1:]))
    taken = pixels if name in ON_PIXELS else pixels / 256
    model.save(tmp_path / "model.keras")
    check(tmp_path / "model.keras", np.asarray(model(taken.astype(np.float32), training=False)))


@pytest.fixture(scope="module")
def of_keras_3(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All networks, saved by Keras 3 in a process of its own."""
    folder: Path = tmp_path_factory.mktemp("keras3")
    code = SAVE.format(support=str(Path(keras_zoo.__file__).parent))
    done = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return folder


@pytest.mark.long
@pytest.mark.parametrize("name", [*ALL, *ONLY_KERAS_3])
def test_a_network_of_keras_3_is_read_and_lowered(name: str, of_keras_3: Path) -> None:
    number = [*ALL, *ONLY_KERAS_3].index(name)
    check(of_keras_3 / f"{number}.keras", np.load(of_keras_3 / f"{number}.npy"))


@pytest.mark.parametrize("text", ["relu(6)", "relu(inf,0.1)", "elu", "elu(0.5)", "line(0.2,0.5)", "relu(inf,0,1)"])
def test_a_function_is_read_as_it_is_written(text: str) -> None:
    found = parse_function(text)
    assert found is not None
    assert parse_function(function_text(*[found.name], *found.parameters)) == found


@pytest.mark.parametrize("text", ["", "elu(", "elu(1,2)", "line", "line(1)", "relu(nan)", "relu(x)", "os", "elu()()"])
def test_a_text_that_is_no_function_is_none(text: str) -> None:
    assert parse_function(text) is None


def test_a_text_leaves_out_what_is_the_default() -> None:
    assert function_text("relu", float("inf"), 0.0, 0.0) == "relu"
    assert function_text("elu", 1.0) == "elu"
    assert set(FUNCTIONS) >= {"relu", "elu", "line"}
