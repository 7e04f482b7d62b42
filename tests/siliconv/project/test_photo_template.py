"""A project made from a folder of photos says what the photos are, and is accepted as it is."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from siliconv.checks.checks import examine
from siliconv.checks.preflight import Severity
from siliconv.commands.cli import run_command_line
from siliconv.errors import SiliconvError
from siliconv.hardware.boards import board, boards
from siliconv.project.photo_template import look_at_photos
from siliconv.project.project import load_project
from siliconv.project.project_template import write_project


def photos(folder, classes=3, size=(40, 30), mode="RGB", count=30):
    """Write random photos, a folder a class."""
    rng = np.random.default_rng(0)
    for label in range(classes):
        (folder / f"class {label}").mkdir(parents=True)
        for number in range(count):
            pixels = rng.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
            Image.fromarray(pixels).convert(mode).save(folder / f"class {label}" / f"{number}.png")
    return folder


@pytest.mark.parametrize(("classes", "outputs"), [(2, 1), (3, 3)])
def test_a_project_of_photos_is_accepted_as_it_is(tmp_path, classes, outputs):
    folder = photos(tmp_path / "my: photos", classes)
    (folder / "class 0" / "notes.txt").write_text("no picture")
    path = write_project("mine", data=folder, board="pynq-z2", base=tmp_path)
    project = load_project(path.parent)
    assert project.data.path.resolve() == folder.resolve()
    assert project.model.architecture.input_shape == (16, 16, 3)
    assert project.model.architecture.layers[-1].units == outputs
    assert project.hls.part == board("pynq-z2").part
    assert [one for one in examine(path.parent) if one.severity is Severity.ERROR] == []
    assert not any(one.code == "TRAIN-BATCH" for one in examine(path.parent))


@pytest.mark.parametrize("name", [one.name for one in boards() if one.backend])
def test_the_network_for_photos_fits_the_board(tmp_path, name):
    photos(tmp_path / "photos", size=(64, 64), count=1)
    path = write_project("mine", data=tmp_path / "photos", board=name, base=tmp_path)
    assert [one for one in examine(path.parent) if one.code.startswith("BOARD")] == []


def test_grey_photos_have_one_channel_and_large_ones_are_64_pixels(tmp_path):
    found = look_at_photos(photos(tmp_path / "a", size=(100, 80), mode="L", count=2))
    assert (found.channels, found.side, found.count) == (1, 80, 6)
    project = load_project(write_project("mine", data=tmp_path / "a", base=tmp_path).parent)
    assert project.model.architecture.input_shape == (64, 64, 1)


def test_a_model_file_and_a_preset_take_the_photos_too(tmp_path):
    folder = photos(tmp_path / "a", count=2)
    (tmp_path / "m.json").write_text('{"class_name": "Sequential", "config": {"name": "m", "layers": []}}')
    text = write_project("one", model=tmp_path / "m.json", data=folder, base=tmp_path).read_text()
    assert 'file: "../../m.json"' in text
    assert "layers:" not in text
    project = load_project(write_project("two", "svhn", data=folder, board="zcu104", base=tmp_path).parent)
    assert project.model.preset == "svhn"
    assert project.data.path.resolve() == folder.resolve()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"data": "nowhere"}, "DATA-MISSING"),
        ({"data": "no pictures"}, "DATA-IMAGE"),
        ({"preset": "digits", "model": "m.keras"}, "PROJECT-MODEL"),
        ({"data": "arrays.npz"}, "DATA-LAYOUT"),
        ({"board": "pynq-z3"}, "BOARD"),
        ({"preset": "nothing"}, "MODEL-PRESET"),
        ({"data": "pictures", "task": "regression"}, "DATA-TASK"),
    ],
)
def test_what_cannot_be_made_is_refused_and_nothing_is_written(tmp_path, arguments, code):
    for label in ("a", "b"):
        (tmp_path / "no pictures" / label).mkdir(parents=True)
        (tmp_path / "no pictures" / label / "x.txt").write_text("text")
    photos(tmp_path / "pictures", count=2)
    (tmp_path / "arrays.npz").touch()
    given = {key: tmp_path / value if key in ("data", "model") else value for key, value in arguments.items()}
    with pytest.raises(SiliconvError, match=code):
        write_project("mine", base=tmp_path, **given)
    assert not (tmp_path / "firmware_projects").exists()


def test_a_preset_of_other_inputs_takes_no_photos(tmp_path):
    with pytest.raises(SiliconvError, match="takes no photos"):
        write_project("mine", "jets", data=photos(tmp_path / "a", count=1), base=tmp_path)


def test_the_command_says_what_to_do_next(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    photos(tmp_path / "photos", count=2)
    assert run_command_line(["new", "my pets", "--data", "photos", "--board", "pynq-z2"]) == 0
    assert "siliconv run 'my pets'" in capsys.readouterr().err
    assert run_command_line(["new", "my pets", "--data", "photos"]) == 2


@pytest.mark.slow
def test_photos_become_firmware_in_two_commands(tmp_path, monkeypatch, compiler):
    monkeypatch.chdir(tmp_path)
    photos(tmp_path / "photos", classes=2, size=(12, 12), count=40)
    assert run_command_line(["new", "pets", "--data", "photos", "--board", "pynq-z2"]) == 0
    assert run_command_line(["run", "pets"]) == 0
    assert (tmp_path / "firmware_projects" / "pets" / "build" / "report.html").is_file()
