"""A project made for a file of arrays or a table has a network for them, and is accepted as it is."""

from __future__ import annotations

import numpy as np
import pytest

from siliconv.checks.checks import examine
from siliconv.checks.preflight import Severity
from siliconv.commands.cli import run_command_line
from siliconv.errors import DataError
from siliconv.hardware.boards import boards
from siliconv.project.project import load_project
from siliconv.project.project_template import write_project

COUNT = 60
RANDOM = np.random.default_rng(0)
VECTORS = RANDOM.normal(size=(COUNT, 16)).astype(np.float32)
CLASSES = np.arange(COUNT) % 3


def made(tmp_path, x, y, **options):
    np.savez(tmp_path / "my arrays.npz", **{"x": x} | ({} if y is None else {"y": y}))
    return write_project("mine", data=tmp_path / "my arrays.npz", base=tmp_path, **options).parent


@pytest.mark.parametrize(
    ("y", "units", "activation"),
    [
        (CLASSES, 3, None),
        (CLASSES % 2, 1, "sigmoid"),
        (np.array(["a", "b", "c"])[CLASSES], 3, None),
        (np.eye(3)[CLASSES], 3, None),
        ((VECTORS[:, :4] > 0).astype(int), 4, "sigmoid"),
        (VECTORS[:, :2], 2, None),
        (VECTORS[:, 0], 1, None),
        (np.arange(COUNT), 1, None),
    ],
)
def test_the_last_layer_answers_what_the_labels_are(tmp_path, y, units, activation):
    folder = made(tmp_path, VECTORS, y)
    last = load_project(folder).model.architecture.layers[-1]
    assert (last.units, last.activation) == (units, activation)
    assert [one for one in examine(folder) if one.severity is Severity.ERROR] == []


@pytest.mark.parametrize(
    ("x", "shape", "standardize"),
    [
        (VECTORS, (16,), True),
        (VECTORS[..., np.newaxis], (16, 1), True),
        (RANDOM.integers(-2048, 2048, (COUNT, 64, 1), np.int16), (64, 1), False),
        (RANDOM.integers(0, 256, (COUNT, 12, 10), np.uint8), (12, 10, 1), False),
        (RANDOM.normal(size=(COUNT, 8, 8, 2)).astype(np.float32), (8, 8, 2), False),
    ],
)
def test_the_network_takes_the_numbers_as_they_are(tmp_path, x, shape, standardize):
    project = load_project(made(tmp_path, x, CLASSES))
    assert (project.model.architecture.input_shape, project.data.standardize) == (shape, standardize)


@pytest.mark.parametrize("name", [None, *(one.name for one in boards() if one.backend)])
@pytest.mark.parametrize("shape", [(16,), (64, 1)])
def test_it_fits_its_board(tmp_path, name, shape):
    folder = made(tmp_path, RANDOM.normal(size=(COUNT, *shape)).astype(np.float32), CLASSES, board=name)
    assert [one for one in examine(folder) if one.code.startswith("BOARD")] == []


def test_a_table_names_its_label(tmp_path):
    lines = [f"{n},{n * 2},{'ab'[n % 2]}" for n in range(40)]
    (tmp_path / "table.csv").write_text("\n".join(["pt,eta,label", *lines]))
    project = load_project(write_project("mine", data=tmp_path / "table.csv", base=tmp_path).parent)
    assert (project.data.source, project.model.architecture.input_shape) == ("csv", (2,))


def test_numbers_without_answers_need_a_network(tmp_path):
    np.save(tmp_path / "x.npy", VECTORS)
    with pytest.raises(DataError, match="DATA-TASK"):
        write_project("mine", data=tmp_path / "x.npy", base=tmp_path)


@pytest.mark.slow
def test_arrays_become_firmware_in_two_commands(tmp_path, monkeypatch, compiler):
    monkeypatch.chdir(tmp_path)
    np.savez(tmp_path / "a.npz", x=RANDOM.normal(size=(200, 6)).astype(np.float32), y=np.arange(200) % 2)
    assert run_command_line(["new", "mine", "--data", "a.npz", "--board", "pynq-z2"]) == 0
    assert run_command_line(["run", "mine"]) == 0
    assert (tmp_path / "firmware_projects" / "mine" / "build" / "report.html").is_file()


@pytest.mark.parametrize(
    ("x", "y", "task", "units", "activation"),
    [
        (VECTORS, CLASSES, "regression", 1, None),
        (VECTORS, np.arange(COUNT) // 2, "classification", 30, None),
        (VECTORS, np.eye(3)[CLASSES].astype(int), "multilabel", 3, "sigmoid"),
        (VECTORS, np.eye(3)[CLASSES], "regression", 3, None),
        (VECTORS, None, "autoencoder", 16, None),
        (VECTORS[..., np.newaxis], None, "autoencoder", 1, None),
        (RANDOM.integers(0, 256, (COUNT, 12, 10, 3), np.uint8), None, "autoencoder", 3, None),
    ],
)
def test_a_task_that_is_said_decides_what_the_last_layer_answers(tmp_path, x, y, task, units, activation):
    folder = made(tmp_path, x, y, task=task)
    project = load_project(folder)
    last = project.model.architecture.layers[-1]
    assert project.task == task
    assert (getattr(last, "units", None) or last.filters, last.activation) == (units, activation)
    assert [one for one in examine(folder) if one.severity is Severity.ERROR] == []


@pytest.mark.parametrize(
    ("y", "task", "fix"),
    [
        (VECTORS[:, 0], "classification", "say regression"),
        (VECTORS[:, :2], "multilabel", "say regression"),
        (np.array(["a", "b", "c"])[CLASSES], "regression", "say classification"),
        (CLASSES, "none", "--from or --preset"),
        (None, "regression", "--task autoencoder"),
        (None, "auto", "--task autoencoder"),
    ],
)
def test_a_task_that_the_answers_are_none_of_is_refused(tmp_path, y, task, fix):
    with pytest.raises(DataError, match="DATA-TASK") as raised:
        made(tmp_path, VECTORS, y, task=task)
    assert fix in raised.value.fix
    assert not (tmp_path / "firmware_projects").exists()


def test_the_task_is_an_option_and_stands_beside_any_network(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run_command_line(["new", "mine", "--preset", "digits", "--task", "none"]) == 0
    assert load_project(tmp_path / "firmware_projects" / "mine").task == "none"
    assert run_command_line(["new", "other", "--task", "guessing"]) == 2
    assert "PROJECT-TASK" in capsys.readouterr().err
    assert not (tmp_path / "firmware_projects" / "other").exists()
