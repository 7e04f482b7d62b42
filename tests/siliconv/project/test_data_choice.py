"""A folder given with --data: a variant, shown by check and summary, ended by none; presets follow its classes."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from siliconv.commands.cli import run_command_line
from siliconv.errors import DataError
from siliconv.project.data_choice import apply_data_choice, chosen_data, remember_data_choice
from siliconv.project.project import load_project


@pytest.fixture
def photos(tmp_path):
    rng = np.random.default_rng(0)
    for label in range(3):
        (tmp_path / "photos" / f"class {label}").mkdir(parents=True)
        for number in range(20):
            pixels = rng.integers(0, 256, (9, 12, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "photos" / f"class {label}" / f"{number}.png")
    return tmp_path / "photos"


def test_check_and_summary_show_it_and_none_ends_it(project, photos, capsys):
    assert run_command_line(["run", str(project), "--data", str(photos), "--until", "data"]) == 0
    capsys.readouterr()
    for command in ("check", "summary"):
        assert run_command_line([command, str(project)]) == 0
        said = capsys.readouterr()
        assert f"data: {photos}" in said.err
        assert "--data none" in said.err
    assert run_command_line(["run", str(project), "--data", "none", "--until", "data"]) == 0
    assert "those of the project file again" in capsys.readouterr().err
    assert chosen_data(project / "build") is None
    assert run_command_line(["summary", str(project)]) == 0
    assert "--data" not in capsys.readouterr().err


def test_a_folder_called_none_is_a_folder(project, photos, tmp_path, monkeypatch):
    photos.rename(tmp_path / "none")
    monkeypatch.chdir(tmp_path)
    found, line = apply_data_choice(load_project(project), project / "build", (tmp_path / "none").relative_to(tmp_path))
    assert (found.data.source, line) == ("folder", None)


def test_a_preset_has_an_output_for_each_class_of_the_folder(project, photos):
    remember_data_choice(project / "build", photos)
    found, _ = apply_data_choice(load_project(project), project / "build", None)
    assert found.model.architecture.layers[-1].units == 3
    assert load_project(project).model.architecture.layers[-1].units == 10


@pytest.mark.parametrize(
    ("preset", "classes", "units", "activation"),
    [
        ("digits", 3, 3, None),
        ("digits", 2, 2, None),
        ("svhn", 4, 4, "softmax"),
        ("lecture", 2, 1, "sigmoid"),
        ("lecture", 3, 3, "linear"),
        ("autoencoder", 3, 640, None),
    ],
)
def test_presets_take_the_number_of_classes_from_the_data(tmp_path, preset, classes, units, activation):
    for label in range(classes):
        (tmp_path / "photos" / f"c{label}").mkdir(parents=True)
    (tmp_path / "project.yml").write_text(f"model: {{preset: {preset}}}\ndata: {{source: folder, path: photos}}\n")
    last = load_project(tmp_path).model.architecture.layers[-1]
    assert (last.units, last.activation) == (units, activation)


def test_labels_in_a_file_are_counted_too(tmp_path):
    np.savez(tmp_path / "data.npz", x=np.zeros((40, 8, 8, 1), np.uint8), y=np.arange(40) % 4)
    (tmp_path / "project.yml").write_text("model: {preset: digits}\ndata: {source: npz, path: data.npz}\n")
    assert load_project(tmp_path).model.architecture.layers[-1].units == 4


def test_built_in_data_and_damaged_files_leave_a_preset_as_it_is(tmp_path):
    (tmp_path / "project.yml").write_text("model: {preset: lecture}\n")
    assert load_project(tmp_path).model.architecture.layers[-1].units == 1
    (tmp_path / "data.npz").write_bytes(b"nothing")
    (tmp_path / "project.yml").write_text("model: {preset: digits}\ndata: {source: npz, path: data.npz}\n")
    assert load_project(tmp_path).model.architecture.layers[-1].units == 10


@pytest.mark.parametrize(
    ("name", "source"),
    [("a.npz", "npz"), ("a.NPY", "npy"), ("a.h5", "hdf5"), ("a.hdf5", "hdf5"), ("a.csv", "csv"), ("a.tsv", "csv")],
)
def test_a_file_of_arrays_takes_the_place_of_the_data_too(project, tmp_path, name, source):
    (tmp_path / name).touch()
    found, _ = apply_data_choice(load_project(project), project / "build", tmp_path / name)
    assert (found.data.source, found.data.path) == (source, (tmp_path / name).resolve())


def test_what_the_project_says_of_its_own_file_holds_for_another_of_the_kind(tmp_path):
    np.savez(tmp_path / "one.npz", features=np.zeros((4, 3)))
    (tmp_path / "two.npz").touch()
    (tmp_path / "two.csv").touch()
    (tmp_path / "project.yml").write_text("model: {preset: jets}\ndata: {source: npz, path: one.npz, x: features}\n")
    for name, said in (("two.npz", "features"), ("two.csv", None)):
        found, _ = apply_data_choice(load_project(tmp_path), tmp_path / "build", tmp_path / name)
        assert found.data.x == said


def test_a_file_of_no_known_kind_is_refused(project, tmp_path):
    (tmp_path / "data.pkl").touch()
    with pytest.raises(DataError, match=r"DATA-MISSING.*a file of this kind"):
        apply_data_choice(load_project(project), project / "build", tmp_path / "data.pkl")
