"""The schema of project files accepts what the code accepts, refuses what it refuses, and lies beside new projects."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from siliconv.commands.cli import run_command_line
from siliconv.project.project_schema import SCHEMA_FILE, SCHEMA_LINE, project_schema, schema_text
from siliconv.project.project_template import write_project

jsonschema = pytest.importorskip("jsonschema")
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def validator():
    schema = project_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def mistakes(validator, text):
    return [error.message for error in validator.iter_errors(yaml.safe_load(text))]


@pytest.mark.parametrize(
    "path", sorted(ROOT.glob("firmware_projects/*/project.yml")), ids=lambda path: path.parent.name
)
def test_the_projects_of_the_repository_are_accepted(validator, path):
    assert mistakes(validator, path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "text",
    [
        "model: {preset: digits}\ntrain:\nhls:\nquantize: {layers: {conv2d_1: {weights: ternary}}}\n",
        "model: {input_shape: [8, 8, 1], layers: [{kind: flatten}, {kind: dense, units: 2}]}\n",
        "model: {preset: digits}\ntrain: null\n",
    ],
)
def test_what_is_right_is_accepted(validator, text):
    assert mistakes(validator, text) == []


@pytest.mark.parametrize(
    "text",
    [
        "model: {preset: digits}\ntrian: {epochs: 3}\n",
        "train: {epochs: 3}\n",
        "model: {preset: digits}\ntrain: {epochs: many}\n",
        "model: {preset: digits}\nquantize: {weights: 99}\n",
        "model: {preset: digits}\nquantize: {weights: quaternary}\n",
        "model: {preset: digits}\nhls: {io_type: io_parallell}\n",
        "model: {input_shape: [8, 8, 1], layers: [{kind: conv3d, filters: 4}]}\n",
        "model: {input_shape: [8, 8, 1], layers: [{kind: conv2d, kernel_size: 3}]}\n",
    ],
)
def test_what_is_wrong_is_refused(validator, text):
    assert mistakes(validator, text)


def test_every_field_is_explained(validator):
    schema = project_schema()
    for name, section in schema["$defs"].items():
        if name in ("HlsConfig", "Recipe", "DataConfig", "RtlConfig", "CsimConfig", "TrainConfig"):
            assert all(field.get("description") for field in section["properties"].values()), name


def test_a_new_project_names_the_schema_that_lies_beside_it(tmp_path, validator):
    path = write_project("mine", base=tmp_path)
    assert path.read_text().splitlines()[0] == SCHEMA_LINE
    assert (path.parent / SCHEMA_FILE).read_text() == schema_text()
    assert mistakes(validator, path.read_text()) == []


def test_the_command_writes_it(tmp_path, capsys):
    assert run_command_line(["schema"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "siliconv project"
    assert run_command_line(["schema", str(tmp_path / "schema.json")]) == 0
    assert (tmp_path / "schema.json").read_text() == schema_text()
