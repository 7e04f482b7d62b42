"""The project file: every mistake is told with file, line, field and what would be right."""

from __future__ import annotations

import pickle
import textwrap
from pathlib import Path

import pytest
import yaml

from siliconv.errors import ModelError, ProjectError
from siliconv.hls.configuration import HlsConfig
from siliconv.hls.kinds import Strategy
from siliconv.models.data.data_config import DataConfig
from siliconv.models.training.train_config import TrainConfig
from siliconv.project.finding import find_project
from siliconv.project.project import c_identifier, load_project
from siliconv.project.project_problems import ProjectProblemsError
from siliconv.project.project_schema import choices_of
from siliconv.project.project_template import project_text, write_project
from siliconv.rtl.configuration import RtlConfig

ROOT = Path(__file__).resolve().parents[3]


def load(tmp_path, text):
    (tmp_path / "project.yml").write_text(textwrap.dedent(text))
    return load_project(tmp_path)


@pytest.mark.parametrize(
    ("text", "code", "line", "words"),
    [
        ("model:\n  preset: digits\ntrain:\n  epocs: 3\n", "PROJECT-FIELD", 4, ["epocs", "did you mean 'epochs'"]),
        ("modle:\n  preset: digits\n", "PROJECT-FIELD", 1, ["model"]),
        (
            "model:\n  preset: digits\ntrain:\n  epochs: many\n",
            "PROJECT-VALUE",
            4,
            ["must be a whole number, not 'many'"],
        ),
        ("model:\n  preset: digits\ntrain:\n  epochs: 0\n", "PROJECT-VALUE", 4, ["'epochs' must be at least 1, not 0"]),
        ("model:\n  preset: digits\nquantize:\n  weights: 99\n", "PROJECT-VALUE", 4, ["16", "bits of each weight"]),
        ("model:\n  preset: digitz\n", "PROJECT-VALUE", 2, ["digitz", "lecture"]),
        ("model:\n  preset: digits\n  layers: []\n", "PROJECT-VALUE", 1, ["either preset"]),
        ("model:\n  preset: digits\nhls:\n  backend: Vitus\n", "PROJECT-VALUE", 4, ["Vitis"]),
        ("model:\n  preset: [digits\n", "PROJECT-YAML", 3, []),
        ("just a sentence\n", "PROJECT-YAML", None, []),
        ("train:\n  epochs: 3\n", "PROJECT-FIELD", 1, ["model"]),
    ],
)
def test_mistakes_are_told_with_line_and_fix(tmp_path, text, code, line, words):
    with pytest.raises(ProjectError) as raised:
        load(tmp_path, text)
    error = raised.value
    assert error.code == code
    assert error.exit_code == 2
    if line is not None:
        assert f"project.yml:{line}" in error.where
    for word in words:
        assert word in str(error), str(error)


SEVERAL = """
model:
  input_shape: [8, 8, 1]
  layers:
    - {kind: conv2d, filters: many}
    - {kind: conv3d, filters: 4}
    - {kind: dense, units: 0, twist: 3}
train: {epocs: 3, batch_size: -1}
hls: {backend: Vitus}
"""


def test_all_problems_of_a_file_are_listed_at_once_in_our_words(tmp_path):
    with pytest.raises(ProjectProblemsError) as raised:
        load(tmp_path, SEVERAL)
    shown = str(raised.value)
    assert [one.where.rpartition(":")[2] for one in raised.value.problems] == [
        "5, field model.layers.0.filters",
        "6, field model.layers.1",
        "7, field model.layers.2.units",
        "7, field model.layers.2.twist",
        "8, field train.batch_size",
        "8, field train.epocs",
        "9, field hls.backend",
    ]
    for words in (
        "'filters' must be a whole number, not 'many'",
        "'conv3d' is not one of",
        "'units' must be at least 1, not 0",
        "unknown field 'twist'",
        "did you mean 'epochs'",
        "'batch_size' must be at least 1, not -1",
        "Vitis",
    ):
        assert words in shown
    for word in ("pydantic", "http", "validation error", "Input should"):
        assert word not in shown
    assert str(pickle.loads(pickle.dumps(raised.value))) == shown


@pytest.mark.parametrize("shape", ["[0, 8, 1]", "[]", "[0]", "[8, 8, 1, 1, 1]", "eight", "[8, wide, 1]"])
def test_a_wrong_input_shape_is_told_in_our_words(tmp_path, shape):
    text = f"model: {{input_shape: {shape}, layers: [{{kind: flatten}}, {{kind: dense, units: 2}}]}}\n"
    with pytest.raises(ProjectError) as raised:
        load(tmp_path, text)
    assert "field model.input_shape" in str(raised.value)
    assert "after validation" not in str(raised.value)
    assert "input_shape" in raised.value.what


def test_a_shape_that_becomes_empty_is_told(tmp_path):
    text = """
        model:
          input_shape: [4, 4, 1]
          layers:
            - {kind: conv2d, filters: 2, kernel: 3, padding: valid}
            - {kind: conv2d, filters: 2, kernel: 3, padding: valid}
        """
    from siliconv.actions.summary import summarize

    with pytest.raises((ModelError, ProjectError)):
        summarize(load(tmp_path, text), tmp_path / "build")


@pytest.mark.parametrize("name", ["digits", "lecture", "jets", "waveforms"])
def test_the_projects_of_the_repository_are_valid(name):
    project = load_project(ROOT / "firmware_projects" / name)
    assert project.model.preset == name


