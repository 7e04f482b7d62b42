"""A project with the user's own Keras model: a trained file, a file that is trained further, a function."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

import numpy as np
import pytest

from siliconv.commands.cli import run_command_line
from siliconv.flow.artefacts import AGREEMENT_FILE
from siliconv.legacy_keras import load
from siliconv.models.architectures.weights import read_arrays

pytestmark = pytest.mark.long

NETS = """
def untrained():
    from tensorflow import keras
    layers = keras.layers
    return keras.Sequential([keras.Input((8, 8, 1)), layers.Flatten(), layers.Dense(10, name="mine")])
"""


def save_model(path: Path, seed: int) -> np.ndarray:
    """Save a one-layer network and return its kernel."""
    keras = load()
    layers = keras.layers
    model = keras.Sequential([keras.Input((8, 8, 1)), layers.Flatten(), layers.Dense(10, name="mine")])
    kernel = np.random.default_rng(seed).normal(size=(64, 10)).astype(np.float32)
    model.layers[-1].set_weights([kernel, np.zeros(10, np.float32)])
    model.save(path)
    return kernel


def write_project(folder: Path, text: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "project.yml").write_text(textwrap.dedent(text))


def trained_kernel(folder: Path) -> np.ndarray:
    return read_arrays(folder / "build" / "float" / "weights.npz")["mine/kernel"]


def test_a_trained_file_is_taken_as_it_is_and_again_when_it_changes(tmp_path, capsys):
    project = tmp_path / "own"
    write_project(project, "model: {file: mine.h5}\n")
    kernel = save_model(project / "mine.h5", 1)
    assert run_command_line(["train", str(project)]) == 0
    assert "not trained further" in capsys.readouterr().err
    np.testing.assert_array_equal(trained_kernel(project), kernel)
    assert not (project / "build" / "float" / "history.json").exists()
    assert run_command_line(["train", str(project)]) == 0
    assert "unchanged" in capsys.readouterr().err.splitlines()[-1]
    other = save_model(project / "mine.h5", 2)
    assert run_command_line(["train", str(project)]) == 0
    np.testing.assert_array_equal(trained_kernel(project), other)


def test_a_train_section_goes_on_from_the_weights_of_the_file(tmp_path):
    project = tmp_path / "own"
    write_project(
        project,
        """
        model: {file: mine.h5}
        train: {epochs: 1, optimizer: sgd, learning_rate: 1.0e-9, keep: last}
        """,
    )
    kernel = save_model(project / "mine.h5", 1)
    assert run_command_line(["train", str(project)]) == 0
    assert (project / "build" / "float" / "history.json").exists()
    np.testing.assert_allclose(trained_kernel(project), kernel, atol=1e-6)


def test_a_function_describes_a_network_that_is_trained(tmp_path, capsys):
    project = tmp_path / "own"
    write_project(project, "model: {file: 'own_nets:untrained'}\ntrain: {epochs: 1, batch_size: 256}\n")
    (project / "own_nets.py").write_text(NETS)
    assert run_command_line(["train", str(project)]) == 0
    assert "after 1 epoch " in capsys.readouterr().err
    # Its initial weights are drawn anew each time it is called; they are not what is trained from.
    assert run_command_line(["train", str(project)]) == 0
    assert "unchanged" in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("model: {preset: digits}\ntrain: null\n", "MODEL-WEIGHTS"),
        ("model: {file: missing.keras}\n", "no such model file"),
        ("model: {file: 'missing_module:make'}\n", "MODEL-FUNCTION"),
        ("model: {preset: digits, file: mine.keras}\n", "either preset"),
    ],
)
def test_what_cannot_be_taken_is_one_message(tmp_path, capsys, text, says):
    write_project(tmp_path / "own", text)
    assert run_command_line(["train", str(tmp_path / "own")]) == 2
    shown = capsys.readouterr().err
    assert says in shown
    assert "Traceback" not in shown


TRAINED = """
def trained():
    from tensorflow import keras
    layers = keras.layers
    return keras.Sequential([keras.Input((8, 8, 1)), layers.Flatten(), layers.Dense(10, "softmax", name="mine")])
"""


@pytest.mark.long
def test_a_function_whose_weights_are_taken_is_compared_with_keras_too(tmp_path, capsys):
    project = tmp_path / "own"
    write_project(project, "model: {file: 'trained_nets:trained'}\ntrain: null\n")
    (project / "trained_nets.py").write_text(TRAINED)
    assert run_command_line(["train", str(project)]) == 0
    assert "gives the same within" in capsys.readouterr().err
    assert json.loads((project / "build" / "float" / AGREEMENT_FILE).read_text())["keras"].startswith("Keras 2")
