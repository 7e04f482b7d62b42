"""Variants: fields set on the command line, built beside the others from what is built already."""

from __future__ import annotations

import json
import textwrap

import pytest

from siliconv.commands.changes import MOST_VARIANTS, read_variants
from siliconv.commands.cli import run_command_line
from siliconv.errors import ProjectError
from siliconv.project.varied_project import flat_fields, told_changes
from siliconv.runs.variants import open_variant, variant_folder

PROJECT = """
    # Kept as it is.
    data: {source: digits, limit: 300}
    model: {preset: digits}
    train: {epochs: 1, batch_size: 64}
    quantize: {train: {epochs: 1, batch_size: 64}, layers: {"conv2d*": {weights: 5}}}
    csim: {images: 4}
    """


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "digits"
    folder.mkdir()
    (folder / "project.yml").write_text(textwrap.dedent(PROJECT))
    return folder


def test_values_are_read_as_in_a_project_file():
    (found,) = read_variants(
        ["quantize.weights=4", "quantize.weights = ternary", "hls.reuse_factors.conv2d_1=8", "train=null"]
    )
    assert found == {"quantize.weights": "ternary", "hls.reuse_factors.conv2d_1": 8, "train": None}
    assert read_variants([]) == ({},)
    for wrong in ("quantize.weights", "=4", "a=[1", "a=1,", "a=,1", "a=1,,2", "a=1,[2"):
        with pytest.raises(ProjectError, match="SET-FORM"):
            read_variants([wrong])


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("3,4,5", [3, 4, 5]),
        (" 3 , binary ", [3, "binary"]),
        ("[3, 4]", [[3, 4]]),
        ("[8, 8, 1],[16, 16, 1]", [[8, 8, 1], [16, 16, 1]]),
        ("{sparsity: 0.5, pattern: free},null", [{"sparsity": 0.5, "pattern": "free"}, None]),
        ('"a,b"', ["a,b"]),
        ('"a,\\"b",c', ['a,"b', "c"]),
        ("'it''s, so',no", ["it's, so", False]),
        ("it's,not", ["it's", "not"]),
        ("['a,b', \"c,d\"]", [["a,b", "c,d"]]),
        ("3,3,4", [3, 4]),
        ("1,true", [1, True]),
        ("", [None]),
    ],
)
def test_a_comma_is_between_values_unless_it_is_in_one(text, values):
    assert [one["f"] for one in read_variants([f"f={text}"])] == values


@pytest.mark.parametrize("value", ["a,b", "it's, so", [1, "a,b"], {"a": "b,c"}, 'say "so, so"', 4, None, "a b", "1,2"])
def test_a_command_that_is_remembered_makes_the_same_variant_again(value):
    assert read_variants([told_changes({"f": value})]) == ({"f": value},)


def test_several_fields_with_several_values_are_all_combined():
    assert read_variants(["a=1,2", "b=3", "c=4,5"]) == (
        {"a": 1, "b": 3, "c": 4},
        {"a": 1, "b": 3, "c": 5},
        {"a": 2, "b": 3, "c": 4},
        {"a": 2, "b": 3, "c": 5},
    )
    many = ",".join(map(str, range(MOST_VARIANTS)))
    assert len(read_variants([f"a={many}"])) == MOST_VARIANTS
    with pytest.raises(ProjectError, match="SET-MANY"):
        read_variants([f"a={many}", "b=1,2"])


def test_fields_are_flat_and_free_names_stay_whole():
    content = {"model": {"preset": "digits"}, "quantize": {"weights": 4, "layers": {"conv2d.*": {"weights": 5}}}}
    assert flat_fields(content) == {
        "model.preset": "digits",
        "quantize.weights": 4,
        "quantize.layers": {"conv2d.*": {"weights": 5}},
    }


def test_a_variant_has_the_field_and_the_project_file_stays(project):
    before = (project / "project.yml").read_bytes()
    varied, build = open_variant(project, {"quantize.weights": 4})
    assert varied.quantize.weights == 4
    assert build.parent == variant_folder(project, {"quantize.weights": 4})
    assert build.parent.parent == project / "runs"
    assert (project / "project.yml").read_bytes() == before
    assert variant_folder(project, {"quantize.weights": 5}) != build.parent


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"quantize.wieghts": 4}, "PROJECT-FIELD"),
        ({"quantize.weights": 99}, "PROJECT-VALUE"),
        ({"hls": 3}, "PROJECT-VALUE"),
    ],
)
def test_a_field_that_cannot_be_set_is_told_as_the_option(project, changes, code):
    with pytest.raises(ProjectError, match=code) as told:
        open_variant(project, changes)
    assert told.value.where.startswith("--set ")


def test_a_mistake_in_the_project_file_is_told_as_one(project):
    (project / "project.yml").write_text("model: {preset: digits}\ntrian: {}\n")
    with pytest.raises(ProjectError, match=r"project\.yml:2"):
        open_variant(project, {"quantize.weights": 4})


@pytest.mark.slow
def test_a_variant_begins_with_what_is_built_and_leaves_it(project, capsys):
    assert run_command_line(["run", str(project), "--until", "lower"]) == 0
    before = (project / "build" / "network" / "network.json").read_bytes()
    capsys.readouterr()
    assert run_command_line(["run", str(project), "--until", "lower", "--set", "quantize.weights=3", "--json"]) == 0
    said = capsys.readouterr()
    stages = {name: stage["ran"] for name, stage in json.loads(said.out)["stages"].items()}
    assert stages == {"data": False, "train": False, "quantize": True, "lower": True}
    assert "variant: quantize.weights=3" in said.err
    assert (project / "build" / "network" / "network.json").read_bytes() == before
    variant = variant_folder(project, {"quantize.weights": 3}) / "build" / "network" / "network.json"
    assert variant.read_bytes() != before
    assert not (project / "runs" / "records").exists(), "without a certificate there is nothing to remember"


@pytest.mark.slow
def test_runs_are_remembered_with_what_came_of_them(project, compiler, capsys):
    assert run_command_line(["run", str(project)]) == 0
    assert run_command_line(["run", str(project)]) == 0
    assert run_command_line(["run", str(project), "--set", "quantize.weights=3"]) == 0
    capsys.readouterr()
    assert run_command_line(["history", str(project), "--json"]) == 0
    one, varied = json.loads(capsys.readouterr().out)
    assert (one["kind"], one["details"]["set"], varied["details"]["set"]) == ("run", {}, {"quantize.weights": 3})
    metrics = json.loads((project / "build" / "network" / "metrics.json").read_text())
    estimate = json.loads((project / "build" / "estimate.json").read_text())
    certificate = json.loads((project / "build" / "csim.json").read_text())
    assert one["test"]["value"] == metrics["value"]
    assert one["validation"]["value"] == metrics["validation"]["value"]
    assert one["test"]["low"] < one["test"]["value"] < one["test"]["high"]
    assert one["costs"]["lut"] == estimate["logic_synthesis"]["lut"]["value"]
    assert one["hashes"]["certificate"] == certificate["sha256"]
    assert one["changes"]["train.epochs"] == 1
    assert one["details"]["exact"] == varied["details"]["exact"] == {"hls": True}
    assert varied["costs"]["span_operations"] < one["costs"]["span_operations"]
    assert varied["command"].endswith("--set=quantize.weights=3")
    assert run_command_line(["compare", str(project), f"{project}:{varied['id']}"]) == 0
    said = capsys.readouterr().out
    assert "quantize.weights" in said
    assert run_command_line(["compare", str(project), f"{project}:{varied['id']}", "--max-lut-growth", "500"]) == 0