def test_a_project_is_found_by_name_or_folder_and_a_near_name_is_offered():
    assert find_project("digits", base=ROOT) == ROOT / "firmware_projects" / "digits"
    assert find_project("firmware_projects/digits", base=ROOT) == ROOT / "firmware_projects" / "digits"
    with pytest.raises(ProjectError) as raised:
        find_project("digit", base=ROOT)
    assert "did you mean 'digits'" in raised.value.what


def test_a_relative_data_path_is_relative_to_the_project(tmp_path):
    project = load(tmp_path, "model: {preset: digits}\ndata: {source: folder, path: images}\n")
    assert project.data.path == (tmp_path / "images").resolve()


def test_a_new_project_is_valid_shows_every_default_and_overwrites_nothing(tmp_path):
    path = write_project("mine", "lecture", base=tmp_path)
    assert load_project(path.parent).model.preset == "lecture"
    uncommented = "\n".join(line.removeprefix("# ") for line in path.read_text().splitlines()[2:])
    for field in ("epochs:", "weights:", "max_multipliers:", "corner_vectors:"):
        assert field in uncommented
    with pytest.raises(ProjectError, match="PROJECT-EXISTS"):
        write_project("mine", "lecture", base=tmp_path)
    assert write_project("./mine/", "lecture", base=tmp_path) == tmp_path / "mine" / "project.yml"


def test_the_defaults_written_into_a_new_project_are_the_defaults(tmp_path):
    lines = project_text("mine", "digits").splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("# quantize:"))
    section = [lines[start]]
    for line in lines[start + 1 :]:
        if not line.startswith("#   "):
            break
        section.append(line)
    text = "model: {preset: digits}\n" + "\n".join(line.removeprefix("# ") for line in section) + "\n"
    written = load(tmp_path, text)
    assert written.quantize == load(tmp_path, "model: {preset: digits}\n").quantize


@pytest.mark.parametrize(
    ("field", "choices"),
    [
        ("strategy", "latency, resource, resource_unrolled, distributed_arithmetic"),
        ("strategies", "latency, resource, resource_unrolled, distributed_arithmetic"),
        ("family", "ecp5, xc7, xcup"),
        ("aspect", "stretch, crop, pad"),
        ("class_weights", "equal, balanced"),
    ],
)
def test_a_new_project_lists_the_choices_of_a_field(field, choices):
    (line, *_) = [one for one in project_text("mine", "digits").splitlines() if one.startswith(f"#   {field}: ")]
    assert line.endswith(f"; choices: {choices}")


def test_choices_are_those_of_the_schema_and_are_not_said_twice():
    assert choices_of(HlsConfig, "strategy") == tuple(map(str, Strategy))
    assert choices_of(HlsConfig, "part") == ()
    lines = project_text("mine", "digits").splitlines()
    for section, name in ((HlsConfig, "hls"), (RtlConfig, "rtl"), (DataConfig, "data"), (TrainConfig, "train")):
        at = lines.index(f"# {name}:")
        for field in section.model_fields:
            line = next(one for one in lines[at:] if one.startswith(f"#   {field}:"))
            meaning = line.partition("  # ")[2]
            assert all(one in meaning for one in choices_of(section, field)), line
    (line,) = [one for one in lines if one.startswith("#   io_type:")]
    assert "choices" not in line, "its words explain both"


@pytest.mark.parametrize(
    ("name", "identifier"),
    [("digits", "digits"), ("my-net 2", "my_net_2"), ("3d", "net_3d"), ("main", "net_main"), ("größe", "gr__e")],
)
def test_names_become_c_identifiers(name, identifier):
    assert c_identifier(name) == identifier


@pytest.mark.parametrize(
    ("given", "model", "source"),
    [
        ({"model": "m.json", "data": "a.npz"}, "file: ", "npz"),
        ({"preset": "jets", "data": "a.csv"}, "preset: jets", "csv"),
        ({"preset": "autoencoder", "data": "a.h5", "board": "zcu104"}, "preset: autoencoder", "hdf5"),
    ],
)
def test_a_new_project_takes_a_file_of_arrays_beside_its_network(tmp_path, given, model, source):
    for name in ("a.npz", "a.csv", "a.h5"):
        (tmp_path / name).touch()
    (tmp_path / "m.json").write_text('{"class_name": "Sequential", "config": {"name": "m", "layers": []}}')
    paths = {key: tmp_path / value if key in ("model", "data") else value for key, value in given.items()}
    text = write_project("mine", base=tmp_path, **paths).read_text()
    assert model in text
    assert [text.count(f"\n{section}:") for section in ("model", "data")] == [1, 1]
    assert text.count("\nhls:") == ("board" in given)
    assert yaml.safe_load(text)["data"] == {"source": source, "path": f"../../{given['data']}"}


def test_a_model_file_that_is_not_there_makes_no_project(tmp_path):
    with pytest.raises(ProjectError, match=r"PROJECT-MODEL.*no such model file"):
        write_project("mine", model=tmp_path / "m.h5", base=tmp_path)
    assert not (tmp_path / "firmware_projects").exists()


@pytest.mark.parametrize("name", ["jets", "calorimeter", "autoencoder", "waveforms"])
def test_a_new_project_of_numbers_says_where_they_come_from(tmp_path, name):
    from siliconv.project.project_template import project_text

    text = project_text("mine", name)
    (tmp_path / "project.yml").write_text(text)
    data = load_project(tmp_path).data
    assert text.count("\ndata:") == 1
    assert (data.source, data.name) == ("generated", {"autoencoder": "sounds"}.get(name, name))
